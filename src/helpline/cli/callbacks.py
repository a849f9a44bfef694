"""`helpline callbacks`: whom to call back, and when."""

import json
from typing import Any

import click

from helpline.cli.calls import looked, opened
from helpline.cli.start import wait_for
from helpline.cli.table import print_table
from helpline.errors import LocalError
from helpline.records import archive


@click.group()
def command() -> None:
    """Whom to call back, and when."""


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were made, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(every: bool, as_json: bool) -> None:
    """List the callbacks that are booked, the next one first."""
    found = wait_for(_list("" if every else "booked"))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    print_table(
        ("id", "when (UTC)", "phone", "state", "customer", "call", "about"),
        (
            (
                str(each["id"]),
                f"{each['at']:%Y-%m-%d %H:%M}",
                each["phone"],
                each["state"],
                each["customer_id"] or "a guest",
                each["call_id"],
                each["topic"],
            )
            for each in found
        ),
    )
    if not found:
        click.echo("Nobody is waiting for a call.", err=True)


async def _list(state: str) -> list[dict[str, Any]]:
    async with opened() as store:
        await looked(store, "callbacks")
        async with store.database.read() as connection:
            return await archive.callbacks(connection, state)


@command.command()
@click.argument("callback_id", type=int, metavar="ID")
def done(callback_id: int) -> None:
    """Write that a callback was made."""
    wait_for(_done(callback_id))
    click.echo(f"Callback {callback_id} is done.")


async def _done(callback_id: int) -> None:
    async with opened() as store, store.database.write() as connection:
        if not await archive.finish_callback(connection, callback_id):
            raise LocalError(
                f"There is no open callback {callback_id}: `helpline callbacks list` shows them."
            )
