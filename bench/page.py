"""The page: 50 calls at once in one process, 40 ms of sound both ways; and how soon a browser shows things.

The page and its desk run in a process on one core, over a scripted backend in memory (`bench/line/page.py`).
50 clients speak Chainlit's protocol from this one, in bare frames, each beginning at a moment of its own. A
piece's age is taken where it arrives: upward at the backend, downward at the client, so that both hold the
sockets, Chainlit and all of the desk.
"""

import asyncio
import math
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import urlopen

from bench.figures import Figure, median, percentile
from bench.line.asked import asked
from bench.line.socket import PageSocket
from bench.line.stamp import age_ms, stamp

CALLS = 50
WARM = 5
"""Calls before: what a process loads once, and its connections to the database, are no call's."""
TALK_S = 20.0
SETTLE_S = 4.0
"""The first seconds, in which the calls begin, are not counted."""
SPREAD_S = 2.0
"""In which they begin."""
AFTER_S = 60.0
PIECE_S = 0.04
QUIET = bytes(1920)
LOADS = 5


class Server:
    """The page's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    async def seen(self) -> dict[str, Any]:
        """What it has seen since it was last asked."""
        return await asked(self.process)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.line.page", str(min(os.sched_getaffinity(0))), folder,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Server(process, int(await process.stdout.readline()))
        finally:
            process.stdin.close()
            await process.wait()


class Customer:
    """One page without a browser, in a call."""

    def __init__(self) -> None:
        self.ages_ms: list[float] = []
        self.unordered = 0
        self.received = 0
        self.spoken = 0
        self._born = float("-inf")
        self._track_bytes: dict[str, int] = {}
        self._track_s: dict[str, float] = {}
        """When each track began."""
        self._on = asyncio.Event()
        self._welcome = asyncio.Event()
        self._socket: PageSocket | None = None

    async def arrive(self, address: str, number: int) -> None:
        page = await asyncio.to_thread(urlopen, address)
        # An address of its own each: one may not open so many sockets.
        cookie = page.headers["set-cookie"].split(";")[0]
        headers = {"Cookie": cookie, "X-Forwarded-For": f"127.0.1.{number}"}
        auth = {"clientType": "webapp", "sessionId": str(uuid.uuid4()), "threadId": "", "userEnv": "{}"}
        self._socket = await PageSocket.connect(address, headers, auth, self._hear)
        self._socket.emit("connection_successful")
        await self._welcome.wait()
        self._socket.emit("audio_start")
        async with asyncio.timeout(30):
            await self._on.wait()

    async def talk(self, until: float) -> None:
        """Speak and hear until then, and say how much was played as the page does."""
        assert self._socket is not None
        began = time.monotonic()
        while time.monotonic() < until:
            mark = stamp()
            pcm24k = mark + QUIET[len(mark) :]
            self._socket.speak(pcm24k, (time.monotonic() - began) * 1000, first=self.spoken == 0)
            self.spoken += len(pcm24k)
            if self.spoken // 1920 % 5 == 0:
                self._report()
            await asyncio.sleep(max(0.0, began + self.spoken / 48_000 - time.monotonic()))

    def _report(self) -> None:
        """What has sounded by now: a loudspeaker plays no faster than time goes."""
        assert self._socket is not None
        for track, size in self._track_bytes.items():
            ms = min(size // 48, int((time.monotonic() - self._track_s[track]) * 1000))
            report = {"helpline": "desk", "type": "played", "track": track, "ms": ms}
            self._socket.emit("window_message", report)

    async def leave(self) -> None:
        assert self._socket is not None
        self._socket.close()
        await self._socket.closed.wait()

    def _hear(self, name: str, values: list[Any], pcm24k: bytes) -> None:
        match name:
            case "audio_chunk":
                self._take(values[0]["track"], pcm24k)
            case "audio_connection" if values[0] == "on":
                self._on.set()
            case "window_message":
                self._welcome.set()

    def _take(self, track: str, pcm24k: bytes) -> None:
        """A piece, which may hold several of the backend's: each of those begins with a stamp."""
        before = self._track_bytes.get(track, 0)
        self._track_s.setdefault(track, time.monotonic())
        self._track_bytes[track] = before + len(pcm24k)
        for at in range(-before % len(QUIET), len(pcm24k), len(QUIET)):
            age = age_ms(pcm24k[at:])
            if age is None:
                self.unordered += 1
                continue
            self.received += 1
            self.ages_ms.append(age)
            born = time.monotonic() * 1000 - age
            self.unordered += born < self._born
            self._born = born


def begins_s() -> list[float]:
    """How long each customer begins to talk after the one before."""
    chance = random.Random(50)
    begins = sorted(chance.uniform(0, SPREAD_S) for _ in range(CALLS))
    return [late - early for early, late in zip([0.0, *begins], begins, strict=False)]


async def measure() -> list[Figure]:
    async with serving() as server:
        warm = [Customer() for _ in range(WARM)]
        for number, customer in enumerate(warm):
            await customer.arrive(server.address, 100 + number)
        await asyncio.gather(*(customer.talk(time.monotonic() + 3) for customer in warm))
        for customer in warm:
            await customer.leave()
        while (before := await server.seen())["visits"]:  # noqa: ASYNC110 - it waits for a page that returns
            await asyncio.sleep(2)
        customers = [Customer() for _ in range(CALLS)]
        for number, customer in enumerate(customers, 1):
            await customer.arrive(server.address, number)
        until = time.monotonic() + SPREAD_S + SETTLE_S + TALK_S
        talking = []
        for customer, wait_s in zip(customers, begins_s(), strict=True):
            await asyncio.sleep(wait_s)
            talking.append(asyncio.create_task(customer.talk(until)))
        await asyncio.sleep(SETTLE_S)
        settled, from_s, ours_s = await server.seen(), time.monotonic(), time.process_time()
        for customer in customers:
            customer.ages_ms.clear()
        await asyncio.gather(*talking)
        at_work, talked_s = await server.seen(), time.monotonic() - from_s
        ours = (time.process_time() - ours_s) / talked_s
        await asyncio.sleep(1)
        end = await server.seen()
        received = sum(customer.received for customer in customers)
        down_ms = [age for customer in customers for age in customer.ages_ms] or [math.inf]
        for customer in customers:
            await customer.leave()
        await asyncio.sleep(AFTER_S)
        after = await server.seen()
        loads_s, captions_ms = await in_a_browser(server.address)
    unordered = end["unordered"] - before["unordered"] + sum(customer.unordered for customer in customers)
    spoken = sum(customer.spoken for customer in customers)
    lost = (spoken - (end["arrived"] - before["arrived"])) // 1920
    up_ms = at_work["up_ms"] or [math.inf]
    used = (at_work["cpu_s"] - settled["cpu_s"]) / talked_s
    sent = at_work["sent"] - before["sent"]
    print(
        f"  {CALLS} page calls: {before['mb']:.0f} MB before, {at_work['mb']:.0f} at work, "
        f"{after['mb']:.0f} after; p50 up {percentile(up_ms, 50):.1f} ms, "
        f"down {percentile(down_ms, 50):.1f} ms; CPU {100 * used:.0f} % of a core, "
        f"the clients' own {100 * ours:.0f} %",
        file=sys.stderr,
    )
    calls = f"page: {CALLS} calls"
    return [
        Figure(
            f"{calls}, a microphone's 40 ms to the backend, p99",
            20,
            percentile(up_ms, 99),
            "ms",
        ),
        Figure(f"{calls}, the backend's 40 ms to the page, p99", 20, percentile(down_ms, 99), "ms"),
        Figure(f"{calls}, chunks out of order", 0, unordered, ""),
        Figure(f"{calls}, chunks of microphones lost", 0, lost, ""),
        Figure(f"{calls}, chunks to pages lost", 0, max(0, sent - received), ""),
        Figure("page: memory a minute after they ended, beside before", 1.1, after["mb"] / before["mb"], "x"),
        Figure("page: usable after navigation, p50", 1.5, median(loads_s), "s"),
        Figure("page: first caption after the words' event, p50", 300, median(captions_ms), "ms"),
    ]


async def in_a_browser(address: str) -> tuple[list[float], list[float]]:
    """Seconds from navigation until one is welcomed and can type; ms from a reply's words until they show."""
    from tests.e2e.browser import browsing

    loads_s: list[float] = []
    captions_ms: list[float] = []
    async with browsing() as browser:
        for _ in range(LOADS):
            context = await browser.new_context()
            page = await context.new_page()
            await page.add_init_script(WATCH)
            began = time.monotonic()
            await page.goto(address, wait_until="commit")
            await page.locator(".hl-person:not([disabled])").first.wait_for()
            await page.get_by_text("How can I help you?").wait_for()
            await page.locator("#chat-input").wait_for()
            loads_s.append(time.monotonic() - began)
            await page.locator("#chat-input").click()
            await page.keyboard.type("hello")
            await page.keyboard.press("Enter")
            await page.wait_for_function("() => window.captionMs !== undefined")
            captions_ms.append(float(await page.evaluate("window.captionMs")))
            await context.close()
    return loads_s, captions_ms


WATCH = """
new MutationObserver(() => {
  const said = /said at (\\d{13})/.exec(document.body?.innerText ?? "");
  if (said && window.captionMs === undefined) window.captionMs = Date.now() - Number(said[1]);
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
