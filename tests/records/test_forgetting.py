"""After `forget` nothing of a customer is left, searched as bytes; nothing of one reaches a log at all."""

import asyncio
import gc
import json
import logging
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from helpline.errors import StoreError
from helpline.records.people import data_of, forget
from helpline.store.schema import metadata
from helpline.telemetry import logs
from tests.records.desks import desk_in, settings_in, talk
from tests.records.receiver import receiving

NAME, EMAIL, PHONE, STREET = "Zyxwanda", "zyxwanda@quuxly.example", "5559081723", "77 Grobblewick Lane"
SPOKEN = "flibbertigibbet"
SENTINELS = [each.encode() for each in (NAME, "Zorbulon", "quuxly", PHONE, "Grobblewick", SPOKEN, "maya")]


async def rename(store):
    """Maya becomes somebody whom no text mentions by chance."""
    async with store.database.write() as connection:
        for statement, values in (
            ("UPDATE customers SET first_name=:first, last_name=:last, email=:email, phone=:phone"
             " WHERE id='maya'",
             {"first": NAME, "last": "Zorbulon", "email": EMAIL, "phone": PHONE}),
            ("UPDATE addresses SET street=:street WHERE customer_id='maya'", {"street": STREET}),
        ):  # fmt: skip
            await connection.execute(sa.text(statement), values)


CALLS = (
    (f"my name is {NAME} and I want a {SPOKEN}", "where is my order 1004"),
    ("cancel order 1005", "yes"),
    (f"call me back tomorrow at 3 pm on {PHONE}", "yes", f"I said {SPOKEN}"),
    ("what is my address", f"write to {EMAIL}"),
)


def files_with(folder, sentinels):
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found += [(path.name, each) for each in sentinels if each in data]
    return found


async def test_after_forgetting_nothing_is_left_in_any_file(tmp_path):
    folder = tmp_path / "var"
    settings = settings_in(folder)
    async with desk_in(folder) as desk:
        await rename(desk.records.store)
        (folder / "traces").mkdir()
        for said in CALLS:
            call_id, _ = await talk(desk, *said)
            (folder / "traces" / f"{call_id}.jsonl").write_text(json.dumps({"pii./delta": SPOKEN}))
        await talk(desk, "where is my order 1010", caller=desk.demo_customers[1])
    assert {name for name, _ in files_with(folder, SENTINELS[:1])} == {"helpline.db"}
    async with desk_in(folder) as desk:
        store = desk.records.store
        forgotten = await forget(settings, store, "maya", ())
        assert forgotten.live_calls == 0
        assert forgotten.removed["calls"] == len(CALLS)
        assert forgotten.removed["traces"] == len(CALLS)
        assert await store.verify_ledger() == ()
        assert await data_of(store, desk.demo_customers[1].customer_id) is not None
    # The shop's own orders stay, and name the shop's own customer by the shop's own id.
    assert files_with(folder, SENTINELS[:-1]) == []


async def test_words_that_a_reader_holds_in_the_files_are_not_called_gone(tmp_path):
    folder = tmp_path / "var"
    async with desk_in(folder) as desk:
        await talk(desk, f"I want a {SPOKEN}")
        store = desk.store
        with closing(sqlite3.connect(folder / "helpline.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM calls").fetchone()
            with pytest.raises(StoreError, match="do this again"):
                await forget(settings_in(folder), store, "maya", ())
        await forget(settings_in(folder), store, "maya", ())
        assert files_with(folder, [SPOKEN.encode()]) == []


async def test_after_forgetting_nothing_is_left_in_any_row(tmp_path, shop_url):
    settings = settings_in(tmp_path, database_url=shop_url)
    async with desk_in(tmp_path, database_url=shop_url, trace_calls="yes") as desk:
        store = desk.store
        await rename(store)
        for said in CALLS:
            await talk(desk, *said)
        before = await rows_with(store, SENTINELS[:-1])
        assert {name for name, _ in before} >= {"calls", "customers", "callbacks"}
        forgotten = await forget(settings, store, "maya", ())
        assert forgotten.removed["traces"] == len(CALLS)
        assert await rows_with(store, SENTINELS[:-1]) == []
        assert await store.verify_ledger() == ()


async def rows_with(store, sentinels):
    """The tables in which a sentinel stands in any column of any row."""
    found = []
    async with store.database.read() as connection:
        for table in metadata.sorted_tables:
            text = repr((await connection.execute(sa.select(table))).all())
            found += [(table.name, each) for each in sentinels if each.decode() in text]
    return found


async def test_everything_that_is_kept_is_given_to_them(tmp_path):
    async with desk_in(tmp_path) as desk:
        call_id, _ = await talk(desk, "call me back tomorrow at 3 pm", "yes")
        found = await data_of(desk.records.store, "maya")
    assert found["calls"][0]["id"] == call_id
    assert found["customer"][0]["first_name"] == "Maya"
    assert [each["phone"] for each in found["callbacks"]] == [found["customer"][0]["phone"]]
    assert found["ledger"][0]["action"] == "schedule_callback"
    json.dumps(found)


async def test_the_shop_is_told_and_what_was_on_its_way_is_not_sent_any_more(tmp_path):
    async with receiving() as (receiver, url), desk_in(tmp_path) as desk:
        store = desk.records.store
        await talk(desk, "cancel order 1005", "yes")
        await forget(settings_in(tmp_path, webhook_url=url), store, "maya", ("webhook",))
        async with desk_in(tmp_path, webhook_url=url) as telling:
            await telling.records.work_off()
    (message,) = receiver.taken.values()
    assert (message["type"], message["data"]) == ("customer.forgotten", {"customer_id": "maya"})


async def test_a_call_that_is_going_on_is_told(tmp_path):
    async with desk_in(tmp_path) as desk:
        counted = []

        async def ask():
            counted.append((await forget(settings_in(tmp_path), desk.records.store, "maya", ())).live_calls)

        call = await desk.admit(Nobody(), kind="test", caller=desk.demo_customers[0])
        await ask()
        call.hang_up()
        await call.ended()
    assert counted == [1]


class Nobody:
    async def play(self, track, pcm24k): ...

    async def clear_playback(self): ...

    async def show(self, shown): ...


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_log_line_holds_anything_personal(tmp_path, capsys, log_format):
    root, ours = logging.getLogger(), logging.getLogger("helpline")
    before = (root.handlers[:], root.level, ours.level)
    try:
        logs.set_up(log_format)
        root.setLevel(logging.DEBUG)
        ours.setLevel(logging.DEBUG)
        async with receiving(refuses=2) as (_, url), desk_in(tmp_path, webhook_url=url) as desk:
            await rename(desk.records.store)
            for said in CALLS:
                await talk(desk, *said)
            await desk.records.work_off()
            log = logging.getLogger("helpline.test")
            log.info("somebody wrote %s into a log", EMAIL)
            log.info("and beside it", extra={"phone": PHONE, "said": f"write to {EMAIL}", "pii.name": NAME})
            log.info("in pieces: %s", {"card": "4242 4242", "rest": "4242 4242"})
            nobodys = asyncio.get_running_loop().create_future()
            nobodys.set_exception(ValueError(f"not even {NAME} waits for this"))
            del nobodys
            gc.collect()
            try:
                raise ValueError(f"a text with {NAME} in it")
            except ValueError:
                log.exception("it failed")
    finally:
        root.handlers[:], root.level = before[:2]
        ours.setLevel(before[2])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert [line for line in lines if any(each.decode() in line for each in SENTINELS)] == []
    if log_format == "json":
        assert all(json.loads(line)["level"] for line in lines)
