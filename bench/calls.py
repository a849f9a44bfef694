"""Many calls in one process: CPU, latency and memory, beside other people's clients and the bare floor.

A mock server plays the same scripted call on every connection (`bench/line/server.py`) on one core; the
clients run on another, one kind after another. CPU is the least disturbed of the rounds; what is compared is
compared within this run.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure, percentile
from bench.line.hour import growth_mb

ROUNDS = 2
STEADY_S = 12.0
"""One cycle of the scripted call."""
MANY = 400


@dataclass
class Server:
    """The mock server's process."""

    process: asyncio.subprocess.Process
    url: str

    async def seen(self) -> dict[str, Any]:
        """What it saw since it was last asked."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        await self.process.stdin.drain()
        found: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return found


@asynccontextmanager
async def mock_server() -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.line.server", str(cores()[1]),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await process.stdout.readline())
        yield Server(process, f"ws://127.0.0.1:{port}/v1/realtime?model=m")
    finally:
        process.stdin.close()
        await process.wait()


def cores() -> tuple[int, int]:
    """The clients' core and the server's."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


async def client(server: Server, kind: str, calls: int, *, barge_in: bool = False) -> dict[str, Any]:
    """One kind of client with so many calls: what it found, and what the server saw meanwhile."""
    await server.seen()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.line.client",
        kind, str(calls), str(STEADY_S), server.url, str(cores()[0]),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=2**26,
        env={**os.environ, "BENCH_BARGE_IN": "1" if barge_in else ""},
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, f"the {kind} client broke off"
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**found, "server": await server.seen()}


def tell(what: str) -> None:
    """Beside the figures: what they are to be read with."""
    print(f"  {what}", file=sys.stderr)


async def measure() -> list[Figure]:
    async with mock_server() as server:
        cpu = await cpu_of_each(server)
        few, bare = await client(server, "helpline", 10, barge_in=True), await client(server, "floor", 10)
        many, many_bare = await client(server, "helpline", MANY), await client(server, "floor", MANY)
    for name, found in (("floor, 10 calls", bare), (f"floor, {MANY} calls", many_bare)):
        tell(
            f"{name}: sound to the customer p99 {percentile(found['down_ms'], 99):.1f} ms, from the customer "
            f"{percentile(found['server']['up_ms'], 99):.1f} ms"
        )
    tell(f"barge-in to silence at 10 calls: p50 {percentile(few['barge_in_ms'], 50):.2f} ms")
    ours = cpu["helpline"]
    p99 = {name: percentile(values, 99) for name, values in latencies(few, bare, many).items()}
    return [
        Figure("calls: CPU of 50 calls, beside a bare websockets loop", 1.2, ours / cpu["floor"], "x"),
        Figure("calls: CPU of 50 calls, beside openai-agents", 0.4, ours / cpu["agents"], "x"),
        Figure("calls: CPU of 50 calls, beside the openai SDK", 0.4, ours / cpu["openai"], "x"),
        Figure(f"calls: share of one core at {MANY} calls", 1.0, many["core"], "core"),
        Figure(f"calls: sound to the customer at {MANY} calls, p99", 20, p99["many down"], "ms"),
        Figure(f"calls: sound from the customer at {MANY} calls, p99", 20, p99["many up"], "ms"),
        Figure("calls: latency added at 10 calls, p99", 1.0, p99["few down"] - p99["bare down"], "ms"),
        Figure("calls: barge-in to silence at 10 calls, p99", 2.0, p99["barge-in"], "ms"),
        Figure("calls: memory of each call, open and silent", 0.15, many["mb_open"], "MB"),
        Figure("calls: memory of each call, its replies' sound held", 0.15, many["mb_per_call"], "MB"),
        Figure("calls: memory that a call grows by in an hour", 0.5, growth_mb(), "MB"),
        Figure("calls: responses asked for while one was in flight", 0, many["server"]["two_at_once"], ""),
    ]


async def cpu_of_each(server: Server) -> dict[str, float]:
    """ms of CPU per call and second at 50 calls, by kind: the least of the rounds."""
    found: dict[str, list[float]] = {"floor": [], "helpline": [], "agents": [], "openai": []}
    for _ in range(ROUNDS):
        for kind, values in found.items():
            values.append((await client(server, kind, 50))["cpu_ms_per_call_s"])
    for kind, values in found.items():
        tell(f"{kind}: {min(values):.2f} ms of CPU per call and second")
    return {kind: min(values) for kind, values in found.items()}


def latencies(few: dict[str, Any], bare: dict[str, Any], many: dict[str, Any]) -> dict[str, list[float]]:
    return {
        "few down": few["down_ms"],
        "bare down": bare["down_ms"],
        "barge-in": few["barge_in_ms"],
        "many down": many["down_ms"],
        "many up": many["server"]["up_ms"],
    }
