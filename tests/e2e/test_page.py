"""What a browser makes of the page: sound in and out, cards, hostile words, drops. The desk is scripted."""

import asyncio
import dataclasses
import math
import struct

import pytest
from playwright.async_api import expect

from helpline.actions import Card, Proposal, Receipt
from helpline.call.shown import (
    Caption,
    CardShown,
    ProposalClosed,
    ProposalShown,
    ReceiptShown,
    StateShown,
)
from helpline.channels.web.app import create_app
from tests.e2e.browser import until_state, visiting
from tests.e2e.proxy import proxied
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

CANCEL = Proposal(
    "p1", "cancel_order", "1005", "cancel order 1005", ("cancel",), "I can cancel order 1005. Shall I?", 8450
)
RECEIPT = Receipt("R-4821", "p1", "cancel_order", "Done.", "2026-11-22T12:00:00+00:00")
EVIL = '<img src=x onerror="window.hit=1"> ![i](http://evil.example/i.png) [l](javascript:alert(1)) `x`'


def tone(ms: int) -> bytes:
    """A hum of 440 Hz, 24 kHz mono s16le."""
    values = (int(9000 * math.sin(2 * math.pi * 440 * index / 24_000)) for index in range(24 * ms))
    return b"".join(struct.pack("<h", value) for value in values)


async def type_line(page, text="hello"):
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def quiet(page):
    await page.wait_for_function("() => window.loudness() < 0.001")


async def test_nothing_is_asked_of_another_host(site, browser):
    asked = []
    async with visiting(browser, site) as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        await page.get_by_text("How can I help you?").wait_for()
        await page.keyboard.press("p")
        await until_state(page, "listening")
    assert asked
    assert [url for url in asked if not url.startswith((site, "data:"))] == []


async def test_p_is_heard_at_once_and_sends_40_ms_at_a_time(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await call.until(lambda call: call.count("hear") >= 25)
        assert {told[1] for told in call.told if told[0] == "hear"} == {1920}
        assert any(call.heard), "the beep of the fake microphone"


async def test_p_pressed_twice_while_it_connects_is_one_voice(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await page.evaluate("document.activeElement.blur()")
        call.gate.clear()
        await page.keyboard.press("p")
        await page.keyboard.press("p")
        await call.until(lambda call: call.count("start_voice") == 2)
        call.gate.set()
        await call.until(lambda call: call.count("hear") >= 10)
        assert call.count("end_voice") == 0
        await page.keyboard.press("p")
        await call.until_told("end_voice")


async def test_a_refused_start_leaves_no_spinner(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        call.can_listen = False
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("p")
        await expect(page.get_by_text("run make setup")).to_be_visible()
        await expect(page.locator("#message-composer .animate-spin")).to_have_count(0)
        call.can_listen = True
        await page.keyboard.press("p")
        await call.until(lambda call: call.count("hear") >= 5)


async def test_starting_and_ending_leaks_no_audio_context(site, desk, browser):
    count = """
    (() => {
      const made = new Set();
      const Original = AudioContext;
      globalThis.AudioContext = class extends Original {
        constructor(...rest) { super(...rest); made.add(this); }
      };
      window.openContexts = () => [...made].filter((context) => context.state !== "closed").length;
    })();
    """
    async with visiting(browser, site) as page:
        await page.context.add_init_script(count)
        await page.reload()
        await page.get_by_text("How can I help you?").wait_for()
        for number in range(3):
            await page.keyboard.press("p")
            call = await desk.call()
            heard = call.count("hear")
            await call.until(lambda call, heard=heard: call.count("hear") > heard + 3)
            await page.keyboard.press("p")
            await call.until(lambda call, number=number: call.count("end_voice") > number)
        await page.wait_for_function("() => window.openContexts() === 1")


async def test_what_was_played_is_reported_for_each_track_through_an_underrun(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await until_state(page, "listening")
        await call.channel.play("t1", tone(500))
        await call.until_told("played", "t1", 500)
        assert await page.evaluate("window.loudest") > 0.1
        await call.channel.play("t1", tone(300))  # after the player ran dry: the count goes on
        await call.until_told("played", "t1", 800)
        await call.channel.play("t2", tone(200))
        await call.until_told("played", "t2", 200)
        reports = [told[2] for told in call.told if told[:2] == ("played", "t1")]
        assert reports == sorted(reports)
        assert len(reports) >= 3, "while it plays, not only at its end"


async def test_silence_is_at_once_and_says_how_much_was_heard(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await until_state(page, "listening")
        await call.channel.play("t1", tone(8000))
        await page.wait_for_function("() => window.loudness() > 0.1")
        await call.channel.clear_playback()
        await quiet(page)
        last = [told[2] for told in call.told if told[0] == "played"][-1]
        assert 0 < last < 7000
        await call.channel.play("t1", tone(400))
        await call.channel.play("t2", tone(400))
        await call.until_told("played", "t2", 400)
        assert max(told[2] for told in call.told if told[:2] == ("played", "t1")) < 7000


async def test_stop_and_escape_silence_the_reply(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        stop = page.get_by_role("button", name="Stop the reply")
        await expect(stop).to_be_hidden()
        await call.channel.show(StateShown("speaking"))
        await stop.click()
        await call.until(lambda call: call.count("stop_reply") == 1)
        await page.keyboard.press("Escape")
        await call.until(lambda call: call.count("stop_reply") == 2)


async def test_a_proposal_is_answered_once_and_closes(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await call.channel.show(ProposalShown(CANCEL))
        card = page.get_by_role("region", name="Please confirm")
        await expect(card).to_contain_text("$84.50")
        await card.get_by_role("button", name="Yes").dblclick()
        assert await call.until_told("answer") == ("answer", "p1", True)
        await expect(card.get_by_role("button", name="No")).to_be_disabled()
        await call.channel.show(ProposalClosed("p1", "confirmed"))
        await call.channel.show(ReceiptShown(RECEIPT))
        await expect(card).to_contain_text("You said yes")
        await expect(card.get_by_role("button")).to_have_count(0)
        await expect(page.get_by_role("heading", name="R-4821")).to_be_visible()
        assert call.count("answer") == 1


async def test_hostile_words_are_words(site, desk, browser):
    asked = []
    async with visiting(browser, site) as page:
        page.on("request", lambda request: asked.append(request.url))
        await type_line(page)
        call = await desk.call()
        await call.channel.show(Caption("l1", "desk", EVIL, EVIL, True))
        await call.channel.show(Caption("l2", "customer", EVIL, EVIL, True))
        await call.channel.show(CardShown(Card("order", EVIL, {"status": EVIL, EVIL: EVIL, "lines": [EVIL]})))
        await expect(page.locator(".hl-card h3")).to_have_text(EVIL)
        said = page.locator('[data-step-type="assistant_message"]').nth(2)
        await expect(said).to_contain_text('<img src=x onerror="window.hit=1">')
        assert await page.locator(".step img[src*=evil], .step a, .hl-card img, .hl-card a").count() == 0
        assert await page.evaluate("window.hit") is None
    assert not [url for url in asked if "evil" in url]


async def test_messages_of_other_windows_do_not_reach_the_desk(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await page.evaluate("""() => {
            const data = { helpline: "desk", type: "answer", proposal: "p1", yes: true };
            for (const origin of ["https://evil.example", window.location.origin]) {
                window.dispatchEvent(new MessageEvent("message", { data, origin }));
            }
        }""")
        await page.evaluate("window.postMessage({ helpline: 'desk', type: 'stop' }, location.origin)")
        await call.until_told("stop_reply")
        assert call.count("answer") == 0


async def test_a_conversation_may_begin_with_a_press(site, desk, browser):
    desk.suggested = ("Where is my order?", "I want to return something")
    offered = "#hl-suggestions button"
    async with visiting(browser, site) as page:
        await page.locator(offered).get_by_text("Where is my order?").click()
        call = await desk.call()
        await call.until_told("type", "Where is my order?")
        await expect(page.locator(offered).first).to_be_hidden()
        await page.reload()
        await page.get_by_text("How can I help you?").wait_for()
        await expect(page.locator(offered)).to_have_count(0)
    async with visiting(browser, site) as page:
        await page.locator(offered).first.wait_for()
        await type_line(page)
        await expect(page.locator(offered).first).to_be_hidden()


async def test_a_phone_is_told_what_to_tap(site, browser):
    agent = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    async with visiting(browser, site, user_agent=agent, viewport={"width": 390, "height": 844}) as page:
        await page.get_by_text("tap Talk", exact=False).first.wait_for()
        await expect(page.get_by_text("press P", exact=False)).to_have_count(0)
        await page.locator("[data-hl-talk='Talk']").click()
        await page.locator("[data-hl-talk='End']").wait_for()


async def test_each_theme_shows_its_own_logo(desk, settings, browser, tmp_path):
    for name in ("light.svg", "dark.svg"):
        (tmp_path / name).write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>')
    own = dataclasses.replace(settings, logo=tmp_path / "light.svg", logo_dark=tmp_path / "dark.svg")
    async with served(create_app(own, desk.opener())) as address:
        for scheme, query in (("light", ""), ("dark", "?theme=dark")):
            async with visiting(browser, address, color_scheme=scheme) as page:
                shown = page.locator(".hl-name img:visible")
                await expect(shown).to_have_count(1)
                assert (await shown.get_attribute("src")) == f"/logo{query}"


async def test_another_demo_customer_is_chosen_in_the_strip(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.get_by_label("Demo customer").select_option("Bo Lindqvist")
        await expect(page.locator("#hl-demo")).to_contain_text("Demo shop, fictional data")
        await page.locator("#chat-input").click()
        await type_line(page)
        assert (await desk.call()).caller.customer_id == "cus_bo"


async def test_a_person_can_be_asked_for_at_any_time(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.get_by_role("button", name="Talk to a person").click()
        await (await desk.call()).until_told("type", "I would like to talk to a person.")


async def test_a_reload_stays_in_the_call(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page, "where is it")
        call = await desk.call()
        await call.until_told("type", "where is it")
        await call.channel.show(Caption("l1", "customer", "where is it", "where is it", True, True))
        await call.channel.show(ProposalShown(CANCEL))
        await page.reload()
        await expect(page.get_by_text("where is it")).to_be_visible()
        await page.get_by_role("button", name="Yes").click()
        await call.until_told("answer", "p1", True)
        assert len(desk.calls) == 1


async def test_a_new_conversation_is_a_new_call(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page)
        call = await desk.call()
        await page.get_by_role("button", name="New conversation").click()
        await page.get_by_role("button", name="Confirm").click()
        await call.until_told("hang_up")
        await page.get_by_text("How can I help you?").wait_for()
        await page.locator("#chat-input").click()
        await type_line(page, "again")
        await (await desk.call(1)).until_told("type", "again")


async def test_a_line_that_is_cut_in_mid_question_loses_the_late_sound_and_nothing_else(site, desk, browser):
    async with proxied(site) as (address, proxy), visiting(browser, address) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await call.until(lambda call: call.count("hear") >= 25)
        proxy.cut()
        await asyncio.sleep(4)  # the time that the line is away is what is tested
        before = call.count("hear")
        proxy.mend()
        await call.until(lambda call: call.count("hear") >= before + 50)
        assert call.count("hang_up") == 0
        await type_line(page, "stop")  # and the page is in the same call
        assert len(desk.calls) == 1


async def test_a_socket_that_breaks_returns_to_its_call(site, desk, browser):
    async with proxied(site) as (address, proxy), visiting(browser, address) as page:
        await type_line(page)
        call = await desk.call()
        proxy.drop()
        await call.channel.show(Caption("l1", "desk", "Said meanwhile.", "Said meanwhile.", True))
        await expect(page.get_by_text("Said meanwhile.")).to_be_visible()
        await type_line(page, "still here")
        await call.until_told("type", "still here")
        assert len(desk.calls) == 1


async def test_every_control_has_a_name_and_can_be_reached(site, browser):
    async with visiting(browser, site) as page:
        for control in await page.locator("button:visible, select:visible, [contenteditable]:visible").all():
            name = await control.get_attribute("aria-label") or await control.inner_text()
            assert name.strip(), await control.evaluate("element => element.outerHTML")
        await expect(page.get_by_role("log", name="Conversation")).to_be_visible()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement !== document.body")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(site, desk, browser, scheme):
    phone = {"width": 390, "height": 844}
    async with visiting(browser, site, viewport=phone, color_scheme=scheme) as page:
        await page.locator("#chat-input").click()
        await type_line(page)
        call = await desk.call()
        await call.channel.show(ProposalShown(CANCEL))
        await call.channel.show(StateShown("working", "a_tool_with_a_very_long_name_indeed"))
        await expect(page.get_by_role("button", name="Yes")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert scheme in await page.evaluate("document.documentElement.className")


async def test_chinese_is_spoken_to_a_chinese_browser(site, browser):
    context = await browser.new_context(locale="zh-CN")
    page = await context.new_page()
    await page.goto(site)
    await expect(page.get_by_text("您好，欢迎来到 ShopMe。")).to_be_visible()
    await expect(page.get_by_role("button", name="人工客服")).to_be_visible()
    await context.close()


async def test_the_customer_changes_the_language_and_stays_in_the_call(site, desk, browser):
    async with visiting(browser, site) as page:
        await type_line(page, "where is it")
        call = await desk.call()
        await call.until_told("type", "where is it")
        await call.channel.show(Caption("l1", "customer", "where is it", "where is it", True, True))
        await page.get_by_label("Language").select_option("中文")
        await page.get_by_role("button", name="人工客服").click()
        await call.until_told("type", "我想和人工客服通话。")
        await expect(page.get_by_text("where is it")).to_be_visible()
        assert len(desk.calls) == 1


async def test_a_conversation_is_rated_with_a_word_about_it(site, desk, browser):
    async with visiting(browser, site) as page:
        up = page.get_by_role("button", name="Helpful", exact=True)
        assert not await up.is_visible()
        await page.locator("#chat-input").click()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        call = await desk.call()
        await call.channel.show(StateShown("thinking"))
        await up.click()
        await call.until_told("rated", True, "")
        await page.keyboard.type("Pretty quick")  # P talks elsewhere; here it is a letter
        await page.keyboard.press("Enter")
        await call.until_told("rated", True, "Pretty quick")
        assert await up.get_attribute("aria-pressed") == "true"
        assert call.count("start_voice") == 0


async def test_a_reply_that_the_line_was_cut_in_is_heard_to_its_end(site, desk, browser):
    async with proxied(site) as (address, proxy), visiting(browser, address) as page:
        await page.keyboard.press("p")
        call = await desk.call()
        await until_state(page, "listening")
        await call.channel.play("t1", tone(1000))
        await page.wait_for_function("() => window.loudness() > 0.1")
        proxy.cut()
        await call.channel.play("t1", tone(1000))
        await asyncio.sleep(4)  # the time that the line is away is what is tested
        proxy.mend()
        await call.until_told("played", "t1", 2000)
        assert call.count("hang_up") == 0
        assert len(desk.calls) == 1
