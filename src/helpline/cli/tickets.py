"""`helpline tickets`: what a person still has to answer or take over."""

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
    """What a person still has to answer or take over."""


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are done, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(every: bool, as_json: bool) -> None:
    """List the open tickets, the oldest first."""
    found = wait_for(_list("" if every else "open"))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    print_table(
        ("ticket", "opened (UTC)", "kind", "state", "customer", "call", "about"),
        (
            (
                f"T-{each['id']}",
                f"{each['at']:%Y-%m-%d %H:%M}",
                each["kind"],
                each["state"],
                each["customer_id"] or "a guest",
                each["call_id"],
                each["body"] or each["subject"],
            )
            for each in found
        ),
    )
    if not found:
        click.echo("No ticket is open." if not every else "There is no ticket.", err=True)


async def _list(state: str) -> list[dict[str, Any]]:
    async with opened() as store:
        await looked(store, "tickets")
        async with store.database.read() as connection:
            return await archive.tickets(connection, state)


@command.command()
@click.argument("ticket", metavar="T-NUMBER")
def done(ticket: str) -> None:
    """Write that a ticket was answered."""
    number = ticket.upper().removeprefix("T-")
    if not number.isdecimal():
        raise click.BadParameter(f"{ticket} is no ticket's number, such as T-7.", param_hint="T-NUMBER")
    wait_for(_done(int(number)))
    click.echo(f"Ticket T-{number} is done.")


async def _done(number: int) -> None:
    async with opened() as store, store.database.write() as connection:
        if not await archive.finish_ticket(connection, number):
            raise LocalError(f"There is no open ticket T-{number}: `helpline tickets list` shows them.")
