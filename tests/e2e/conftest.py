"""The page over a scripted desk, in a browser that several tests share."""

import pytest
import pytest_asyncio

from helpline.channels.web.app import create_app
from helpline.settings import Settings
from tests.e2e.browser import browsing
from tests.web.desk import ScriptedDesk
from tests.web.serving import served


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser():
    """A browser whose microphone beeps."""
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def desk():
    return ScriptedDesk()


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    return Settings(host="127.0.0.1", data_dir=tmp_path_factory.mktemp("data"))


@pytest_asyncio.fixture(loop_scope="session")
async def site(desk, settings):
    async with served(create_app(settings, desk.opener())) as address:
        yield address
