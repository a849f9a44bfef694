"""What is kept for how long: each kind of data goes when its time is over."""

import logging
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from helpline.settings import Settings
from helpline.store import Store
from helpline.store import call_tables as c
from helpline.store import schema as t
from helpline.store.database import to_its_end

log = logging.getLogger(__name__)


async def clean(store: Store, settings: Settings, now: datetime) -> Counter[str]:
    """Remove what is older than the settings say; gives how much of what."""
    gone = await to_its_end(_clean_tables(store, settings, now))
    gone["traces"] = clean_files(settings.data_dir / "traces", "*.jsonl", settings.keep_traces_days, now)
    live = settings.data_dir / "live"
    gone["unreadable calls"] = clean_files(live, "*.unreadable", settings.keep_calls_days, now)
    gone = +gone
    if gone:
        log.info("retention removed %s", ", ".join(f"{count} {what}" for what, count in sorted(gone.items())))
    return gone


async def _clean_tables(store: Store, settings: Settings, now: datetime) -> Counter[str]:
    finished = c.work.c.state != "waiting"
    # What was asked for in a call goes with the call; what somebody still has to do is never too old.
    rules: tuple[tuple[sa.Table, sa.Column[Any], int, sa.ColumnElement[bool]], ...] = (
        (c.calls, c.calls.c.ended_at, settings.keep_calls_days, sa.true()),
        (t.proposals, t.proposals.c.made_at, settings.keep_calls_days, t.proposals.c.state != "working"),
        (t.callbacks, t.callbacks.c.at, settings.keep_calls_days, t.callbacks.c.state != "booked"),
        (t.tickets, t.tickets.c.at, settings.keep_calls_days, t.tickets.c.state != "open"),
        (t.login_codes, t.login_codes.c.expires_at, 1, sa.true()),
        (t.sign_ins, t.sign_ins.c.expires_at, 1, sa.true()),
        (c.work, c.work.c.done_at, settings.keep_work_days, finished),
        (c.reads, c.reads.c.at, settings.keep_reads_days, sa.true()),
    )
    gone: Counter[str] = Counter()
    async with store.database.write() as connection:
        for table, time, days, where in rules:
            old = sa.delete(table).where(time < now - timedelta(days=days), where)
            gone[table.name] += (await connection.execute(old)).rowcount
    return gone


def clean_files(folder: Path, pattern: str, days: int, now: datetime) -> int:
    """Remove the files that have not been written for so many days."""
    oldest = (now - timedelta(days=days)).timestamp()
    count = 0
    for path in folder.glob(pattern):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            count += 1
    return count
