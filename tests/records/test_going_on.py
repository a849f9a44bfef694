"""A desk that breaks off in mid-call and starts again: the holder's call goes on, nobody else's."""

import asyncio
import json
import signal
import sys

import pytest
import sqlalchemy as sa

from helpline.actions import GUEST
from helpline.call.shown import Caption, ProposalClosed, ProposalShown, ReceiptShown
from helpline.records import archive
from helpline.records.archive import Filter
from helpline.simulate.text import TextChannel
from helpline.store import schema as t
from tests.records.desks import LaterClock, desk_in


class Seen(TextChannel):
    """A customer's end that keeps what it was shown."""

    def __init__(self):
        self.all = []
        super().__init__(self.all.append)

    def of(self, kind):
        return [shown for shown in self.all if isinstance(shown, kind)]

    def lines(self):
        return [(line.speaker, line.text) for line in self.of(Caption) if line.final]


async def held(folder, *sentences, end, number=0):
    """A desk of another process, whose customer says these; it is then ended by a signal."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.records.holder",
        str(folder),
        str(number),
        json.dumps(sentences),
        stdout=asyncio.subprocess.PIPE,
    )
    async for line in process.stdout:
        if line == b"said\n":
            process.send_signal(end)
            break
    await process.stdout.read()
    await process.wait()


async def taken_up(desk, holder="browser"):
    channel = Seen()
    call = await desk.take_up(channel, holder=holder)
    if call is not None:
        channel.join(call)
    return call, channel


async def hung_up(desk, call):
    call.hang_up("the customer hung up")
    await desk.gone(call)


async def records_of(desk):
    async with desk.store.database.read() as connection:
        return await archive.exported(connection, Filter())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_pending_proposal_is_still_pending_and_done_once(tmp_path, end):
    await held(tmp_path, "where is my order 1004", "cancel order 1005", end=end)
    async with desk_in(tmp_path) as desk:
        call, channel = await taken_up(desk)
        assert call.caller == desk.demo_customers[0]
        said = channel.lines()
        assert ("customer", "where is my order 1004") in said
        assert said[-1][0] == "desk"
        assert "1005" in said[-1][1]
        (proposal,) = channel.of(ProposalShown)
        assert channel.of(ProposalClosed) == []
        assert await channel.say("yes")
        (receipt,) = channel.of(ReceiptShown)
        assert receipt.receipt.proposal_id == proposal.proposal.id
        assert await channel.say("where is my order 1001")
        await hung_up(desk, call)
        (record,) = await records_of(desk)
        assert record["id"] == call.id
        assert [each["reference"] for each in record["receipts"]] == [receipt.receipt.reference]
        texts = [line["text"] for line in record["lines"]]
        assert texts.index("where is my order 1004") < texts.index("where is my order 1001")
        assert "desk_restarted" in [incident["kind"] for incident in record["incidents"]]
        async with desk.store.database.read() as connection:
            assert len((await connection.execute(sa.select(t.ledger))).all()) == 1
        assert (await taken_up(desk))[0] is None


async def test_what_was_done_before_the_kill_is_not_done_again(tmp_path):
    await held(tmp_path, "cancel order 1005", "yes", end=signal.SIGKILL)
    async with desk_in(tmp_path) as desk:
        call, channel = await taken_up(desk)
        assert len(channel.of(ReceiptShown)) == 1
        assert channel.of(ProposalClosed)[-1].outcome == "confirmed"
        await channel.say("yes")
        async with desk.store.database.read() as connection:
            assert len((await connection.execute(sa.select(t.ledger))).all()) == 1
        await hung_up(desk, call)


async def test_only_its_holder_goes_on_with_a_call(tmp_path):
    await held(tmp_path, "where is my order 1004", end=signal.SIGKILL)
    async with desk_in(tmp_path) as desk:
        assert (await taken_up(desk, "another"))[0] is None
        assert (await taken_up(desk, ""))[0] is None
        call, _ = await taken_up(desk)
        assert (await taken_up(desk))[0] is None
        await hung_up(desk, call)


async def test_it_goes_on_through_a_second_restart(tmp_path):
    await held(tmp_path, "where is my order 1004", end=signal.SIGKILL)
    async with desk_in(tmp_path) as desk:
        call, channel = await taken_up(desk)
        assert await channel.say("where is my order 1001")
    async with desk_in(tmp_path) as desk:
        again, channel = await taken_up(desk)
        assert again.id == call.id
        assert [text for who, text in channel.lines() if who == "customer"] == [
            "where is my order 1004",
            "where is my order 1001",
        ]
        await hung_up(desk, again)
        assert len(await records_of(desk)) == 1


async def test_a_guest_stays_a_guest(tmp_path):
    await held(tmp_path, "what are your opening hours", end=signal.SIGKILL, number=-1)
    async with desk_in(tmp_path) as desk:
        call, _ = await taken_up(desk)
        assert call.caller == GUEST
        await hung_up(desk, call)


async def test_a_call_whose_last_word_is_old_is_written_down(tmp_path):
    await held(tmp_path, "where is my order 1004", end=signal.SIGKILL)
    async with desk_in(tmp_path, clock=LaterClock(minutes=31)) as desk:
        assert len(await records_of(desk)) == 1
        assert (await taken_up(desk))[0] is None


async def test_a_call_whose_page_does_not_come_is_written_down_in_the_end(tmp_path):
    await held(tmp_path, "where is my order 1004", end=signal.SIGKILL)
    async with desk_in(tmp_path) as desk:
        assert await records_of(desk) == []
    async with desk_in(tmp_path) as desk:
        await desk.records.give_up_waiting()
        (record,) = await records_of(desk)
        assert record["ended"] == "the desk broke off"
        assert list((tmp_path / "live").iterdir()) == []


def test_the_holder_stands_in_no_journal_in_clear():
    from helpline.records.records import _hidden

    assert "browser" not in _hidden("browser")
    assert _hidden("") == ""
