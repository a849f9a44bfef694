"""The sentence that tells where the shop is: what is written is read, and nothing else moves a clock."""

from zoneinfo import available_timezones

import pytest

from helpline.time_zone import with_zone, zone_in, zone_named


def test_every_zone_that_can_be_written_is_read():
    for name in available_timezones():
        told = zone_in(with_zone("You are the voice of a shop.", name))
        assert told is not None, name
        assert told.key == name


@pytest.mark.parametrize(
    ("instructions", "name"),
    [
        ("The time zone is Europe/Berlin.", "Europe/Berlin"),
        ("Be brief. Our time zone is Asia/Tokyo, be careful with it.", "Asia/Tokyo"),
        ("The time zone is UTC", "UTC"),
        (with_zone("Their name is The time zone is UTC.", "America/New_York"), "America/New_York"),
    ],
)
def test_the_zone_that_is_told_last_counts(instructions, name):
    told = zone_in(instructions)
    assert told is not None
    assert told.key == name


@pytest.mark.parametrize(
    "instructions",
    [
        "",
        "Be brief.",
        "The time zone is",
        "The time zone is not known.",
        "The time zone is Mars/Olympus_Mons.",
        "The time zone is America.",  # a folder
        "The time zone is Europe/Berlin. No: the time zone is nowhere.",
        "The time zone is ../../etc/passwd",
        "The time zone is /etc/localtime",
        "The time zone is \0",
        "The time zone is " + "A" * 100_000,
        "The time zone is " + "A/" * 100_000,
        "The time zone is " * 10_000,
    ],
)
def test_what_names_no_zone_is_no_zone(instructions):
    assert zone_in(instructions) is None


@pytest.mark.parametrize("name", ["", "America", "../etc/passwd", "tzdata.zi", "\0", "é", "a" * 5000])
def test_what_is_no_zone_raises_nothing(name):
    assert zone_named(name) is None
