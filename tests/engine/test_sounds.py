"""Misheard words, as what they sound like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.engine.lexicon import Expected, Library
from helpline.engine.sounds import Sounds, named, own_number, read_sounds
from helpline.numbers import normalise

NAMES = ("camping tent", "desk lamp", "yoga mat", "phone stand", "toaster")


@pytest.fixture(scope="module")
def sounds() -> Sounds:
    return read_sounds(Library().lexicon(Expected(NAMES)).dictionary)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("cancel one zero real five", "cancel 1005"),
        ("where is order two two nine want please", "where is order 2291 please"),
        # Nothing of theirs is near, or it is a whole number already, or there is none.
        ("cancel order six six six", "cancel order 666"),
        ("cancel order one zero zero four", "cancel order 1004"),
        ("i have two of them", "i have two of them"),
    ],
)
def test_a_number_that_sounds_like_the_callers_own_is_that(sounds: Sounds, heard: str, meant: str) -> None:
    assert normalise(own_number(heard, ("1005", "2291", "7350"), sounds)) == meant


def test_a_number_between_two_of_the_callers_own_stays_as_it_was_heard(sounds: Sounds) -> None:
    heard = "cancel one zero be all fine"
    assert own_number(heard, ("1005", "1009"), sounds) == heard
    assert own_number(heard, (), sounds) == heard


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("do you hi my yoga my", "do you hi my yoga mat"),
        ("tell me about a complaint tent", "tell me about a camping tent"),
        # One was named; nothing of it was; another word stands for too much of it.
        ("how much is the desk lamp", "how much is the desk lamp"),
        ("where is my order", "where is my order"),
        ("tell me about the big tent", "tell me about the big tent"),
        ("call me back tomorrow at stand", "call me back tomorrow at stand"),
        # All of it was heard, in another order.
        ("is it a lamp for my desk or a lamp desk", "is it a lamp for my desk or a lamp desk"),
    ],
)
def test_a_name_half_of_which_was_heard_is_that(sounds: Sounds, heard: str, meant: str) -> None:
    assert named(heard, NAMES, sounds) == meant


@given(st.lists(st.sampled_from([*" ".join(NAMES).split(), "one", "zero", "order", "fnord"]), max_size=8))
def test_any_words_are_taken(sounds: Sounds, words: list[str]) -> None:
    heard = " ".join(words)
    assert isinstance(named(own_number(heard, ("1005", "2291"), sounds), NAMES, sounds), str)
