"""Never lost: the database goes and comes back, files of calls are damaged, and the desk goes on."""

import asyncio
import os
import sqlite3
from contextlib import asynccontextmanager, closing

import sqlalchemy as sa

from helpline.actions import Caller, Identity
from helpline.call.shown import Caption, ProposalShown, ReceiptShown
from helpline.errors import ConnectionLost
from helpline.records import archive
from helpline.records.archive import Filter
from helpline.records.events import Began, Event, encode
from helpline.records.journal import Journals
from helpline.store import schema as t
from tests.promises.model import Model
from tests.promises.test_wrong_customer import admitted, hung_up
from tests.records.desks import desk_in, talk
from tests.records.test_going_on import held, records_of, taken_up


def rename(path, names):
    with closing(sqlite3.connect(path, timeout=60)) as database, database:
        for name, other in names:
            database.execute(f"ALTER TABLE {name} RENAME TO {other}")


@asynccontextmanager
async def without(folder, *tables):
    """The database as it is when it is there and cannot be used: these tables are gone, and come back."""
    (path,) = folder.glob("*.db")
    await asyncio.to_thread(rename, path, [(table, f"gone_{table}") for table in tables])
    try:
        yield
    finally:
        await asyncio.to_thread(rename, path, [(f"gone_{table}", table) for table in tables])


async def test_a_call_lives_through_a_database_that_goes_and_comes_back(tmp_path):
    read_back = "I can cancel order 1005 and refund 72 dollars. Shall I cancel it?"
    model = Model(
        [("check_order_status", {"order_id": "1004"})],
        "I can't get at that just now.",
        [("cancel_order", {"order_id": "1005"})],
        read_back,
        "I can't get at that just now.",
        read_back,
        "Done.",
    )
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        maya = desk.demo_customers[0]
        async with without(tmp_path, "orders", "products"):
            call, channel, shown = await admitted(desk, maya)
            assert await channel.say("where is order 1004")
            assert model.outputs[0]["status"] == "refused"
        assert await channel.say("cancel order 1005")
        assert [each for each in shown if isinstance(each, ProposalShown)]
        async with without(tmp_path, "ledger"):
            assert await channel.say("yes")
        assert not call.receipts
        assert await channel.say("and now?")
        assert await channel.say("yes")
        assert [each.receipt.action for each in shown if isinstance(each, ReceiptShown)] == ["cancel_order"]
        await hung_up(desk, call)
        async with desk.store.database.read() as connection:
            assert len((await connection.execute(sa.select(t.ledger))).all()) == 1


async def test_a_record_that_could_not_be_written_is_written_when_the_database_is_back(tmp_path):
    async with desk_in(tmp_path) as desk:
        async with without(tmp_path, "calls"):
            call_id, _ = await talk(desk, "where is order 1004")
            assert len(list((tmp_path / "live").iterdir())) == 1
            await desk.records.write_rest()
        await desk.records.write_rest()
        (record,) = await records_of(desk)
        assert record["id"] == call_id
        assert list((tmp_path / "live").iterdir()) == []


async def test_a_record_that_still_waits_is_written_by_the_next_start(tmp_path):
    async with desk_in(tmp_path) as desk, without(tmp_path, "calls"):
        call_id, _ = await talk(desk, "where is order 1004")
    async with desk_in(tmp_path) as desk:
        (record,) = await records_of(desk)
        assert (record["id"], record["ended"]) == (call_id, "the customer hung up")


async def test_a_call_that_cannot_be_taken_up_yet_is_taken_up_later(tmp_path):
    await held(tmp_path, "where is my order 1004", end=9)
    async with desk_in(tmp_path) as desk:

        class Gone:
            """A page whose socket dies while it is drawn."""

            async def show(self, shown):
                raise ConnectionLost("The page is gone.")

        try:
            await desk.take_up(Gone(), holder="browser")
            raise AssertionError("it was taken up")
        except ConnectionLost:
            pass
        call, channel = await taken_up(desk)
        assert call is not None
        assert ("customer", "where is my order 1004") in channel.lines()
        await hung_up(desk, call)
        assert len(await records_of(desk)) == 1


def written(folder, call_id, *, at="2026-11-22T10:00:00+00:00"):
    began = Began(call_id, "web", "en", at, Caller("maya", "Maya", Identity.PROVEN))
    journal = Journals(folder).begin(call_id)
    journal.write(encode(Event(0, began)))
    journal.write(encode(Event(5, Caption("u1", "customer", "hello", "hello", True, True, 5, 5))))
    journal.leave()
    return journal.path


async def test_one_call_s_damaged_file_keeps_no_desk_from_starting_and_no_other_call_from_its_record(
    tmp_path,
):
    written(tmp_path, "call_a", at="no time at all")
    written(tmp_path, "call_b")
    garbled = written(tmp_path, "call_c")
    data = bytearray(garbled.read_bytes())
    data[20] ^= 1
    garbled.write_bytes(data)
    (tmp_path / "live" / "call_d.call").write_bytes(b"")
    (tmp_path / "live" / "call_e.call").write_bytes(b"\xff" * 3)
    (tmp_path / "live" / "call_f.call").write_bytes(b"\xff" * 4000)
    (tmp_path / "live" / "call_g.call").mkdir()
    async with desk_in(tmp_path) as desk:
        assert [record["id"] for record in await records_of(desk)] == ["call_b"]
        left = sorted(path.name for path in (tmp_path / "live").iterdir())
        assert left == ["call_a.call", "call_c.unreadable", "call_f.unreadable", "call_g.call"]
    async with desk_in(tmp_path) as desk:
        assert len(await records_of(desk)) == 1


async def test_the_key_of_live_calls_that_is_lost_loses_no_file(tmp_path):
    path = written(tmp_path, "call_a")
    whole = path.read_bytes()
    (tmp_path / "live.key").unlink()
    async with desk_in(tmp_path) as desk:
        assert await records_of(desk) == []
    assert path.with_suffix(".unreadable").read_bytes() == whole


async def test_a_desk_s_disk_that_is_full_costs_no_call(tmp_path):
    """The journal cannot grow any more: the call goes on, is answered, and is in the record."""
    async with desk_in(tmp_path) as desk:
        call, channel, _ = await admitted(desk, desk.demo_customers[0])
        recording = desk._recordings[call.id]
        full = os.open("/dev/full", os.O_WRONLY)
        recording.journal._handle, mine = full, recording.journal._handle
        try:
            assert await channel.say("where is order 1004")
        finally:
            recording.journal._handle = mine
            os.close(full)
        await hung_up(desk, call)
        async with desk.store.database.read() as connection:
            (record,) = await archive.exported(connection, Filter())
        assert "1004" in str(record["lines"])


async def test_a_line_that_dies_again_and_again_loses_no_word(tmp_path):
    model = Model("One.", "Two.", "Three.", "Four.")
    async with desk_in(tmp_path, backends=[model.backend]) as desk:
        call, channel, shown = await admitted(desk, desk.demo_customers[0])
        for said in ("first", "second", "third", "fourth"):
            assert await channel.say(said)
            await model.backend.peers[-1].cut(1011)
        asked = [each.text for each in shown if isinstance(each, Caption) and each.speaker == "customer"]
        assert asked == ["first", "second", "third", "fourth"]
        await hung_up(desk, call)
        (record,) = await records_of(desk)
        assert [line["text"].strip() for line in record["lines"]] == [
            "first", "One.", "second", "Two.", "third", "Three.", "fourth", "Four.",
        ]  # fmt: skip


async def test_calls_that_end_while_their_desk_closes_are_all_in_the_record(tmp_path):
    async with desk_in(tmp_path) as desk:
        calls = [await admitted(desk, desk.demo_customers[0]) for _ in range(8)]
        await asyncio.gather(*(channel.say("where is order 1004") for _, channel, _ in calls[:4]))
    async with desk_in(tmp_path) as desk:
        assert len(await records_of(desk)) == 8
