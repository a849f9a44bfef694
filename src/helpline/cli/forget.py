"""`helpline forget`: take a customer out of everything that the desk keeps."""

import click

from helpline.cli.start import prepare, wait_for
from helpline.records.people import Forgotten, forget
from helpline.records.workers import workers_of
from helpline.settings import Settings
from helpline.store import Store


@click.command()
@click.argument("customer", metavar="CUSTOMER")
def command(customer: str) -> None:
    """Erase a customer's calls, callbacks, messages and name; the ledger still verifies.

    The shop's own orders are left to the shop, which is told by the webhook and mail that are set.
    """
    settings = prepare(quiet=True)
    forgotten = wait_for(_forget(settings, customer))
    for what, count in sorted(forgotten.removed.items()):
        click.echo(f"{count:>6} {what.replace('_', ' ')}")
    if not forgotten.removed:
        click.echo("Nothing is kept about a customer of that id.", err=True)
    elif not (settings.webhook_url or settings.smtp_host):
        click.echo("Tell the shop: it keeps orders of its own, and no webhook or mail is set.", err=True)
    if forgotten.live_calls:
        click.echo(
            f"{forgotten.live_calls} of their calls are going on: do this again when they have ended.",
            err=True,
        )
    if forgotten.live_calls or not forgotten.removed:
        raise click.exceptions.Exit(1)


async def _forget(settings: Settings, customer: str) -> Forgotten:
    store = await Store.open(settings.database_url, data_dir=settings.data_dir)
    try:
        workers = workers_of(settings, store)
        kinds = tuple(kind for kind in workers if kind != "summary")
        return await forget(settings, store, customer, kinds)
    finally:
        await store.close()
