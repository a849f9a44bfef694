"""A customer signs in, sees their past conversations, opens one, goes on with it and signs out."""

import socket
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from helpline.channels.web.app import create_app
from helpline.desk import open_desk
from helpline.hooks import Hooks
from helpline.own import Own
from tests.e2e.browser import until_state, visiting
from tests.records.desks import desk_in, settings_in, talk
from tests.web.provider import ScriptedProvider
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

NAME, PASSWORD = "maya", "correct horse"


@asynccontextmanager
async def shop_with_a_sign_in(folder):
    """A page whose first demo customer has a name and a password, and two conversations behind them."""
    async with desk_in(folder) as desk:
        customer = await desk.customer(desk.demo_customers[0].customer_id)
        await talk(desk, "cancel order 1005", "yes", caller=customer)
        await talk(desk, "where is my order 1004", caller=customer)

    def sign_in(name, password):
        return customer.customer_id if (name, password) == (NAME, PASSWORD) else None

    def opened(settings):
        return open_desk(settings, own=Own(hooks=Hooks(sign_in=sign_in)))

    async with served(create_app(settings_in(folder), opened)) as address:
        yield address, customer


async def sign_in(page, password=PASSWORD):
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("E-mail or user name").fill(NAME)
    await page.get_by_label("Password").fill(password)
    await page.keyboard.press("Enter")


async def test_signing_in_seeing_reopening_going_on_and_signing_out(tmp_path, browser):
    async with (
        shop_with_a_sign_in(tmp_path) as (shop, customer),
        visiting(browser, shop, expect=("401",), viewport={"width": 390, "height": 800}) as page,
    ):
        shown = page.locator("#root")
        assert await page.locator("#hl-demo").is_hidden()
        await sign_in(page, "wrong")
        await page.get_by_role("alert").filter(has_text="That is not right").wait_for()
        await page.screenshot(path=tmp_path / "wrong.png")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        account = page.get_by_role("button", name=f"Your account: {customer.name}")
        await account.click()
        rows = page.get_by_role("dialog", name="Your conversations").get_by_role("listitem")
        await rows.nth(1).wait_for()
        assert await rows.count() == 2
        assert "where is my order 1004" in await rows.nth(0).inner_text()
        assert "R-" in await rows.nth(1).inner_text()
        await page.screenshot(path=tmp_path / "history.png")
        await rows.nth(1).get_by_role("button").click()
        await page.get_by_text("This is an earlier conversation of yours").wait_for()
        assert await shown.get_by_text("cancel order 1005", exact=True).count() == 1
        await page.locator(".hl-card").filter(has_text="R-").first.wait_for()
        await page.screenshot(path=tmp_path / "reopened.png")
        await page.locator("#chat-input").click()
        await page.keyboard.type("where is my order 1005")
        await page.keyboard.press("Enter")
        await page.get_by_text("is cancelled").first.wait_for()
        await until_state(page, "idle")
        await page.screenshot(path=tmp_path / "went-on.png")
        await page.reload()  # The conversation and the one before it are still there.
        await shown.get_by_text("where is my order 1005", exact=True).wait_for()
        assert await shown.get_by_text("cancel order 1005", exact=True).count() == 1
        await account.click()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in").wait_for()
        await page.get_by_text("How can I help you?").wait_for()
        await expect(shown.get_by_text("1005")).to_have_count(0)


async def test_signing_in_with_an_account_elsewhere_goes_on_with_the_call(tmp_path, browser, monkeypatch):
    """The provider is another site (`localhost` is not `127.0.0.1`): no strict cookie comes back from it."""
    provider, listener = ScriptedProvider(), socket.socket()
    listener.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with desk_in(tmp_path) as desk:
        customer = await desk.toolbox.shop.customer(desk.demo_customers[0].customer_id)
        caller = desk.demo_customers[0]
        await talk(desk, "where is my order 1004", caller=caller)
    provider.user = {"email": customer.email, "email_verified": True}
    settings = settings_in(tmp_path, origins=origin)
    async with served(provider.app, "localhost") as elsewhere:
        given = {"CLIENT_ID": "desk", "CLIENT_SECRET": "secret-of-the-desk", "SCOPES": "openid email"}
        paths = {"AUTH_URL": "authorize", "TOKEN_URL": "token", "USER_INFO_URL": "user"}
        for name, value in {**given, **{key: f"{elsewhere}/{path}" for key, path in paths.items()}}.items():
            monkeypatch.setenv(f"OAUTH_GENERIC_{name}", value)
        async with (
            served(create_app(settings, open_desk), listener=listener) as shop,
            visiting(browser, shop, viewport={"width": 390, "height": 800}) as page,
        ):
            shown = page.locator("#root")
            await page.locator("#chat-input").click()
            await page.keyboard.type("What do you sell?")
            await page.keyboard.press("Enter")
            await shown.get_by_text("What do you sell?", exact=True).wait_for()
            await until_state(page, "idle")
            await page.get_by_role("button", name="Sign in").click()
            button = page.get_by_role("button", name="Sign in with generic")
            assert await page.get_by_label("Password").is_hidden()
            await page.screenshot(path=tmp_path / "providers.png")
            await button.click()
            await page.get_by_role("link", name="Allow").click()
            account = page.get_by_role("button", name=f"Your account: {caller.name}")
            await account.wait_for()
            assert page.url == f"{shop}/"
            await shown.get_by_text("What do you sell?", exact=True).wait_for()  # The call of before.
            await account.click()
            rows = page.get_by_role("dialog", name="Your conversations").get_by_role("listitem")
            await rows.filter(has_text="where is my order 1004").wait_for()
            await page.get_by_role("button", name="Sign out").click()
            await page.get_by_role("button", name="Sign in").wait_for()
