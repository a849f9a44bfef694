"""What a support lead reads of the calls that went wrong: all of it, and nothing that is not so."""

from helpline.actions import Caller, Identity
from helpline.call.shown import ProposalClosed, ReceiptShown
from helpline.own import Own
from helpline.realtime.cost import prices
from helpline.records import story
from helpline.records.draft import Draft, document
from helpline.records.events import Became, Began, Event
from helpline.tools import tool
from tests.promises.model import Model
from tests.promises.test_lost import without
from tests.promises.test_wrong_customer import admitted, hung_up
from tests.records.desks import desk_in
from tests.records.test_going_on import records_of


def told(record):
    return [f"{event.who}: {event.text} {event.detail}".strip() for event in story.events(record)]


@tool(changes=True, read_back="I can water the {room}. Shall I?", effect_words=("water",))
async def water_plants(room: str) -> str:
    """Water the plants."""
    raise OSError("the tap is gone")


WATER = [("water_plants", {"room": "hall"})]


async def test_what_nobody_knows_is_left_to_a_person(tmp_path):
    model = Model(WATER, "I can water the hall. Shall I?", "I can't say whether it was done.", "Goodbye.")
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        desk.bring(Own((water_plants,)))
        call, channel, shown = await admitted(desk, desk.demo_customers[0])
        assert await channel.say("water the hall")
        assert await channel.say("yes")
        assert await channel.say("thanks")
        assert "It is not known whether it was done" in model.told
        assert [each.outcome for each in shown if isinstance(each, ProposalClosed)] == ["unknown"]
        await hung_up(desk, call)
        (record,) = await records_of(desk)
    assert record["outcome"] == "abandoned"
    assert record["next_step"] == "A person finds out whether it was done: water plants: room hall."
    assert "Not known whether done: water plants: room hall." in record["summary"]
    assert "asked: water plants: room hall: nobody knows whether it was done" in told(record)


async def test_a_yes_that_could_not_be_carried_out_is_told_of(tmp_path):
    read_back = "I can cancel order 1005 and refund 72 dollars. Shall I cancel it?"
    model = Model(
        [("cancel_order", {"order_id": "1005"})], read_back, "I can't just now.", read_back, "Done."
    )
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        call, channel, shown = await admitted(desk, desk.demo_customers[0])
        assert await channel.say("cancel order 1005")
        async with without(tmp_path, "ledger"):
            assert await channel.say("yes")
        assert await channel.say("once more")
        assert await channel.say("yes")
        assert [each for each in shown if isinstance(each, ReceiptShown)]
        await hung_up(desk, call)
        (record,) = await records_of(desk)
    lines = told(record)
    failed = lines.index("incident: the customer said yes, and it could not be done cancel order 1005")
    assert failed < next(at for at, line in enumerate(lines) if line.startswith("done:"))
    assert record["outcome"] == "solved"


def test_another_customer_on_the_line_is_told_of():
    maya = Caller("maya", "Maya", Identity.PROVEN)
    began = Event(0, Began("call_1", "web", "en", "2026-11-22T10:00:00+00:00", maya))
    tomas = Event(50, Became(Caller("tomas", "Tomas", Identity.KNOWN)))
    draft = Draft.of([began, tomas])
    usage = draft.usage(prices(), lambda backend, kind: "gpt-realtime")
    record = document(draft, ["a" * 32, "b" * 32], usage)
    assert "identity: another customer is on the line, known" in told(record)
