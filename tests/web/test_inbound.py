"""What a page may tell the desk: well formed, or nothing."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.channels.web.inbound import (
    Answered,
    CustomerChosen,
    MicFailed,
    PersonAsked,
    Played,
    Pushed,
    Stopped,
    Suggested,
    read_page_message,
)


def told(**values):
    return {"helpline": "desk", **values}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (told(type="played", track="t1", ms=120), Played("t1", 120)),
        (told(type="played", track="t1", ms=120.9), Played("t1", 120)),
        (told(type="answer", proposal="p1", yes=True), Answered("p1", True)),
        (told(type="stop"), Stopped()),
        (told(type="push", down=True), Pushed(True)),
        (told(type="push", down=False), Pushed(False)),
        (told(type="person"), PersonAsked()),
        (told(type="suggested", number=2), Suggested(2)),
        (told(type="customer", id="cus_1"), CustomerChosen("cus_1")),
        (told(type="microphone", fault="refused"), MicFailed("refused")),
    ],
)
def test_each_message_is_read(data, message):
    assert read_page_message(data) == message


@pytest.mark.parametrize(
    "data",
    [
        None,
        "played",
        [],
        {},
        {"type": "stop"},
        {"helpline": "page", "type": "stop"},
        told(),
        told(type="unheard of"),
        told(type=["stop"]),
        told(type="played", track="", ms=1),
        told(type="played", track="t" * 129, ms=1),
        told(type="played", track={"a": 1}, ms=1),
        told(type="played", track="t1", ms="1"),
        told(type="played", track="t1", ms=True),
        told(type="played", track="t1", ms=-1),
        told(type="played", track="t1", ms=math.nan),
        told(type="played", track="t1", ms=math.inf),
        told(type="played", track="t1", ms=10**12),
        told(type="answer", proposal="p1", yes="yes"),
        told(type="answer", proposal="p1", yes=1),
        told(type="answer", proposal=None, yes=True),
        told(type="suggested", number=True),
        told(type="suggested", number=-1),
        told(type="suggested", number=20),
        told(type="suggested", text="buy"),
        told(type="push"),
        told(type="push", down=1),
        told(type="customer", id=["cus_1"]),
        told(type="microphone", fault="<img src=x>"),
        told(type="microphone", fault={}),
    ],
)
def test_whatever_else_arrives_is_no_message(data):
    assert read_page_message(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["played", "answer", "stop", "person", "customer", "microphone", "push", "suggested"])


# A machine that is busy with other tests draws examples slowly: that says nothing about them.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["track", "ms", "proposal", "yes", "id", "fault", "down", "number"]), JSON
    ),
    TYPES,
)
def test_nothing_that_a_page_can_send_raises(values, kind):
    message = read_page_message({**values, "helpline": "desk", "type": kind})
    if isinstance(message, Played):
        assert 0 < len(message.track) <= 128
        assert 0 <= message.ms <= 3_600_000
