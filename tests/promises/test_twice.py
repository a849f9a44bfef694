"""Never twice: a yes by voice, button and keys at once, two tabs, two desks, a model that repeats itself."""

import asyncio

import pytest
import sqlalchemy as sa

from helpline.call import effects as fx
from helpline.call.shown import ProposalShown, ReceiptShown
from helpline.desk import open_desk
from helpline.store import schema as t
from tests.call.talk import Talk, of
from tests.promises.model import Model
from tests.promises.test_wrong_customer import admitted, hung_up
from tests.records.desks import desk_in, settings_in
from tests.records.test_going_on import records_of
from tests.store.fixtures import backend, database_url, postgres_server

__all__ = ["backend", "database_url", "postgres_server"]

READ_BACK = "I can cancel order 1005 and refund 72 dollars. Shall I cancel it?"
CANCEL = [("cancel_order", {"order_id": "1005"})]


async def ledger_of(desk):
    async with desk.store.database.read() as connection:
        return (await connection.execute(sa.select(t.ledger))).all()


def proposals_in(shown):
    return [each.proposal for each in shown if isinstance(each, ProposalShown)]


async def test_a_yes_by_button_and_keys_and_again_is_one_change(tmp_path):
    model = Model(CANCEL, READ_BACK, "It is done.", "It is done.", "It is done.")
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        call, channel, shown = await admitted(desk, desk.demo_customers[0])
        assert await channel.say("cancel order 1005")
        (offered,) = proposals_in(shown)
        call.answer(offered.id, yes=True)
        call.type("yes")
        call.answer(offered.id, yes=True)
        call.type("yes, cancel it")
        call.answer(offered.id, yes=False)
        assert await channel.say("and?")
        assert len([each for each in shown if isinstance(each, ReceiptShown)]) == 1
        assert len(await ledger_of(desk)) == 1
        await hung_up(desk, call)


async def test_a_model_that_asks_again_for_what_is_done_does_it_once(tmp_path):
    model = Model(CANCEL, READ_BACK, CANCEL, "It is done.", CANCEL, "It is done.")
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        call, channel, _ = await admitted(desk, desk.demo_customers[0])
        assert await channel.say("cancel order 1005")
        assert await channel.say("yes")
        assert await channel.say("yes")
        assert await channel.say("yes please")
        assert [output.get("status") for output in model.outputs] == ["not_done_yet", "refused", "refused"]
        assert len(await ledger_of(desk)) == 1
        await hung_up(desk, call)


async def test_a_line_that_dies_between_the_yes_and_the_receipt_does_it_once(tmp_path):
    model = Model(CANCEL, READ_BACK, "It is done.", "It is done.")
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        call, channel, shown = await admitted(desk, desk.demo_customers[0])
        assert await channel.say("cancel order 1005")
        call.type("yes")
        await model.backend.peers[-1].cut(1006)
        call.type("yes")
        assert await channel.say("is it done?")
        assert len([each for each in shown if isinstance(each, ReceiptShown)]) == 1
        assert len(await ledger_of(desk)) == 1
        await hung_up(desk, call)


async def test_a_call_that_hangs_up_at_once_after_its_yes_is_carried_out_once_and_told_of(tmp_path):
    for turns in range(0, 40, 8):
        folder = tmp_path / str(turns)
        model = Model(CANCEL, READ_BACK)
        async with desk_in(folder, backends=[model.backend]) as desk:
            call, channel, _ = await admitted(desk, desk.demo_customers[0])
            assert await channel.say("cancel order 1005")
            call.type("yes")
            for _ in range(turns):
                await asyncio.sleep(0)
            call.hang_up("the customer hung up")
            await desk.gone(call)
            done = await ledger_of(desk)
            (record,) = await records_of(desk)
            assert len(done) <= 1
            assert [each["reference"] for each in record["receipts"]] == [row.reference for row in done]


async def test_two_desks_on_one_database_do_what_two_pages_want_once(tmp_path, database_url):
    """The same customer at two desks wants the same order cancelled, and says yes to both at once."""
    models = [Model(CANCEL, READ_BACK, "Well.", "Well.") for _ in range(2)]
    settings = [settings_in(tmp_path / str(n), database_url=database_url, shop="demo") for n in range(2)]
    async with (
        open_desk(settings[0], backends=[models[0].backend]) as first,
        open_desk(settings[1], backends=[models[1].backend]) as second,
    ):
        pages = [await admitted(desk, desk.demo_customers[0]) for desk in (first, second)]
        for _, channel, _ in pages:
            assert await channel.say("cancel order 1005")
        await asyncio.gather(*(channel.say("yes") for _, channel, _ in pages))
        receipts = [each for _, _, shown in pages for each in shown if isinstance(each, ReceiptShown)]
        assert len(receipts) == 1
        assert len(await ledger_of(first)) == 1
        for desk, (call, _, _) in zip((first, second), pages, strict=True):
            await hung_up(desk, call)
        flaws = {flaw.kind for desk in (first, second) for flaw in await desk.store.verify_ledger()}
        assert flaws <= {"not anchored"}, "each desk anchors what it has done itself"


@pytest.mark.parametrize("again", ["r1", "c_r1_0"])
def test_a_tool_call_that_a_session_repeats_after_a_reconnect_runs_once(again):
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    first = talk.call_tool("r1", "c_r1_0", "cancel_order")
    assert len(of(first, fx.RunTool)) == 1
    talk.give(fx.Lost("gone"))
    talk.live(voice=False)
    repeated = talk.call_tool("r1" if again == "r1" else "r9", "c_r1_0", "cancel_order")
    assert not of(repeated, fx.RunTool)
