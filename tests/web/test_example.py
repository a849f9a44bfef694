"""The example app on `RealtimeClient`, run as its reader would, through a spoken tool call."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from helpline.audio.pcm import chunks, silence
from helpline.engine.voice import Synthesiser

from .client import SocketPage

EXAMPLE = Path(__file__).parents[2] / "examples" / "chainlit_app"

ASKED = ("tell me about the yoga mat", "how much is the yoga mat", "the yoga mat", "do you have a yoga mat")
"""A synthesiser is not always understood: a customer says it again, in other words."""

pytestmark = [pytest.mark.spoken, pytest.mark.timeout(180)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """The app, served by `chainlit run`."""
    port = free_port()
    app = tmp_path / "app"
    shutil.copytree(EXAMPLE, app)
    log = (tmp_path / "log.txt").open("w+")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chainlit", "run", "app.py", "--headless"),
        *("--host", "127.0.0.1", "--port", str(port)),
        cwd=app,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "HELPLINE_DATA_DIR": str(tmp_path),
            "HELPLINE_BACKENDS": "engine",
        },
        stdout=log,
        stderr=log,
    )
    try:
        async with httpx.AsyncClient() as browser:
            await asyncio.wait_for(_up(browser, f"http://127.0.0.1:{port}/", server), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
        log.close()


async def _up(browser: httpx.AsyncClient, url: str, server: asyncio.subprocess.Process) -> None:
    while server.returncode is None:
        try:
            await browser.get(url)
            return
        except httpx.TransportError:
            await asyncio.sleep(0.1)  # polling a process that has no other way to say that it is up
    raise AssertionError(f"the example ended with {server.returncode}")


def names(page: SocketPage) -> list[str]:
    return [step["name"] for step in page.all("new_message")]


def replies(page: SocketPage) -> list[str]:
    """What the desk has said, the welcome included."""
    return [s["output"] for s in page.all("new_message") if s["type"] == "assistant_message"]


async def speak(page: SocketPage, words: str) -> None:
    """Say it into the page's microphone in real time, then be silent until the task is cancelled."""
    loop = asyncio.get_running_loop()
    due, elapsed_ms = loop.time(), 0
    pcm = await asyncio.to_thread(Synthesiser().speak, words)
    for frame in chunks(silence(600) + pcm + silence(60_000), 40):  # nobody speaks the moment they press P
        await page.speak(frame, elapsed_ms)
        elapsed_ms += 40
        due += 0.04
        await asyncio.sleep(max(0.0, due - loop.time()))


async def test_a_visitor_talks_to_the_example_and_a_tool_answers(address: str):
    page = SocketPage("")
    await page.connect(address)
    await page.until_shown("Hi, welcome to ShopMe")
    assert await page.talk() == "on"
    for attempt, words in enumerate(ASKED):
        speaking = asyncio.create_task(speak(page, words))
        try:
            await page.until(lambda page, n=attempt: len(replies(page)) > n + 1, 60)
        finally:
            speaking.cancel()
        if "62 dollars" in replies(page)[-1]:
            break
    assert "62 dollars" in replies(page)[-1]
    assert "get_product_info" in names(page)
    sound = b"".join(chunk["data"] for chunk in page.all("audio_chunk"))
    assert len(sound) > 48 * 1000, "it was spoken, not only shown"
    await page.client.emit("audio_end")
    await page.type("where is order 1004")
    await page.until_shown("I cannot do that here", 60)
    await page.client.disconnect()
