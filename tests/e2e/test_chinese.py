"""A customer whose browser is Chinese, at the real desk with its engine: what they see and confirm."""

import re

import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import expect

from helpline.channels.web.app import create_app
from helpline.desk import open_desk
from helpline.settings import Settings
from helpline.store import Store
from helpline.store import schema as t
from tests.e2e.browser import until_state, visiting
from tests.e2e.test_accessible import serious
from tests.e2e.test_voice import card, desk_said
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

WELCOME = "请问有什么可以帮您？"
CHINESE = {"locale": "zh-CN", "welcome": WELCOME}
OURS = "#hl-bar, .hl-card, [data-step-type='assistant_message']"


@pytest.fixture
def settings(tmp_path):
    return Settings(host="127.0.0.1", data_dir=tmp_path, backends=("engine",), name="ShopMe")


@pytest_asyncio.fixture(loop_scope="session")
async def address(settings):
    async with served(create_app(settings, open_desk)) as base:
        yield base


async def rows(settings) -> int:
    store = await Store.open(settings.database_url, demo=True)
    try:
        async with store.database.read() as connection:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(t.ledger)) or 0)
    finally:
        await store.close()


async def types(page, text: str) -> None:
    await page.locator("#chat-input").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def english_on(page) -> list[str]:
    """English words among what the desk and its page say; goods, names and addresses are data."""
    said = " ".join(await page.locator(OURS).all_inner_texts())
    found = set(re.findall(r"[A-Za-z]{3,}", said))
    return sorted(found & set(ENGLISH.split()))


ENGLISH = (
    "Order Status Placed Expected Delivered Carrier Address Items Total Receipt Done Yes No Please "
    "confirm Shall I the is your are Ready Listening Thinking Working Speaking Stop Talk person Language "
    "Customer You "
    "cancel order Monday Tuesday Wednesday Thursday Friday Saturday Sunday refund dollars "
    "Shipped Packed Handed Pending Processed Cancelled Demo shop business days"
)


async def test_the_page_the_desk_and_its_cards_are_chinese_and_a_button_confirms(address, settings, browser):
    async with visiting(browser, address, **CHINESE) as page:
        assert await page.locator("html").get_attribute("lang") == "zh-CN"
        await expect(desk_said(page, "它只听得懂英语口语")).to_be_visible()
        await types(page, "查询订单1004")
        await expect(card(page, "order").get_by_role("heading")).to_have_text("订单 1004")
        await types(page, "取消订单1005")
        await expect(desk_said(page, "我可以取消订单1005").first).to_be_visible()
        await page.get_by_role("button", name="是", exact=True).click()
        await expect(card(page, "receipt")).to_contain_text("已办好。订单1005已取消。")
        await expect(card(page, "proposal")).to_contain_text("您已同意")
        await expect(desk_said(page, "您的回执号是").first).to_be_visible()
        assert await english_on(page) == []
        assert await serious(page) == []
    assert await rows(settings) == 1


@pytest.mark.parametrize(("answer", "done"), [("好的", 1), ("还是不要了", 0), ("好了吗", 0)])
async def test_a_typed_answer_counts_as_it_is_meant(address, settings, browser, answer: str, done: int):
    async with visiting(browser, address, **CHINESE) as page:
        await types(page, "取消订单1005")
        await expect(card(page, "proposal")).to_have_count(1)
        await until_state(page, "idle")
        await types(page, answer)
        await expect(page.locator('[data-step-type="user_message"]')).to_have_count(2)
        said = {"好的": "已办好", "还是不要了": "我没有做任何更改", "好了吗": "内置引擎只会英语"}[answer]
        await expect(desk_said(page, said).first).to_be_visible()
    assert await rows(settings) == done


async def test_who_talks_is_told_that_english_is_heard_and_is_spoken_to_in_mandarin(address, browser):
    async with visiting(browser, address, **CHINESE) as page:
        await types(page, "取消订单1005")
        await expect(card(page, "proposal")).to_have_count(1)
        await until_state(page, "idle")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("p")
        await until_state(page, "listening")
        await expect(desk_said(page, "您说的话会按英语来听")).to_have_count(1)
        await types(page, "好的")
        await until_state(page, "speaking")
        await page.wait_for_function("() => window.loudest > 0.02")
        await expect(card(page, "receipt")).to_have_count(1)


async def test_a_person_is_one_button_away(address, browser):
    async with visiting(browser, address, **CHINESE) as page:
        await page.get_by_role("button", name="人工客服").click()
        await expect(card(page, "ticket")).to_contain_text("转人工客服")


async def test_the_language_is_switched_in_mid_call(address, browser):
    async with visiting(browser, address, **CHINESE) as page:
        await types(page, "取消订单1005")
        await expect(card(page, "proposal")).to_have_count(1)
        await until_state(page, "idle")
        await page.get_by_role("combobox", name="语言").select_option("en")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.get_by_role("button", name="Talk to a person")).to_be_enabled()
        await expect(card(page, "proposal").get_by_role("button", name="Yes")).to_be_visible()
        await types(page, "yes")
        await expect(card(page, "receipt")).to_contain_text("receipt")
        await types(page, "where is order 1004")
        await expect(desk_said(page, "Order 1004 is on its way").first).to_be_visible()
        await page.get_by_role("combobox", name="Language").select_option("zh")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(page.get_by_role("button", name="人工客服")).to_be_enabled()
        await types(page, "查询订单1004")
        await expect(desk_said(page, "订单1004正在配送途中").first).to_be_visible()
