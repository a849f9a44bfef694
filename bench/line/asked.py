"""Asks a bench's server, in a process of its own, what it has seen."""

import asyncio
import json
from typing import Any


async def asked(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What it has seen since it was last asked: a line in, a line of JSON out."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()
    found: dict[str, Any] = json.loads(await process.stdout.readline())
    return found
