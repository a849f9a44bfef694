"""Kill -9 in mid-call, at random moments: nothing that a customer saw, nothing that was done is lost."""

import asyncio
import json
import random
import sys

import pytest
import sqlalchemy as sa

from helpline.records import archive
from helpline.records.archive import Filter
from helpline.store import schema as t
from tests.records.desks import LaterClock, desk_in
from tests.records.receiver import receiving


async def seen_before_the_kill(folder, webhook, after_lines):
    """Run the desk, kill it when it has printed so many lines, and give what its customers saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.records.victim", str(folder), webhook, stdout=asyncio.subprocess.PIPE
    )
    seen = {}
    count = 0
    async for line in process.stdout:
        told = json.loads(line)
        if "seen" in told:
            seen.setdefault(told["call"], []).append(tuple(told["seen"]))
            count += 1
        if count == after_lines:
            process.kill()
            # What it had printed by then was seen as well: the loop reads the pipe to its end.
    assert await process.wait() == -9
    return seen


def kept_in(record):
    kept = [("line", line["speaker"], line["text"]) for line in record["lines"]]
    kept += [("tool", tool["name"], tool["say"]) for tool in record["tools"]]
    kept += [("receipt", each["reference"], each["action"]) for each in record["receipts"]]
    return set(kept)


async def check_nothing_is_lost(folder, seed):
    luck = random.Random(seed)
    async with receiving() as (receiver, url):
        seen = await seen_before_the_kill(folder, url, after_lines=luck.randint(1, 60))
        async with desk_in(folder, clock=LaterClock(minutes=2), webhook_url=url) as desk:
            await desk.records.work_off()
            store = desk.records.store
            async with store.database.read() as connection:
                records = await archive.exported(connection, Filter(limit=10_000))
                receipts = (await connection.execute(sa.select(t.ledger))).mappings().all()
                callbacks = (await connection.execute(sa.select(t.callbacks.c.id))).scalars().all()
            assert await store.verify_ledger() == ()
    # The records are newest first; the victim's calls were held one after another.
    records.reverse()
    for number, things in seen.items():
        assert set(things) <= kept_in(records[number]), f"seed {seed}, call {number}"
    in_records = {each["reference"] for record in records for each in record["receipts"]}
    assert in_records == {row["reference"] for row in receipts}
    wanted = {f"webhook-receipt-{row['seq']}" for row in receipts}
    wanted |= {f"webhook-callback-{each}" for each in callbacks}
    wanted |= {f"webhook-call-{record['id']}" for record in records}
    assert set(receiver.taken) == wanted


@pytest.mark.parametrize("seed", range(5))
async def test_a_killed_desk_has_lost_nothing(tmp_path, seed):
    await check_nothing_is_lost(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 150))
async def test_a_desk_killed_fifty_times_has_lost_nothing(tmp_path, seed):
    await check_nothing_is_lost(tmp_path, seed)
