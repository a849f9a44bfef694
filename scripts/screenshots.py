"""Take the pictures in docs/images: a real desk with its embedded engine, in a real Chromium."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]  # The browser and the server of the tests are those of the pictures.

from playwright.async_api import Browser, Page  # noqa: E402
from tests.e2e.browser import browsing, spoken, until_state, visiting  # noqa: E402
from tests.web.serving import served  # noqa: E402

from helpline.channels.web.app import create_app  # noqa: E402
from helpline.desk import open_desk  # noqa: E402
from helpline.settings import Settings  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 1000}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    },
}
CHINESE = {"locale": "zh-CN", "welcome": "请问有什么可以帮您？"}


async def main() -> None:
    """A desktop and a phone, light and dark, and the start of each in the light; one page in Chinese."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        microphone = spoken(Path(folder) / "mic.wav", "where is my order 1004?")
        async with browsing(microphone) as browser:
            for screen, options in SCREENS.items():
                for scheme in ("light", "dark"):
                    async with at_a_desk(browser, Path(folder), color_scheme=scheme, **options) as page:
                        if scheme == "light":
                            await page.locator("#hl-suggestions button").first.wait_for()
                            await page.screenshot(path=IMAGES / f"{screen}-start.png")
                        await converse(page)
                        await page.screenshot(path=IMAGES / f"{screen}-{scheme}.png")
            async with at_a_desk(browser, Path(folder), **SCREENS["desktop"], **CHINESE) as page:
                await converse_in_chinese(page)
                await page.screenshot(path=IMAGES / "desktop-chinese.png")


@asynccontextmanager
async def at_a_desk(browser: Browser, folder: Path, **options: Any) -> AsyncIterator[Page]:
    """A page at a desk of its own."""
    data_dir = Path(tempfile.mkdtemp(dir=folder))
    settings = Settings(host="127.0.0.1", data_dir=data_dir, backends=("engine",))
    async with (
        served(create_app(settings, open_desk)) as address,
        visiting(browser, address, **options) as page,
    ):
        yield page


async def converse(page: Page) -> None:
    """A question aloud, then a change that waits for its yes."""
    await page.locator("[data-hl-talk]").click()
    await until_state(page, "speaking")
    await until_state(page, "listening")
    await typed(page, "please cancel order 1005")
    await page.get_by_role("button", name="Yes").wait_for()
    await until_state(page, "speaking")


async def converse_in_chinese(page: Page) -> None:
    """A question and a change that is done, in writing."""
    await typed(page, "查询订单1004")
    await page.locator('.hl-card[data-kind="order"]').wait_for()
    await until_state(page, "idle")
    await typed(page, "取消订单1005")
    await page.get_by_role("button", name="是", exact=True).click()
    await page.locator('.hl-card[data-kind="receipt"]').wait_for()
    await until_state(page, "idle")


async def typed(page: Page, text: str) -> None:
    await page.locator("#chat-input").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


if __name__ == "__main__":
    asyncio.run(main())
