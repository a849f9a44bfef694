"""Numbers and times that are heard again by a grammar of their own."""

import pytest

from helpline.engine.lexicon import Expected, Library
from helpline.engine.sounds import read_sounds
from helpline.engine.stretches import Stretch, Word, agreed_on, settled_stretch, stretches_in
from tests.engine.evaluation import CALLERS_IDS, Subject, spoken

OWN = ("1004", "1005", "2291")


@pytest.fixture(scope="module")
def words_spoken() -> frozenset[str]:
    return frozenset(read_sounds(Library().lexicon(Expected()).dictionary).phones)


def placed(words: str, frames: int = 30) -> list[Word]:
    return [Word(word, at * frames, (at + 1) * frames - 1) for at, word in enumerate(words.split())]


def stretch_of(words: str, spoken: frozenset[str]) -> tuple[Stretch, str]:
    _, (stretch,) = stretches_in([placed(words)], OWN, spoken)
    assert stretch is not None
    return stretch, " ".join(words.split()[stretch.first : stretch.last])


@pytest.mark.parametrize(
    ("words", "kind", "part"),
    [
        ("cancel order one zero real five please", "reference", "one zero real five"),
        ("cancel one zero real fine", "reference", "one zero real fine"),
        ("cancel order one the old the oh please", "reference", "one the old the oh"),
        ("call me back in forty five me its", "when", "in forty five me its"),
        ("ring me on the at two", "when", "on the at two"),
    ],
)
def test_a_stretch_is_found(words: str, kind: str, part: str, words_spoken: frozenset[str]) -> None:
    stretch, found = stretch_of(words, words_spoken)
    assert (stretch.kind, found) == (kind, part)
    assert stretch.lead == words.split()[stretch.first - 1]


@pytest.mark.parametrize(
    "words",
    [
        "where is my order",
        "can i get a phone call from someone",
        "i have two of them",
        "i made an order two weeks ago and have not heard of it for three days",
        "",
    ],
)
def test_most_sentences_have_none(words: str, words_spoken: frozenset[str]) -> None:
    kind, found = stretches_in([placed(words)], OWN, words_spoken)
    assert kind is None or not any(found)


def test_where_no_numbers_are_known_few_are_heard_again(words_spoken: frozenset[str]) -> None:
    assert stretches_in([placed("cancel order one zero real five")], (), words_spoken) == (None, [])


@pytest.mark.parametrize(
    ("kind", "heard", "before", "settled"),
    [
        ("reference", ["one zero zero five", "ten oh five"], ["one zero real five"], "one zero zero five"),
        ("reference", ["ten oh five", "one three oh"], ["order ten oh five please"], "ten oh five"),
        ("reference", ["ten oh five", "ten oh four"], [], ""),
        ("reference", ["ten oh six", "ten oh six"], [], ""),  # not theirs
        ("reference", ["ten oh five"], [], ""),
        ("when", ["tomorrow at ten", "for tomorrow at ten"], [], "tomorrow at ten"),
        ("when", ["tomorrow at ten", "monday at ten"], [], ""),
        ("when", ["tomorrow", "tomorrow"], [], ""),  # at what time?
    ],
)
def test_two_must_agree(kind: str, heard: list[str], before: list[str], settled: str) -> None:
    assert settled_stretch(kind, heard, before, OWN) == settled  # type: ignore[arg-type]


def test_what_two_said_and_none_denied_is_not_heard_again() -> None:
    assert agreed_on("reference", ["cancel ten oh five", "cancel one zero zero five", "cancel it"], OWN)
    assert not agreed_on("reference", ["cancel ten oh five", "cancel ten oh four"], OWN)
    assert not agreed_on("reference", ["cancel ten oh five"], OWN)


@pytest.mark.parametrize(
    ("said", "voice", "heard"),
    [
        ("cancel order 1003", "en-us+f3", "1003"),
        ("where is order 1003 please", "en-us+f3", "1003"),
        ("call me back in forty five minutes", "en-us+f3", "in 45 minutes"),
    ],
)
def test_a_hard_voice_is_heard(said: str, voice: str, heard: str) -> None:
    assert heard in Subject().hear(spoken(said, voice))


def test_a_number_that_is_not_the_callers_is_not_made_theirs() -> None:
    assert not set(Subject().hear(spoken("cancel order 7356", "en-us")).rstrip(".").split()) & set(
        CALLERS_IDS
    )


def test_an_order_number_is_heard_again_when_nobody_knows_whose_it_is(words_spoken: frozenset[str]) -> None:
    misheard = "check my order number one tuesday refund five"
    heard = [misheard, "check my order number one two three four five"]
    kind, found = stretches_in([placed(one) for one in heard], (), words_spoken)
    assert kind == "reference"
    assert all(one is not None and one.first == 4 and one.lead == "number" for one in found)
    assert not agreed_on("reference", heard, ())
    again = ["one two three four five", "one two three four five"]
    assert settled_stretch("reference", again, heard, ()) == "one two three four five"


def test_a_number_of_something_else_is_left_as_it_is_heard(words_spoken: frozenset[str]) -> None:
    assert stretches_in([placed("my house number is one two three")], (), words_spoken) == (None, [])
