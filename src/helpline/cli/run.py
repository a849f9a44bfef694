"""`helpline run`: the desk and its page."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import click

from helpline.cli.start import prepare
from helpline.desk import Desk, open_desk
from helpline.engine.parts import need_package
from helpline.errors import SettingsError
from helpline.own import Own, own_in
from helpline.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False, metavar="[FILE.py]")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page.")
@click.option("--backends", help="Who answers: a list of azure, openai, voice_live, realtime, engine.")
def command(file: Path | None, host: str | None, port: int | None, backends: str | None) -> None:
    """Start the desk and its page; FILE.py brings tools of your own, and is read again when it is saved."""
    settings = prepare(host=host, port=port, backends=backends)
    file = file or settings.tools_file
    own = own_in(file) if file else Own()
    need_package("chainlit", "Chainlit, which the page is made with,", "web")
    from helpline.channels.web.app import serve  # Chainlit is slow to import: settings are checked first.
    from helpline.channels.web.oauth import heed_env_file

    heed_env_file()
    asyncio.run(serve(settings, partial(_open, file=file, own=own)))


@asynccontextmanager
async def _open(settings: Settings, /, *, file: Path | None, own: Own) -> AsyncIterator[Desk]:
    async with open_desk(settings, own=own) as desk:
        if file is None:
            yield desk
            return
        watching = asyncio.create_task(read_again(file, desk, _say), name="tools")
        try:
            yield desk
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _saves(file: Path) -> AsyncIterator[object]:
    from watchfiles import awatch

    own = file.resolve()
    # The folder, since most editors save by putting another file in the place of this one.
    return awatch(own.parent, watch_filter=lambda _, path: Path(path) == own, recursive=False)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


async def read_again(file: Path, desk: Desk, say: Callable[[str], None]) -> None:
    """Read the file of tools whenever it is saved, until cancelled; live calls go on with what they have.

    What is wrong with it is said in one sentence, and the desk keeps the tools that it has.
    """
    async for _ in _saves(file):
        try:
            own = await asyncio.to_thread(own_in, file)
            desk.bring(own)
        except SettingsError as wrong:
            say(f"{wrong} The desk keeps the tools that it has.")
        else:
            say(f"{file} was read again: calls from now on have its tools.")
