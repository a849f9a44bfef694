"""Late in the shop's evening it is the next day elsewhere: "tomorrow" is the shop's, for any model."""

from datetime import UTC, datetime

from helpline.clock import SystemClock
from helpline.engine.backend import EngineBackend
from helpline.engine.server import Engine
from tests.call.servers import ScriptedBackend
from tests.engine.talk import FAST
from tests.records.desks import desk_in, talk
from tests.records.test_going_on import Seen
from tests.records.test_in_chinese import says


class Evening(SystemClock):
    """Nine in the evening of Friday the 27th in New York."""

    def utcnow(self):
        return datetime(2026, 11, 28, 2, 0, tzinfo=UTC)


async def test_every_model_is_told_the_shops_day_and_its_zone(tmp_path):
    told = []

    async def hears(peer):
        told.append((await peer.greet())["session"]["instructions"])
        await peer.expect("response.create")
        await says(peer, 1, "Hello.")

    backend = ScriptedBackend(hears)
    own = tmp_path / "prompt.md"
    own.write_text("It is {today}.", encoding="utf-8")
    async with desk_in(tmp_path, clock=Evening(), backends=(backend,), prompt_file=own) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0])
        channel.join(call)
        assert await channel.say("hello")
        call.hang_up("the customer hung up")
        await desk.gone(call)
    assert told == [
        "It is Friday, 27 November 2026.\nThe time zone is America/New_York: days and hours are meant there."
    ]


async def test_the_engine_proposes_the_day_that_the_customer_means(tmp_path):
    clock = Evening()
    engine = EngineBackend(engine=Engine(FAST, wall_clock=clock.utcnow))
    try:
        async with desk_in(tmp_path, clock=clock, backends=(engine,)) as desk:
            _, document = await talk(desk, "can someone call me tomorrow at half past three")
    finally:
        await engine.aclose()
    assert "tomorrow at 3:30 PM" in document.lines[-1].text
