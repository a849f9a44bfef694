"""Each kind of data goes when its time is over, and not before."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpline.records import archive, retention, work
from helpline.records.archive import Filter
from tests.records.desks import desk_in, settings_in, talk


async def test_each_kind_goes_in_its_own_time(tmp_path):
    settings = replace(settings_in(tmp_path), keep_calls_days=10, keep_reads_days=20, keep_work_days=5)
    now = datetime.now(UTC)
    async with desk_in(tmp_path) as desk:
        store = desk.store
        await talk(desk, "hello")
        async with store.database.write() as connection:
            await archive.note_read(connection, now, "ann", "list", "")
            for subject in ("call:1", "call:2"):
                await work.add(connection, "webhook", subject, now)
            job = await work.take(connection, now, ("webhook",))
            await work.finish(connection, job, now)

        async def gone_after(**span):
            return dict(await retention.clean(store, settings, now + timedelta(**span)))

        assert await gone_after(days=4) == {}
        assert await gone_after(days=6) == {"work": 1}
        assert await gone_after(days=11) == {"calls": 1}
        assert await gone_after(days=21) == {"reads": 1}
        async with store.database.read() as connection:
            assert await archive.listed(connection, Filter(words="hello")) == []
            counts, _ = await work.counts(connection)
    assert counts == {("webhook", "waiting"): 1}, "what still has to be done is never too old"


async def test_what_was_asked_for_in_a_call_goes_with_it_and_what_is_left_to_do_stays(tmp_path):
    settings = replace(settings_in(tmp_path), keep_calls_days=10)
    now = datetime.now(UTC)
    async with desk_in(tmp_path) as desk:
        store = desk.store
        await talk(desk, "call me back tomorrow at 3 pm", "yes")
        await talk(desk, "call me back tomorrow at 4 pm", "yes", caller=desk.demo_customers[1])
        async with store.database.write() as connection:
            (first, _) = await archive.callbacks(connection)
            assert await archive.finish_callback(connection, first["id"])
        gone = await retention.clean(store, settings, now + timedelta(days=30))
        assert (gone["calls"], gone["proposals"], gone["callbacks"]) == (2, 2, 1)
        async with store.database.read() as connection:
            (left,) = await archive.callbacks(connection, "")
        assert left["state"] == "booked"
        assert await store.verify_ledger() == ()


def test_traces_go_by_their_age(tmp_path):
    now = datetime.now(UTC)
    for name, days in (("old", 15), ("new", 13)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("{}")
        then = (now - timedelta(days=days)).timestamp()
        os.utime(path, (then, then))
    assert retention.clean_files(tmp_path, "*.jsonl", 14, now) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.jsonl"]
