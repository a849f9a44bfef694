"""What a customer thinks of a call is kept with its record, redacted, and goes with it."""

import pytest

from helpline.records import archive, people, story
from helpline.simulate.text import TextChannel
from tests.records.desks import desk_in


async def record_of(desk, call_id):
    async with desk.store.database.read() as connection:
        return await archive.find(connection, call_id)


@pytest.mark.parametrize("live", [True, False])
async def test_a_rating_stands_in_the_record_and_is_forgotten_with_it(tmp_path, shop_url, live):
    said = "slow, and my card 4242 4242 4242 4242 was asked for"
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        channel = TextChannel()
        call = await desk.admit(channel, kind="test", caller=desk.demo_customers[0])
        channel.join(call)
        assert await channel.say("where is my order 1004")
        await desk.rate(call.id, True, "")
        if live:
            await desk.rate(call.id, False, said)
        call.hang_up("the customer hung up")
        await desk.gone(call)
        if not live:
            await desk.rate(call.id, False, said)
        record = await record_of(desk, call.id)
        assert record["rating"] == {"good": False, "comment": "slow, and my card [card] was asked for"}
        assert ("rating", "not helpful: “slow, and my card [card] was asked for”") in story.heading(record)
        await people.forget(desk.settings, desk.store, desk.demo_customers[0].customer_id, ())
        assert await record_of(desk, call.id) is None


async def test_of_a_call_that_is_not_there_nothing_is_kept(tmp_path):
    async with desk_in(tmp_path) as desk:
        await desk.rate("call_nobodys", True, "")
        assert await record_of(desk, "call_nobodys") is None
