"""Take the pictures in docs/images: a real desk with its embedded engine, in a real Chromium."""

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]  # The browser and the server of the tests are those of the pictures.

from playwright.async_api import Browser, Page  # noqa: E402
from tests.e2e.browser import browsing, spoken, until_state, visiting  # noqa: E402
from tests.web.serving import served  # noqa: E402

from helpline.channels.web.app import create_app  # noqa: E402
from helpline.desk import open_desk  # noqa: E402
from helpline.settings import Settings  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZES = {"desktop": {"width": 1280, "height": 1000}, "phone": {"width": 390, "height": 844}}


async def main() -> None:
    """Four pictures: a desktop and a phone, light and dark."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        microphone = spoken(Path(folder) / "mic.wav", "where is my order 1004?")
        async with browsing(microphone) as browser:
            for size in SIZES:
                for scheme in ("light", "dark"):
                    await take(browser, Path(folder) / f"{size}-{scheme}", size, scheme)


async def take(browser: Browser, data_dir: Path, size: str, scheme: str) -> None:
    """One conversation at a desk of its own: a question aloud, then a change that waits for its yes."""
    settings = Settings(host="127.0.0.1", data_dir=data_dir, backends=("engine",))
    async with (
        served(create_app(settings, open_desk)) as address,
        visiting(browser, address, viewport=SIZES[size], color_scheme=scheme) as page,
    ):
        await converse(page)
        await page.screenshot(path=IMAGES / f"{size}-{scheme}.png")


async def converse(page: Page) -> None:
    await page.keyboard.press("p")
    await until_state(page, "speaking")
    await until_state(page, "listening")
    await page.locator("#chat-input").click()
    await page.keyboard.type("please cancel order 1005")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Yes").wait_for()
    await until_state(page, "speaking")


if __name__ == "__main__":
    asyncio.run(main())
