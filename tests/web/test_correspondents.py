"""Who writes by a messenger: one call for each, in private, within bounds. The desk is scripted."""

import asyncio
import dataclasses

import pytest
import pytest_asyncio
import sqlalchemy as sa

from helpline.actions import Card, Proposal, Receipt
from helpline.call.shown import Caption, CardShown, Notice, ProposalShown, ReceiptShown, StateShown
from helpline.channels.web.adapters import say_by
from helpline.channels.web.messenger import Correspondents, Letter
from helpline.channels.web.words import ENGLISH
from helpline.errors import BackendError
from helpline.store import schema as t
from tests.records.desks import desk_in
from tests.web.desk import ScriptedDesk

pytestmark = pytest.mark.asyncio(loop_scope="session")

LETTER = Letter("slack", "U1", "D1", True, "1", "hello")
RECEIPT = Receipt("R-12", "p1", "cancel_order", "Done. Your receipt is R 1 2.", "2026-11-22T12:00:00+00:00")
CANCEL = Proposal("p1", "cancel_order", "1005", "cancel order 1005", ("cancel",), "Shall I?", 8450)


class ByHand:
    """A clock that the test winds."""

    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms


async def echo(call, text):
    await call.channel.show(StateShown("thinking"))
    await call.channel.show(Caption(f"{len(call.told)}", "desk", f"You said {text}.", "", final=True))
    await call.channel.show(StateShown("idle"))


class Talk:
    def __init__(self, desk, **options):
        self.desk = desk
        self.clock = ByHand()
        self.said = []
        self.correspondents = Correspondents(desk, self.clock, ENGLISH, **options)
        self.number = 0

    async def say(self, text):
        self.said.append(text)

    async def write(self, text="hello", **changes):
        self.number += 1
        letter = dataclasses.replace(LETTER, id=str(self.number), text=text)
        await self.correspondents.take(dataclasses.replace(letter, **changes), self.say)


@pytest_asyncio.fixture(loop_scope="session")
async def talk():
    desk = ScriptedDesk()
    desk.on_typed = echo
    talk = Talk(desk)
    yield talk
    await talk.correspondents.close()


async def test_a_senders_letters_are_one_call_of_a_guest(talk):
    await talk.write("one")
    await talk.write("two")
    assert talk.said == ["You said one.", "You said two."]
    (call,) = talk.desk.calls
    assert (call.kind, call.address, call.caller.customer_id) == ("slack", "slack:U1", None)


async def test_another_sender_in_the_same_place_is_in_another_call(talk):
    await talk.write()
    await talk.write(sender="U2")
    await talk.write(place="D2")
    await talk.write(messenger="discord")
    assert len(talk.desk.calls) == 4


async def test_where_others_read_along_there_is_no_call(talk):
    await talk.write("my order 1004", private=False)
    assert talk.said == [ENGLISH.write_in_private]
    assert talk.desk.calls == []


async def test_a_letter_that_is_delivered_twice_counts_once(talk):
    await talk.write("yes", id="7")
    await talk.write("yes", id="7")
    assert talk.desk.calls[0].count("type") == 1


async def test_a_flood_is_told_so_once(talk):
    for _ in range(30):
        await talk.write()
    assert talk.desk.calls[0].count("type") == 8
    assert talk.said.count(ENGLISH.too_fast) == 1
    talk.clock.ms += 4000
    await talk.write("again")
    assert talk.said[-1] == "You said again."


async def test_a_long_letter_is_cut_and_blank_ones_are_nothing(talk):
    await talk.write("x" * 5000)
    await talk.write("  ")
    (typed,) = [told[1] for told in talk.desk.calls[0].told if told[0] == "type"]
    assert len(typed) == 4000
    assert max(map(len, talk.said)) <= 1800


async def test_a_call_ends_when_nothing_is_written_and_the_next_letter_begins_another():
    desk = ScriptedDesk()
    desk.on_typed = echo
    talk = Talk(desk, idle_s=0.05)
    await talk.write()
    await desk.calls[0].until_told("hang_up")
    assert len(talk.correspondents) == 0
    await talk.write()
    assert len(desk.calls) == 2
    await talk.correspondents.close()


async def test_a_call_that_has_ended_is_followed_by_another(talk):
    await talk.write()
    await talk.desk.calls[0].channel.show(StateShown("ended", "hung up"))
    await talk.write()
    assert len(talk.desk.calls) == 2


async def test_what_keeps_a_desk_from_answering_is_raised(talk):
    talk.desk.trouble = BackendError("The engine is not installed.")
    with pytest.raises(BackendError):
        await talk.write()


async def test_a_change_is_told_as_text_with_how_to_answer(talk):
    async def propose(call, text):
        show = call.channel.show
        await show(StateShown("thinking"))
        await show(ProposalShown(CANCEL))
        await show(CardShown(Card("order", "Order 1005", {"status": "pending"}, key="order-1005")))
        await show(CardShown(Card("order", "Order 1005", {"status": "pending"}, key="order-1005")))
        await show(Caption("1", "desk", "I can cancel order 1005. Shall I?", "", final=True))
        await show(Caption("1", "desk", "I can cancel order 1005. Shall I?", "", final=True))
        await show(ReceiptShown(RECEIPT))
        await show(Caption("2", "desk", "Your receipt is R 1 2.", "", final=True))
        await show(Notice("One sentence.", "warning"))
        await show(StateShown("idle"))

    talk.desk.on_typed = propose
    await talk.write("cancel order 1005")
    assert talk.said[0].startswith("Order 1005")
    assert talk.said[1] == "I can cancel order 1005. Shall I? Please answer yes or no."
    assert talk.said[2].startswith("R-12. Done. Your receipt is R-12")
    assert talk.said[3:] == ["Your receipt is R-12.", "One sentence."]


async def test_a_messenger_that_fails_harms_no_call(talk, caplog):
    async def fails(text):
        raise RuntimeError(f"not sent: {text}")

    await talk.correspondents.take(LETTER, fails)
    await talk.write("again", id="2")
    assert talk.said == ["You said again."]
    assert "hello" not in caplog.text


@pytest.mark.parametrize(
    ("messenger", "shown"),
    [
        ("slack", "&lt;!channel&gt; &amp; https:\u2060//evil.example"),
        ("discord", "\\<\\!channel\\> \\& https\\:\u2060//evil.example"),
    ],
)
async def test_marks_are_text(messenger, shown):
    sent = []

    class Emitter:
        async def send_step(self, step):
            sent.append(step["output"])

    await say_by(messenger, Emitter())("<!channel> & https://evil.example")
    assert sent == [shown]


async def test_letters_that_come_at_once_are_one_call(talk):
    await asyncio.gather(*(talk.write(str(number)) for number in range(4)))
    assert len(talk.desk.calls) == 1
    assert talk.desk.calls[0].count("type") == 4


async def test_a_conversation_goes_on_when_the_desk_is_started_anew(tmp_path):
    """With its open proposal, for its own sender in its own place, and without being told again."""
    async with desk_in(tmp_path) as desk:
        before = Talk(desk)
        await before.write("please call me back on tuesday at 3 pm, my number is 617 555 0134")
        assert "yes or no" in before.said[-1]
        await before.correspondents.close()
    async with desk_in(tmp_path) as desk:
        await desk.records.give_up_waiting("web")  # What waits for a page does not wait for long.
        after = Talk(desk)
        after.number = 10
        await after.write("yes", sender="U2")
        await after.write("yes", place="D2")
        assert not any("Done." in said for said in after.said)
        after.said.clear()
        await after.write("yes")
        done = [said for said in after.said if "Done. We will call you back" in said]
        assert done
        assert not any("Please answer yes or no" in said for said in after.said), "nothing is told again"
        await after.write("yes")
        async with desk.store.database.read() as connection:
            assert await connection.scalar(sa.select(sa.func.count()).select_from(t.ledger)) == 1
        await after.correspondents.close()
