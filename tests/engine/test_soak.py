"""The engine for hours, and the engine with as many calls as one core carries. `make soak`."""

import asyncio
import os

import pytest
from bench.figures import percentile
from bench.line.spoken import an_engine, hold_call, sounds

HOURS = float(os.environ.get("HELPLINE_SOAK_HOURS", "2"))
"""Of calls; a tenth of it passes."""
SPEED = 10
CALL_S = 60
GROWTH_MB = 15.0

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="finds the processes in /proc"),
]


async def test_memory_is_flat_over_hours_of_calls() -> None:
    calls = max(round(HOURS * 3600 / CALL_S), 10)
    spoken = sounds()
    used: list[float] = []
    async with an_engine() as engine:
        for _ in range(calls):
            assert await hold_call(engine.url, spoken, CALL_S, SPEED)
            used.append(engine.memory_mb())
    settled = used[len(used) // 4]
    print(f"{calls} calls: {used[0]:.1f} MB after one, {settled:.1f} after a quarter, {used[-1]:.1f} at last")
    assert used[-1] - settled < GROWTH_MB


async def test_eight_calls_at_once_on_one_core() -> None:
    core = max(os.sched_getaffinity(0))
    async with an_engine(core) as engine:
        await hold_call(engine.url, sounds(), 10)
        turns = [
            turn
            for held in await asyncio.gather(*(hold_call(engine.url, sounds(), 60) for _ in range(8)))
            for turn in held
        ]
    waited = [turn.first_audio for turn in turns]
    print(f"{len(turns)} turns: p50 {percentile(waited, 50):.0f} ms, p95 {percentile(waited, 95):.0f} ms")
    assert percentile(waited, 95) <= 750
