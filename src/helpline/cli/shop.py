"""`helpline shop`: bring a shop's data in, and take it out again."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from helpline.cli.start import prepare, wait_for
from helpline.private import write_text
from helpline.settings import Settings, database_shown
from helpline.store import Store
from helpline.store.retail import Loaded, export_retail, import_retail, read_retail

FORMATS: Final = ("retail",)

_format = click.option(
    "--format", "layout", type=click.Choice(FORMATS), required=True, help="The layout of the file."
)


@click.group()
def command() -> None:
    """Bring a shop's data in, and take it out again."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_format
def import_(file: Path, layout: str) -> None:
    """Load the shop in FILE into an empty database; all of it, or nothing when something in it is wrong."""
    settings = prepare(quiet=True)
    loaded = wait_for(_import(settings, read_retail(file)))
    click.echo(
        f"{loaded.customers} customers, {loaded.orders} orders, {loaded.products} products and "
        f"{loaded.variants} variants are in {database_shown(settings)}."
    )


async def _import(settings: Settings, content: dict[str, Any]) -> Loaded:
    store = await Store.open(settings.database_url, data_dir=settings.data_dir)
    try:
        return await import_retail(store, content)
    finally:
        await store.close()


@command.command()
@_format
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of standard output.")
def export(layout: str, out: Path | None) -> None:
    """Write the shop as it is now."""
    text = json.dumps(wait_for(_export(prepare(quiet=True))), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    write_text(out, text)


async def _export(settings: Settings) -> dict[str, Any]:
    store = await Store.open(settings.database_url, data_dir=settings.data_dir)
    try:
        return await export_retail(store)
    finally:
        await store.close()
