"""Listening in other processes: the same words, and a call outlives its worker."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from helpline.engine.ears import Ears, load_ears
from helpline.engine.lexicon import Expected
from helpline.engine.listening import Began, Ended, Hearing, ListeningFailed, ListenSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.vad import VadSettings
from helpline.engine.voice import Synthesiser
from helpline.engine.worker import (
    Answer,
    Clear,
    Close,
    Feed,
    Worker,
    read_frame,
    serve,
    write_frame,
)
from helpline.engine.workers import MOST_STARTS, REST_S, STEADY_S, Restarts, Workers
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
    serve(source, sink, Worker(load_ears("pocketsphinx")))
    sink.seek(0)
    answers = [msgspec.msgpack.decode(read_frame(sink), type=Answer) for _ in range(3)]
    assert [bool(answer.failure) for answer in answers] == [False, True, False]
    assert read_frame(sink) == b""


class Noting:
    """Ears that note in whose turn they thought; each utterance is two turns' work, one of it needed."""

    def __init__(self, name: str, turns: list[str]) -> None:
        self._name = name
        self._turns = turns
        self._left = 0

    def behind(self) -> bool:
        return self._left == 2

    def expect(self, expected: Expected) -> None: ...

    def know_references(self, own: tuple[str, ...], *, asked: bool) -> None: ...

    def begin(self) -> None:
        self._left = 2

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        return ""

    def settle(self) -> None: ...

    def think(self) -> bool:
        if not self._left:
            return False
        self._left -= 1
        self._turns.append(self._name)
        return True

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        return ()

    def references(self) -> tuple[str, ...]:
        return ()

    def cancel(self) -> None: ...


def test_all_who_pause_think_of_what_they_need_then_who_paused_first_and_who_speaks_last() -> None:
    turns: list[str] = []
    names = iter(("speaks", "pauses later", "pauses first"))
    worker = Worker(lambda: Noting(next(names), turns))
    speech = bytes(48 * 300) + Synthesiser().speak("where is my order")[: 48 * 600]
    speaks, later, first = 0, 1, 2
    for session, sound in (
        (speaks, speech),
        (later, speech),
        (first, speech),
        (first, PAUSE),
        (later, PAUSE),
    ):
        worker.answer(Feed(session, sound))
    while worker.think():
        pass
    assert turns == ["pauses first", "pauses later"] * 2 + ["speaks"] * 2


class Hasty(Ears):
    """Ears that tell whether they were hurried, and what they gave back."""

    def __init__(self) -> None:
        self.hurried: list[bool] = []
        self.cancelled = 0

    def begin(self) -> None: ...

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        return ""

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        self.hurried.append(hurried)
        return ("hello",)

    def cancel(self) -> None:
        self.cancelled += 1


def test_a_process_that_has_fallen_behind_hurries() -> None:
    ears = Hasty()
    worker = Worker(lambda: ears)
    said = bytes(48 * 300) + Synthesiser().speak("where is my order") + bytes(48 * 900)
    for waiting in (0, 3, 4):
        worker.answer(Feed(0, said), waiting)
    assert ears.hurried == [False, False, True]


def test_a_session_that_closes_in_mid_speech_gives_back_what_it_borrowed() -> None:
    ears = Hasty()
    worker = Worker(lambda: ears)
    worker.answer(Feed(0, bytes(48 * 300) + Synthesiser().speak("where is my order")[: 48 * 600]))
    worker.answer(Close(0))
    assert ears.cancelled == 1


PAUSE = bytes(48 * 300)
"""Long enough to be one, and too short to be the end."""


async def test_a_failure_of_the_ears_is_raised(workers: Workers) -> None:
    hearing = workers.hearing()
    await hearing.configure(ListenSettings(format="audio/none"))  # type: ignore[arg-type]
    with pytest.raises(ListeningFailed, match="ValidationError"):
        await hearing.feed(b"")


DIES = "import os; os._exit(3)"
DIES_WHEN_FED = """
import sys, os
from helpline.engine.worker import Answer, read_frame, write_frame
import msgspec
answer = msgspec.msgpack.encode(Answer())
write_frame(sys.stdout.buffer, answer)
read_frame(sys.stdin.buffer)
write_frame(sys.stdout.buffer, answer)
read_frame(sys.stdin.buffer)
os._exit(3)
"""
STICKS_WHEN_FED_TWICE = """
import sys, time
from helpline.engine.worker import Answer, read_frame, write_frame
import msgspec
answer = msgspec.msgpack.encode(Answer())
for _ in range(3):
    write_frame(sys.stdout.buffer, answer)
    read_frame(sys.stdin.buffer)
sys.stdin.buffer.read()
"""
HANGS = "import sys; sys.stdin.buffer.read()"


def counted(code: str, starts: Path) -> list[str]:
    """A worker's command that leaves a mark each time it is run."""
    return [sys.executable, "-c", f"open({str(starts)!r}, 'a').write('x')\n{code}"]


async def fed_often(hearing: Hearing) -> None:
    for _ in range(20):
        await hearing.feed(bytes(960))


def starts_of(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


@pytest.mark.parametrize("code", [DIES, DIES_WHEN_FED])
async def test_a_worker_that_keeps_dying_is_started_a_few_times_and_the_call_is_told(
    tmp_path: Path, code: str
) -> None:
    now = [1000.0]
    workers = Workers(1, command=counted(code, tmp_path / "starts"), clock=lambda: now[0])
    hearing = workers.hearing()
    await hearing.configure(ListenSettings())
    assert starts_of(tmp_path / "starts") == 0
    with pytest.raises(ListeningFailed, match="cannot hear"):
        await fed_often(hearing)
    assert starts_of(tmp_path / "starts") == MOST_STARTS
    with pytest.raises(ListeningFailed):
        await hearing.feed(bytes(960))
    assert starts_of(tmp_path / "starts") == MOST_STARTS
    now[0] += REST_S
    with pytest.raises(ListeningFailed):
        await fed_often(hearing)
    assert starts_of(tmp_path / "starts") == MOST_STARTS + 1
    await hearing.close()
    await asyncio.to_thread(workers.close)


async def test_a_worker_that_hangs_while_it_loads_is_ended(tmp_path: Path) -> None:
    workers = Workers(1, command=counted(HANGS, tmp_path / "starts"), load_s=0.3)
    with pytest.raises(ListeningFailed, match="end while they are loaded"):
        await workers.hearing().feed(bytes(960))
    assert starts_of(tmp_path / "starts") == MOST_STARTS
    await asyncio.to_thread(workers.close)


async def test_a_worker_that_is_stuck_is_replaced_and_the_call_is_told(tmp_path: Path) -> None:
    workers = Workers(1, command=counted(STICKS_WHEN_FED_TWICE, tmp_path / "starts"), answer_s=0.5)
    stuck, other = workers.hearing(), workers.hearing()
    assert await stuck.feed(bytes(960)) == []
    waits = [asyncio.create_task(one.feed(bytes(960))) for one in (stuck, other)]
    with pytest.raises(ListeningFailed, match="did not answer within"):
        await waits[0]
    assert await waits[1] == []
    assert starts_of(tmp_path / "starts") == 2
    await asyncio.to_thread(workers.close)


async def test_a_session_is_given_to_the_worker_that_has_the_fewest(tmp_path: Path) -> None:
    workers = Workers(2, command=counted(DIES_WHEN_FED, tmp_path / "starts"))
    first, *others = (workers.hearing() for _ in range(4))
    await others[0].close()
    await others[2].close()
    assert await workers.hearing().feed(bytes(960)) == []
    assert await first.feed(bytes(960)) == []
    assert starts_of(tmp_path / "starts") == 2
    await asyncio.to_thread(workers.close)


async def test_ears_that_cannot_be_loaded_say_why_and_are_not_tried_again_at_once(tmp_path: Path) -> None:
    workers = Workers(1, f"faster-whisper:{tmp_path}/none", clock=lambda: 1.0)
    for _ in range(2):
        with pytest.raises(ListeningFailed, match="there is no folder"):
            await workers.hearing().feed(bytes(960))
    with pytest.raises(ListeningFailed, match="HELPLINE_ENGINE_EARS"):
        await asyncio.to_thread(workers.check)
    await asyncio.to_thread(workers.close)


def test_a_worker_that_died_long_after_it_began_is_started_again() -> None:
    restarts = Restarts()
    for life in range(10):
        restarts.began = life * 1000.0
        restarts.ended(life * 1000.0 + STEADY_S)
        assert restarts.may_start(life * 1000.0 + STEADY_S)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="finds the workers in /proc")
async def test_another_session_of_a_worker_that_died_keeps_its_settings() -> None:
    workers = Workers(1)
    one, other = workers.hearing(), workers.hearing()
    await one.configure(ListenSettings())
    await other.configure(ListenSettings(format="audio/pcmu"))
    await one.feed(bytes(960))
    await other.feed(bytes(160))
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    assert await one.feed(bytes(960)) == []
    await other.feed(b"\xff" * 8 * 400)
    assert 250 < (await other.commit()).duration_ms <= 400
    await asyncio.to_thread(workers.close)


async def test_a_session_that_is_not_heard_is_told_once_and_answers_what_is_typed(tmp_path: Path) -> None:
    workers = Workers(1, command=counted(DIES, tmp_path / "starts"))
    engine = Engine(EngineOptions(pace=Pace(times=0)), make_hearing=workers.hearing)
    async with talking(engine) as talker:
        await talker.configure(tools=SHOP_TOOLS)
        await talker.speak("hello")
        await talker.type("hello")
        reply = await talker.reply()
        assert reply.text
        told = [event["error"] for event in talker.events if event["type"] == "error"]
        assert [(error["code"], error["type"]) for error in told] == [("ears_unavailable", "server_error")]
    assert starts_of(tmp_path / "starts") == MOST_STARTS
    await asyncio.to_thread(workers.close)
