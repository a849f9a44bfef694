"""What the page owes everybody: a person with a number, no need of a mouse, every state seen and said."""

import pytest
from playwright.async_api import expect

from helpline.call.shown import Caption, Notice, ProposalShown, StateShown
from helpline.channels.web.app import create_app
from helpline.desk import open_desk
from tests.e2e.browser import until_state, visiting
from tests.e2e.test_page import CANCEL, type_line
from tests.records.desks import settings_in
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

STATES = {
    "connecting": "Connecting…",
    "listening": "Listening",
    "thinking": "Thinking…",
    "working": "Working on it · order status",
    "speaking": "Speaking",
    "reconnecting": "Reconnecting…",
    "idle": "Ready",
    "ended": "Ended · Nobody spoke for a while.",
}
# A question for the microphone that the person leaves open until `allow()`.
UNANSWERED = """
(() => {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  const answer = new Promise((resolve) => (window.allow = resolve));
  window.asked = 0;
  devices.getUserMedia = async (wanted) => {
    window.asked += 1;
    await answer;
    return ask(wanted);
  };
})()
"""
DETAILS = {"working": "check_order_status", "ended": "Nobody spoke for a while."}


async def focus(page, selector):
    """Go there with the Tab key alone."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


async def test_a_person_comes_with_a_number_and_the_summary_that_they_will_see(tmp_path, browser):
    async with (
        served(create_app(settings_in(tmp_path), open_desk)) as address,
        visiting(browser, address) as page,
    ):
        await page.get_by_role("button", name="Talk to a person").click()
        card = page.locator(".hl-card").filter(has_text="T-1")
        await card.wait_for()
        assert "summary" in (await card.inner_text()).lower()


async def test_every_state_is_seen_and_said(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        strip = page.get_by_role("status", name="What the desk is doing")
        for state, text in STATES.items():
            await call.channel.show(StateShown(state, DETAILS.get(state, "")))
            await until_state(page, state)
            await expect(strip).to_have_text(text)


async def test_lines_and_notices_come_into_a_live_region(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await call.channel.show(Caption("l1", "desk", "Your order left on Monday.", "", True))
        await call.channel.show(Notice("The line was lost for a moment.", "warning"))
        log = page.get_by_role("log", name="Conversation")
        await expect(log.get_by_text("left on Monday")).to_be_visible()
        await expect(log.get_by_text("lost for a moment")).to_be_visible()
        assert await log.evaluate("element => element.getAttribute('aria-live') !== 'off'")


async def test_a_whole_call_without_a_mouse(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await call.until(lambda call: call.count("hear") >= 5)
        await call.channel.show(StateShown("speaking"))
        await until_state(page, "speaking")  # Before, there is nothing to stop.
        await page.keyboard.press("Escape")
        await call.until_told("stop_reply")
        await call.channel.show(ProposalShown(CANCEL))
        await page.locator(".hl-yes").wait_for()
        await focus(page, ".hl-yes")
        await page.keyboard.press("Enter")
        assert await call.until_told("answer") == ("answer", "p1", True)
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("p")
        await call.until_told("end_voice")
        await focus(page, ".hl-person")
        await page.keyboard.press("Enter")
        await call.until_told("type", "I would like to talk to a person.")
        await focus(page, "#chat-input")
        await type_line(page, "thank you")
        await call.until_told("type", "thank you")


async def test_starts_and_ends_in_quick_bursts_leave_page_and_desk_agreed(site, desk, browser):
    """P while it starts, P while it ends: whatever is under way, the last word of both is the same."""
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await page.evaluate("document.activeElement.blur()")
        talk, end = (page.get_by_role("button", name=f"{name} (P)") for name in ("Talk", "End voice"))
        call.gate.clear()
        for _ in range(9):
            await page.keyboard.press("p")  # while the desk is still getting ready
        await call.until(lambda call: call.count("start_voice") == 9)
        call.gate.set()
        await end.wait_for()
        await call.until(lambda call: call.count("hear") > 5)
        for _ in range(2):  # an end, and a start while it ends
            starts = call.count("start_voice")
            await page.keyboard.press("p")
            await page.keyboard.press("p")
            await call.until(lambda call, starts=starts: call.count("start_voice") > starts)
            heard = call.count("hear")
            await call.until(lambda call, heard=heard: call.count("hear") > heard + 5)
            await end.wait_for()
        await page.keyboard.press("p")
        await talk.wait_for()
        assert call.told[-1] == ("end_voice",)
        await type_line(page, "still here")
        await call.until_told("type", "still here")
        assert not await page.get_by_text("very fast").count()
        assert not await page.evaluate("document.body.classList.contains('hl-voice')")


async def test_an_end_while_the_microphone_opens_leaves_the_start_behind_it_alone(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await page.evaluate("document.activeElement.blur()")
        await page.evaluate(UNANSWERED)
        await page.keyboard.press("p")
        await page.wait_for_function("() => window.asked === 1")
        await call.channel.page.voice(False)
        await page.get_by_role("button", name="Talk (P)").wait_for()
        await page.locator("#message-composer .animate-spin").wait_for(state="detached")
        await page.keyboard.press("p")
        await page.wait_for_function("() => window.asked === 2")
        await page.evaluate("window.allow()")
        await call.until(lambda call: call.count("hear") > 5)
        await page.get_by_role("button", name="End voice (P)").wait_for()
        assert call.count("end_voice") == 0
