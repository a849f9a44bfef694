"""Opening hours: outside them nobody is promised a person, and a callback is offered."""

from datetime import UTC, datetime

import pytest

from helpline.actions import GUEST
from helpline.clock import SystemClock
from helpline.desk import open_desk
from helpline.errors import SettingsError
from helpline.policy import load_policy
from tests.records.desks import settings_in, talk


class At(SystemClock):
    """The real clock, at another date."""

    def __init__(self, text):
        self._at = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def utcnow(self):
        return self._at


OPEN, CLOSED = "2026-11-26T16:00", "2026-11-28T16:00"  # A Thursday and a Saturday, 11 AM in New York.


@pytest.mark.parametrize(
    ("at", "words", "transferred"),
    [(OPEN, "passed this on to a person", True), (CLOSED, "Monday to Friday, from 9 AM to 6 PM", False)],
)
async def test_a_person_is_promised_only_when_one_is_there(tmp_path, at, words, transferred):
    settings = settings_in(tmp_path, hours="Mon-Fri 9:00-18:00")
    async with open_desk(settings, clock=At(at)) as desk:
        assert bool(desk.closed_notice("en")) is not transferred
        _, shown = await talk(desk, "I would like to talk to a person.", caller=GUEST)
    assert words in " ".join(line.text for line in shown.lines)
    assert shown.tools[0].result.data["transferred"] is transferred
    assert shown.tools[0].result.data["number"] == "T-1"


async def test_a_desk_without_hours_is_never_closed(tmp_path):
    async with open_desk(settings_in(tmp_path), clock=At(CLOSED)) as desk:
        assert desk.closed_notice("en") == ""


async def test_callbacks_are_for_the_opening_hours(tmp_path):
    settings = settings_in(tmp_path, hours="Sat 10:00-14:00")
    async with open_desk(settings, clock=At(OPEN)) as desk:
        _, shown = await talk(
            desk, "please call me back on monday at 3 pm, my number is 617 555 0134", caller=GUEST
        )
    assert "Saturday, from 10 AM to 2 PM" in " ".join(line.text for line in shown.lines)


@pytest.mark.parametrize(
    ("text", "place"),
    [('shop = "x"', "desk.toml"), ("[callbacks]\ndays = [1]", "desk.toml"), ('hours = ["x"]', "desk.toml")],
)
def test_what_has_its_home_in_desk_toml_is_refused_in_a_policy(tmp_path, text, place):
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=place):
        load_policy(file)
