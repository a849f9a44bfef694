"""What can be sent at once is, and never past what was there before it."""

import asyncio

from helpline.call.outbox import Outbox
from helpline.realtime.events import ClientEvent, InputAppend, InputClear, ResponseCreate


class Line:
    """A line that takes what it is given while it is free."""

    def __init__(self, outbox: Outbox) -> None:
        self.free = True
        self.took: list[ClientEvent] = []
        outbox.send_now = self.send_now

    def send_now(self, event: ClientEvent) -> bool:
        if self.free:
            self.took.append(event)
        return self.free


async def waiting(outbox: Outbox) -> "asyncio.Task[ClientEvent]":
    """A writer that waits for the next event."""
    writer = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    return writer


async def test_it_goes_at_once_while_the_writer_waits() -> None:
    outbox = Outbox()
    line = Line(outbox)
    outbox.open_audio(True)
    writer = await waiting(outbox)
    outbox.put_audio(b"\1\0")
    outbox.put(InputClear())
    assert line.took == [InputAppend(audio=b"\1\0"), InputClear()]
    assert not writer.done()
    writer.cancel()


async def test_it_queues_while_the_writer_is_busy_with_what_came_before() -> None:
    outbox = Outbox()
    line = Line(outbox)
    outbox.put(InputClear())
    outbox.put(ResponseCreate())
    assert await outbox.get() == InputClear()
    outbox.put(InputClear())  # the writer may still be sending
    assert line.took == []
    assert [await outbox.get(), await outbox.get()] == [ResponseCreate(), InputClear()]


async def test_a_line_that_is_not_free_gets_it_in_order_from_the_writer() -> None:
    outbox = Outbox()
    line = Line(outbox)
    outbox.open_audio(True)
    writer = await waiting(outbox)
    line.free = False
    outbox.put_audio(b"\1\0")
    line.free = True
    outbox.put_audio(b"\2\0")
    assert line.took == []
    assert [await writer, await outbox.get()] == [InputAppend(audio=b"\1\0"), InputAppend(audio=b"\2\0")]


async def test_what_was_sent_at_once_can_be_heard_again_by_the_next_session() -> None:
    outbox = Outbox()
    Line(outbox)
    outbox.open_audio(True)
    writer = await waiting(outbox)
    outbox.put_audio(bytes(1920))
    assert outbox.captured_ms == 40
    writer.cancel()
    outbox.send_now = None
    outbox.rehear(40)
    assert await outbox.get() == InputAppend(audio=bytes(1920))
