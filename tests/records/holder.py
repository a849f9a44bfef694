"""A desk that holds one customer's call, says what it is told to, and waits to be ended by a signal."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from helpline.actions import GUEST
from helpline.simulate.text import TextChannel
from tests.records.desks import desk_in


async def main(folder: Path, number: int, sentences: list[str]) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with desk_in(folder) as desk:
        channel = TextChannel()
        caller = GUEST if number < 0 else desk.demo_customers[number]
        call = await desk.admit(channel, kind="web", caller=caller, holder="browser")
        channel.join(call)
        for sentence in sentences:
            assert await channel.say(sentence)
        print("said", flush=True)
        await told.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])))
