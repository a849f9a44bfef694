"""`helpline engine` as a program: who may call it, what it says, how it ends."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from helpline.engine.server import EngineServer

DOCS = Path(__file__).parents[2] / "docs" / "engine.md"


@asynccontextmanager
async def running(folder: Path, *arguments: str, **named: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`helpline engine` in a folder of its own, with these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
    command = (sys.executable, "-m", "helpline", "engine", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**kept, **named}, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_where_it_listens_and_ends_in_order(tmp_path: Path, ending: signal.Signals) -> None:
    async with asyncio.timeout(60), running(tmp_path, "--port", "0") as engine:
        line = await first_line(engine)
        url = line.removeprefix("The engine listens at ")
        assert url.startswith("ws://127.0.0.1:")
        assert await first_line(engine) == "It takes any key; ctrl-C ends it."
        async with connect(url) as call:
            assert "session.created" in str(await call.recv())
            os.killpg(engine.pid, ending)  # as a terminal does: its listening processes get it too
            _, complaints = await engine.communicate()
        assert engine.returncode == 0
        assert complaints == b""


async def test_the_sdks_example_of_the_docs_runs(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    async with asyncio.timeout(60), running(tmp_path, "--port", "0") as engine:
        url = (await first_line(engine)).removeprefix("The engine listens at ")
        program = example.replace("ws://127.0.0.1:8765/v1", url.removesuffix("/realtime"))
        assert program != example
        client = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, stderr=PIPE)
        said, complaints = await client.communicate()
    assert complaints == b""
    assert said.decode().strip()


@pytest.mark.parametrize(
    ("code", "arguments", "named", "says"),
    [
        (2, ("--host", "0.0.0.0"), {}, "lets other machines in: set HELPLINE_ENGINE_KEY"),
        (1, ("--host", "192.0.2.1"), {"HELPLINE_ENGINE_KEY": "k"}, "check --host and --port"),
        (1, ("--host", "nowhere.invalid"), {"HELPLINE_ENGINE_KEY": "k"}, "check --host and --port"),
    ],
)
async def test_what_cannot_be_served_is_told_in_one_sentence(
    tmp_path: Path, code: int, arguments: tuple[str, ...], named: dict[str, str], says: str
) -> None:
    async with asyncio.timeout(60), running(tmp_path, "--port", "0", *arguments, **named) as engine:
        said, complaints = await engine.communicate()
        assert (engine.returncode, said) == (code, b"")
        assert says in complaints.decode()
        assert complaints.decode().count("\n") == 1


async def test_other_machines_are_served_with_a_key_and_told_of_tls(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        running(tmp_path, "--host", "0.0.0.0", "--port", "0", HELPLINE_ENGINE_KEY="s3cret") as engine,
    ):
        url = (
            (await first_line(engine)).removeprefix("The engine listens at ").replace("0.0.0.0", "127.0.0.1")
        )
        assert "asks for HELPLINE_ENGINE_KEY" in await first_line(engine)
        assert "no TLS" in await first_line(engine)
        with pytest.raises(InvalidStatus):
            await connect(url)
        async with connect(url, additional_headers={"Authorization": "Bearer s3cret"}) as call:
            assert "session.created" in str(await call.recv())


async def test_a_key_is_taken_as_the_vendors_clients_send_it() -> None:
    async with EngineServer(port=0, key="s3cret") as server:
        for headers in (
            {},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer s3cre"},
            {"Authorization": "Basic s3cret"},
            {"api-key": "S3cret"},
        ):
            with pytest.raises(InvalidStatus) as refused:
                await connect(server.url, additional_headers=headers)
            assert refused.value.response.status_code == 401
            assert b"s3cret" not in (refused.value.response.body or b"")
        with pytest.raises(InvalidStatus):
            await connect(f"{server.url}?api-key=s3cret")
        for headers in ({"Authorization": "bearer s3cret"}, {"api-key": "s3cret"}):
            async with connect(server.url, additional_headers=headers) as call:
                assert "session.created" in str(await call.recv())
        offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.s3cret")]
        async with connect(server.url, subprotocols=offered) as call:
            assert call.subprotocol == "realtime"


async def test_a_port_that_is_taken_is_named() -> None:
    from helpline.errors import LocalError

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {port}: it is taken"):
            async with EngineServer(port=port):
                pass
