"""The server is ended in mid-call and started again: the page comes back by itself, in the same call."""

import asyncio
import signal
import socket
import sys
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from helpline.records import archive
from helpline.records.archive import Filter
from helpline.store import schema as t
from tests.records.desks import LaterClock, desk_in

pytestmark = pytest.mark.asyncio(loop_scope="session")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def started(folder, port):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.restarted",
        str(folder),
        str(port),
        stdout=asyncio.subprocess.PIPE,
    )
    assert b"is open at" in await process.stdout.readline()
    return process


async def ended(process, by):
    if process.returncode is None:
        process.send_signal(by)
    await process.communicate()


@asynccontextmanager
async def running(folder, port):
    """Gives a function that ends the server by a signal and starts it again."""
    process = await started(folder, port)

    async def again(by):
        nonlocal process
        await ended(process, by)
        process = await started(folder, port)

    try:
        yield again
    finally:
        await ended(process, signal.SIGKILL)


async def type_in(page, text):
    await page.locator("#chat-input").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
async def test_a_restart_in_mid_call_with_a_proposal_pending(tmp_path, browser, by):
    port = free_port()
    errors = []
    async with running(tmp_path, port) as again:
        context = await browser.new_context()
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}")
        await page.get_by_text("How can I help you?").wait_for()
        await type_in(page, "cancel order 1005")
        await page.get_by_role("button", name="Yes").wait_for()
        await again(by)
        await page.get_by_text("go on where we were").wait_for()
        assert await page.get_by_text("cancel order 1005", exact=True).count() == 1
        yes = page.get_by_role("button", name="Yes")
        assert await yes.count() == 1
        await yes.click()
        await page.locator(".hl-card").filter(has_text="R-").first.wait_for()
        await page.reload()
        await page.locator(".hl-card").filter(has_text="R-").first.wait_for()
        assert await page.get_by_text("cancel order 1005", exact=True).count() == 1
        await page.screenshot(path=tmp_path / "restarted.png")
        await context.close()
    assert errors == []
    async with (
        desk_in(tmp_path, clock=LaterClock(hours=1)) as desk,
        desk.store.database.read() as connection,
    ):
        (record,) = await archive.exported(connection, Filter())
        assert len((await connection.execute(sa.select(t.ledger))).all()) == 1
    assert len(record["receipts"]) == 1
    assert [line["text"] for line in record["lines"]].count("cancel order 1005") == 1
