"""Signing in with an account elsewhere: real servers on loopback, a provider with a script."""

import dataclasses
import os
import socket
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from helpline.channels.web.app import create_app
from helpline.channels.web.mounting import mount
from helpline.channels.web.oauth import heed_env_file, verified_email, wrong_in_environment
from helpline.errors import SettingsError
from helpline.settings import Settings
from tests.web.client import new_cookie, page_at
from tests.web.desk import BO, ScriptedDesk
from tests.web.provider import ScriptedProvider
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def provider(monkeypatch):
    """A provider that the environment names, beside one that nobody is sent to."""
    scripted = ScriptedProvider()
    async with served(scripted.app) as address:
        for name, value in {
            "CLIENT_ID": "desk",
            "CLIENT_SECRET": "secret-of-the-desk",
            "AUTH_URL": f"{address}/authorize",
            "TOKEN_URL": f"{address}/token",
            "USER_INFO_URL": f"{address}/user",
            "SCOPES": "openid email",
        }.items():
            monkeypatch.setenv(f"OAUTH_GENERIC_{name}", value)
        for name in ("CLIENT_ID", "CLIENT_SECRET"):
            monkeypatch.setenv(f"OAUTH_GOOGLE_{name}", "googles-own")
        scripted.address = address
        yield scripted


@pytest.fixture
def listener():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture
def desk():
    desk = ScriptedDesk(demo=False)
    desk.emails["bo@example.com"] = BO.customer_id
    return desk


@pytest.fixture
def origin(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def oauth_settings(origin, tmp_path):
    return Settings(host="127.0.0.1", port=0, data_dir=tmp_path, origins=(origin,))


@pytest_asyncio.fixture(loop_scope="session")
async def shop(desk, oauth_settings, provider, listener):
    async with served(create_app(oauth_settings, desk.opener(), grace_s=5), listener=listener) as address:
        yield address


class Browser:
    """One browser's cookies, and its way to the provider and back."""

    def __init__(self, shop, cookie):
        self.shop, self.own, self.bound = shop, cookie, ""

    async def get(self, path, cookies, **headers):
        async with httpx.AsyncClient(headers={"Cookie": cookies, **headers}) as client:
            return await client.get(f"{self.shop}/{path}")

    async def start(self, provider="generic", **headers):
        """What the provider is asked for."""
        answer = await self.get(f"sign-in/{provider}", self.own, **headers)
        assert answer.status_code == 302
        self.bound = answer.headers["set-cookie"].split(";")[0]
        self.cookie_kind = answer.headers["set-cookie"]
        self.sent_to = answer.headers["location"]
        return dict(parse_qsl(urlsplit(self.sent_to).query))

    async def back(self, query, provider="generic"):
        """The provider sends the browser back from its own site: only the lax cookie comes along."""
        async with httpx.AsyncClient(headers={"Cookie": self.bound}) as client:
            return await client.get(f"{self.shop}/sign-in/{provider}/callback", params=query)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shop):
    return Browser(shop, await new_cookie(shop))


def customer_cookie(answer):
    """The cookie of who is signed in now; empty for nobody."""
    found = [each for each in answer.headers.get_list("set-cookie") if each.startswith("helpline_customer=")]
    return found[0] if found else ""


async def test_who_signs_in_elsewhere_is_the_customer_with_that_e_mail(browser, provider, desk):
    asked = await browser.start()
    assert browser.sent_to.startswith(f"{provider.address}/authorize?")
    assert asked["client_id"] == "desk"
    assert asked["response_type"] == "code"
    answer = await browser.back({"state": asked["state"], "code": provider.code()})
    assert answer.status_code == 200
    cookie = customer_cookie(answer)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    async with page_at(browser.shop, f"{browser.own}; {cookie.split(';')[0]}") as page:
        told = page.told("desk")[0]
        assert told["signed_in"] == "Bo Lindqvist"
        assert told["providers"] == [{"id": "google", "name": "Google"}, {"id": "generic", "name": "generic"}]
        await page.type("hello")
        assert (await desk.call()).caller.how == "sign_in"


async def test_a_guest_who_signs_in_elsewhere_goes_on_with_their_call(browser, provider, desk):
    async with page_at(browser.shop, browser.own) as page:
        await page.type("hello")
        call = await desk.call()
        assert call.caller.customer_id is None
    asked = await browser.start()
    cookie = customer_cookie(await browser.back({"state": asked["state"], "code": provider.code()}))
    async with page_at(browser.shop, f"{browser.own}; {cookie.split(';')[0]}"):
        await call.until_told("become", "cus_bo")
    assert len(desk.calls) == 1


async def test_the_way_back_is_the_configured_origin_whatever_the_host_says(browser, origin, provider):
    for headers in ({}, {"Host": "localhost"}, {"X-Forwarded-Host": "evil.example"}):
        asked = await browser.start(**headers)
        assert asked["redirect_uri"] == f"{origin}/sign-in/generic/callback"
    await browser.back({"state": asked["state"], "code": provider.code()})
    assert provider.exchanged[0]["redirect_uri"] == f"{origin}/sign-in/generic/callback"
    assert (await browser.get("sign-in/generic", browser.own, Host="evil.example")).status_code == 403


async def test_the_state_is_bound_to_the_browser_by_a_short_cookie(browser):
    await browser.start()
    for part in ("HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/sign-in"):
        assert part in browser.cookie_kind


@pytest.mark.parametrize("wrong", ["missing", "guessed", "empty", "another browser's", "no cookie"])
async def test_a_state_that_is_not_the_browsers_signs_nobody_in(browser, provider, wrong):
    state = (await browser.start())["state"]
    query = {"state": state, "code": provider.code()}
    match wrong:
        case "missing":
            del query["state"]
        case "guessed":
            query["state"] = "x" * len(state)
        case "empty":
            query["state"], browser.bound = "", "helpline_oauth="
        case "another browser's":
            query["state"] = (await Browser(browser.shop, await new_cookie(browser.shop)).start())["state"]
        case "no cookie":
            browser.bound = browser.own
    answer = await browser.back(query)
    assert answer.status_code == 400
    assert not customer_cookie(answer)
    assert provider.exchanged == []


async def test_a_state_is_taken_once(browser, provider):
    state = (await browser.start())["state"]
    first = await browser.back({"state": state, "code": provider.code()})
    assert "helpline_oauth=" in str(first.headers.get_list("set-cookie"))  # It is taken from the browser too.
    again = await browser.back({"state": state, "code": provider.code()})
    assert again.status_code == 400
    assert not customer_cookie(again)
    assert len(provider.exchanged) == 1


async def test_a_state_of_one_provider_is_no_other_providers(browser, provider):
    state = (await browser.start())["state"]
    answer = await browser.back({"state": state, "code": provider.code()}, "google")
    assert answer.status_code == 400
    assert provider.exchanged == []
    asked = await browser.start("google")
    assert browser.sent_to.startswith("https://accounts.google.com/")
    answer = await browser.back({"state": asked["state"], "code": provider.code()})
    assert answer.status_code == 400
    assert provider.exchanged == []
    assert (await browser.get("sign-in/github", browser.own)).status_code == 404


async def test_what_the_provider_says_of_an_error_is_not_shown(browser, provider, caplog):
    state = (await browser.start())["state"]
    denied = await browser.back(
        {"state": state, "error": "access_denied", "error_description": "evil words", "code": provider.code()}
    )
    provider.broken = True
    state = (await browser.start())["state"]
    code = provider.code()
    failed = await browser.back({"state": state, "code": code})
    assert (denied.status_code, failed.status_code) == (400, 502)
    for answer in (denied, failed):
        assert "Signing in did not work." in answer.text
        assert "evil words" not in answer.text
        assert "words of the provider" not in answer.text
        assert not customer_cookie(answer)
    assert code not in caplog.text


@pytest.mark.parametrize(
    "user",
    [
        {"email": "bo@example.com"},
        {"email": "bo@example.com", "email_verified": False},
        {"email": "bo@example.com", "email_verified": "no"},
        {"email": "bo@example.com", "verified_email": True},
        {"email": "nobody@example.com", "email_verified": True},
    ],
)
async def test_an_e_mail_that_is_not_verified_or_no_customers_is_nobody(browser, provider, user):
    provider.user = user
    state = (await browser.start())["state"]
    answer = await browser.back({"state": state, "code": provider.code()})
    assert answer.status_code == 403
    assert "We know no customer by that account." in answer.text
    assert not customer_cookie(answer)


@pytest.mark.parametrize("user", [[], {}, {"email": 7, "email_verified": True}, "bo@example.com"])
async def test_an_answer_that_names_nobody_harms_nothing(browser, provider, user):
    provider.user = user
    state = (await browser.start())["state"]
    answer = await browser.back({"state": state, "code": provider.code()})
    assert answer.status_code in (403, 502)
    assert not customer_cookie(answer)


async def test_a_sign_in_leads_back_to_the_page_alone(browser, provider):
    state = (await browser.start("generic?next=https://evil.example"))["state"]
    evil = {
        "next": "https://evil.example",
        "redirect_uri": "//evil.example",
        "returnTo": "https://evil.example",
    }
    answer = await browser.back({"state": state, "code": provider.code(), **evil})
    assert customer_cookie(answer)
    assert "location" not in answer.headers
    assert "evil" not in answer.text
    assert 'href="/"' in answer.text


async def test_another_site_begins_no_sign_in(shop):
    """A link elsewhere brings no strict cookie."""
    answer = await Browser(shop, "").get("sign-in/generic", "")
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


async def test_a_new_sign_in_ends_the_one_before(browser, provider, desk):
    asked = await browser.start()
    answer = await browser.back({"state": asked["state"], "code": provider.code()})
    first = customer_cookie(answer).split(";")[0]
    browser.own = f"{browser.own}; {first}"
    asked = await browser.start()
    second = customer_cookie(await browser.back({"state": asked["state"], "code": provider.code()}))
    assert second.split(";")[0] != first
    assert len(desk.tokens) == 1


async def test_the_answer_speaks_the_browsers_language(browser):
    answer = await browser.get("sign-in/unknown", browser.own, **{"Accept-Language": "zh-CN"})
    assert 'lang="zh-CN"' in answer.text
    assert "登录未成功" in answer.text


async def test_a_name_without_https_signs_nobody_in(desk, provider, tmp_path):
    settings = Settings(host="127.0.0.1", port=0, data_dir=tmp_path, origins=("http://desk.example.com",))
    async with served(create_app(settings, desk.opener())) as address:
        cookie = await new_cookie(address)
        answer = await Browser(address, cookie).get("sign-in/generic", cookie)
    assert answer.status_code == 403
    assert "Signing in needs HTTPS." in answer.text


async def test_under_https_the_cookies_are_secure_and_a_mounted_page_has_its_path(desk, provider, tmp_path):
    settings = Settings(host="127.0.0.1", port=0, data_dir=tmp_path, origins=("https://desk.example.com",))
    host = Starlette()
    mount(host, settings, desk.opener(), path="/desk")
    async with served(host) as address:
        browser = Browser(f"{address}/desk", await new_cookie(f"{address}/desk/"))
        asked = await browser.start()
        answer = await browser.back({"state": asked["state"], "code": provider.code()})
    assert asked["redirect_uri"] == "https://desk.example.com/desk/sign-in/generic/callback"
    assert "Secure" in browser.cookie_kind
    assert "Path=/desk/sign-in" in browser.cookie_kind
    assert "Secure" in customer_cookie(answer)
    assert 'href="/desk/"' in answer.text


async def test_without_a_configured_provider_the_paths_do_not_exist(site):
    async with httpx.AsyncClient() as client:
        for path in ("sign-in/generic", "sign-in/google", "sign-in/generic/callback"):
            answer = await client.get(f"{site}/{path}")
            assert (answer.status_code, answer.text) == (404, "Not found")


async def test_a_provider_needs_to_be_told_where_the_page_is(desk, provider, settings):
    with pytest.raises(SettingsError, match=r"generic .* needs HELPLINE_ORIGINS"):
        create_app(settings, desk.opener())


@pytest.mark.parametrize(
    ("provider", "user", "email"),
    [
        ("google", {"email": "a@x.example", "verified_email": True}, "a@x.example"),
        ("google", {"email": "a@x.example", "email_verified": True}, ""),
        ("okta", {"email": "a@x.example", "email_verified": True}, "a@x.example"),
        ("okta", {"email": "a@x.example", "email_verified": 1}, ""),
        ("aws-cognito", {"email": "a@x.example", "email_verified": "true"}, "a@x.example"),
        ("github", {"email": "a@x.example", "emails": []}, ""),
        ("github", {"emails": [{"email": "a@x.example", "primary": True, "verified": True}]}, "a@x.example"),
        ("github", {"emails": [{"email": "a@x.example", "primary": True, "verified": False}]}, ""),
        ("github", {"emails": [{"email": "a@x.example", "primary": False, "verified": True}, 3]}, ""),
        ("github", {"emails": {"message": "no"}}, ""),
        ("azure-ad", {"mail": "a@x.example", "email": "a@x.example", "email_verified": True}, ""),
    ],
)
async def test_only_an_e_mail_that_the_provider_verified_counts(provider, user, email):
    assert verified_email(provider, user) == email


async def test_what_is_wrong_with_the_environment_is_said(monkeypatch, oauth_settings):
    assert list(wrong_in_environment(oauth_settings)) == []
    monkeypatch.setenv("OAUTH_GITHUB_CLIENT_ID", "desk")
    monkeypatch.setenv("OAUTH_AZURE_AD_HYBRID_CLIENT_ID", "desk")
    monkeypatch.setenv("OAUTH_GOGLE_CLIENT_ID", "desk")
    said = list(wrong_in_environment(dataclasses.replace(oauth_settings, origins=())))
    assert "github is half set up: OAUTH_GITHUB_CLIENT_SECRET must be set as well." in said
    assert "OAUTH_GOGLE_CLIENT_ID belongs to no provider: docs/page.md lists the names." in said
    assert any(each.startswith("HELPLINE_ORIGINS must say") for each in said)
    assert not any("azure-ad is" in each for each in said)


async def test_the_env_file_counts_and_the_environment_comes_first(monkeypatch, tmp_path):
    for name in ("OAUTH_GITHUB_CLIENT_ID", "OAUTH_GITHUB_CLIENT_SECRET", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "x")  # So that what it is now comes back after the test.
        monkeypatch.delenv(name)
    monkeypatch.setenv("OAUTH_GITHUB_CLIENT_ID", "of the environment")
    file = tmp_path / ".env"
    file.write_text("OAUTH_GITHUB_CLIENT_ID=a\nOAUTH_GITHUB_CLIENT_SECRET=b\nOPENAI_API_KEY=c\n")
    heed_env_file(file)
    assert os.environ["OAUTH_GITHUB_CLIENT_ID"] == "of the environment"
    assert os.environ["OAUTH_GITHUB_CLIENT_SECRET"] == "b"
    assert "OPENAI_API_KEY" not in os.environ
