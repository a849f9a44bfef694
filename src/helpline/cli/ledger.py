"""`helpline ledger`: the record of every change that was made."""

import asyncio

import click

from helpline.cli.start import prepare
from helpline.settings import Settings, database_shown
from helpline.store import Store
from helpline.store.ledger import Flaw


@click.group()
def command() -> None:
    """The record of every change that was made."""


@command.command()
def verify() -> None:
    """Find any row that was altered, removed, reordered or cut off; exit 1 if there is one."""
    settings = prepare(quiet=True)
    flaws = asyncio.run(flaws_of(settings))
    for flaw in flaws:
        click.echo(str(flaw))
    if flaws:
        raise click.exceptions.Exit(1)
    click.echo(f"The ledger in {database_shown(settings)} is whole.")


async def flaws_of(settings: Settings) -> tuple[Flaw, ...]:
    """Every place where the desk's ledger is not what it was."""
    store = await Store.open(settings.database_url, data_dir=settings.data_dir)
    try:
        return await store.verify_ledger()
    finally:
        await store.close()
