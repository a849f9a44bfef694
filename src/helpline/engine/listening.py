"""One session's listening: audio in any of the protocol's formats in; speech begun, words, speech ended out.

`Listener` is sync and CPU-bound; a session talks to it through `Hearing`, which runs it away from the event
loop: on a thread of this process, or in a worker process (`workers.py`).
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial
from typing import Literal, Protocol, TypeVar

import msgspec
import numpy as np

from helpline.audio.g711 import alaw_decode, mulaw_decode
from helpline.audio.pcm import from_samples, samples
from helpline.audio.resample import Resampler
from helpline.engine.ears.port import Ears
from helpline.engine.lexicon import Expected
from helpline.engine.meaning import likeliness, says_else
from helpline.engine.references import numbers_in, own_reference, settle_reference
from helpline.engine.vad import (
    FRAME_BYTES,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechWent,
    VadEvent,
    VadSettings,
    VoiceDetector,
)
from helpline.errors import HelplineError, LocalError
from helpline.numbers import normalise

Answer = TypeVar("Answer")
AudioFormat = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

_STABLE_FRAMES = 12
_UNSURE_WORDS = 2
_LONGEST_UTTERANCE_MS = 120_000
_AGREES = 0.2
_SAME_NUMBER = 0.3
"""Two seldom hear the same number where none was said."""
_CLEARLY = 0.15
"""So much better than those before it must an opinion be: the first is right most often."""
_STRANGE = 0.9
"""Where none is more like what customers say than this the first is taken, which may be of any words."""

# Somebody who stops after these words is about to go on.
_UNFINISHED = re.compile(
    r"(?:^|\s)(?:and|or|but|to|the|a|my|is|for|about|because|number|with|of|from|um|uh|er|order|at|i|it's|email|address"
    r"|one|two|three|four|five|six|seven|eight|nine|zero|oh|ten|double|dot)$"
)
_WHOLE_REFERENCE = re.compile(
    r"(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine) ){3,}\S+$|(?:thousand|hundred)(?: \S+)*$"
    r"|(?:ten|twenty) (?:oh )?\S+$"
)
_PATIENCE = {"high": (300, 2000), "medium": (500, 4000), "low": (900, 8000)}


class Began(msgspec.Struct, frozen=True, tag=True):
    """Speech started at this point of the session's audio."""

    start_ms: int


class Growing(msgspec.Struct, frozen=True, tag=True):
    """The words so far that will most likely stay."""

    text: str


class Ended(msgspec.Struct, frozen=True, tag=True):
    """Speech ended: its words, and how long it was."""

    end_ms: int
    text: str
    duration_ms: int


Listened = Began | Growing | Ended


class ListeningFailed(LocalError):
    """The engine's ears failed: it cannot hear."""


def failure_of(failure: Exception) -> str:
    """What went wrong, fit for a log and for the client: a foreign exception's text may be what was said."""
    if isinstance(failure, HelplineError):
        return str(failure)
    return f"The engine's ears failed: {type(failure).__name__}."


class ListenSettings(msgspec.Struct, frozen=True):
    """What a session configured. `vad` None: push to talk."""

    format: AudioFormat = "audio/pcm"
    vad: VadSettings | None = VadSettings()
    expected: Expected = Expected()
    known_ids: tuple[str, ...] = ()
    """The caller's own references: words that name another are less likely."""
    asked_for_reference: bool = False
    """The last reply asked for one: an answer that all but names one of the caller's own is that one."""


class Committed(msgspec.Struct, frozen=True):
    """What a manual commit took from the buffer."""

    duration_ms: int
    text: str
    end_ms: int


class Piece(msgspec.Struct, frozen=True):
    """Some of a sound that is heard apart from the buffer: others who listen get their turn in between."""

    pcm24k: bytes
    floor_rms: float
    first: bool
    last: bool


_PIECE_BYTES = 48 * 200
_SILENCE_AFTER = bytes(FRAME_BYTES * 10)
_SILENCE_SAMPLES = 16 * 192


def pieces_of(pcm24k: bytes) -> Iterator[Piece]:
    """The sound in pieces of 200 ms."""
    floor_rms = _floor(pcm24k + _SILENCE_AFTER)
    for at in range(0, max(len(pcm24k), 1), _PIECE_BYTES):
        piece = pcm24k[at : at + _PIECE_BYTES]
        yield Piece(piece, floor_rms, first=at == 0, last=at + _PIECE_BYTES >= len(pcm24k))


class Hearing(Protocol):
    """A session's ears as the session sees them. Calls are made one at a time, in order.

    All but `close` raise ListeningFailed, and may be tried again.
    """

    async def configure(self, settings: ListenSettings) -> None:
        """From the next audio on."""

    async def feed(self, audio: bytes) -> list[Listened]:
        """More microphone audio, in the session's format."""

    async def commit(self) -> Committed:
        """Take what the buffer holds as one utterance, finished now."""

    async def clear(self) -> None:
        """Forget what the buffer holds."""

    async def transcribe(self, pcm24k: bytes) -> str:
        """The words in a piece of audio that is no part of the buffer."""

    async def close(self) -> None:
        """The session is over."""


class Listener:
    """Cuts one session's audio into utterances and recognises them."""

    def __init__(self, ears: Ears, detector: VoiceDetector) -> None:
        self._ears = ears
        self._detector = detector
        self._settings = ListenSettings()
        self._resample = _to_16k("audio/pcm")
        self._resample_piece = self._resample
        self._start_ms = 0
        self._buffer_start_ms = 0
        self._open = False
        self._partials = Partials()
        self.paused = False
        """The speaker pauses, and the ears have not yet thought of all that was said."""

    def configure(self, settings: ListenSettings) -> None:
        if settings.format != self._settings.format:
            self._resample = _to_16k(settings.format)
        if (settings.vad is None) != (self._settings.vad is None):
            self.clear()
        if settings.vad is not None:
            self._detector.configure(_with_patience(settings.vad))
        self._ears.expect(settings.expected)
        self._ears.know_references(settings.known_ids, asked=settings.asked_for_reference)
        self._settings = settings

    def feed(self, audio: bytes, *, hurried: bool = False) -> list[Listened]:
        """`hurried`: others wait."""
        on = self._on if self._settings.vad is not None else self._on_held
        events = self._detector.feed(self._resample(audio))
        return [heard for event in events for heard in on(event, hurried)]

    @property
    def rank(self) -> int:
        """Who is to think first: who pauses before who speaks, and of them who has to before who may."""
        return (0 if self.paused else 2) + (0 if self._ears.behind() else 1)

    def think(self) -> bool:
        """Let the ears work ahead a little; False: there was nothing to do."""
        if self._open and self._ears.think():
            return True
        self.paused = False
        return False

    def commit(self) -> Committed:
        end_ms = self._detector.clock_ms
        start_ms = self._start_ms if self._open else self._buffer_start_ms
        if self._open and self._detector.speaking:
            self._hear_out()
        text = self._finish() if self._open else ""
        self._detector.forget()
        self._buffer_start_ms = end_ms
        return Committed(end_ms - start_ms, text, end_ms)

    def clear(self) -> None:
        self._ears.cancel()
        self._detector.forget()
        self._open = self.paused = False
        self._buffer_start_ms = self._detector.clock_ms

    def transcribe(self, piece: Piece) -> str:
        """The words, once the last piece is there. An utterance in progress is dropped."""
        if piece.first:
            self._resample_piece = _to_16k("audio/pcm")
            self._ears.begin()
            self._open = False
        pcm16k = self._resample_piece(piece.pcm24k) + (_SILENCE_AFTER if piece.last else b"")
        self._ears.hear(pcm16k, piece.floor_rms)
        return self._finish() if piece.last else ""

    def _on(self, event: VadEvent, hurried: bool) -> Iterator[Listened]:
        match event:
            case SpeechBegan(start_ms, pcm16k):
                self._begin(start_ms)
                self._ears.hear(pcm16k, self._detector.floor_rms)
                yield Began(start_ms)
            case SpeechWent(pcm16k):
                yield from self._went(pcm16k)
                if self._detector.clock_ms - self._start_ms > _LONGEST_UTTERANCE_MS:
                    self._detector.forget()
                    yield from self._on(SpeechEnded(self._detector.clock_ms), hurried)
            case SpeechPaused():
                self._pause()
            case SpeechEnded(end_ms):
                self._buffer_start_ms = end_ms
                yield Ended(end_ms, self._finish(hurried=hurried), end_ms - self._start_ms)

    def _on_held(self, event: VadEvent, hurried: bool) -> Iterator[Listened]:
        """Push to talk: only a commit ends the utterance; silence is kept from the ears all the same."""
        match event:
            case SpeechBegan(_, pcm16k):
                if not self._open:
                    self._begin(self._buffer_start_ms)
                yield from self._went(pcm16k)
            case SpeechWent(pcm16k):
                yield from self._went(pcm16k)
            case SpeechPaused():
                self._pause()
            case SpeechEnded():
                pass

    def _pause(self) -> None:
        self._ears.settle()
        self.paused = True
        if self._settings.vad is not None and self._settings.vad.eagerness:
            while self._ears.think():
                pass
            self._have_patience(self._ears.hear(b"", self._detector.floor_rms))

    def _hear_out(self) -> None:
        """A key is let go with the last sound: the ears expect a little silence after it."""
        silence = np.random.default_rng(1).normal(0.0, self._detector.floor_rms, _SILENCE_SAMPLES)
        self._ears.hear(self._detector.held() + from_samples(silence), self._detector.floor_rms)

    def _begin(self, start_ms: int) -> None:
        self._ears.begin()
        self._partials = Partials()
        self._start_ms = start_ms
        self._open = True

    def _went(self, pcm16k: bytes) -> Iterator[Growing]:
        self.paused = False
        words = self._ears.hear(pcm16k, self._detector.floor_rms)
        self._have_patience(words)
        if grown := self._partials.take(words):
            yield Growing(grown)

    def _have_patience(self, words: str) -> None:
        if self._settings.vad is not None and self._settings.vad.eagerness:
            self._detector.extend_silence(patience_ms(words, self._settings.vad.eagerness))

    def _finish(self, *, hurried: bool = False) -> str:
        self._open = self.paused = False
        opinions = [words for words in self._ears.finish(hurried=hurried) if words]
        best = self._best(opinions) if len(opinions) > 1 else "".join(opinions)
        settled = settle_reference(best, opinions, self._settings.known_ids)
        return self._asked_for(settled) or settled

    def _asked_for(self, words: str) -> str:
        """The caller's own reference, if that was asked for and nothing else was clearly said."""
        known = self._settings.known_ids
        if not self._settings.asked_for_reference or says_else(words, self._settings.expected.keywords):
            return ""
        return next(
            (own for heard in (words, *self._ears.references()) if (own := own_reference(heard, known))), ""
        )

    def _best(self, opinions: Sequence[str]) -> str:
        """The first that is about as likely as any, and shares as much with the others."""
        expected, known = self._settings.expected.keywords, self._settings.known_ids
        likely = [likeliness(words, expected, known) for words in opinions]
        if max(likely) < _STRANGE:
            return opinions[0]
        numbers = [numbers_in(normalise(words)) for words in opinions]
        worth = []
        for place, words in enumerate(opinions):
            others = [found for other, found in enumerate(numbers) if other != place]
            shared = any(numbers[place] & found for found in others)
            worth.append(likely[place] + _AGREES * agreement(words, opinions) + _SAME_NUMBER * shared)
        return next(words for words, one in zip(opinions, worth, strict=True) if one >= max(worth) - _CLEARLY)


def agreement(words: str, opinions: Sequence[str]) -> float:
    """How much of these words other opinions share, 0 to 1."""
    mine = words.split()
    others = [SequenceMatcher(None, mine, other.split()).ratio() for other in opinions if other is not words]
    return sum(others) / len(others) if others else 0.0


def patience_ms(words: str, eagerness: str) -> int:
    """How long to wait for more after these words (`semantic_vad`)."""
    shortest, longest = _PATIENCE.get(eagerness, _PATIENCE["medium"])
    if not words:
        return longest // 2
    if _UNFINISHED.search(words) and not _WHOLE_REFERENCE.search(words):
        return longest
    return shortest


def _with_patience(vad: VadSettings) -> VadSettings:
    return replace(vad, silence_ms=patience_ms("", vad.eagerness)) if vad.eagerness else vad


class Partials:
    """Which words of a growing hypothesis will stay: those before the last two, unchanged for a while."""

    def __init__(self) -> None:
        self._given: list[str] = []
        self._candidate: list[str] = []
        self._since = 0

    def take(self, hypothesis: str) -> str:
        """The stable words, all of them, when there are more than before; else ""."""
        words = hypothesis.split()[:-_UNSURE_WORDS]
        begun = words[: len(self._candidate)] == self._candidate
        if not begun or self._candidate == self._given:
            self._candidate, self._since = words, 0
            return ""
        self._since += 1
        if self._since < _STABLE_FRAMES:
            return ""
        stable, self._candidate, self._since = self._candidate, words, 0
        if len(stable) <= len(self._given) or stable[: len(self._given)] != self._given:
            return ""
        self._given = stable
        return " ".join(stable)


def _floor(pcm: bytes) -> float:
    values = samples(pcm[: len(pcm) // 2 * 2]).astype(np.float32)
    frames = values[: len(values) // 512 * 512].reshape(-1, 512)
    return float(np.percentile(np.sqrt((frames * frames).mean(axis=1)), 10)) if len(frames) else 0.0


_DECODE: dict[AudioFormat, Callable[[bytes], bytes]] = {
    "audio/pcm": bytes,
    "audio/pcmu": mulaw_decode,
    "audio/pcma": alaw_decode,
}


def _to_16k(audio_format: AudioFormat) -> Callable[[bytes], bytes]:
    stream = Resampler(24_000 if audio_format == "audio/pcm" else 8_000, 16_000, quality="HQ")
    return lambda audio: stream.feed(_DECODE[audio_format](audio))


class LocalHearing:
    """A listener on a thread of this process."""

    def __init__(self, make_listener: Callable[[], Listener], executor: Executor) -> None:
        self._make_listener = make_listener
        self._executor = executor
        self._listener: Listener | None = None
        self._settings = ListenSettings()

    async def configure(self, settings: ListenSettings) -> None:
        self._settings = settings
        await self._run(lambda listener: listener.configure(settings))

    async def feed(self, audio: bytes) -> list[Listened]:
        def listen(listener: Listener) -> list[Listened]:
            heard = listener.feed(audio)
            while listener.think():
                pass
            return heard

        return await self._run(listen)

    async def commit(self) -> Committed:
        return await self._run(lambda listener: listener.commit())

    async def clear(self) -> None:
        await self._run(lambda listener: listener.clear())

    async def transcribe(self, pcm24k: bytes) -> str:
        words = ""
        for piece in pieces_of(pcm24k):
            words = await self._run(partial(Listener.transcribe, piece=piece))
        return words

    async def close(self) -> None:
        if self._listener is not None:
            with suppress(ListeningFailed):
                await self._run(lambda listener: listener.clear())

    async def _run(self, use: Callable[[Listener], Answer]) -> Answer:
        def work() -> Answer:
            try:
                if self._listener is None:
                    self._listener = self._make_listener()
                    self._listener.configure(self._settings)
                return use(self._listener)
            except Exception as failure:
                self._listener = None  # the next may hear better
                raise ListeningFailed(failure_of(failure)) from failure

        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
