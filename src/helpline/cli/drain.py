"""`helpline drain`: end a running desk without cutting a call."""

from pathlib import Path

import click

from helpline.channels.operator import ask
from helpline.cli.start import prepare, wait_for
from helpline.errors import LocalError


@click.command()
def command() -> None:
    """Let the desk that runs in this data folder finish its calls, take no new ones, and stop."""
    wait_for(_drain(prepare(quiet=True).data_dir))


async def _drain(data_dir: Path) -> None:
    said = None
    async for state in ask(data_dir, "drain"):
        if state.get("done"):
            left = state["calls"]
            click.echo(
                f"{left} calls had not ended in time and are cut." if left else "All calls have ended."
            )
            return
        if state["calls"] != said:
            said = state["calls"]
            click.echo(f"{said} live calls…" if said != 1 else "1 live call…")
    raise LocalError("The desk stopped before it said that its calls had ended.")
