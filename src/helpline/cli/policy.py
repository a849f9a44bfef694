"""`helpline policy`: what the shop allows, as data."""

from pathlib import Path

import click

from helpline.cli.start import prepare
from helpline.policy import load_policy


@click.group()
def command() -> None:
    """What the shop allows, as data."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Check a policy FILE, or the one in HELPLINE_POLICY_FILE, and say what is wrong in it and where."""
    path = file or prepare(quiet=True).policy_file
    load_policy(path)
    click.echo(f"{path or 'The demo policy'} is a valid policy.")
