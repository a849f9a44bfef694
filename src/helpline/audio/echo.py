"""The desk's own voice coming back through open speakers: told apart from the customer's by what was played.

Browsers cancel echo by default, phones and open speakers often do not. The gate knows what was played and
about when; it looks for that sound in the microphone's last moments, at any delay up to `LONGEST_DELAY_MS`. A
frame that is mostly explained by it becomes silence; anything else, speech on top of it included, passes
untouched. It costs nothing while the desk is silent.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 8000
"""Enough to recognise a sound by; a third of the stream's 24 kHz."""
PER_MS = RATE // 1000
LONGEST_DELAY_MS = 1000
"""Network, sound card, air and microphone together."""
WINDOW_MS = 160
"""How much of the microphone is compared: long enough not to match by chance."""
EXPLAINED = 0.5
"""A frame with more than this share of its energy explained by the echo holds nobody's speech."""
EXPLAINED_ALONE = 0.8
"""The same of a frame that is compared by itself: so short a sound matches by chance more easily."""
FAINT = 0.2
FAINT_LEVEL = 0.1
"""In a room the echo is smeared: a frame this faint beside what is played needs less explaining (-10 dB)."""
LATE_MS = 500
"""A channel that is so far behind ran dry and goes on later: what has not sounded is expected anew."""
SLACK_MS = 200
"""It is expected so much earlier than the channel's report says, which took its time."""
QUIET = 30.0
"""RMS under which a frame holds nothing worth asking about."""


_S16LE = np.dtype("<i2")
_F32 = np.dtype(np.float32)


def _down(pcm24k: bytes) -> Samples:
    """24 kHz s16le to 8 kHz, averaging three samples into one; a rest of less than three is left out."""
    samples = np.frombuffer(pcm24k, _S16LE, len(pcm24k) // 6 * 3)
    mean: Samples = samples[::3].astype(np.float32)
    mean += samples[1::3]
    mean += samples[2::3]
    mean *= np.float32(1 / 3)  # nine times as fast as mean()
    return mean


def _is_faint(pcm24k: bytes) -> bool:
    """Too quiet to ask about, and at 8 kHz all the more."""
    samples = np.frombuffer(pcm24k, _S16LE, len(pcm24k) // 2).astype(_F32)
    return bool(samples.dot(samples) < QUIET**2 * len(samples))  # half the time of `@`


class _Sound:
    """A stretch of 24 kHz s16le, brought down to 8 kHz when it is first asked for: most never is."""

    __slots__ = ("_pcm24k", "_samples", "length")

    def __init__(self, pcm24k: bytes) -> None:
        self._pcm24k = pcm24k
        self._samples: Samples | None = None
        self.length = len(pcm24k) // 6
        """In samples at 8 kHz."""

    @property
    def samples(self) -> Samples:
        if self._samples is None:
            self._samples = _down(self._pcm24k)
        return self._samples

    def beginning(self, length: int) -> "_Sound":
        return _Sound(self._pcm24k[: 6 * length])

    def after(self, length: int) -> "_Sound":
        return _Sound(self._pcm24k[6 * length :])


_NOTHING = bytes(6 * WINDOW_MS * PER_MS)


class EchoGate:
    """Lets the customer through and the desk's echo not. One per call; times are the call's, in ms."""

    def __init__(self) -> None:
        self._played: deque[tuple[int, _Sound]] = deque()
        """(when it began to sound, at the earliest; what), in order, without overlap; in samples."""
        self._ends = 0
        self._rest = b""
        """The end of a piece that makes no whole sample at 8 kHz: the next piece goes on from there."""
        self._heard: deque[bytes] = deque([_NOTHING])
        """The microphone's latest frames: a window of them and no frame more."""
        self._length = len(_NOTHING)
        """Of all of them, in bytes."""
        self._delay: int | None = None
        """In samples, as last found: an echo's delay rarely changes."""

    def played(self, pcm24k: bytes, now_ms: int) -> None:
        """This was sent to be played after all that was sent before."""
        begins = max(now_ms * PER_MS, self._ends)
        pcm24k = (self._rest if begins == self._ends else b"") + pcm24k
        self._rest = pcm24k[len(pcm24k) // 6 * 6 :]
        sound = _Sound(pcm24k)
        self._ends = begins + sound.length
        self._played.append((begins, sound))

    def sounds_until(self, ends_ms: int, now_ms: int) -> None:
        """The channel says how far it is: all that was sent will have sounded by then."""
        late = ends_ms * PER_MS - self._ends
        if late < LATE_MS * PER_MS or ends_ms <= now_ms:
            return
        left = (ends_ms - now_ms) * PER_MS  # how much has not sounded yet
        moved: deque[tuple[int, _Sound]] = deque()
        late -= SLACK_MS * PER_MS
        while self._played and left > 0:
            begins, sound = self._played.pop()
            if sound.length > left:
                before = sound.length - left
                self._played.append((begins, sound.beginning(before)))
                begins, sound = begins + before, sound.after(before)
            left -= sound.length
            moved.appendleft((begins + late, sound))
        self._played += moved
        self._ends += late

    def cleared(self, now_ms: int) -> None:
        """Playback was silenced: what had not begun to sound never will."""
        now = now_ms * PER_MS
        while self._played and self._played[-1][0] >= now:
            self._played.pop()
        if self._played:
            begins, sound = self._played.pop()
            self._played.append((begins, sound.beginning(now - begins)))
        self._ends = min(self._ends, now)

    @property
    def listens(self) -> bool:
        """Something has sounded lately: without it every frame passes `filter` as it is."""
        return bool(self._played)

    def filter(self, pcm24k: bytes, now_ms: int) -> bytes:
        """One microphone frame, 24 kHz mono s16le, that ended now: as it is, or as silence of its length."""
        self._forget(now_ms)
        if not self._played:
            self._delay = None
            return pcm24k
        heard = self._heard
        heard.append(pcm24k)
        self._length += len(pcm24k)
        while self._length - len(heard[0]) >= len(_NOTHING):
            self._length -= len(heard.popleft())
        if not _is_faint(pcm24k) and self._is_echo(_down(pcm24k), now_ms):
            return bytes(len(pcm24k))
        return pcm24k

    def _forget(self, now_ms: int) -> None:
        oldest = (now_ms - LONGEST_DELAY_MS - WINDOW_MS) * PER_MS
        while self._played and self._played[0][0] + self._played[0][1].length < oldest:
            self._played.popleft()

    def _is_echo(self, frame: Samples, now_ms: int) -> bool:
        energy = float(frame @ frame)
        if not len(frame) or energy / len(frame) < QUIET**2:
            return False
        reference = self._reference(now_ms)
        loudest = float(reference @ reference) / max(1, int(np.count_nonzero(reference)))
        if loudest < QUIET**2:
            return False
        echoes = self._delay is not None
        delay = self._find(reference)
        explained = self._explained(frame, reference, delay) if delay is not None else 0.0
        faint = energy / len(frame) < FAINT_LEVEL * loudest
        if explained >= EXPLAINED or (faint and explained >= FAINT):
            self._delay = delay
            return True
        # Playback that stumbled goes on at another delay, of which the window knows only this frame.
        delay = self._search(frame, reference) if echoes else None
        if delay is not None and self._explained(frame, reference, delay) >= EXPLAINED_ALONE:
            self._delay = delay
            return True
        return False

    def _reference(self, now_ms: int) -> Samples:
        """What was sent to sound from `LONGEST_DELAY_MS` and a window ago until now."""
        length = (LONGEST_DELAY_MS + WINDOW_MS) * PER_MS
        out = np.zeros(length, dtype=np.float32)
        origin = now_ms * PER_MS - length
        for begins, sound in self._played:
            start = begins - origin
            first, last = max(0, start), min(length, start + sound.length)
            if first < last:
                out[first:last] = sound.samples[first - start : last - start]
        return out

    def _find(self, reference: Samples) -> int | None:
        """The delay at which the reference explains most of the microphone's window."""
        heard = _down(b"".join(self._heard)[-len(_NOTHING) :])
        if self._delay is not None and self._explained(heard, reference, self._delay) >= EXPLAINED:
            return self._delay
        return self._search(heard, reference)

    @staticmethod
    def _search(heard: Samples, reference: Samples) -> int | None:
        size = len(heard)
        spectrum = np.fft.rfft(reference, 16384) * np.conj(np.fft.rfft(heard, 16384))
        match = np.fft.irfft(spectrum, 16384)[: len(reference) - size + 1]
        total = np.concatenate(([0.0], np.cumsum(reference.astype(np.float64) ** 2)))
        energy = total[size:] - total[:-size]
        score = np.where(energy > size * QUIET**2 / 10, match**2 / np.maximum(energy, 1.0), 0.0)
        best = int(np.argmax(score))
        return len(reference) - size - best if score[best] > 0 else None

    @staticmethod
    def _explained(part: Samples, reference: Samples, delay: int) -> float:
        """The share of a part's energy that the reference at this delay accounts for."""
        end = len(reference) - delay
        echo = reference[end - len(part) : end]
        if len(echo) < len(part):
            return 0.0
        own, other = float(part @ part), float(echo @ echo)
        return float(part @ echo) ** 2 / (own * other) if own and other else 0.0
