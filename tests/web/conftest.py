"""The page over a scripted desk, served for real."""

import pytest
import pytest_asyncio

from helpline.settings import Settings
from tests.web.desk import ScriptedDesk
from tests.web.serving import served


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    return Settings(host="127.0.0.1", port=0, data_dir=tmp_path_factory.mktemp("data"))


@pytest_asyncio.fixture(loop_scope="session")
async def desk():
    return ScriptedDesk()


@pytest_asyncio.fixture(loop_scope="session")
async def site(desk, settings):
    """The address of a page whose grace time is short."""
    from helpline.channels.web.app import create_app

    async with served(create_app(settings, desk.opener(), grace_s=0.5)) as address:
        yield address
