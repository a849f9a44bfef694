"""What axe-core finds on the page: nothing serious, light and dark, wide and narrow, empty and in a call."""

import dataclasses
from pathlib import Path

import axe_playwright_python
import pytest

from helpline.actions import Card
from helpline.call.shown import Caption, CardShown, ProposalShown, ReceiptShown, StateShown
from helpline.channels.web.app import create_app
from helpline.colours import read_accent
from tests.e2e.browser import visiting
from tests.e2e.test_page import CANCEL, RECEIPT
from tests.web.serving import served

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
LOOKS = {
    "wide and light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "wide and dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "narrow and light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "narrow and dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    "Chinese, wide and light": {
        "viewport": {"width": 1280, "height": 800},
        "color_scheme": "light",
        "locale": "zh-CN",
        "welcome": "请问有什么可以帮您？",
    },
    "Chinese, narrow and dark": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "locale": "zh-CN",
        "welcome": "请问有什么可以帮您？",
    },
}

ORDER = {
    "status": "shipped",
    "total_cents": 8450,
    "currency": "USD",
    "lines": [{"name": "Trail shoe", "quantity": 1, "price_cents": 8450}],
    "timeline": [{"text": "Placed.", "at": "2026-11-20T12:00:00+00:00"}],
}
PRODUCT = {
    "description": "For rain.",
    "price_cents": 8450,
    "currency": "USD",
    "variants": [{"name": "blue, 42", "price_cents": 8450, "in_stock": True}],
}
BRIEF = {"number": "1004", "status": "shipped", "items": ["Trail shoe"], "total_cents": 8450}
CUSTOMER = {
    "name": "Maya Lindqvist",
    "email": "maya@example.com",
    "address": "1 Long Street, Portland",
    "payment_methods": [{"id": "m1", "kind": "credit_card", "name": "Visa ending in 4242"}],
    "orders": [BRIEF],
}
SHOWN = (
    Caption("l1", "customer", "Where is my order?", "Where is my order?", True),
    Caption("l2", "desk", "It left on Monday, and will be there soon.", "It left on Monday,", True),
    CardShown(Card("order", "Order 1004", ORDER, key="order-1004")),
    CardShown(Card("product", "Trail shoe", PRODUCT, key="product-1")),
    CardShown(
        Card("passage", "Returns", {"text": "Within 30 days.", "source": "returns.md"}, key="passage-1")
    ),
    CardShown(
        Card("ticket", "Transfer to a person", {"number": "T-1", "summary": "A parcel."}, key="transfer")
    ),
    CardShown(Card("orders", "Your orders", {"orders": [BRIEF]}, key="orders")),
    CardShown(Card("customer", "Maya Lindqvist", CUSTOMER, key="customer")),
    CardShown(
        Card("products", "Products", {"products": [{"name": "Trail shoe", **PRODUCT}]}, key="products")
    ),
    CardShown(Card("refund", "Refund", {"amount_cents": 8450, "currency": "USD"}, key="refund")),
    CardShown(
        Card("callback", "Callback", {"when": "2026-11-28T15:00:00+00:00", "phone": "555 0100"}, key="cb")
    ),
    ProposalShown(CANCEL),
    ReceiptShown(RECEIPT),
    StateShown("working", "cancel_order"),
)


async def serious(page) -> list[str]:
    """What axe-core calls serious or critical: the rule, and the element that breaks it."""
    await page.evaluate(AXE)  # through the debugger: the page's own policy stays as it is
    found = await page.evaluate("() => axe.run()")
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
async def test_neither_the_start_page_nor_a_call_with_cards_has_a_serious_violation(
    site, desk, browser, look
):
    async with visiting(browser, site, **look) as page:
        assert await serious(page) == []
        await page.locator("#chat-input").click()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        call = await desk.call()
        for shown in SHOWN:
            await call.channel.show(shown)
        await page.locator('.hl-card[data-kind="receipt"]').wait_for()
        assert await page.locator(".hl-card").count() == 11
        assert await serious(page) == []


@pytest.mark.parametrize("accent", ["#7835ec", "#1c7543", "#9e4e00"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_colour_of_the_companys_own_can_be_read(desk, settings, browser, accent, scheme):
    """Each the lightest of its hue that `desk.toml` takes."""
    own = dataclasses.replace(settings, accent=read_accent(accent))
    desk.suggested = ("Where is my order?",)
    async with (
        served(create_app(own, desk.opener())) as address,
        visiting(browser, address, color_scheme=scheme) as page,
    ):
        await page.locator("#hl-suggestions button").wait_for()
        assert await serious(page) == []
        await page.locator("#hl-suggestions button").click()
        call = await desk.call()
        for shown in (*SHOWN, StateShown("speaking")):
            await call.channel.show(shown)
        await page.locator('.hl-card[data-kind="receipt"]').wait_for()
        assert await page.locator(".hl-yes").is_visible()
        assert await serious(page) == []


async def test_axe_would_find_one(site, browser):
    async with visiting(browser, site) as page:
        await page.evaluate("document.body.append(document.createElement('button'))")
        assert any(found.startswith("button-name") for found in await serious(page))


FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return [at.getAttribute("aria-label") || at.innerText, style.outlineStyle + style.boxShadow];
}"""


async def test_the_whole_page_is_worked_with_the_keyboard_alone(site, desk, browser):
    """Each control is reached, shows that it is, and does what it says."""
    async with visiting(browser, site) as page:
        await page.keyboard.press("Tab")
        await page.locator("#chat-input").focus()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        call = await desk.call()
        await call.channel.show(ProposalShown(CANCEL))
        await page.get_by_role("button", name="Yes").wait_for()
        reached = {}
        for _ in range(40):
            await page.keyboard.press("Tab")
            name, outline = await page.evaluate(FOCUSED)
            reached[name] = outline
        assert {"Talk to a person", "Speak more slowly", "Language", "Yes", "No"} <= set(reached)
        assert [name for name in ("Yes", "Language", "Talk to a person") if reached[name] == "nonenone"] == []
        await page.get_by_role("button", name="Speak more slowly").focus()
        await page.keyboard.press("Space")
        await call.until_told("pace", "slower")
        await page.get_by_role("button", name="Yes").focus()
        await page.keyboard.press("Enter")
        await call.until_told("answer", "p1", True)
        assert call.count("answer") == 1
        await page.reload()
        await page.locator('.hl-slower[aria-pressed="true"]').wait_for()


async def test_what_the_desk_does_and_says_is_announced(site, desk, browser):
    async with visiting(browser, site) as page:
        await page.locator("#chat-input").click()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        call = await desk.call()
        await call.channel.show(StateShown("thinking"))
        await page.get_by_role("status", name="What the desk is doing").get_by_text("Thinking").wait_for()
        await call.channel.show(Caption("l1", "desk", "It is on its way.", "It is on its way.", True))
        await page.get_by_role("log", name="Conversation").get_by_text("It is on its way.").wait_for()
