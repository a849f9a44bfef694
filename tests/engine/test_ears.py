"""The engine's own ears: working ahead changes no word, and no call hears what another left behind."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from helpline.engine.ears.moonshine import Written
from helpline.engine.ears.pocketsphinx import FIRST, Decoders, Opinion, PocketsphinxEars, make_decoder
from helpline.engine.lexicon import Lexicon
from helpline.engine.listening import Ended, Growing, Listener, ListenSettings
from helpline.engine.trigram import Trigram
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
NEARLY = "i would like to return tuesday"
LASTING = f"{LONG} and " * 3 + "so on"
"""More than six seconds."""


@dataclass
class Scripted:
    """A decoder that hears its words in anything."""

    words: str

    def process_raw(self, audio: bytes, no_search: bool, full_utt: bool) -> None:
        assert len(audio) > 0

    def hyp(self) -> Any:
        return SimpleNamespace(hypstr=self.words)

    def get_cmn(self, _update: bool) -> str:
        return "40"

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Writer:
    """A model of any words that writes its lines in turn, in three steps each; and what it was given."""

    def __init__(self, *lines: str, fit: float = -0.6) -> None:
        self._lines = list(lines)
        self._fit = fit
        self.given: list[bytes] = []
        self.finished = 0

    def listen(self, pcm16k: bytes, _trigram: Trigram) -> Generator[None, None, Written]:
        self.given.append(pcm16k)
        yield
        yield
        self.finished += 1
        return Written(self._lines[min(len(self.given), len(self._lines)) - 1], self._fit)


def decoders_beside(writer: Writer | None, words: str = LIKE_NOTHING, others: str = "") -> Decoders:
    """Decoders that hear this, the second one more or less, beside a model of any words or none."""
    return Decoders(
        make=lambda _lexicon, opinion: Scripted(words if opinion == FIRST else others or words),
        any_words=lambda: writer,
    )


def test_what_the_model_of_any_words_writes_at_the_pause_is_the_first_opinion() -> None:
    writer = Writer(STRANGE)
    listener = a_listener(decoders_beside(writer))
    assert heard(listener, sound(LONG), ahead=True) == [STRANGE]
    assert heard(listener, sound(LONG), ahead=False) == [STRANGE]
    assert writer.finished == 2


def test_what_customers_say_is_believed_rather_than_what_is_like_nothing() -> None:
    listener = a_listener(decoders_beside(Writer(LIKE_NOTHING), NEARLY, f"{NEARLY} please"))
    assert heard(listener, sound(LONG), ahead=True) == [NEARLY]


def test_who_is_sure_is_believed_whatever_customers_say() -> None:
    listener = a_listener(decoders_beside(Writer(STRANGE, fit=-0.1), NEARLY, f"{NEARLY} please"))
    assert heard(listener, sound(LONG), ahead=True) == [STRANGE]


def test_what_all_hear_alike_and_customers_say_is_not_written() -> None:
    writer = Writer(STRANGE, fit=-0.1)
    assert heard(a_listener(decoders_beside(writer, LONG)), sound(LONG), ahead=True) == [LONG]
    assert writer.given == []


def test_a_poor_writing_that_shares_no_word_with_anybody_is_left_out() -> None:
    invented = "thank you for your time"
    for fit, words in ((-0.8, invented), (-1.0, "berlin")):
        listener = a_listener(decoders_beside(Writer(invented, fit=fit), "berlin"))
        assert heard(listener, sound(LONG), ahead=True) == [words]
    listener = a_listener(decoders_beside(Writer(invented, fit=-1.0), ""))
    assert heard(listener, sound(LONG), ahead=True) == [""]


def test_a_poor_writing_that_shares_a_word_stays() -> None:
    listener = a_listener(decoders_beside(Writer(STRANGE, fit=-2.0)))
    assert heard(listener, sound(LONG), ahead=True) == [STRANGE]


def test_one_word_alone_is_never_sure() -> None:
    assert not Written("you", -0.1).sure
    assert Written("thank you", -0.1).sure


def test_in_a_hurry_only_what_was_written_in_the_pause_counts() -> None:
    for ahead, words in ((True, STRANGE), (False, LIKE_NOTHING)):
        listener = a_listener(decoders_beside(Writer(STRANGE)))
        assert heard(listener, sound(LONG), ahead=ahead, hurried=True) == [words]


def test_without_the_model_the_others_are_heard() -> None:
    assert heard(a_listener(decoders_beside(None)), sound(LONG), ahead=True) == [LIKE_NOTHING]
    assert heard(a_listener(Decoders(any_words=lambda: None)), sound(LONG), ahead=True) == [LONG]


def test_of_many_utterances_at_once_each_is_followed_by_one_opinion() -> None:
    made: list[Opinion] = []

    def make(_lexicon: Lexicon, opinion: Opinion) -> Scripted:
        made.append(opinion)
        return Scripted(LIKE_NOTHING)

    decoders = Decoders(make=make, any_words=lambda: None)
    listeners = [a_listener(decoders) for _ in range(5)]
    made.clear()
    for frame in frames(sound(LONG)[: 48 * 2400]):
        for listener in listeners:
            listener.feed(frame)
            while listener.think():
                pass
    assert decoders.utterances == 5
    assert decoders.lent == 5
    for listener in listeners:
        listener.clear()
    assert decoders.utterances == decoders.lent == 0


def pausing(*sentences: str) -> bytes:
    """With pauses that end nothing."""
    spoken = [Synthesiser().speak(sentence) for sentence in sentences]
    return bytes(48 * 400) + bytes(48 * 380).join(spoken) + bytes(48 * 900)


def test_after_a_short_pause_the_whole_is_written_anew() -> None:
    writer = Writer("cancel", "cancel order one zero zero four")
    said = pausing("cancel order", "one zero zero four")
    assert heard(a_listener(decoders_beside(writer)), said, ahead=True) == ["cancel order one zero zero four"]
    assert len(writer.given) == 2
    assert writer.given[1].startswith(writer.given[0])


def test_what_was_written_of_a_long_beginning_stays() -> None:
    writer = Writer("hello my parcel is late", "where is it")
    said = pausing(LASTING, LONG)
    assert heard(a_listener(decoders_beside(writer)), said, ahead=True) == [
        "hello my parcel is late where is it"
    ]
    first, second = writer.given
    assert len(second) < len(first) / 2
    assert not second.startswith(first[:32_000])


def test_speech_without_a_pause_is_not_written_when_that_would_take_long() -> None:
    writer = Writer(STRANGE)
    assert heard(a_listener(decoders_beside(writer)), sound(LASTING * 3), ahead=True) == [LIKE_NOTHING]
    assert writer.given == []


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
