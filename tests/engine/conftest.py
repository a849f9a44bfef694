"""Engines and sessions for the tests: one engine for all, a new session for each."""

from collections.abc import AsyncIterator

import pytest

from helpline.engine.server import Engine
from tests.engine.chat_server import ChatServer, chat_server
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


@pytest.fixture
async def chat() -> AsyncIterator[ChatServer]:
    """A chat server at its own port."""
    async with chat_server() as server:
        yield server
