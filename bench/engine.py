"""The embedded engine as a process of its own: how fast it answers, what a call costs, how fast it starts."""

import asyncio

from bench.figures import Figure, median, percentile
from bench.line.spoken import EngineProcess, Turn, an_engine, hold_call, sounds

CALLS = 4
MANY = 8
CALL_S = 45.0
STARTS = 3


async def measure() -> list[Figure]:
    starts = [await start_s() for _ in range(STARTS)]
    async with an_engine() as engine:
        await hold_call(engine.url, sounds(), 10.0)  # the first words load the ears
        before = engine.cpu_s()
        turns, few_mb = await calls(engine, CALLS)
        cpu_s = engine.cpu_s() - before
        many_turns, many_mb = await calls(engine, MANY)
    compute = [turn.compute for turn in turns]
    waited = [turn.first_audio for turn in many_turns]
    return [
        Figure(f"engine: compute to first audio, {CALLS} calls, p50", 60, median(compute), "ms"),
        Figure(f"engine: compute to first audio, {CALLS} calls, p95", 120, percentile(compute, 95), "ms"),
        Figure(f"engine: end of speech to first audio, {MANY} calls, p95", 750, percentile(waited, 95), "ms"),
        Figure("engine: CPU of a minute of a call", 6, cpu_s / (CALLS * CALL_S / 60), "s"),
        Figure("engine: memory of each added call", 20, max(many_mb - few_mb, 0) / (MANY - CALLS), "MB"),
        Figure(f"engine: start, until it listens, p50 of {STARTS}", 1, median(starts), "s"),
    ]


async def calls(engine: EngineProcess, count: int) -> tuple[list[Turn], float]:
    """So many calls at once: their turns, and the memory in MB while they go on."""
    voices = ("en-us", "en-us+m3")
    holding = [
        asyncio.create_task(hold_call(engine.url, sounds(voices[number % 2]), CALL_S))
        for number in range(count)
    ]
    await asyncio.sleep(CALL_S - 5)
    memory_mb = engine.memory_mb()
    return [turn for held in await asyncio.gather(*holding) for turn in held], memory_mb


async def start_s() -> float:
    async with an_engine() as engine:
        return engine.started_s
