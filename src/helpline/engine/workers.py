"""Listening in processes of its own: a recogniser keeps the interpreter's lock, and would stall other calls.

Sessions are spread over the workers; each worker answers one request after the other over its pipes. A worker
that dies is started anew, and its sessions lose the utterance in progress, not the call.
"""

import asyncio
import itertools
import logging
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import msgspec

from helpline.engine.listening import Committed, Listened, ListenSettings
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

_COMMAND = (sys.executable, "-m", "helpline.engine.worker")
_ENDS_WITHIN_S = 5

_log = logging.getLogger(__name__)


class ListeningFailed(LocalError):
    """The engine's ears failed."""


class WorkerDied(LocalError):
    """A worker process ended; it is being started anew."""


class _Process:
    """One worker process and the thread that talks to it."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="engine-worker")
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = msgspec.msgpack.Decoder(Answer)

    def start(self) -> subprocess.Popen[bytes]:
        """The running process; called on its thread."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            weakref.finalize(self, _end, self._process)
        return self._process

    def ask(self, request: Request) -> Answer:
        """The answer; raises WorkerDied. Called on its thread."""
        process = self.start()
        if process.stdin is None or process.stdout is None:
            raise WorkerDied
        try:
            write_frame(process.stdin, msgspec.msgpack.encode(request))
            frame = read_frame(process.stdout)
        except OSError as broken:
            raise WorkerDied from broken
        if not frame:
            process.wait(_ENDS_WITHIN_S)
            raise WorkerDied
        return self._answers.decode(frame)

    def close(self) -> None:
        self.thread.shutdown(wait=True, cancel_futures=True)
        if self._process is not None:
            _end(self._process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """A worker ends by itself when its line is closed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            stream.close()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Workers:
    """A pool of listening processes, each started when its first session comes."""

    def __init__(self, count: int) -> None:
        self._processes = [_Process() for _ in range(max(count, 1))]
        self._numbers = itertools.count()

    def start(self) -> None:
        """Have the first worker running before a call comes (a second or so)."""
        self._processes[0].thread.submit(self._processes[0].start)

    def hearing(self) -> "WorkerHearing":
        """Ears for one more session."""
        number = next(self._numbers)
        return WorkerHearing(self._processes[number % len(self._processes)], number)

    def close(self) -> None:
        """End the processes; no session may be running."""
        for process in self._processes:
            process.close()


class WorkerHearing:
    """A listener in another process, which is asked for nothing before there is something to hear."""

    def __init__(self, process: _Process, number: int) -> None:
        self._process = process
        self._number = number
        self._settings: ListenSettings | None = None
        self._configured = False

    async def configure(self, settings: ListenSettings) -> None:
        self._settings = settings
        if self._configured:
            await self._ask(Configure(self._number, settings))

    async def feed(self, audio: bytes) -> list[Listened]:
        return (await self._ask(Feed(self._number, audio))).listened

    async def commit(self) -> Committed:
        return (await self._ask(Commit(self._number))).committed or Committed(0, "", 0)

    async def clear(self) -> None:
        await self._ask(Clear(self._number))

    async def transcribe(self, pcm24k: bytes) -> str:
        return (await self._ask(Transcribe(self._number, pcm24k))).text

    async def close(self) -> None:
        if self._configured:
            await self._ask(Close(self._number))

    async def _ask(self, request: Request) -> Answer:
        try:
            if not self._configured and self._settings is not None:
                self._configured = True
                await self._put(Configure(self._number, self._settings))
            return await self._put(request)
        except WorkerDied:
            _log.warning("A listening process ended; another is started.")
            self._configured = False
            return Answer()

    async def _put(self, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._process.thread, self._process.ask, request)
        if answer.failure:
            raise ListeningFailed(f"The engine's ears failed: {answer.failure}.")
        return answer
