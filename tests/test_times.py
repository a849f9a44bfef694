"""Times as they are said: the right day, or a question."""

from datetime import UTC, datetime

import pytest

from helpline.times import parse_when

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("tomorrow at 3 pm", "2026-11-19T15:00"),
        ("the day after tomorrow at ten", "2026-11-20T10:00"),
        ("at 4", "2026-11-18T16:00"),
        ("today at half past ten pm", "2026-11-18T22:30"),
        ("tomorrow at half past seven a.m.", "2026-11-19T07:30"),
        ("tomorrow at a quarter to one PM", "2026-11-19T12:45"),
        ("at 10 am", "2026-11-19T10:00"),
        ("this evening at 6", "2026-11-18T18:00"),
        ("Monday morning", "2026-11-23T10:00"),
        ("next monday at half past nine", "2026-11-23T09:30"),
        ("Wednesday at 10", "2026-11-25T10:00"),
        ("December 3rd at 10 am", "2026-12-03T10:00"),
        ("Dec. 3 at 10:30", "2026-12-03T10:30"),
        ("the third of December at ten", "2026-12-03T10:00"),
        ("3 December, 2 pm", "2026-12-03T14:00"),
        ("on the twenty-first at 9", "2026-11-21T09:00"),
        ("on the 3rd at 10", "2026-12-03T10:00"),
        ("January 4 at 9 am", "2027-01-04T09:00"),
        ("in two hours", "2026-11-18T17:00"),
        ("in half an hour", "2026-11-18T15:30"),
        ("an hour from now", "2026-11-18T16:00"),
        ("an hour and a half from now please", "2026-11-18T16:30"),
        ("2026-11-20T09:15", "2026-11-20T09:15"),
        ("yesterday at noon", "2026-11-17T12:00"),
        ("the day before yesterday at ten", "2026-11-16T10:00"),
    ],
)
def test_what_is_said_is_what_is_meant(said, at):
    assert parse_when(said, NOW) == datetime.fromisoformat(f"{at}+00:00")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "next week at 10",
        "two days ago at 10",
        "last Monday at 9",
        "11/20 at 10 am",
        "in two weeks",
        "at 25",
        "February 30th at 10",
        "the 31st of November at 10",
        "2026-11-20",
        "on the weekend at 10",
        "9" * 5000,
    ],
)
def test_what_cannot_be_told_for_sure_is_asked(said):
    assert parse_when(said, NOW) is None
