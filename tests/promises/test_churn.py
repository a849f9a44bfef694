"""Calls that start, drop, return and end at random: nothing of them is left. Counts, no clocks."""

import asyncio
import gc
import os
import random
from collections import Counter
from contextlib import asynccontextmanager

from helpline.call.call import Call
from helpline.call.driver import Driver
from helpline.call.state import Conversation
from helpline.channels.web.channel import WebChannel
from helpline.channels.web.visits import Visit, Visits
from helpline.clock import SystemClock
from helpline.realtime.websocket import WebSocketFrames
from helpline.records.recording import Recording
from tests.call.servers import on_a_socket
from tests.promises.model import Model
from tests.records.desks import desk_in

CALLS = 200
AT_ONCE = 12
OURS = (Call, Conversation, Driver, Recording, Visit, WebChannel, WebSocketFrames)


class PageOf:
    """A page that draws nothing and remembers what the call is doing."""

    def __init__(self, number: int) -> None:
        self.id = f"page_{number}"
        self.state = ""
        self.changed = asyncio.Event()

    async def put(self, step): ...
    async def clear(self): ...
    async def change(self, step_id, **changes): ...
    async def sound(self, track, pcm24k): ...
    async def silence(self): ...
    async def voice(self, on): ...

    async def tell(self, kind, **values):
        if kind == "state":
            self.state = values["state"]
            self.changed.set()

    async def until(self, *states):
        while self.state not in states:
            self.changed.clear()
            await self.changed.wait()


async def one(desk, visits, number, chance):
    """One customer: who types, who speaks, whose page drops or reloads, who hangs up or just goes."""
    page = PageOf(number)
    visit = visits.begin(page, browser=f"browser_{number}", language="en")
    call = await visit.call_at(desk)
    for turn in range(chance.randint(0, 3)):
        match chance.choice(("type", "speak", "drop", "reload", "reopen")):
            case "type":
                call.type(f"hello {turn}")
                await visit.channel.page.until("idle", "listening", "ended")
            case "speak":
                await call.start_voice()
                call.hear(b"\0\1" * 960)
                call.end_voice()
            case "drop":
                visits.away(visit)
                await visits.back(visit)
            case "reload":
                again = PageOf(number)
                again.id = f"{page.id}_{turn}"
                await visits.move(visit, again)
            case "reopen":
                call.hang_up("the customer hung up")
                await desk.gone(call)
                call = await visit.call_at(desk)
    match chance.choice(("leave", "hang up", "away")):
        case "leave":
            visits.end(visit, "The customer left.")
        case "hang up":
            call.hang_up("the customer hung up")
            await desk.gone(call)
            visits.end(visit, "The customer left.")
        case "away":
            visits.away(visit)
    await desk.gone(call)


def left():
    """What there is: our objects by kind, tasks, open files and sockets."""
    gc.collect()
    kinds = Counter(type(each).__name__ for each in gc.get_objects() if issubclass(type(each), OURS))
    return kinds, len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))


async def churn(desk, visits, numbers, seed):
    turns = asyncio.Semaphore(AT_ONCE)

    async def soon(number):
        async with turns:
            await one(desk, visits, number, random.Random(seed + number))

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(soon(number))


@asynccontextmanager
async def upstream():
    """A model on a real socket, for as many sessions as are asked for."""
    model = Model()
    async with on_a_socket(*[model._session] * 5 * CALLS) as backend:
        yield backend


async def test_nothing_is_left_of_two_hundred_calls(tmp_path):
    async with upstream() as backend, desk_in(tmp_path, backends=[backend]) as desk:
        visits = Visits(desk, desk.settings, SystemClock(), grace_s=0.01, sign_in=None, providers={})
        await churn(desk, visits, range(2 * AT_ONCE), seed=1)
        before = left()
        await churn(desk, visits, range(100, 100 + CALLS), seed=7)
        kinds, tasks, files = left()
        assert kinds - before[0] == Counter()  # what other tests left is not these calls'
        assert tasks <= before[1]
        assert files <= before[2]
        assert (len(desk.calls), len(visits)) == (0, 0)
        assert list((tmp_path / "live").iterdir()) == []
