"""`helpline engine`: the embedded engine alone, for any client of the Realtime protocol."""

import asyncio
import signal
from dataclasses import replace

import click

from helpline.cli.start import prepare
from helpline.engine.server import Engine, EngineServer, options_of
from helpline.engine.session import Limits
from helpline.errors import SettingsError
from helpline.settings import Settings, is_loopback


@click.command()
@click.option("--host", help="Address to listen on; any but this machine's own needs HELPLINE_ENGINE_KEY.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--session-minutes", type=click.IntRange(1, 1440), default=60, show_default=True,
              help="How long a session may last; then it gets session_expired.")  # fmt: skip
def command(host: str | None, port: int | None, session_minutes: int) -> None:
    """Serve the embedded engine at ws://127.0.0.1:8765/v1/realtime.

    Any client of the Realtime protocol can call it. Its ears, voice and brain are settings: docs/engine.md.
    """
    asyncio.run(serve(prepare(engine_host=host, engine_port=port), session_minutes * 60))


async def serve(settings: Settings, session_s: int) -> None:
    """Serve until this process is asked to end."""
    key, host = settings.engine_key.reveal(), settings.engine_host
    if not (key or is_loopback(host)):
        raise SettingsError(
            f"HELPLINE_ENGINE_HOST={host} lets other machines in:"
            " set HELPLINE_ENGINE_KEY, which their clients send."
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(asked, stop.set)
    engine = Engine(replace(options_of(settings), limits=Limits(session_s=session_s)))
    async with EngineServer(engine, host=host, port=settings.engine_port, key=key) as server:
        click.echo(f"The engine listens at {server.url}")
        click.echo(f"It {'asks for HELPLINE_ENGINE_KEY' if key else 'takes any key'}; ctrl-C ends it.")
        if not is_loopback(host):
            click.echo("It has no TLS: put a reverse proxy in front of it, for wss:// and for microphones.")
        await stop.wait()
