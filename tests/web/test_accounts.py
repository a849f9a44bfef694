"""Signing in and out by name and password, on the page: over a scripted desk, and over a real one."""

from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from helpline.channels.web.app import create_app
from tests.web.client import SocketPage, new_cookie, page_at
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

RIGHT = {"name": "bo", "password": "correct horse"}


@pytest_asyncio.fixture(loop_scope="session")
async def shop(desk, settings):
    desk.passwords[("bo", "correct horse")] = "cus_bo"
    async with served(create_app(settings, desk.opener(), grace_s=5)) as address:
        yield address


async def post(address, path, body, cookie, **headers):
    async with httpx.AsyncClient(headers={"Cookie": cookie, **headers}) as client:
        return await client.post(f"{address}/{path}", json=body)


async def signed_in(address):
    """A browser's cookies after a sign-in."""
    cookie = await new_cookie(address)
    answer = await post(address, "sign-in", RIGHT, cookie)
    assert answer.status_code == 204
    return f"{cookie}; {answer.headers['set-cookie'].split(';')[0]}"


async def test_who_signs_in_is_who_they_are_to_the_shop(shop, desk):
    async with page_at(shop, await signed_in(shop)) as page:
        assert page.told("desk")[0]["signed_in"] == "Bo Lindqvist"
        await page.type("hello")
        assert (await desk.call()).caller.customer_id == "cus_bo"


async def test_a_guest_stays_welcome_and_signs_in_in_mid_call(shop, desk):
    cookie = await new_cookie(shop)
    async with page_at(shop, cookie) as page:
        assert page.told("desk")[0]["customers"] == []  # Nobody is a demo customer where customers sign in.
        await page.type("hello")
        call = await desk.call()
        assert call.caller.customer_id is None
    token = (await post(shop, "sign-in", RIGHT, cookie)).headers["set-cookie"].split(";")[0]
    async with page_at(shop, f"{cookie}; {token}"):
        await call.until_told("become", "cus_bo")
    assert len(desk.calls) == 1


async def test_signing_out_ends_the_call_that_is_open_and_clears_its_page(shop, desk):
    cookies = await signed_in(shop)
    async with page_at(shop, cookies) as page:
        await page.type("where is order 1004")
        call = await desk.call()
        answer = await post(shop, "sign-out", {}, cookies)
        assert "Max-Age=0" in answer.headers["set-cookie"]
        await call.until_told("hang_up", "The customer signed out.")
        await page.until(lambda page: page.count("resume_thread") == 1)
        await page.type("still there?")
        assert len(desk.calls) == 1
    async with page_at(shop, cookies) as page:  # The token is worth nothing, whoever kept it.
        assert page.told("desk")[0]["signed_in"] == ""


async def test_signing_out_ends_the_call_of_who_has_proven_more_in_it(shop, desk):
    cookies = await signed_in(shop)
    async with page_at(shop, cookies) as page:
        await page.type("my code is 123456")
        call = await desk.call()
        call.caller = replace(call.caller, how="code")
        await post(shop, "sign-out", {}, cookies)
        await call.until_told("hang_up", "The customer signed out.")


async def test_a_sign_in_that_was_taken_back_elsewhere_begins_no_call(shop, desk):
    cookies = await signed_in(shop)
    async with page_at(shop, cookies) as page:
        desk.tokens.clear()
        await page.type("hello")
        assert (await desk.call()).caller.customer_id is None


async def test_each_sign_in_has_a_token_of_its_own_and_ends_the_one_before(shop, desk):
    cookies = await signed_in(shop)
    again = await post(shop, "sign-in", RIGHT, cookies)
    assert again.headers["set-cookie"].split(";")[0] not in cookies
    assert list(desk.tokens.values()) == ["cus_bo"]


async def test_the_cookie_is_for_the_page_alone(shop):
    cookie = await new_cookie(shop)
    plain = (await post(shop, "sign-in", RIGHT, cookie)).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=strict" in plain
    assert "Secure" not in plain
    proxied = await post(shop, "sign-in", RIGHT, cookie, **{"X-Forwarded-Proto": "https"})
    assert "Secure" in proxied.headers["set-cookie"]


@pytest.mark.parametrize("path", ["sign-in", "sign-out"])
async def test_another_site_signs_nobody_in_or_out(shop, desk, path):
    cookies = await signed_in(shop)
    answer = await post(shop, path, RIGHT, cookies, Origin="https://evil.example")
    assert answer.status_code == 403
    async with httpx.AsyncClient(headers={"Cookie": cookies}) as client:
        form = await client.post(f"{shop}/{path}", data=RIGHT)
    assert "set-cookie" not in form.headers or path == "sign-out"
    assert list(desk.tokens.values()) == ["cus_bo"]


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"name": "bo"}, {"name": "bo", "password": 1}, {"name": "", "password": "x"},
     {"name": "b" * 201, "password": "x"}, {"name": "bo", "password": "x" * 5000}],
)  # fmt: skip
async def test_what_is_no_sign_in_is_refused(shop, body):
    answer = await post(shop, "sign-in", body, await new_cookie(shop))
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


async def test_a_browser_that_never_saw_the_page_does_not_sign_in(shop):
    assert (await post(shop, "sign-in", RIGHT, "")).status_code == 400


async def test_an_unknown_name_and_a_wrong_password_are_answered_alike(shop):
    cookie = await new_cookie(shop)
    wrong = [{"name": "bo", "password": "guess"}, {"name": "nobody", "password": "guess"}]
    answers = [await post(shop, "sign-in", body, cookie) for body in wrong]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, '{"detail":""}')}


async def test_neither_path_redirects_or_is_asked_for(shop):
    async with httpx.AsyncClient() as client:
        for path in ("sign-in?next=https://evil.example", "sign-out?next=//evil.example"):
            assert (await client.get(f"{shop}/{path}")).status_code in (404, 405)
            answer = await client.post(f"{shop}/{path}", json=RIGHT)
            assert "location" not in answer.headers


async def test_a_returning_socket_that_has_signed_out_is_a_guests(shop, desk):
    cookies = await signed_in(shop)
    async with page_at(shop, cookies) as page:
        await page.type("hello")
        call = await desk.call()
    desk.tokens.clear()
    again = SocketPage(cookies)
    again.session_id = page.session_id
    await again.connect(shop)
    await call.until_told("hang_up", "The customer signed out.")
    await again.client.disconnect()


async def test_a_desk_without_a_sign_in_has_none(site):
    assert (await post(site, "sign-in", RIGHT, await new_cookie(site))).status_code == 404
