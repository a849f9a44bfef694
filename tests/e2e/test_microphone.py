"""A microphone that is not there, or is taken away in mid-call: one sentence, and typing goes on."""

import pytest
from playwright.async_api import async_playwright, expect

from tests.e2e.browser import FLAGS, chromium, until_state, visiting
from tests.e2e.test_page import type_line

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

# The headset of the test: what the browser gives to the page, to be unplugged.
KEEP_THE_TRACK = """
(() => {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.track = stream.getAudioTracks()[0];
    return stream;
  };
})()
"""
FAKE = "--use-fake-device-for-media-stream"


async def typing_works(page, desk):
    await page.locator("#chat-input").click()
    await type_line(page, "can you read me?")
    await (await desk.call()).until_told("type", "can you read me?")


async def test_no_microphone_is_one_sentence(site, desk):
    """A real Chromium on a machine without any sound device."""
    async with async_playwright() as playwright:
        flags = [flag for flag in FLAGS if flag != FAKE] + ["--use-fake-ui-for-media-stream"]
        browser = await playwright.chromium.launch(executable_path=chromium(), headless=False, args=flags)
        try:
            async with visiting(browser, site) as page:
                devices = "navigator.mediaDevices.enumerateDevices()"
                kinds = await page.evaluate(f"{devices}.then((all) => all.map((each) => each.kind))")
                if "audioinput" in kinds:
                    pytest.skip("this machine has a microphone")
                await page.keyboard.press("p")
                await page.get_by_text("No microphone was found").wait_for()
                await expect(page.locator("[data-hl-talk='Talk']")).to_be_visible()
                assert await page.get_by_text("No microphone was found").count() == 1
                await typing_works(page, desk)
        finally:
            await browser.close()


async def test_a_microphone_that_is_taken_away_ends_voice_with_one_sentence(site, desk, browser):
    """The browser says so of the track, as when a headset is unplugged."""
    async with visiting(browser, site) as page:
        await page.evaluate(KEEP_THE_TRACK)
        await page.keyboard.press("p")
        call = await desk.call()
        await until_state(page, "listening")
        await call.until(lambda call: call.count("hear") > 5)
        await page.evaluate("window.track.stop(), window.track.dispatchEvent(new Event('ended'))")
        await page.get_by_text("The microphone was taken away").wait_for()
        await call.until_told("end_voice")
        await expect(page.locator("[data-hl-talk='Talk']")).to_be_visible()
        assert await page.get_by_text("The microphone was taken away").count() == 1
        await typing_works(page, desk)
