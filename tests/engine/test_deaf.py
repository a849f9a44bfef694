"""A desk whose engine cannot hear: the next backend answers; with no other it says so, and one can type."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from helpline.call import effects as fx
from helpline.call.driver import Driver
from helpline.engine.backend import EngineBackend
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.voice import Synthesiser
from helpline.engine.workers import MOST_STARTS, Workers
from helpline.realtime.connection import Backend
from helpline.realtime.events import SessionSettings, Transcription
from tests.call.test_driver import Host


class Listening(Host):
    """Wants to know what was said."""

    def session(self, backend: Backend) -> SessionSettings:
        return SessionSettings(instructions="Be brief.", transcription=Transcription())


KILLED = "open({0!r}, 'a').write('x'); import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@asynccontextmanager
async def deaf_engine(starts: Path) -> AsyncIterator[EngineBackend]:
    """An engine whose listening process is killed while it loads, each time."""
    workers = Workers(1, command=[sys.executable, "-c", KILLED.format(str(starts))])
    engine = Engine(EngineOptions(pace=Pace(times=0)), make_hearing=workers.hearing)
    backend = EngineBackend(engine=engine)
    try:
        yield backend
    finally:
        await backend.aclose()
        await asyncio.to_thread(workers.close)


@asynccontextmanager
async def call_on(host: Host, *backends: EngineBackend) -> AsyncIterator[Driver]:
    """A call with the microphone open; somebody says where their order is, again and again."""
    driver = Driver(host, backends)
    running = asyncio.create_task(driver.run())
    speech = bytes(48 * 400) + Synthesiser().speak("thank you") + bytes(48 * 1500)

    async def talk() -> None:
        while True:
            for at in range(0, len(speech), 48 * 40):
                driver.hear(speech[at : at + 48 * 40])
                await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk())
    driver.post(fx.VoiceStarted())
    try:
        yield driver
    finally:
        talking.cancel()
        driver.post(fx.HungUp("the test is over"))
        await running


async def test_the_next_backend_answers_what_this_one_cannot_hear(tmp_path: Path) -> None:
    host, hearing = Listening(), EngineBackend()
    async with deaf_engine(tmp_path / "starts") as deaf, call_on(host, deaf, hearing) as driver:
        assert await asyncio.wait_for(
            driver.until(
                lambda c: any(line.speaker == "customer" and line.final for line in c.transcript.lines)
            ),
            60,
        )
    await hearing.aclose()
    assert len((tmp_path / "starts").read_text()) == MOST_STARTS


async def test_with_no_other_the_customer_is_told_and_can_type(tmp_path: Path) -> None:
    host = Host()
    async with deaf_engine(tmp_path / "starts") as deaf, call_on(host, deaf) as driver:
        assert await asyncio.wait_for(driver.until(lambda c: not c.voice and bool(host.notices())), 60)
        assert "cannot hear" in host.notices()[-1]
        driver.post(fx.Typed("thank you"))
        assert await asyncio.wait_for(
            driver.until(lambda c: any(line.speaker == "desk" and line.final for line in c.transcript.lines)),
            60,
        )
