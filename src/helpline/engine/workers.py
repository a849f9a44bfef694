"""Listening in processes of its own: a recogniser keeps the interpreter's lock, and would stall other calls.

Sessions are spread over the workers; each worker answers one request after the other over its pipes. A
worker that dies is started anew, and its sessions lose the utterance in progress, not the call. One that
keeps dying, or cannot load its ears, is started `MOST_STARTS` times in a row and then left alone for a while:
its sessions are told that they are not heard.
"""

import asyncio
import itertools
import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import msgspec

from helpline.engine.listening import Committed, Listened, ListeningFailed, ListenSettings, pieces_of
from helpline.engine.worker import (
    Answer,
    Clear,
    Close,
    Commit,
    Configure,
    Feed,
    Request,
    Transcribe,
    read_frame,
    write_frame,
)
from helpline.errors import LocalError

MOST_STARTS = 3
"""In a row: a worker that dies within `STEADY_S` counts as one that did not start."""
STEADY_S = 60.0
REST_S = 30.0
"""How long a worker that does not start is left alone; then it is tried once more."""
LOADED_WITHIN_S = 120.0
FETCHED_WITHIN_S = 1800.0
"""For ears that may have to be fetched first."""
ANSWERED_WITHIN_S = 30.0
"""A worker that takes longer over one request is stuck: it is ended, and another started."""
SLOWLY_ANSWERED_WITHIN_S = 300.0
"""For ears that hear a whole utterance at once, with any model on any machine."""
_ENDS_WITHIN_S = 5
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
"""numpy's sums are small here: more threads would wait for each other, on the other workers' cores."""

_log = logging.getLogger(__name__)


class WorkerDied(LocalError):
    """A worker process ended; it is being started anew."""


class WorkerStuck(ListeningFailed):
    """A worker process did not answer, and was ended; it is being started anew."""


@dataclass(slots=True)
class Restarts:
    """Whether a worker that ended is started again; times are seconds of any clock."""

    failures: int = 0
    began: float = 0.0
    rests_until: float = 0.0

    def may_start(self, now: float) -> bool:
        """Whether to start one now."""
        return now >= self.rests_until

    def ended(self, now: float, *, for_good: bool = False) -> None:
        """It ended by itself; `for_good`: it said why, and would say so again."""
        self.failures = self.failures + 1 if now - self.began < STEADY_S else 1
        if self.failures >= MOST_STARTS or for_good:
            self.rests_until = now + REST_S


class _Process:
    """One worker process and the thread that talks to it: what asks or starts is called on that thread."""

    def __init__(
        self, command: Sequence[str], load_s: float, answer_s: float, clock: Callable[[], float]
    ) -> None:
        self.sessions = 0
        """How many it was given to listen to."""
        self.answer_s = answer_s
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="engine-worker")
        self._command = command
        self._load_s = load_s
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = msgspec.msgpack.Decoder(Answer)
        self._restarts = Restarts()
        self._why = "The engine cannot hear: its ears keep ending."
        self._sessions: set[int] = set()
        """The sessions that the running process knows."""
        self._asked_at: float | None = None
        self._stuck = False

    def start(self) -> None:
        """Have it running, its ears loaded; raises ListeningFailed when it does not start."""
        if self._process is not None and self._process.poll() is None:
            return
        while self._restarts.may_start(self._clock()):
            if self._load():
                return
        raise ListeningFailed(self._why)

    def ask(self, number: int, settings: ListenSettings, request: Request) -> Answer:
        """The answer to one session; raises WorkerDied, and ListeningFailed when it hears nothing."""
        if number not in self._sessions and isinstance(request, Configure | Close):
            return Answer()  # in time: with its first sound
        self.start()
        if number not in self._sessions:
            self._exchange(Configure(number, settings), number)
            self._sessions.add(number)
        return self._exchange(request, number)

    def end_if_stuck(self) -> None:
        """End it when it has not answered for `answer_s`. Called on any thread."""
        asked_at, process = self._asked_at, self._process
        if asked_at is not None and process is not None and self._clock() - asked_at >= self.answer_s:
            self._stuck = True
            process.kill()

    def close(self) -> None:
        """End it."""
        self.thread.shutdown(wait=True, cancel_futures=True)
        if self._process is not None:
            _end(self._process)

    def _load(self) -> bool:
        """Start one; whether it has its ears."""
        self._restarts.began = self._clock()
        self._sessions.clear()
        self._process = process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ALONE | os.environ,
            start_new_session=True,  # ctrl-C in a terminal is for this process, which ends its workers
        )
        weakref.finalize(self, _end, process)
        late = threading.Timer(self._load_s, process.kill)
        late.start()
        try:
            loaded = self._read()
        except WorkerDied:
            self._why = "The engine cannot hear: its ears end while they are loaded."
            _log.warning(self._why)
            return False
        finally:
            late.cancel()
        if loaded.failure:
            self._why = loaded.failure
            _log.warning("The engine cannot hear: %s", loaded.failure)
            self._restarts.ended(self._clock(), for_good=True)
            _end(process)
            return False
        return True

    def _exchange(self, request: Request, number: int) -> Answer:
        if self._process is None or self._process.stdin is None:
            raise WorkerDied
        self._asked_at = self._clock()
        try:
            answer = self._answer_to(request, self._process.stdin)
        except WorkerDied as died:
            if self._stuck:
                self._stuck = False
                raise WorkerStuck(
                    f"The engine's ears did not answer within {self.answer_s:.0f} s: they are started anew."
                ) from died
            raise
        finally:
            self._asked_at = None
        if answer.failure:
            self._sessions.discard(number)
            raise ListeningFailed(answer.failure)
        return answer

    def _answer_to(self, request: Request, line: IO[bytes]) -> Answer:
        try:
            write_frame(line, msgspec.msgpack.encode(request))
        except OSError as broken:
            self._died()
            raise WorkerDied from broken
        return self._read()

    def _read(self) -> Answer:
        stream = self._process.stdout if self._process is not None else None
        try:
            frame = read_frame(stream) if stream is not None else b""
        except OSError:
            frame = b""
        if not frame:
            self._died()
            raise WorkerDied
        return self._answers.decode(frame)

    def _died(self) -> None:
        if self._process is not None:
            _end(self._process)
        self._restarts.ended(self._clock())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """A worker ends by itself when its line is closed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            with suppress(OSError):  # what was still to be written is for nobody
                stream.close()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Workers:
    """A pool of listening processes, each started when its first session is heard.

    `command` is how a worker is started; by default this package's own, with the ears that are named.
    """

    def __init__(
        self,
        count: int,
        ears: str = "pocketsphinx",
        *,
        command: Sequence[str] | None = None,
        load_s: float | None = None,
        answer_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        command = command or (sys.executable, "-m", "helpline.engine.worker", ears)
        if load_s is None:
            load_s = FETCHED_WITHIN_S if ears.startswith("faster-whisper") else LOADED_WITHIN_S
        if answer_s is None:
            slow = ears.startswith("faster-whisper")
            answer_s = SLOWLY_ANSWERED_WITHIN_S if slow else ANSWERED_WITHIN_S
        self._processes = [_Process(command, load_s, answer_s, clock) for _ in range(max(count, 1))]
        self._numbers = itertools.count()

    def start(self) -> None:
        """Have the first worker load its ears before a call comes (a second or so, a large model longer)."""
        self._processes[0].thread.submit(self._processes[0].start)

    def check(self) -> None:
        """Start the first worker and wait for it; raises ListeningFailed with what is wrong."""
        self._processes[0].thread.submit(self._processes[0].start).result()

    def hearing(self) -> "WorkerHearing":
        """Ears for one more session, with the worker that listens to the fewest."""
        process = min(self._processes, key=lambda one: one.sessions)
        process.sessions += 1
        return WorkerHearing(process, next(self._numbers))

    def close(self) -> None:
        """End the processes; no session may be running."""
        for process in self._processes:
            process.close()


class WorkerHearing:
    """A listener in another process, which is asked for nothing before there is something to hear."""

    def __init__(self, process: _Process, number: int) -> None:
        self._process = process
        self._number = number
        self._settings = ListenSettings()
        self._open = True

    async def configure(self, settings: ListenSettings) -> None:
        self._settings = settings
        await self._ask(Configure(self._number, settings))

    async def feed(self, audio: bytes) -> list[Listened]:
        return (await self._ask(Feed(self._number, audio))).listened

    async def commit(self) -> Committed:
        return (await self._ask(Commit(self._number))).committed or Committed(0, "", 0)

    async def clear(self) -> None:
        await self._ask(Clear(self._number))

    async def transcribe(self, pcm24k: bytes) -> str:
        words = ""
        for piece in pieces_of(pcm24k):
            words = (await self._ask(Transcribe(self._number, piece))).text
        return words

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._process.sessions -= 1
        with suppress(ListeningFailed):
            await self._ask(Close(self._number))

    async def _ask(self, request: Request) -> Answer:
        loop, process = asyncio.get_running_loop(), self._process
        asked = loop.run_in_executor(process.thread, process.ask, self._number, self._settings, request)
        try:
            while not (await asyncio.wait((asked,), timeout=process.answer_s / 2))[0]:
                process.end_if_stuck()
            return await asked
        except WorkerDied:
            _log.warning("A listening process ended; another is started.")
            return Answer()
