"""A served desk with ten live calls, each of which goes on talking after the desk was told to stop."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from helpline.channels.web.app import serve
from helpline.desk import open_desk
from helpline.errors import DeskDraining
from helpline.simulate.text import TextChannel
from tests.records.desks import settings_in

CALLS = 10


def say(text):
    print(text, flush=True)


async def hold(desk, number, told):
    channel = TextChannel()
    call = await desk.admit(channel, kind="test", caller=desk.demo_customers[number % 8])
    channel.join(call)
    assert await channel.say("hello")
    say("live")
    await told.wait()
    for sentence in ("how much are the trail running shoes", "thank you"):
        assert await channel.say(sentence)
    call.hang_up("the customer hung up")
    await desk.gone(call)
    say("finished")


@asynccontextmanager
async def with_calls(settings):
    async with open_desk(settings) as desk:
        told = asyncio.Event()
        drain = desk.drain

        async def drain_and_tell(within_s):
            told.set()
            asyncio.get_running_loop().call_soon(lambda: try_to_call(desk))
            return await drain(within_s)

        desk.drain = drain_and_tell
        async with asyncio.TaskGroup() as calls:
            for number in range(CALLS):
                calls.create_task(hold(desk, number, told))
            yield desk


def try_to_call(desk):
    late = desk.admit(TextChannel(), kind="test")
    try:
        late.send(None)
    except DeskDraining:
        say("refused")


if __name__ == "__main__":
    asyncio.run(serve(settings_in(Path(sys.argv[1]), port=sys.argv[2]), with_calls))
