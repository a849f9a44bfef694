"""`helpline run`: the desk and its page."""

import asyncio
from functools import partial
from pathlib import Path

import click

from helpline.cli.files import tools_in
from helpline.cli.start import prepare
from helpline.desk import open_desk


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False, metavar="[FILE.py]")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page.")
@click.option("--backends", help="Who answers: a list of azure, openai, voice_live, realtime, engine.")
def command(file: Path | None, host: str | None, port: int | None, backends: str | None) -> None:
    """Start the desk and its page; FILE.py brings tools of your own."""
    settings = prepare(host=host, port=port, backends=backends)
    tools = tools_in(file) if file else ()
    from helpline.channels.web.app import serve  # Chainlit is slow to import: settings are checked first.

    asyncio.run(serve(settings, partial(open_desk, extra_tools=tools)))
