"""Issue by issue what a customer does by voice, on the real desk with its embedded engine."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from helpline.channels.web.app import create_app
from helpline.desk import open_desk
from helpline.settings import Settings
from tests.e2e.browser import browsing, spoken, until_state, visiting
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.spoken, pytest.mark.asyncio(loop_scope="session")]

# The wav plays while the desk speaks: a turn starts this long after the one before, well after the answer.
TURN_MS = 20_000


@pytest_asyncio.fixture(loop_scope="session")
async def address(tmp_path):
    settings = Settings(host="127.0.0.1", data_dir=tmp_path, backends=("engine",))
    async with served(create_app(settings, open_desk)) as base:
        yield base


def customer_said(page: Page, words: str):
    return page.locator('[data-step-type="user_message"]').filter(has_text=re.compile(words, re.IGNORECASE))


def desk_said(page: Page, words: str):
    return page.locator('[data-step-type="assistant_message"]').filter(
        has_text=re.compile(words, re.IGNORECASE)
    )


def card(page: Page, kind: str):
    return page.locator(f'.hl-card[data-kind="{kind}"]')


async def test_where_is_my_order(address, tmp_path):
    microphone = spoken(tmp_path / "mic.wav", "where is my order 1004?")
    async with browsing(microphone) as browser, visiting(browser, address) as page:
        await page.keyboard.press("p")
        await until_state(page, "speaking")
        await until_state(page, "listening")
        await expect(customer_said(page, "where is my order 1004")).to_have_count(1)
        await expect(desk_said(page, "order 1004").first).to_be_visible()
        await expect(card(page, "order").get_by_role("heading")).to_have_text("Order 1004")
        assert await page.evaluate("window.loudest") > 0.02, "the answer was not heard at the output"


async def test_a_yes_by_voice_cancels_once(address, tmp_path):
    microphone = spoken(tmp_path / "mic.wav", "cancel order 1005", "yes", pause_ms=TURN_MS)
    async with browsing(microphone) as browser, visiting(browser, address) as page:
        await page.keyboard.press("p")
        await expect(card(page, "proposal")).to_contain_text("1005")
        await expect(card(page, "receipt")).to_have_count(1)
        await expect(card(page, "receipt").get_by_role("heading")).to_have_text(re.compile(r"R-\w+"))
        await expect(card(page, "proposal").locator(".hl-outcome")).to_have_text("You said yes")
        await until_state(page, "listening")
        await expect(card(page, "receipt")).to_have_count(1)


async def test_speaking_over_a_reply_stops_it(address, tmp_path):
    # The answer takes 7 s to say: this is within it whether it comes at once or, on a busy machine, 5 s late.
    microphone = spoken(
        tmp_path / "mic.wav",
        "what do you know about me?",
        "where is my order 1004?",
        pause_ms=5000,
    )
    async with browsing(microphone) as browser, visiting(browser, address) as page:
        await page.keyboard.press("p")
        await until_state(page, "speaking")
        await expect(page.locator(".message-content del").first).to_be_visible()
        await expect(customer_said(page, "order 1004")).to_have_count(1)


async def test_a_second_p_ends_voice_and_typing_goes_on(address, tmp_path):
    microphone = spoken(tmp_path / "mic.wav", "where is my order 1004?")
    async with browsing(microphone) as browser, visiting(browser, address) as page:
        await page.keyboard.press("p")
        await until_state(page, "speaking")
        await until_state(page, "listening")
        await page.keyboard.press("p")
        await until_state(page, "idle")
        await page.locator("#chat-input").click()
        await page.keyboard.type("and where is order 1002?")
        await page.keyboard.press("Enter")
        await expect(desk_said(page, "1002").first).to_be_visible()
        assert await page.evaluate("window.loudness()") < 0.001


async def test_a_typed_question_without_any_voice(address):
    async with browsing() as browser, visiting(browser, address) as page:
        await page.keyboard.type("where is my order 1004?")
        await page.keyboard.press("Enter")
        await expect(card(page, "order").get_by_role("heading")).to_have_text("Order 1004")
        await expect(desk_said(page, "order 1004").first).to_be_visible()
        assert await page.evaluate("window.loudest") == 0


async def test_a_refused_microphone_says_so_and_nothing_spins(address):
    async with browsing(allowed=False) as browser, visiting(browser, address) as page:
        await page.keyboard.press("p")
        await expect(page.get_by_text("The microphone was refused")).to_be_visible()
        await until_state(page, "idle")
        await expect(page.locator("#message-composer .animate-spin")).to_have_count(0)
        await page.keyboard.type("where is my order 1004?")
        await page.keyboard.press("Enter")
        await expect(card(page, "order")).to_have_count(1)


async def test_push_to_talk_hears_what_is_said_while_the_button_is_held(tmp_path):
    """The question is in the first seconds of the microphone; the space bar is held over it."""
    settings = Settings(
        host="127.0.0.1", data_dir=tmp_path, backends=("engine",), turn_detection="push_to_talk"
    )
    microphone = spoken(tmp_path / "mic.wav", "where is my order 1004?")
    async with (
        served(create_app(settings, open_desk)) as base,
        browsing(microphone) as browser,
        visiting(browser, base) as page,
    ):
        button = page.get_by_role("button", name="Hold to talk")
        await expect(button).to_be_hidden()
        await page.keyboard.press("p")
        await expect(button).to_be_visible()
        await page.keyboard.down(" ")
        await expect(button).to_have_attribute("aria-pressed", "true")
        await page.wait_for_timeout(4000)  # the question is spoken meanwhile, in real time
        await page.keyboard.up(" ")
        await expect(button).to_have_attribute("aria-pressed", "false")
        await until_state(page, "speaking")
        await expect(customer_said(page, "where is my order")).to_have_count(1)
        await button.hover()
        await page.mouse.down()
        await until_state(page, "listening")
        await page.mouse.up()
        await expect(page.locator(".message-content del").first).to_be_visible()
        await page.keyboard.press("p")
        await expect(button).to_be_hidden()
