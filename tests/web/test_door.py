"""Who may come in, and by which paths."""

import re

import httpx
import pytest
import socketio

from tests.web.client import SocketPage, new_cookie, page_at

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def get(site):
    async def get(path, method="GET", **options):
        async with httpx.AsyncClient(base_url=site) as client:
            return await client.request(method, path, **options)

    return get


async def test_the_page_and_its_health(get):
    page = await get("/")
    assert page.status_code == 200
    assert "ShopMe" in page.text
    assert (await get("/health/live")).json() == {"status": "live"}
    assert (await get("/health/ready")).json() == {"status": "ready"}


async def test_the_page_names_no_other_host(get):
    page = (await get("/")).text
    assert "http" not in page.replace("http-equiv", "")
    assert "<script>" not in page


def named_files(page):
    return set(re.findall(r'(?:src|href)="(/(?:assets|public)/[^"]+)"', page))


async def test_a_browser_that_has_the_pages_files_is_not_sent_them_again(get):
    files = named_files((await get("/")).text)
    assert len(files) > 10
    for path in files:
        file = await get(path, headers={"accept-encoding": "gzip"})
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["content-encoding"] == "gzip"
        plain = await get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == file.content
        again = await get(path, headers={"if-none-match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_file_by_a_name_that_outlives_it_is_asked_for_each_time(get):
    for path in ("/public/helpline.js", "/public/another-version/helpline.js"):
        assert (await get(path)).headers["cache-control"] == "no-cache"


async def test_every_script_that_a_script_imports_is_fetched_at_once(get):
    """Else each waits for the one that imports it."""
    files = named_files((await get("/")).text)
    for path in [path for path in files if path.endswith(".js") and path.startswith("/public")]:
        for name in re.findall(r'from "\./([\w.-]+)"', (await get(path)).text):
            assert f"{path.rpartition('/')[0]}/{name}" in files


async def test_every_answer_carries_the_policy(get):
    for path in ("/", "/public/helpline.js", "/no/such/path", "/health/live", "/auth/config"):
        headers = (await get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "microphone=(self)" in headers["permissions-policy"]
        assert "server" not in headers


async def test_the_browsers_cookie_is_out_of_reach_of_scripts_and_other_sites(get):
    cookie = (await get("/")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


async def test_behind_https_the_cookie_is_secure(get):
    cookie = (await get("/", headers={"x-forwarded-proto": "https"})).headers["set-cookie"].lower()
    assert "secure" in cookie


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/project/file"),
        ("GET", "/project/file/x"),
        ("POST", "/project/action"),
        ("PUT", "/project/element"),
        ("DELETE", "/project/element"),
        ("POST", "/project/threads"),
        ("PUT", "/project/thread/share"),
        ("GET", "/project/share/x"),
        ("POST", "/mcp"),
        ("DELETE", "/mcp"),
        ("PUT", "/feedback"),
        ("GET", "/copilot/index.js"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/ws/socket.io/?EIO=4&transport=polling"),
        ("POST", "/ws/socket.io/?EIO=4&transport=polling"),
        ("GET", "/assets/../index.html"),
        ("GET", "/assets/%2e%2e/index.html"),
        ("GET", "/assets/no-such.js"),
        ("GET", "/public/../app.py"),
        ("GET", "/public/%2e%2e/app.py"),
    ],
)
async def test_paths_that_the_page_does_not_need_do_not_exist(get, method, path):
    assert (await get(path, method)).status_code in (404, 405)


async def test_a_large_body_goes_nowhere(get):
    answer = await get("/set-session-cookie", "POST", json={"session_id": "x" * 20_000})
    assert answer.status_code == 404


async def test_a_post_of_another_origin_is_refused(get):
    answer = await get("/set-session-cookie", "POST", json={}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


async def test_a_name_that_is_made_to_point_here_reaches_nothing(get):
    assert (await get("/", headers={"host": "evil.example"})).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_socket_of_another_origin_is_refused(site, origin):
    with pytest.raises(socketio.exceptions.ConnectionError):
        await SocketPage("").connect(site, Origin=origin)


async def test_a_socket_of_the_pages_own_origin_is_not(site):
    async with page_at(site, Origin=site):
        pass


@pytest.mark.parametrize("session_id", ["", "guess", "c49fddc8-e698-11f1-9408-02fc00000001", "x" * 1000])
async def test_a_session_id_that_could_be_guessed_is_refused(site, session_id):
    page = SocketPage(await new_cookie(site))
    page.session_id = session_id
    with pytest.raises(socketio.exceptions.ConnectionError):
        await page.connect(site)


async def test_anothers_session_is_refused(site):
    async with page_at(site) as page:
        for cookie in (await new_cookie(site), "", "helpline_browser=forged.signature"):
            thief = SocketPage(cookie)
            thief.session_id = page.session_id
            with pytest.raises(socketio.exceptions.ConnectionError):
                await thief.connect(site)


async def test_a_forged_cookie_names_no_browser(site, desk):
    async with page_at(site, "helpline_browser=chosen.0123456789abcdef") as one:
        await one.type("hello")
        await (await desk.call()).until_told("type", "hello")
        async with page_at(site, "helpline_browser=chosen.0123456789abcdef") as other:
            assert len(other.outputs()) == 2, "a cookie of the attacker's choosing must not find a call"


async def test_a_frame_that_is_too_large_ends_the_socket(site):
    async with page_at(site) as page:
        await page.type("x" * 200_000)
        await page.client.wait()
        assert not page.client.connected
