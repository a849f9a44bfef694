"""Listening in other processes: the same words, and a call outlives its worker."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator

import msgspec
import pytest

from helpline.engine.listening import Began, Ended, ListenSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.vad import VadSettings
from helpline.engine.voice import Synthesiser
from helpline.engine.worker import (
    Answer,
    Clear,
    Feed,
    Worker,
    read_frame,
    serve,
    write_frame,
)
from helpline.engine.workers import ListeningFailed, Workers
from tests.engine.talk import SHOP_TOOLS, talking


def sound(sentence: str) -> bytes:
    return bytes(48 * 300) + Synthesiser().speak(sentence) + bytes(48 * 900)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers(2)
    yield workers
    await asyncio.to_thread(workers.close)


async def test_a_worker_hears_what_is_said(workers: Workers) -> None:
    hearing = workers.hearing()
    await hearing.configure(ListenSettings())
    began, *_, ended = await hearing.feed(sound("thank you"))
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert ended.text == "thank you"
    assert await hearing.transcribe(Synthesiser().speak("thank you")) == "thank you"
    await hearing.clear()
    assert (await hearing.commit()).duration_ms == 0
    await hearing.close()


async def test_sessions_of_one_worker_are_apart() -> None:
    workers = Workers(1)
    one, other = workers.hearing(), workers.hearing()
    await one.configure(ListenSettings())
    await other.configure(ListenSettings(vad=VadSettings(silence_ms=400)))
    await one.feed(sound("thank you")[: 48 * 700])
    assert [type(event) for event in await other.feed(sound("hello"))][-1] is Ended
    assert (await one.commit()).duration_ms > 300
    await asyncio.to_thread(workers.close)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="finds the workers in /proc")
async def test_a_call_outlives_its_worker() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), workers=1))
    async with talking(engine) as talker:
        await talker.configure(tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "m"}}})
        await talker.speak("thank you")
        assert (await talker.reply()).transcript == "Thank you."
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        await talker.speak("hello")
        await talker.speak("thank you")
        assert (await talker.reply()).transcript in ("Hello.", "Thank you.")
    await asyncio.to_thread(engine.close)
    assert not children()


def children() -> list[int]:
    """This process's workers."""
    found = []
    for task in os.listdir(f"/proc/{os.getpid()}/task"):
        with open(f"/proc/{os.getpid()}/task/{task}/children") as listed:
            found += [int(pid) for pid in listed.read().split()]
    return found


def test_a_request_that_fails_is_told_without_words() -> None:
    source, sink = io.BytesIO(), io.BytesIO()
    for frame in (
        msgspec.msgpack.encode(Feed(1, b"\0" * 960)),
        b"no request",
        msgspec.msgpack.encode(Clear(1)),
    ):
        write_frame(source, frame)
    source.seek(0)
    serve(source, sink, Worker())
    sink.seek(0)
    answers = [msgspec.msgpack.decode(read_frame(sink), type=Answer) for _ in range(3)]
    assert [bool(answer.failure) for answer in answers] == [False, True, False]
    assert read_frame(sink) == b""


async def test_a_failure_of_the_ears_is_raised(workers: Workers) -> None:
    hearing = workers.hearing()
    await hearing.configure(ListenSettings(format="audio/none"))  # type: ignore[arg-type]
    with pytest.raises(ListeningFailed, match="ValidationError"):
        await hearing.feed(b"")
