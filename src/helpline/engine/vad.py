"""When somebody speaks: silero's voice detector and the rules of `server_vad`, on the session's audio clock.

Times are milliseconds of audio ever written to the session's buffer, as the protocol counts them
(`input_audio_buffer.speech_started`): the start includes the prefix padding, the end the silence window.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from helpline.audio.pcm import samples as samples_of
from helpline.engine.silero import Probability, Samples, voice_probability

FRAME_MS = 32
FRAME_BYTES = 1024
PCM16K_BYTES_PER_MS = 32

_FLOOR_FRAMES = 94
_FRAMES_TO_START = 2
_HYSTERESIS = 0.15
_HEARD_PAUSE_MS = 192
_SILENT_RMS = 10.0
_ABOVE_FLOOR = 1.5
_MOST_GATED_RMS = 150.0
_FRAMES_TO_WARM = 3


@dataclass(frozen=True, slots=True)
class VadSettings:
    """The numbers of `turn_detection` in a session."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    eagerness: str = ""
    """Of `semantic_vad`: low, medium or high; empty: the numbers alone decide."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Speech started; `pcm16k` is what was held for it, from `start_ms` on."""

    start_ms: int
    pcm16k: bytes


@dataclass(frozen=True, slots=True)
class SpeechWent:
    """More of the speech. A pause comes with the speech after it: a recogniser finds words in silence."""

    pcm16k: bytes


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """A pause that may be the end: time to make up one's mind, while the silence window passes."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The silence window has passed."""

    end_ms: int


VadEvent = SpeechBegan | SpeechWent | SpeechPaused | SpeechEnded


class VoiceDetector:
    """Cuts a session's audio into speech. Feed it everything, in order.

    The network is not asked about a silent line: between utterances, frames that are hardly louder than the
    line's own floor are no speech. It hears the last of them before the first that is louder.
    """

    def __init__(self, settings: VadSettings | None = None, probability: Probability | None = None) -> None:
        self.settings = settings or VadSettings()
        self.speaking = False
        self._probability = probability or voice_probability()
        self._gated: deque[Samples] = deque(maxlen=_FRAMES_TO_WARM)
        self._rest = b""
        self._clock_ms = 0
        self._held: deque[bytes] = deque()
        self._loud_frames = 0
        self._quiet_ms = 0
        self._levels: deque[float] = deque(maxlen=_FLOOR_FRAMES)

    @property
    def clock_ms(self) -> int:
        """How much audio was heard so far."""
        return self._clock_ms + len(self._rest) // PCM16K_BYTES_PER_MS

    @property
    def floor_rms(self) -> float:
        """How loud it is when nobody speaks: the quiet tenth of the last three seconds, in LSB RMS."""
        if not self._levels:
            return 0.0
        ordered = sorted(self._levels)  # for every frame: numpy's own percentile takes 20 times as long
        below, part = divmod((len(ordered) - 1) * 0.1, 1)
        upper = ordered[min(int(below) + 1, len(ordered) - 1)]
        return ordered[int(below)] * (1 - part) + upper * part

    def configure(self, settings: VadSettings) -> None:
        """New numbers from here on."""
        self.settings = replace(settings)

    def extend_silence(self, silence_ms: int) -> None:
        """Wait this long for more of the present utterance."""
        self.settings = replace(self.settings, silence_ms=silence_ms)

    def feed(self, pcm16k: bytes) -> Iterator[VadEvent]:
        """What begins, goes on or ends with this audio (any length, s16le)."""
        audio = self._rest + pcm16k
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        for at in range(0, whole, FRAME_BYTES):
            yield from self._frame(audio[at : at + FRAME_BYTES])

    def held(self) -> bytes:
        """What came since the last event of an utterance in progress: a pause, or too little for a frame."""
        return b"".join(self._held) + self._rest

    def forget(self) -> None:
        """Drop an utterance in progress and what is held for the next one; the clock goes on."""
        self.speaking = False
        self._loud_frames = self._quiet_ms = 0
        self._held.clear()

    def _frame(self, frame: bytes) -> Iterator[VadEvent]:
        samples = samples_of(frame).astype(np.float32)
        level = math.sqrt(float(samples @ samples) / len(samples))
        self._levels.append(level)
        probability = self._ask(samples, level)
        self._clock_ms += FRAME_MS
        if self.speaking:
            yield from self._go_on(frame, probability)
            return
        self._hold(frame)
        self._loud_frames = self._loud_frames + 1 if probability >= self.settings.threshold else 0
        if self._loud_frames >= _FRAMES_TO_START:
            held = b"".join(self._held)
            self.forget()
            self.speaking = True
            yield SpeechBegan(self._clock_ms - len(held) // PCM16K_BYTES_PER_MS, held)

    def _ask(self, samples: Samples, level: float) -> float:
        if not self.speaking and level < max(
            _SILENT_RMS, min(self.floor_rms * _ABOVE_FLOOR, _MOST_GATED_RMS)
        ):
            self._gated.append(samples)
            return 0.0
        while self._gated:
            self._probability(self._gated.popleft())
        return self._probability(samples)

    def _go_on(self, frame: bytes, probability: float) -> Iterator[VadEvent]:
        quiet = probability < max(self.settings.threshold - _HYSTERESIS, 0.01)
        self._quiet_ms = self._quiet_ms + FRAME_MS if quiet else 0
        self._held.append(frame)
        if self._quiet_ms <= _HEARD_PAUSE_MS:
            yield SpeechWent(b"".join(self._held))
            self._held.clear()
        elif self._quiet_ms >= self.settings.silence_ms:
            self.forget()
            yield SpeechEnded(self._clock_ms)
        elif self._quiet_ms == _HEARD_PAUSE_MS + FRAME_MS:
            yield SpeechPaused()

    def _hold(self, frame: bytes) -> None:
        self._held.append(frame)
        keep = self.settings.prefix_padding_ms // FRAME_MS + _FRAMES_TO_START
        while len(self._held) > keep:
            self._held.popleft()
