"""`helpline data-of`: everything that is kept about a customer."""

import json
from typing import Any

import click

from helpline.cli.calls import looked, opened
from helpline.cli.start import wait_for
from helpline.errors import LocalError
from helpline.records.people import data_of


@click.command()
@click.argument("customer", metavar="CUSTOMER")
def command(customer: str) -> None:
    """Print everything that the desk keeps about a customer, as JSON."""
    click.echo(json.dumps(wait_for(_data_of(customer)), ensure_ascii=False, indent=2))


async def _data_of(customer: str) -> dict[str, Any]:
    async with opened() as store:
        found = await data_of(store, customer)
        if found is None:
            raise LocalError("Nothing is kept about a customer of that id.")
        await looked(store, "data-of")
        for record in found["calls"]:
            await looked(store, "data-of", record["id"])
        return found
