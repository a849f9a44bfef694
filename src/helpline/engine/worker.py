"""The other side of `workers.py`: a process that listens for many sessions, one request after the other.

Run as `python -m helpline.engine.worker EARS`. Its first answer says whether the ears are loaded; it ends
when its parent closes the line.
"""

import os
import struct
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

import msgspec

from helpline.engine.ears import MakeEars, load_ahead, load_ears
from helpline.engine.listening import Committed, Listened, Listener, ListenSettings, Piece, failure_of
from helpline.engine.vad import VoiceDetector
from helpline.errors import MissingPartError

_MOST_WAITING = 3
"""So many requests of each session wait when the process has fallen behind: frames come every 20 ms."""


class Configure(msgspec.Struct, frozen=True, tag=True):
    session: int
    settings: ListenSettings


class Feed(msgspec.Struct, frozen=True, tag=True):
    session: int
    audio: bytes


class Commit(msgspec.Struct, frozen=True, tag=True):
    session: int


class Clear(msgspec.Struct, frozen=True, tag=True):
    session: int


class Transcribe(msgspec.Struct, frozen=True, tag=True):
    session: int
    piece: Piece


class Close(msgspec.Struct, frozen=True, tag=True):
    session: int


Request = Configure | Feed | Commit | Clear | Transcribe | Close


class Answer(msgspec.Struct, frozen=True):
    """What came of a request; one field at most is set."""

    listened: list[Listened] = []
    committed: Committed | None = None
    text: str = ""
    failure: str = ""
    """What went wrong, as `failure_of` says it."""


def write_frame(stream: IO[bytes], frame: bytes) -> None:
    """A frame with its length before it."""
    stream.write(struct.pack("<I", len(frame)) + frame)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes:
    """The next frame; empty at the end of the line."""
    head = stream.read(4)
    if len(head) < 4:
        return b""
    (length,) = struct.unpack("<I", head)
    return stream.read(length)


class Worker:
    """The listeners of this process."""

    def __init__(self, make_ears: MakeEars) -> None:
        self._make_ears = make_ears
        self._listeners: dict[int, Listener] = {}
        self._failures: dict[int, Exception] = {}
        """What failed while nobody asked."""

    def answer(self, request: Request, waiting: int = 0) -> Answer:
        """Do one thing for one session, which begins anew after a failure; `waiting`: requests behind it."""
        try:
            if failure := self._failures.pop(request.session, None):
                raise failure
            return self._perform(request, waiting)
        except Exception:
            self._drop(request.session)
            raise

    def think(self) -> bool:
        """Work ahead a little, for who needs it first; False: there is nothing to do.

        Who pauses is about to be answered: what none can do without, of all of them, then the rest of it, who
        paused first before the others. Those who speak take turns.
        """
        for session in sorted(self._listeners, key=lambda one: self._listeners[one].rank):
            listener = self._listeners[session]
            in_turn = not listener.paused
            try:
                worked = listener.think()
            except Exception as failure:  # noqa: BLE001 - the edge: the session's next request says it
                self._drop(session)
                self._failures[session] = failure
                return True
            if worked:
                if in_turn:
                    self._last(session)
                return True
        return False

    def _perform(self, request: Request, waiting: int) -> Answer:
        if isinstance(request, Close):
            self._drop(request.session)
            return Answer()
        listener = self._listeners.get(request.session)
        if listener is None:
            listener = Listener(self._make_ears(), VoiceDetector())
            self._listeners[request.session] = listener
        match request:
            case Configure(settings=settings):
                listener.configure(settings)
            case Feed(audio=audio):
                return Answer(listened=self._feed(request.session, listener, audio, waiting))
            case Commit():
                return Answer(committed=listener.commit())
            case Clear():
                listener.clear()
            case Transcribe(piece=piece):
                return Answer(text=listener.transcribe(piece))
        return Answer()

    def _feed(self, session: int, listener: Listener, audio: bytes, waiting: int) -> list[Listened]:
        others_wait = any(other.paused for other in self._listeners.values() if other is not listener)
        behind = listener.rank == 0 or waiting > _MOST_WAITING * len(self._listeners)
        spoke = not listener.paused
        listened = listener.feed(audio, hurried=others_wait or behind)
        if spoke and listener.paused:
            self._last(session)
        return listened

    def _drop(self, session: int) -> None:
        """Forget its listener; what it borrowed for an utterance in progress is given back."""
        if listener := self._listeners.pop(session, None):
            with suppress(Exception):  # it failed before, maybe
                listener.clear()

    def _last(self, session: int) -> None:
        """Its turn is after all the others'."""
        self._listeners[session] = self._listeners.pop(session)


def serve(source: IO[bytes], sink: IO[bytes], worker: Worker) -> None:
    """Answer until the line ends; think ahead while nobody asks."""
    requests = msgspec.msgpack.Decoder(Request)
    frames: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read_all, args=(source, frames), daemon=True).start()
    while frame := _next(frames, worker):
        try:
            answer = worker.answer(requests.decode(frame), frames.qsize())
        except Exception as failure:  # noqa: BLE001 - the edge: told to the session that asked
            answer = Answer(failure=failure_of(failure))
        write_frame(sink, msgspec.msgpack.encode(answer))


def _next(frames: "SimpleQueue[bytes]", worker: Worker) -> bytes:
    while frames.empty():
        if not worker.think():
            break
    return frames.get()


def _read_all(source: IO[bytes], frames: "SimpleQueue[bytes]") -> None:
    """Every frame; an empty one at the end of the line."""
    while frame := read_frame(source):
        frames.put(frame)
    frames.put(b"")


def main(ears: str) -> None:
    """Load the ears, say so, listen."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        worker = Worker(load_ears(ears))
        VoiceDetector()
    except Exception as failure:  # noqa: BLE001 - the edge: told to the process that waits
        write_frame(sink, msgspec.msgpack.encode(Answer(failure=failure_of(failure))))
        return
    write_frame(sink, msgspec.msgpack.encode(Answer()))
    with suppress(MissingPartError):  # told to each session that asks
        load_ahead(ears)
    serve(sys.stdin.buffer, sink, worker)


if __name__ == "__main__":
    main(sys.argv[1])
