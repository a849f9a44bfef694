"""A demo shop on either database, with a clock that stands still until a test moves it."""

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
async def database_url(request, tmp_path):
    """An empty database, on each of the two."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    return await postgres.create_database(request.getfixturevalue("postgres_server"), f"t{uuid4().hex}")


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
async def store(database_url, tmp_path, clock):
    opened = await Store.open(database_url, demo=True, anchor=tmp_path / "ledger.anchor", clock=clock)
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
