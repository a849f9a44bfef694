"""What records cost and how fast they are found: CPU per call, `/metrics`, search, simulated calls."""

import asyncio
import random
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from tests.store import postgres

from bench.figures import Figure, median
from helpline.channels.wav import WavChannel
from helpline.desk import open_desk
from helpline.engine.voice import Synthesiser
from helpline.records import archive
from helpline.records.archive import Filter
from helpline.settings import load_settings
from helpline.simulate.runner import Plan, play
from helpline.simulate.scenario import read_scenarios
from helpline.simulate.text import TextChannel
from helpline.store import Store
from helpline.store import call_tables as c

ROOT = Path(__file__).resolve().parent.parent
CALLS = 20_000
ROUNDS = 60
SAID = (
    "where is my order 1004",
    "how much are the trail running shoes",
    "where is my order 1001",
    "thank you",
)
WORDS = (
    "order return refund cancel shoes kettle towels lamp backpack late broken card delivered please tomorrow "
    "address phone callback person exchange size color black parcel carrier status question invoice"
).split()


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        typed_s, record_s, metrics_ms = await cost_of_a_record(Path(folder))
        spoken_s = await cost_of_a_spoken_call(Path(folder))
        figures = [
            Figure("records: CPU added to a spoken call of two turns", 10, record_s / spoken_s * 100, "%"),
            Figure("records: CPU added to a typed call of four turns", 10, record_s / typed_s * 100, "%"),
            Figure("records: the same in ms of CPU", 10, record_s * 1000, "ms"),
            Figure("records: /metrics, p50", 20, metrics_ms, "ms"),
        ]
        name = "records: search over 20,000 calls"
        sqlite_ms = await search_ms(f"sqlite:///{folder}/search.db")
        figures.append(Figure(f"{name}, SQLite, p50", 50, sqlite_ms, "ms"))
    figures.append(Figure(f"{name}, Postgres, p50", 50, await search_on_postgres(), "ms"))
    figures.append(Figure("simulate: 50 typed calls of the demo shop", 60, await simulate_s(), "s"))
    return figures


def settings_in(folder: Path):
    given = {"data_dir": folder, "backends": "engine"}
    return load_settings(given, env={}, env_file=folder / "no.env", desk_file=folder / "no.toml")


async def cost_of_a_record(folder: Path) -> tuple[float, float, float]:
    """CPU seconds of a typed call of four turns without a record, and with one more; the ms of `/metrics`.

    The embedded engine answers, with everything in this process: what a vendor would compute counts, too.
    """
    async with open_desk(settings_in(folder)) as desk:
        records = desk.records
        for _ in range(5):
            await hold(desk)
        with_, without = [], []
        for number in range(2 * ROUNDS):  # in turn, so that a busy machine is as busy for both
            recorded = number % 2 == 0
            desk.records = records if recorded else None
            began = time.process_time()
            await hold(desk)
            (with_ if recorded else without).append(time.process_time() - began)
        desk.records = records
        took = []
        for _ in range(50):
            began = time.perf_counter()
            records.metrics.exposition()
            took.append((time.perf_counter() - began) * 1000)
        return median(without), median(with_) - median(without), median(took)


async def cost_of_a_spoken_call(folder: Path) -> float:
    """The CPU seconds of a call of two spoken sentences, answered by the engine, without a record."""
    async with open_desk(settings_in(folder)) as desk:
        desk.records = None
        channel = WavChannel()
        call = await desk.admit(channel, kind="bench", caller=desk.demo_customers[0])
        time_passes = asyncio.create_task(channel.run(call))
        await call.start_voice()
        began = time.process_time()
        for sentence in SAID[:2]:
            channel.speak(Synthesiser().speak(sentence))
            await channel.answered()
        took = time.process_time() - began
        call.hang_up("the customer hung up")
        await call.ended()
        channel.stop()
        await time_passes
        return took


async def hold(desk) -> None:
    channel = TextChannel()
    call = await desk.admit(channel, kind="bench", caller=desk.demo_customers[0])
    channel.join(call)
    for sentence in SAID:
        assert await channel.say(sentence)
    call.hang_up("the customer hung up")
    await desk.gone(call)


async def search_ms(url: str) -> float:
    """The median search over many calls: two words, one word, a word's beginning, one that is everywhere."""
    store = await Store.open(url)
    try:
        await fill(store)
        luck = random.Random(3)
        took = []
        for _ in range(40):
            asked = luck.choice(
                (" ".join(luck.sample(WORDS, 2)), luck.choice(WORDS), luck.choice(WORDS)[:4] + "*")
            )
            began = time.perf_counter()
            async with store.database.read() as connection:
                found = await archive.listed(connection, Filter(words=asked))
            took.append((time.perf_counter() - began) * 1000)
            assert found
        return median(took)
    finally:
        await store.close()


async def fill(store: Store) -> None:
    luck = random.Random(2)
    now = datetime.now(UTC)
    async with store.database.write() as connection:
        for block in range(CALLS // 1000):
            rows = []
            for number in range(1000):
                words = " ".join(luck.choice(WORDS) for _ in range(120)) + f" {luck.randrange(10**6)}"
                at = now - timedelta(minutes=block * 1000 + number)
                rows.append(
                    {
                        "id": f"call_{block}_{number}", "started_at": at, "ended_at": at, "channel": "web",
                        "language": "en", "backend": "engine", "outcome": "solved", "reason": "a question",
                        "summary": words[:100], "summarised_by": "rules", "words": words,
                        "record": {"text": words},
                    }
                )  # fmt: skip
            await connection.execute(sa.insert(c.calls), rows)
    if store.database.engine.dialect.name == "postgresql":
        await store.database.compact()


async def search_on_postgres() -> float:
    async with in_a_thread() as url:
        return await search_ms(await postgres.create_database(url, "bench_records"))


@asynccontextmanager
async def in_a_thread():
    server = postgres.server(durable=True)
    url = await asyncio.to_thread(server.__enter__)
    try:
        yield url
    finally:
        await asyncio.to_thread(server.__exit__, *sys.exc_info())


async def simulate_s() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        await play(settings_in(Path(folder)), Plan(read_scenarios([ROOT / "scenarios"]), calls=50))
        return time.perf_counter() - began
