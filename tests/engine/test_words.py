"""Numbers, times, addresses and the other things that stand in a sentence."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.engine.addresses import parse_address
from helpline.engine.language import find_entities, readable, spelled_name
from helpline.numbers import cardinal, normalise, ordinal_day
from helpline.times import find_when

NOW = datetime(2026, 11, 18, 12, 0)  # noqa: DTZ001 - a Wednesday, local time


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("ten oh four", "1004"),
        ("one zero zero four", "1004"),
        ("one double zero four", "1004"),
        ("one thousand and four", "1004"),
        ("one thousand twelve", "1012"),
        ("ten twenty-one", "1021"),
        ("ten hundred", "1000"),
        ("two triple five", "2555"),
        ("nineteen hundred", "1900"),
        ("p zero zero one", "p001"),
        ("R-4821", "r4821"),
        ("#W2417020", "w2417020"),
        ("twenty four dollars", "24 dollars"),
        ("order one zero zero far", "order 1004"),
        ("the first one", "the first one"),
        ("I want one for me", "i want one for me"),
        ("tomorrow at half past three", "tomorrow at half past three"),
        ("$1,024.50 on 2026-12-01", "$1024.50 on 2026-12-01"),
        ("Ann.Lee@x.com", "ann.lee@x.com"),
        ("", ""),
    ],
)
def test_numbers_are_written_in_digits(said: str, written: str) -> None:
    assert normalise(said) == written


@given(st.text(max_size=200))
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert once == once.lower() or not once.isascii()
    assert find_entities(text, NOW).text == once


@given(st.integers(1000, 9999))
def test_digits_said_one_by_one_are_their_number(number: int) -> None:
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    assert normalise(" ".join(names[int(digit)] for digit in str(number))) == str(number)


def test_small_numbers_and_days() -> None:
    assert [cardinal(words) for words in ("two of them", "a dozen", "42", "the third", "none")] == [
        2,
        12,
        42,
        3,
        None,
    ]
    assert [ordinal_day(words) for words in ("the twelfth", "the 21st", "20 first", "soon")] == [
        12,
        21,
        21,
        None,
    ]


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("tomorrow at ten", "2026-11-19T10:00"),
        ("tomorrow at half past three", "2026-11-19T15:30"),
        ("in forty-five minutes", "2026-11-18T12:45"),
        ("in an hour and a half", "2026-11-18T13:30"),
        ("next monday morning", "2026-11-23T10:00"),
        ("on friday at two", "2026-11-20T14:00"),
        ("at quarter to five", "2026-11-18T16:45"),
        ("at nine in the morning", "2026-11-19T09:00"),
        ("the twelfth at four p.m.", "2026-12-12T16:00"),
        ("december third at noon", "2026-12-03T12:00"),
        ("the fifth of january", "2027-01-05T09:00"),
        ("ten thirty tomorrow", "2026-11-19T10:30"),
        ("at 10:30 am", "2026-11-19T10:30"),
        ("3pm", "2026-11-18T15:00"),
        ("tonight", "2026-11-18T19:00"),
        ("day after tomorrow", "2026-11-20T09:00"),
        ("in two days at ten", "2026-11-20T10:00"),
        ("december twenty first at ten", "2026-12-21T10:00"),
        ("2026-12-01", "2026-12-01T09:00"),
        ("2026-12-01T14:30", "2026-12-01T14:30"),
    ],
)
def test_moments(said: str, at: str) -> None:
    when = find_when(normalise(said), NOW)
    assert when is not None
    assert when.at.isoformat(timespec="minutes") == at


@pytest.mark.parametrize(
    "said",
    [
        "where is my order 1004",
        "cancel order 1028 today please",
        "the second one",
        "may i ask",
        "",
        "2026-99-99",
        "february 30th at 10",
        "may the first be cancelled",
    ],
)
def test_what_is_no_moment(said: str) -> None:
    when = find_when(normalise(said), NOW)
    assert when is None or not when.has_time


def test_what_stands_in_a_sentence() -> None:
    said = find_entities("return the boots from order ten oh four because they don't fit", NOW, ["Boots"])
    assert said.references == ("1004",)
    assert said.reason == "they don't fit"
    assert said.product == "Boots"
    assert said.masked == "return the {product} from order {order} {reason}"


@pytest.mark.parametrize(
    ("said", "reason", "masked"),
    [
        (
            "I opened order 1022 and it's damaged, so I need to return it",
            "it's damaged",
            "so i need to return it",
        ),
        ("order 1027, it doesn't fit, so it has to go back", "it doesn't fit", "so it has to go back"),
        (
            "cancel it because I ordered it twice and I don't need it",
            "i ordered it twice and i don't need it",
            "",
        ),
    ],
)
def test_a_reason_ends_where_it_is_said_what_is_wanted(said: str, reason: str, masked: str) -> None:
    found = find_entities(said, NOW)
    assert found.reason == reason
    assert found.masked.partition("{reason}")[2].strip() == masked


@pytest.mark.parametrize(
    "said", ["change the number you have to five five five zero one three seven", "my new number is 555 0137"]
)
def test_a_number_of_theirs_is_a_phone_and_no_order(said: str) -> None:
    found = find_entities(said, NOW)
    assert (found.phone, found.references) == ("5550137", ())


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ("my email is ann dot lee at example dot com", "ann.lee@example.com"),
        ("j. o. h. n. at g mail dot com", "john@gmail.com"),
        ("change it to ann underscore lee at mail dot co dot u. k.", "ann_lee@mail.co.uk"),
        ("please put anna at example dot com down", "anna@example.com"),
        ("it is Sara@Mail.com now", "sara@mail.com"),
        ("please write to me at anna at example dot com from now on", "anna@example.com"),
        ("could you put in contact at example dot com", "contact@example.com"),
        ("call me at ten", ""),
    ],
)
def test_addresses_said_aloud(said: str, email: str) -> None:
    assert find_entities(said, NOW).email == email


@pytest.mark.parametrize(
    ("said", "phone"),
    [
        ("call me at 555 123 4567", "5551234567"),
        ("my number is five five five zero one four two", "5550142"),
        ("plus four four two zero seven nine four six zero nine five eight", "+442079460958"),
        ("order 1004", ""),
    ],
)
def test_telephone_numbers(said: str, phone: str) -> None:
    assert find_entities(said, NOW).phone == phone


def test_money_is_no_reference() -> None:
    said = find_entities("a refund of $1,024.50", NOW)
    assert (said.amount, said.references) == ("1024.50", ())
    assert find_entities("24 dollars and 50 cents", NOW).amount == "24.50"


def test_an_address_in_its_parts() -> None:
    assert parse_address("12 oak street springfield illinois 62704") == {
        "street": "12 Oak Street", "city": "Springfield", "state": "Illinois", "postcode": "62704",
    }  # fmt: skip
    assert parse_address("somewhere") == {}


@pytest.mark.parametrize(
    ("heard", "caption"),
    [
        ("where is my order one zero zero four", "Where is my order 1004?"),
        ("i'd like to talk to a person", "I'd like to talk to a person."),
        ("p. zero zero one", "P001."),
        ("it is ann dot lee at example dot com", "It is ann.lee@example.com."),
        ("", ""),
    ],
)
def test_captions(heard: str, caption: str) -> None:
    assert readable(heard) == caption


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("j o h n", "john"),
        ("sara s a r a lee", "sara lee"),
        ("sarah that's s a r a lee", "sara lee"),
        ("sara lee that's l e i g h", "sara leigh"),
        ("ann a n n e", "anne"),
        ("m as in mike a as in apple x smith", "max smith"),
        ("mary ann smith", "mary ann smith"),
        ("a lee", "a lee"),
        ("", ""),
    ],
)
def test_names_spelled_within_a_sentence(said: str, name: str) -> None:
    assert spelled_name(said) == name


@pytest.mark.parametrize(
    ("said", "email"),
    [
        ("it's m a r i a dot l at example dot com", "maria.l@example.com"),
        ("my email is anna that's a n n a at example dot com", "anna@example.com"),
        (
            "change it to christopher c h r i s t o p h e r dot lee at mail dot org",
            "christopher.lee@mail.org",
        ),
    ],
)
def test_addresses_spelled_within_a_sentence(said: str, email: str) -> None:
    assert find_entities(said, NOW).email == email
