"""The engine's own ears: working ahead changes no word, and no call hears what another left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from helpline.audio.pcm import from_samples, samples
from helpline.audio.resample import Resampler
from helpline.engine.ears.pocketsphinx import OPEN, Decoders, Opinion, PocketsphinxEars, make_decoder
from helpline.engine.lexicon import Expected, Lexicon
from helpline.engine.listening import Ended, Growing, Listener, ListenSettings
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser

LONG = "where is my order one zero zero four"
SENTENCES = (LONG, "thank you")
"""Longer and shorter than the second and a half that tells a level."""
FRAME = 48 * 40


def sound(sentence: str, voice: str = "en-us") -> bytes:
    return bytes(48 * 400) + Synthesiser(voice).speak(sentence) + bytes(48 * 900)


@pytest.fixture(scope="module")
def decoders() -> Decoders:
    return Decoders()


def a_listener(decoders: Decoders, settings: ListenSettings | None = None) -> Listener:
    listener = Listener(PocketsphinxEars(decoders), VoiceDetector())
    listener.configure(settings or ListenSettings())
    return listener


def frames(pcm24k: bytes) -> Iterator[bytes]:
    for at in range(0, len(pcm24k), FRAME):
        yield pcm24k[at : at + FRAME]


def heard(listener: Listener, pcm24k: bytes, *, ahead: bool, hurried: bool = False) -> list[str]:
    words = []
    for frame in frames(pcm24k):
        words += [one.text for one in listener.feed(frame, hurried=hurried) if isinstance(one, Ended)]
        while ahead and listener.think():
            pass
    return words


def test_working_ahead_changes_no_word_and_leaves_nothing_for_the_end(decoders: Decoders) -> None:
    for sentence in SENTENCES:
        pcm24k = sound(sentence)
        at_the_end = heard(a_listener(decoders), pcm24k, ahead=False)
        assert heard(a_listener(decoders), pcm24k, ahead=True, hurried=True) == at_the_end


def test_working_ahead_changes_no_number_that_is_heard_again(decoders: Decoders) -> None:
    settings = ListenSettings(known_ids=("1003", "1004", "2291"))
    pcm24k = sound("check order one zero zero three", "en-us+f3")
    at_the_end, ahead = (
        heard(a_listener(decoders, settings), pcm24k, ahead=ahead) for ahead in (False, True)
    )
    assert ahead == at_the_end
    assert "one zero zero three" in ahead[0]


def test_in_a_hurry_the_first_opinion_is_heard_all_the_same(decoders: Decoders) -> None:
    assert heard(a_listener(decoders), sound(LONG), ahead=False, hurried=True) == [LONG]


class Counting:
    """A decoder, and how much it was made to search."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.searched_ms = 0
        self._unsearched_ms = 0.0

    def process_raw(self, audio: bytes, no_search: bool, full_utt: bool) -> None:
        self._decoder.process_raw(audio, no_search, full_utt)
        if no_search:
            self._unsearched_ms = len(audio) / 32
        else:
            self.searched_ms += len(audio) // 32

    def end_utt(self) -> None:
        """What is there is searched."""
        self._decoder.end_utt()
        self.searched_ms += int(self._unsearched_ms)
        self._unsearched_ms = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)


class Making:
    """Makes decoders that count."""

    def __init__(self) -> None:
        self.made: list[Counting] = []

    def __call__(self, lexicon: Lexicon, opinion: Opinion) -> Counting:
        self.made.append(Counting(make_decoder(lexicon, opinion)))
        return self.made[-1]

    @property
    def searched_ms(self) -> int:
        """By all of them."""
        return sum(decoder.searched_ms for decoder in self.made)


def test_what_tells_the_level_is_not_searched() -> None:
    making = Making()
    pcm24k = sound(LONG)
    assert heard(a_listener(Decoders(make=making)), pcm24k, ahead=True) == [LONG]
    listened = sum(decoder.searched_ms > 0 for decoder in making.made)
    assert listened > 1
    assert making.searched_ms < listened * len(pcm24k) / 48


def test_speech_that_comes_at_once_leaves_little_for_its_end() -> None:
    making = Making()
    listener = a_listener(Decoders(make=making))
    pcm24k = sound(f"{LONG} please and {LONG} please and {LONG} please")
    most = words = 0
    for frame in frames(pcm24k):
        before = making.searched_ms
        words += sum(isinstance(one, Ended) for one in listener.feed(frame, hurried=True))
        most = max(most, making.searched_ms - before)
    assert words == 1
    assert making.searched_ms > 2 * 4000
    assert most < 2 * 2400


STRANGE = "can i bring my own sandwiches and eat them in the garden"
LIKE_NOTHING = "can i bring my don't send which is them be delivered are done"


@dataclass
class Scripted:
    """A decoder that hears its words in anything, and how well they fit the sound, as a likelihood."""

    words: str
    fit: float = 0.01

    def process_raw(self, audio: bytes, no_search: bool, full_utt: bool) -> None:
        assert len(audio) > 0

    def hyp(self) -> Any:
        return SimpleNamespace(hypstr=self.words)

    def seg(self) -> list[Any]:
        return [
            SimpleNamespace(word=word, start_frame=at, end_frame=at, ascore=self.fit)
            for at, word in enumerate(self.words.split())
        ]

    def get_cmn(self, _update: bool) -> str:
        return "40"

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Hearing:
    """Makes decoders that hear the same of what customers say, and one that hears any words."""

    def __init__(self, of_customers: str, any_words: str = STRANGE, fit: float = 0.01) -> None:
        self._heard = {False: (of_customers, 0.01), True: (any_words, fit)}
        self.open = 0

    def __call__(self, _lexicon: Lexicon, opinion: Opinion) -> Scripted:
        self.open += opinion.any_words
        return Scripted(*self._heard[opinion.any_words])


@dataclass
class Rehearing(Scripted):
    """A decoder that hears a number by a grammar, and something near it by itself."""

    again: int = 0
    by_grammar: bool = False

    def activate_search(self, name: str = "") -> None:
        self.by_grammar = bool(name)
        self.again += self.by_grammar

    def hyp(self) -> Any:
        return SimpleNamespace(hypstr="order one zero zero three") if self.by_grammar else super().hyp()


def test_in_a_hurry_a_number_is_heard_again_in_the_pause_or_not_at_all() -> None:
    settings = ListenSettings(known_ids=("1003", "1004", "2291"))
    for ahead, words, times in (
        (True, "cancel order one zero zero three", 2),
        (False, "cancel order one real three", 0),
    ):
        made: list[Rehearing] = []

        def make(_lexicon: Lexicon, _opinion: Opinion, made: list[Rehearing] = made) -> Rehearing:
            made.append(Rehearing("cancel order one real three"))
            return made[-1]

        listener = a_listener(Decoders(make=make), settings)
        assert heard(listener, sound(LONG), ahead=ahead, hurried=True) == [words]
        assert sum(decoder.again for decoder in made) == times


def test_what_is_like_nothing_that_customers_say_is_heard_by_a_decoder_of_any_words() -> None:
    hearing = Hearing(LIKE_NOTHING)
    listener = a_listener(Decoders(make=hearing))
    for _ in range(2):
        assert heard(listener, sound(LONG), ahead=True) == [STRANGE]
    assert hearing.open == 1


def test_any_words_that_fit_the_sound_much_worse_are_not_believed() -> None:
    hearing = Hearing(LIKE_NOTHING, fit=0.001)
    assert heard(a_listener(Decoders(make=hearing)), sound(LONG), ahead=True) == [LIKE_NOTHING]
    assert hearing.open == 1


@pytest.mark.parametrize("of_customers", [LONG, "order number is one zero real six bye"])
def test_what_is_understood_or_nearly_a_number_is_left_to_the_others(of_customers: str) -> None:
    hearing = Hearing(of_customers)
    assert heard(a_listener(Decoders(make=hearing)), sound(LONG), ahead=True) == [of_customers]
    assert hearing.open == 0


def test_a_decoder_of_any_words_is_not_waited_for_when_others_wait_or_long() -> None:
    hearing = Hearing(LIKE_NOTHING)
    listener = a_listener(Decoders(make=hearing))
    assert heard(listener, sound(LONG), ahead=False, hurried=True) == [LIKE_NOTHING]
    assert heard(listener, sound(f"{LONG} and " * 4), ahead=True) == [LIKE_NOTHING]
    assert hearing.open == 0


def test_an_answer_to_the_question_for_a_number_is_left_to_the_others() -> None:
    hearing = Hearing(LIKE_NOTHING)
    settings = ListenSettings(known_ids=("1004",), asked_for_reference=True)
    heard(a_listener(Decoders(make=hearing), settings), sound(LONG), ahead=True)
    assert hearing.open == 0


def test_the_one_decoder_of_any_words_is_lent_to_one_call_at_a_time() -> None:
    hearing = Hearing(LIKE_NOTHING)
    decoders = Decoders(make=hearing)
    pcm24k = sound(LONG)
    first, second = a_listener(decoders), a_listener(decoders)
    said: list[str] = []
    for frame in frames(pcm24k):
        for listener in (first, second):
            said += [one.text for one in listener.feed(frame) if isinstance(one, Ended)]
            while listener.think():
                pass
    assert said == [STRANGE, LIKE_NOTHING]
    assert heard(second, pcm24k, ahead=True) == [STRANGE]
    assert hearing.open == 1


def test_a_decoder_of_any_words_hears_what_no_customer_of_a_shop_says(decoders: Decoders) -> None:
    key, decoder = decoders.borrow(Expected(), OPEN)
    pcm16k = Resampler(24_000, 16_000, quality="HQ").feed(sound("i would like to read the newspaper"))
    noise = np.random.default_rng(1).normal(0, 60, len(pcm16k) // 2)
    decoder.start_utt()
    decoder.process_raw(from_samples(samples(pcm16k) + noise), False, True)
    decoder.end_utt()
    words = decoder.hyp().hypstr.split()
    decoders.give_back(key, decoder)
    assert len({"would", "like", "to", "read", "newspaper"} & set(words)) >= 2
    assert decoder.lookup_word("newspaper")
    assert not decoder.lookup_word("shit")


def test_what_a_call_hears_does_not_depend_on_the_calls_before(decoders: Decoders) -> None:
    pcm24k = sound(LONG, "en-gb")  # once: the synthesiser does not say it twice the same
    alone = heard(a_listener(Decoders()), pcm24k, ahead=True)
    heard(a_listener(decoders), sound("a loud voice on another line", "en-us+f3"), ahead=True)
    assert heard(a_listener(decoders), pcm24k, ahead=True) == alone


def test_words_grow_while_somebody_speaks(decoders: Decoders) -> None:
    listener, grown = a_listener(decoders), list[str]()
    for frame in frames(sound(f"{LONG} please I want to know")):
        grown += [one.text for one in listener.feed(frame) if isinstance(one, Growing)]
        while listener.think():
            pass
    assert grown
    assert grown[0].startswith("where is my")


def test_held_speech_is_heard_as_detected_speech_is(decoders: Decoders) -> None:
    for sentence in SENTENCES:
        listener = a_listener(decoders, ListenSettings(vad=None))
        pcm24k = sound(sentence)
        assert heard(listener, pcm24k, ahead=True) == []
        assert listener.commit().text == sentence


def test_a_key_that_is_let_go_with_the_last_sound_loses_no_word(decoders: Decoders) -> None:
    listener = a_listener(decoders, ListenSettings(vad=None))
    heard(listener, sound(LONG)[: -48 * 880], ahead=True)
    assert listener.commit().text == LONG


def test_silence_under_a_held_key_has_no_words(decoders: Decoders) -> None:
    listener = a_listener(decoders, ListenSettings(vad=None))
    heard(listener, bytes(48 * 2000), ahead=True)
    committed = listener.commit()
    assert committed.text == ""
    assert 1900 < committed.duration_ms <= 2000
