"""`helpline engine`: the embedded engine alone, for any client of the Realtime protocol."""

import asyncio
import signal
from dataclasses import replace

import click

from helpline.cli.start import prepare
from helpline.engine.server import Engine, EngineServer, options_of
from helpline.engine.session import Limits
from helpline.settings import Settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port on this machine; 0 takes a free one.")
@click.option("--session-minutes", type=click.IntRange(1, 1440), default=60, show_default=True,
              help="How long a session may last; then it gets session_expired.")  # fmt: skip
def command(port: int | None, session_minutes: int) -> None:
    """Serve the embedded engine at ws://127.0.0.1:8765/v1/realtime."""
    asyncio.run(serve(prepare(engine_port=port), session_minutes * 60))


async def serve(settings: Settings, session_s: int) -> None:
    """Serve until this process is asked to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(asked, stop.set)
    engine = Engine(replace(options_of(settings), limits=Limits(session_s=session_s)))
    async with EngineServer(engine, port=settings.engine_port) as server:
        click.echo(f"The engine listens at {server.url}")
        await stop.wait()
