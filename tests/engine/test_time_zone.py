"""Which day tomorrow is: by the zone that a session's instructions tell, else by the engine's own clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from helpline.engine.server import Engine
from helpline.time_zone import with_zone
from tests.engine.talk import FAST, Talker, function, talking

IN_NEW_YORK = with_zone("You are the desk.", "America/New_York")
CALLBACK = function(
    "schedule_callback", "Have somebody call the customer back.", ["when"], when="ISO 8601, local time."
)
EVENING = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
"""Nine in the evening of Friday the 27th in New York, eleven in the morning of Saturday in Tokyo."""


class WallClock:
    """A wall clock that only the test moves."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


async def booked(talker: Talker, said: str) -> str:
    await talker.type(said)
    [(name, arguments)] = (await talker.reply()).calls
    assert name == "schedule_callback"
    when: str = arguments["when"]
    return when


async def at(clock: Callable[[], datetime], said: str, **session: Any) -> str:
    engine = Engine(FAST, wall_clock=clock)
    try:
        async with talking(engine) as talker:
            await talker.configure(tools=[CALLBACK], **session)
            return await booked(talker, said)
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("please call me back tomorrow at half past three", "2026-11-28T15:30"),
        ("please call me back today at ten pm", "2026-11-27T22:00"),
        ("please call me back on Monday at ten", "2026-11-30T10:00"),
        ("please call me back in forty-five minutes", "2026-11-27T21:45"),
        ("请明天下午三点半给我回电话", "2026-11-28T15:30"),
    ],
)
async def test_a_day_is_the_shops(said: str, when: str) -> None:
    assert await at(WallClock(EVENING), said, instructions=IN_NEW_YORK) == when


@pytest.mark.parametrize(
    "instructions",
    [
        "",
        "Be brief.",
        "The time zone is Mars/Olympus_Mons.",
        "The time zone is ../../../etc/localtime",
        "The time zone is " * 50_000,
    ],
)
async def test_without_a_zone_that_exists_the_engines_own_clock_counts(instructions: str) -> None:
    own = WallClock(EVENING.replace(tzinfo=None))
    said = "please call me back tomorrow at half past three"
    assert await at(own, said, instructions=instructions) == "2026-11-29T15:30"


async def test_a_call_goes_on_past_midnight() -> None:
    clock = WallClock(EVENING)
    engine = Engine(FAST, wall_clock=clock)
    try:
        async with talking(engine) as talker:
            await talker.configure(tools=[CALLBACK], instructions=IN_NEW_YORK)
            before = await booked(talker, "please call me back tomorrow at ten")
            clock.at = datetime(2026, 11, 28, 5, 30, tzinfo=UTC)
            after = await booked(talker, "please call me back tomorrow at ten")
    finally:
        engine.close()
    assert (before, after) == ("2026-11-28T10:00", "2026-11-29T10:00")


async def test_a_response_of_its_own_instructions_is_in_its_zone_or_the_sessions() -> None:
    engine = Engine(FAST, wall_clock=WallClock(EVENING))
    whens = []
    try:
        async with talking(engine) as talker:
            await talker.configure(tools=[CALLBACK], instructions=IN_NEW_YORK)
            for instructions in ("Be brief.", with_zone("Be brief.", "Asia/Tokyo")):
                await talker.type("please call me back tomorrow at ten", respond=False)
                await talker.send("response.create", response={"instructions": instructions})
                whens += [arguments["when"] for _, arguments in (await talker.reply()).calls]
    finally:
        engine.close()
    assert whens == ["2026-11-28T10:00", "2026-11-29T10:00"]
