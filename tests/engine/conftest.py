"""Engines and sessions for the tests: one engine for all, a new session for each."""

from collections.abc import AsyncIterator

import pytest

from helpline.engine.server import Engine
from tests.engine.talk import FAST, Talker, talking


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Models are loaded once."""
    engine = Engine(FAST)
    engine.prepare()
    return engine


@pytest.fixture
async def talker(engine: Engine) -> AsyncIterator[Talker]:
    """A session with the engine."""
    async with talking(engine) as talker:
        yield talker
