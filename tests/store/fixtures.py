"""A demo shop on either database, with a clock that stands still until a test moves it."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from helpline.policy import load_policy
from helpline.store import Store
from helpline.tools import Toolbox
from helpline.tools.shop import shop_tools
from tests.store import postgres

WEDNESDAY = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
"""10 in the morning in New York: the demo shop is open."""


class StillClock:
    """A clock that a test moves."""

    def __init__(self, now: datetime = WEDNESDAY) -> None:
        self.now = now

    def now_ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def utcnow(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture(scope="session")
def postgres_server():
    try:
        postgres.binaries()
    except postgres.NoPostgres as missing:
        pytest.skip(str(missing))
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def backend(request):
    """Each of the two databases."""
    return request.param


@pytest.fixture
async def database_url(request, backend, tmp_path):
    """An empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    url = await postgres.create_database(request.getfixturevalue("postgres_server"), f"t{uuid4().hex}")
    yield url
    await postgres.drop_database(url)


@pytest.fixture(scope="session")
def seeded_sqlite(tmp_path_factory):
    """The file of a demo shop, to be copied."""
    path = tmp_path_factory.mktemp("seeded") / "shop.db"
    in_a_loop_of_its_own(seed(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def seeded_postgres(postgres_server):
    """The name of a demo shop's database, to be copied."""

    async def make():
        await seed(await postgres.create_database(postgres_server, "seeded"))

    in_a_loop_of_its_own(make())
    return "seeded"


async def seed(url):
    store = await Store.open(url, demo=True, clock=StillClock())
    await store.close()


def in_a_loop_of_its_own(coroutine):
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


@pytest.fixture
async def shop_url(request, backend, tmp_path):
    """A demo shop of the test's own."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("seeded_sqlite"), tmp_path / "shop.db")
        yield f"sqlite:///{tmp_path / 'shop.db'}"
        return
    server, template = (request.getfixturevalue(name) for name in ("postgres_server", "seeded_postgres"))
    url = await postgres.create_database(server, f"t{uuid4().hex}", template)
    yield url
    await postgres.drop_database(url)


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
async def store(shop_url, tmp_path, clock):
    opened = await Store.open(shop_url, demo=True, anchor=tmp_path / "ledger.anchor", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def toolbox(store, clock):
    return Toolbox(shop_tools(), store=store, policy=load_policy(), clock=clock)


@pytest.fixture
async def maya(store, toolbox):
    """A call of the customer who owns orders 1001 to 1006."""
    caller = (await store.demo_customers())[0]
    return toolbox.context(call_id="call_maya", caller=caller)
