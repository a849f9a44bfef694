"""The page in a browser, mounted under a path of an application of one's own: text, voice, language."""

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette

from helpline import mount
from tests.e2e.browser import until_state, visiting
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PIECE = b"\x40\x1f\xc0\xe0" * 2400  # 200 ms of a hum at 6 kHz.


async def test_text_and_voice_under_a_path(desk, settings, browser):
    host = Starlette()
    mount(host, settings, desk.opener(), path="/desk")
    asked = []
    async with served(host) as address, visiting(browser, f"{address}/desk/") as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        call = await desk.call()
        await call.until_told("type", "hello")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("p")
        await until_state(page, "listening")
        await call.until(lambda call: call.count("hear") >= 10)
        await call.channel.play("track", PIECE)
        await call.until_told("played", "track")
        await page.wait_for_function("() => window.loudest > 0.02")
        await page.locator("select.hl-language").select_option("zh")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await page.get_by_text("How can I help you?").wait_for()
        await page.keyboard.type("again")
        await page.keyboard.press("Enter")
        await call.until_told("type", "again")
        assert len(desk.calls) == 1
    assert [url for url in asked if not url.startswith((f"{address}/desk/", "data:"))] == []
