"""The desk inside somebody's own application: at a path and at the root, with all that is the host's kept."""

from contextlib import asynccontextmanager

import httpx
import pytest
import socketio
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from helpline import mount
from helpline.channels.operator import NoDesk, ask
from helpline.channels.web.app import create_app
from helpline.errors import LocalError, SettingsError
from tests.records.desks import settings_in
from tests.web.client import SocketPage, new_cookie, page_at
from tests.web.desk import ScriptedDesk
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def stamped(request, call_next):
    answer = await call_next(request)
    answer.headers["x-host"] = "ours"
    return answer


async def stock(request):
    return JSONResponse({"stock": request.state.stock})


def host_of(kind, told):
    """An application as somebody has it: with a lifespan that gives state and a middleware."""

    @asynccontextmanager
    async def lifespan(app):
        told.append("host opens")
        yield {"stock": 7}
        told.append("host closes")

    return kind(lifespan=lifespan, middleware=[Middleware(BaseHTTPMiddleware, dispatch=stamped)])


def opener(told, desk):
    @asynccontextmanager
    async def open_desk(settings):
        told.append("desk opens")
        yield desk
        told.append("desk closes")

    return open_desk


@pytest.mark.parametrize("kind", [FastAPI, Starlette])
@pytest.mark.parametrize("path", ["", "/desk", "/help/desk"])
async def test_it_is_a_line_in_an_application_that_stays_what_it_is(kind, path, settings):
    told = []
    desk = ScriptedDesk()
    host = host_of(kind, told)
    mount(host, settings, opener(told, desk), path=path or "/")
    host.router.routes.append(Route("/stock", stock))
    async with served(host) as address, httpx.AsyncClient(base_url=address) as client:
        assert told == ["host opens", "desk opens"]
        assert (await client.get(f"{path}/health/ready")).json() == {"status": "ready"}
        theirs = await client.get("/stock")
        assert theirs.json() == {"stock": 7}
        assert theirs.headers["x-host"] == "ours"
        assert "content-security-policy" not in theirs.headers
        document = await client.get(f"{path}/")
        assert document.headers["x-host"] == "ours"
        assert "frame-ancestors" in document.headers["content-security-policy"]
        assert f"path={path or '/'};" in document.headers["set-cookie"].lower() + ";"
        for asked in (f"{path}/public/helpline.js", f"{path}/project/translations", f"{path}/auth/config"):
            assert (await client.get(asked)).status_code == 200
        assert (await client.post(f"{path}/mcp")).status_code in (404, 405)
        assert (await client.get(f"{path}/no/such/path")).status_code == 404
        cookie = await new_cookie(f"{address}{path}/")
        async with page_at(address, cookie, root=path) as page:
            await page.type("hello")
            await (await desk.call()).until_told("type", "hello")
            assert await page.talk() == "on"
            await page.speak()
            await (await desk.call()).until_told("hear")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await SocketPage(cookie, root=path).connect(address, Origin="https://evil.example")
    assert told == ["host opens", "desk opens", "desk closes", "host closes"]


async def test_what_is_outside_the_path_is_the_hosts(settings):
    host = host_of(Starlette, [])
    mount(host, settings, ScriptedDesk().opener(), path="/desk")
    async with served(host) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/desk")).headers["location"].endswith("/desk/")
        for asked in ("/", "/public/helpline.js", "/health/live", "/deskx/"):
            missing = await client.get(asked)
            assert missing.status_code == 404
            assert "content-security-policy" not in missing.headers


async def test_a_second_mount_is_refused_in_one_sentence(settings):
    host = Starlette()
    mount(host, settings, ScriptedDesk().opener(), path="/desk")
    with pytest.raises(LocalError, match="has a desk already"):
        mount(host, settings, ScriptedDesk().opener(), path="/other")
    another = create_app(settings, ScriptedDesk().opener())
    async with served(host):
        with pytest.raises(LocalError, match=r"A process serves one page, and ShopMe is open"):
            async with another.router.lifespan_context(another):
                pass


@pytest.mark.parametrize(
    ("token", "shown", "status"), [("", "", 200), ("t" * 16, "", 404), ("t" * 16, "Bearer " + "t" * 16, 200)]
)
async def test_a_mounted_desk_has_its_metrics_for_whom_they_are(tmp_path, token, shown, status):
    host = Starlette()
    mount(host, settings_in(tmp_path, metrics_token=token), path="/desk")
    async with served(host) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/desk/metrics", headers={"Authorization": shown} if shown else {})
        assert answer.status_code == status
        assert ("helpline_" in answer.text) is (status == 200)
        assert (await client.get("/metrics")).status_code == 404


async def test_a_mounted_desk_is_drained_and_its_host_goes_on(tmp_path):
    settings = settings_in(tmp_path)
    host = host_of(Starlette, [])
    mount(host, settings, path="/desk")
    host.router.routes.append(Route("/stock", stock))
    async with served(host) as address, httpx.AsyncClient(base_url=address) as client:
        async with page_at(address, await new_cookie(f"{address}/desk/"), root="/desk") as page:
            await page.type("where is my order 1004?")
            await page.until_shown("Order 1004")
            asked = ask(settings.data_dir, "drain")
            assert (await anext(asked))["calls"] == 1
            assert (await client.get("/desk/health/ready")).status_code == 503
            await page.client.call("clear_session")
            assert [said async for said in asked][-1] == {"calls": 0, "done": True}
        async with page_at(address, await new_cookie(f"{address}/desk/"), root="/desk") as late:
            await late.type("hello")
            await late.until_shown("takes no new calls")
        assert (await client.get("/stock")).json() == {"stock": 7}
    with pytest.raises(NoDesk):
        await anext(ask(settings.data_dir, "status"))


async def test_an_application_that_is_served_already_is_refused(settings):
    late = Starlette()
    async with served(late):
        with pytest.raises(LocalError, match="has started already"):
            mount(late, settings, ScriptedDesk().opener())


@pytest.mark.parametrize("path", ["desk", "/desk?x", "/a b", "//", "/{x}"])
async def test_a_path_that_is_none_is_refused(path, settings):
    with pytest.raises(SettingsError, match="mounted at a path such as /desk"):
        mount(Starlette(), settings, ScriptedDesk().opener(), path=path)
