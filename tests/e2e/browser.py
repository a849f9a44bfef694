"""A real Chromium with a fake microphone, and a tap at its sound output."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from helpline.audio.pcm import silence
from helpline.audio.wav import write_wav

# A net for what never comes: on a busy machine the page itself takes many seconds.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
)

# Listens at the last node before the loudspeaker, beside whatever is connected there.
TAP = """
(() => {
  const taps = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    const result = connect.call(this, to, ...rest);
    if (to instanceof AudioDestinationNode) {
      const tap = this.context.createAnalyser();
      tap.fftSize = 2048;
      connect.call(this, tap);
      taps.push(tap);
    }
    return result;
  };
  window.loudness = () => {
    const samples = new Float32Array(2048);
    return taps.reduce((loudest, tap) => {
      tap.getFloatTimeDomainData(samples);
      return Math.max(loudest, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / 2048));
    }, 0);
  };
  window.loudest = 0;
  setInterval(() => (window.loudest = Math.max(window.loudest, window.loudness())), 40);
})();
"""


def chromium() -> str:
    """Where Chromium is. Without one a test is skipped here and fails in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "there is no Chromium here: install the package `chromium`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def spoken(path: Path, *turns: str, pause_ms: int = 0) -> Path:
    """A wav file for the fake microphone: the turns, `pause_ms` between them, then silence.

    The file is played again from its start when it ends, so it ends late.
    """
    from helpline.engine.voice import Synthesiser

    voice = Synthesiser()
    sound = silence(700)
    for number, turn in enumerate(turns):
        sound += (silence(pause_ms) if number else b"") + voice.speak(turn)
    write_wav(path, sound + silence(180_000))
    return path


@asynccontextmanager
async def browsing(microphone: Path | None = None, *, allowed: bool = True) -> AsyncIterator[Browser]:
    """A browser of its own; its microphone plays the file, or a beep, or is refused."""
    flags = [*FLAGS]
    flags += ["--use-fake-ui-for-media-stream"] if allowed else ["--deny-permission-prompts"]
    flags += [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), headless=False, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    address: str,
    *,
    welcome: str = "How can I help you?",
    expect: tuple[str, ...] = (),
    **options,
) -> AsyncIterator[Page]:
    """A page that has loaded and was welcomed; an error that is not to `expect` fails the test."""
    context: BrowserContext = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(TAP)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    try:
        await page.goto(address)
        await page.get_by_text(welcome).wait_for()
        yield page
        assert [error for error in errors if not any(each in error for each in expect)] == []
    finally:
        await context.close()


async def until_state(page: Page, state: str) -> None:
    """Wait until the strip says that the desk is in this state."""
    await page.locator(f'.hl-state[data-state="{state}"]').wait_for()
