"""How fast the shop is: reads, changes, sixteen writers at once, and knowledge search, on both databases."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.store import postgres

from bench.figures import Figure, median, percentile
from helpline.actions import Caller, Identity
from helpline.policy import Policy, load_policy
from helpline.policy.policy import Limits
from helpline.store import Store, passages
from helpline.store.passages import Passage
from helpline.tools import CallContext, Toolbox
from helpline.tools.shop import shop_tools

READS = 300
CHANGES = 200
WRITERS = 16
CHANGES_EACH = 25
PASSAGES = 20_000
SEARCHES = 200
VOCABULARY = 20_000
GENEROUS = 1_000_000


def policy() -> Policy:
    """The demo shop's, without limits: a bench is no customer."""
    limits = Limits(changes_per_call=GENEROUS, changes_per_day=GENEROUS, proposals_per_call=GENEROUS)
    return Policy(identity=load_policy().identity, limits=limits)


@asynccontextmanager
async def stores(folder: Path, server: str) -> AsyncIterator[dict[str, Store]]:
    """A demo shop on each database."""
    urls = {
        "SQLite": f"sqlite:///{folder / 'bench.db'}",
        "Postgres": await postgres.create_database(server, "bench"),
    }
    opened = {
        name: await Store.open(url, demo=True, anchor=folder / f"{name}.anchor") for name, url in urls.items()
    }
    try:
        yield opened
    finally:
        for store in opened.values():
            await store.close()


async def timed(times: int, work: Callable[[int], Awaitable[object]], warm: int = 10) -> list[float]:
    """Milliseconds that each call took."""
    for number in range(warm):
        await work(-1 - number)
    took = []
    for number in range(times):
        started = time.perf_counter()
        await work(number)
        took.append((time.perf_counter() - started) * 1000)
    return took


def caller_of(name: str) -> Caller:
    """A customer of the demo shop."""
    return Caller(name, name, Identity.PROVEN, "demo")


class Changing:
    """One call that changes its customer's phone number again and again, and times its transactions."""

    def __init__(self, toolbox: Toolbox, context: CallContext) -> None:
        self._toolbox = toolbox
        self._context = context
        self.proposals: list[float] = []
        self.yeses: list[float] = []

    async def run(self, times: int) -> None:
        """That many proposals, each with its yes."""
        for number in range(times):
            asked = f'{{"phone": "555 {10_000 + number}"}}'
            started = time.perf_counter()
            result = await self._toolbox.run(self._context, "update_account_info", asked)
            proposed = time.perf_counter()
            if result.proposal is None:
                raise RuntimeError("the tool proposed nothing")
            own, heard = result.proposal.id, result.proposal.read_back
            await self._toolbox.confirm(self._context, own, heard=heard, answer="yes", means="voice")
            self.proposals.append((proposed - started) * 1000)
            self.yeses.append((time.perf_counter() - proposed) * 1000)


async def shop_figures(name: str, store: Store) -> list[Figure]:
    """Reads and changes, one after another and sixteen at once."""
    toolbox = Toolbox(shop_tools(), store=store, policy=policy())
    maya = toolbox.context(call_id="call_bench", caller=caller_of("maya"))
    reads = await timed(READS, lambda _: toolbox.run(maya, "check_order_status", '{"order_id": "1004"}'))
    alone = Changing(toolbox, maya)
    await alone.run(CHANGES)
    customers = [customer.customer_id or "" for customer in await store.demo_customers()]
    writers = [
        Changing(
            toolbox,
            toolbox.context(call_id=f"call_{number}", caller=caller_of(customers[number % len(customers)])),
        )
        for number in range(WRITERS)
    ]
    await asyncio.gather(*(writer.run(CHANGES_EACH) for writer in writers))
    at_once = [took for writer in writers for took in (*writer.proposals, *writer.yeses)]
    return [
        Figure(f"{name}: a read tool, p50", 5, median(reads), "ms"),
        Figure(f"{name}: a tool that proposes, p50", 10, median(alone.proposals), "ms"),
        Figure(f"{name}: a change carried out after its yes, p50", 10, median(alone.yeses), "ms"),
        Figure(f"{name}: a write of 16 at once, p99", 100, percentile(at_once, 99), "ms"),
    ]


async def knowledge_figure(name: str, store: Store) -> Figure:
    """Search over passages of made-up words that are as unevenly common as real ones."""
    pick = random.Random(7)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "un", "ar", "el")]
    words = ["".join(pick.choices(syllables, k=pick.randint(2, 4))) for _ in range(VOCABULARY)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    made = [
        Passage(" ".join(pick.choices(words, weights, k=4)), " ".join(pick.choices(words, weights, k=60)), "")
        for _ in range(PASSAGES)
    ]
    async with store.database.write() as connection:
        await passages.index(connection, made, "bench")
    # The words that every sentence has ("the", "is") are not searched for: `knowledge.question_words`.
    questions = [pick.choices(words[100:], weights[100:], k=3) for _ in range(SEARCHES)]

    async def search(number: int) -> None:
        async with store.database.read() as connection:
            await passages.search(connection, questions[number], 12)

    took = median(await timed(SEARCHES, search))
    return Figure(f"{name}: knowledge search over 20,000 passages, p50", 5, took, "ms")


async def measure() -> list[Figure]:
    """Every figure of the shop."""
    with tempfile.TemporaryDirectory() as name, postgres.server(durable=True) as server:
        async with stores(Path(name), server) as opened:
            figures = []
            for database, store in opened.items():
                figures += await shop_figures(database, store)
                figures.append(await knowledge_figure(database, store))
            return figures
