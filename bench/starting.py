"""How fast things start: `import helpline`, and the page after `helpline run`."""

import asyncio
import os
import socket
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.figures import Figure, median

RUNS = 7


async def measure() -> list[Figure]:
    imports = [await took_s(sys.executable, "-c", "import helpline") for _ in range(RUNS)]
    bare = [await took_s(sys.executable, "-c", "pass") for _ in range(RUNS)]
    await page_ready_s()  # The first start seeds the shop and warms the disk.
    pages = [await page_ready_s() for _ in range(3)]
    return [
        Figure("import helpline, p50 beyond Python's own start", 0.3, median(imports) - median(bare), "s"),
        Figure("page ready after helpline run on a warm install, p50", 6, median(pages), "s"),
    ]


async def took_s(*command: str) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0
    return time.perf_counter() - began


async def page_ready_s() -> float:
    """From the command to a page that says it is ready, in a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    helpline = Path(sys.executable).with_name("helpline")
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HELPLINE_BACKENDS": "engine", "HELPLINE_DATA_DIR": folder}
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            helpline, "run", "--port", str(port), cwd=folder, env=env, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            while not await asyncio.to_thread(answers, f"http://127.0.0.1:{port}/"):
                assert process.returncode is None, "helpline run ended"
                assert time.perf_counter() - began < 60, "helpline run does not answer"
                await asyncio.sleep(0.02)
            return time.perf_counter() - began
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False
