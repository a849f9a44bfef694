"""`helpline calls`: what happened on every call. Each look is written down."""

import getpass
import json
import os
import shutil
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from helpline.cli.start import prepare, wait_for
from helpline.cli.table import print_table
from helpline.clock import SystemClock
from helpline.errors import LocalError
from helpline.private import write_text
from helpline.records import archive, story
from helpline.records.archive import Filter
from helpline.store import Store
from helpline.wording import plain

OUTCOMES = ("solved", "transferred", "callback", "abandoned", "limit")


@click.group()
def command() -> None:
    """What happened on every call."""


def filters(function: Any) -> Any:
    """The options that choose among calls."""
    for option in reversed(
        (
            click.option("--customer", default="", metavar="ID", help="Calls of this customer."),
            click.option("--since", type=click.DateTime(), help="From this day or time on (UTC)."),
            click.option("--until", type=click.DateTime(), help="Before this day or time (UTC)."),
            click.option("--outcome", type=click.Choice(OUTCOMES), default=None, help="How they ended."),
            click.option("--reason", default="", help='Why they called: "cancel order".'),
            click.option("--channel", default="", help="Where they came in: web, wav."),
            click.option("--backend", default="", help="Who answered: azure, openai, engine."),
            click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True),
        )
    ):
        function = option(function)
    return function


def as_filter(
    customer: str,
    since: datetime | None,
    until: datetime | None,
    outcome: str | None,
    words: str = "",
    **given: Any,
) -> Filter:
    """The filter that the options ask for."""
    return Filter(
        customer_id=customer,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        outcome=outcome or "",
        words=words,
        **given,
    )


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    """The desk's database."""
    settings = prepare(quiet=True)
    store = await Store.open(settings.database_url, data_dir=settings.data_dir)
    try:
        yield store
    finally:
        await store.close()


async def looked(store: Store, action: str, subject: str = "") -> None:
    """Write down that somebody looks at calls."""
    async with store.database.write() as connection:
        await archive.note_read(connection, SystemClock().utcnow(), reader(), action, subject)


def reader() -> str:
    """Who sits at this terminal: behind sudo, the one who typed it."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


@command.command("list")
@filters
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool, **given: Any) -> None:
    """List calls, the newest first."""
    wait_for(_list(as_filter(**given), "list", as_json))


@command.command()
@click.argument("words", nargs=-1, required=True)
@filters
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def search(words: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Find the calls in which all these WORDS were said; `cancel*` is a word's beginning."""
    wait_for(_list(as_filter(words=" ".join(words), **given), "search", as_json))


async def _list(wanted: Filter, action: str, as_json: bool) -> None:
    async with opened() as store:
        await looked(store, action)
        async with store.database.read() as connection:
            found = await archive.listed(connection, wanted)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=_written))
        return
    print_table(
        ("call", "began (UTC)", "lasted", "customer", "in", "answered by", "outcome", "reason", "done"),
        (
            (
                call["id"],
                f"{call['started_at']:%Y-%m-%d %H:%M}",
                f"{(call['ended_at'] - call['started_at']).total_seconds():.0f} s",
                ", ".join(call["customers"]) or "a guest",
                call["channel"],
                call["backend"],
                call["outcome"],
                call["reason"],
                ", ".join(f"{each['reference']} {each['action'].replace('_', ' ')}" for each in call["done"]),
            )
            for call in found
        ),
    )
    if not found:
        click.echo("No call is like that.", err=True)


@command.command()
@click.argument("call_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the whole record.")
def show(call_id: str, as_json: bool) -> None:
    """Show one call: what was said and heard, what was done, and how fast."""
    record = wait_for(record_of(call_id, "show"))
    click.echo(json.dumps(record, ensure_ascii=False, indent=2) if as_json else "\n".join(told(record)))


async def record_of(call_id: str, action: str) -> dict[str, Any]:
    """A call's record; the look is written down. Raises LocalError when there is none."""
    async with opened() as store:
        async with store.database.read() as connection:
            record = await archive.find(connection, call_id)
        if record is None:
            raise LocalError(f"There is no record of {call_id}: `helpline calls list` shows what there is.")
        await looked(store, action, call_id)
    return record


def told(record: dict[str, Any]) -> list[str]:
    """A record as lines for a person: what it came to, then what happened in the order of time."""
    width = max(60, min(110, shutil.get_terminal_size().columns))
    lines = [click.style(record["id"], bold=True)]
    for name, text in story.heading(record):
        lines += _wrapped(f"{name:<10} ", text, width, bold=name == "outcome")
    lines.append("")
    for event in story.events(record):
        colour = _COLOURS.get(event.manner)
        lines += _wrapped(f"{story.clock(event.at_ms):>8} {event.who:>9}  ", event.text, width, fg=colour)
        if event.detail:
            lines += _wrapped(" " * 20, event.detail, width, dim=True)
    return lines


_COLOURS = {"customer": "cyan", "tool": "yellow", "change": "green", "trouble": "red"}


def _wrapped(first: str, text: str, width: int, **style: Any) -> list[str]:
    """A text in lines under its name."""
    # What was said may hold anything, a terminal's own commands too.
    parts = textwrap.wrap(plain(text, len(text)), width - len(first)) or [""]
    begins = (first, *[" " * len(first)] * (len(parts) - 1))
    return [begin + click.style(part, **style) for begin, part in zip(begins, parts, strict=True)]


@command.command()
@filters
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file instead.")
def export(out: Path | None, **given: Any) -> None:
    """Print whole records as JSON, a line each."""
    records = wait_for(_export(as_filter(**given)))
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)


async def _export(wanted: Filter) -> list[dict[str, Any]]:
    async with opened() as store:
        async with store.database.read() as connection:
            records = await archive.exported(connection, wanted)
        async with store.database.write() as connection:
            for record in records:
                await archive.note_read(connection, SystemClock().utcnow(), reader(), "export", record["id"])
    return records


@command.command()
@click.argument("call_id", metavar="ID")
def reads(call_id: str) -> None:
    """Say who looked at a call, and when."""
    print_table(
        ("at (UTC)", "who", "how"),
        (
            (f"{row['at']:%Y-%m-%d %H:%M:%S}", row["reader"], row["action"])
            for row in wait_for(_reads(call_id))
        ),
    )


async def _reads(call_id: str) -> list[dict[str, Any]]:
    async with opened() as store, store.database.read() as connection:
        found = await archive.reads_of(connection, call_id)
        if not found and await archive.find(connection, call_id) is None:
            raise LocalError(f"There is no record of {call_id}: `helpline calls list` shows what there is.")
    if not found:
        click.echo("Nobody has looked at it.", err=True)
    return found


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
