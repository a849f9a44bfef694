"""Many calls in one process: CPU, latency and memory, beside other people's clients and the bare floor.

A mock server plays the same scripted call on every connection (`bench/line/server.py`) on one core; the
clients run on another. Kinds that are compared run at once, each in a process of its own: what else the
machine does disturbs them in the same moments. Only 400 calls have the core for themselves. It takes five
minutes; `make bench ARGS=calls ROUNDS=6` takes more rounds, whose median counts.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure, median, percentile
from bench.line.asked import asked
from bench.line.hour import growth_mb

ROUNDS = int(os.environ.get("ROUNDS", "2"))
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
        return await asked(self.process)


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


async def client(server: Server, kind: str, calls: int, seconds: float = STEADY_S) -> dict[str, Any]:
    """One kind of client with so many calls: what it found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.line.client",
        kind, str(calls), str(seconds), server.url, str(cores()[0]),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=2**26,
    )  # fmt: skip
    out, complaints = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"The {kind} client broke off:\n{complaints.decode(errors='replace')}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


async def at_once(server: Server, kinds: tuple[str, ...], calls: int, seconds: float) -> list[dict[str, Any]]:
    """Several kinds, so many calls of each, in the same seconds."""
    return await asyncio.gather(*(client(server, kind, calls, seconds) for kind in kinds))


def tell(what: str) -> None:
    """Beside the figures: what they are to be read with."""
    print(f"  {what}", file=sys.stderr)


async def measure() -> list[Figure]:
    async with mock_server() as server:
        cpu = await cpu_of_each(server)
        few = await side_by_side(server, 10)
        many = await alone(server, MANY)
    for calls, found in ((10, few), (MANY, many)):
        for kind in found:
            tell(f"{kind}, {calls} calls, p50 and p99: {found[kind]}")
    ours, bare = few["helpline"], few["floor"]
    lots = many["helpline"]
    return [
        Figure("calls: CPU of 50 calls, beside a bare websockets loop", 1.2, ratio(cpu, "floor"), "x"),
        Figure("calls: CPU of 50 calls, beside openai-agents", 0.4, ratio(cpu, "agents"), "x"),
        Figure("calls: CPU of 50 calls, beside the openai SDK", 0.4, ratio(cpu, "openai"), "x"),
        Figure(f"calls: share of one core at {MANY} calls", 1.0, lots.core, "core"),
        Figure(f"calls: sound to the customer at {MANY} calls, p99", 20, p99(lots.down_ms), "ms"),
        Figure(f"calls: sound from the customer at {MANY} calls, p99", 20, p99(lots.up_ms), "ms"),
        Figure("calls: latency added at 10 calls, p99", 1.0, p99(ours.down_ms) - p99(bare.down_ms), "ms"),
        Figure("calls: barge-in to silence at 10 calls, p99", 2.0, p99(ours.barge_in_ms), "ms"),
        Figure("calls: memory of each of 50 calls, in conversation", 0.15, median(cpu["mb"]), "MB"),
        Figure(f"calls: memory of each of {MANY} calls, in conversation", 0.15, lots.mb, "MB"),
        Figure("calls: memory that a call grows by in an hour", 0.5, growth_mb(), "MB"),
        Figure("calls: responses asked for while one was in flight", 0, lots.two_at_once, ""),
    ]


def p99(values: list[float]) -> float:
    return percentile(values, 99)


COMPARED = ("floor", "helpline", "agents")


async def cpu_of_each(server: Server) -> dict[str, list[float]]:
    """ms of CPU per call and second at 50 calls, by kind, round by round; `mb` is a call of ours."""
    cpu: dict[str, list[float]] = {kind: [] for kind in (*COMPARED, "openai", "mb")}
    for _ in range(ROUNDS):
        for found in await at_once(server, COMPARED, 50, 2 * STEADY_S):
            cpu[found["kind"]].append(found["cpu_ms_per_call_s"])
            if found["kind"] == "helpline":
                cpu["mb"].append(found["mb_per_call"])
    # Once and alone: it takes most of a core, and is far away.
    cpu["openai"].append((await client(server, "openai", 50))["cpu_ms_per_call_s"])
    for kind in (*COMPARED, "openai"):
        tell(f"{kind}: {', '.join(f'{value:.2f}' for value in cpu[kind])} ms of CPU per call and second")
    return cpu


def ratio(cpu: dict[str, list[float]], other: str) -> float:
    """Our CPU beside another kind's, as the median of the rounds."""
    return median([ours / theirs for ours, theirs in zip(cpu["helpline"], cpu[other], strict=False)])


class Latencies:
    """What was found at so many calls, all rounds together."""

    def __init__(self) -> None:
        self.down_ms: list[float] = []
        self.up_ms: list[float] = []
        self.barge_in_ms: list[float] = []
        self.core = self.mb = 0.0
        self.two_at_once = 0

    def add(self, found: dict[str, Any]) -> None:
        self.down_ms += found["down_ms"]
        self.barge_in_ms += found["barge_in_ms"]
        self.core, self.mb = found["core"], found["mb_per_call"]

    def add_seen(self, seen: dict[str, Any]) -> None:
        """What the server saw of this kind alone."""
        self.up_ms += seen["up_ms"]
        self.two_at_once += seen["two_at_once"]

    def __str__(self) -> str:
        named = {"down": self.down_ms, "up": self.up_ms, "barge-in": self.barge_in_ms}
        found = [
            f"{name} {percentile(values, 50):.2f} {percentile(values, 99):.2f} ms"
            for name, values in named.items()
            if values
        ]
        return ", ".join((*found, f"{self.core:.2f} core, {self.mb:.3f} MB a call"))


async def side_by_side(server: Server, calls: int) -> dict[str, Latencies]:
    """By kind, in the same seconds."""
    found = {"floor": Latencies(), "helpline": Latencies()}
    for _ in range(ROUNDS):
        for one in await at_once(server, tuple(found), calls, 3 * STEADY_S):
            found[one["kind"]].add(one)
    return found


async def alone(server: Server, calls: int) -> dict[str, Latencies]:
    """By kind, one after another: so many calls need the core."""
    found = {"floor": Latencies(), "helpline": Latencies()}
    for kind, latencies in found.items():
        await server.seen()
        latencies.add(await client(server, kind, calls))
        latencies.add_seen(await server.seen())
    return found
