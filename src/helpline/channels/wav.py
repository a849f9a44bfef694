"""A telephone made of sound files: the customer's end of `helpline call`, of spoken tests and of benches.

Both directions run on one real-time clock, 40 ms at a time, as at a page: the microphone gives speech, then
silence; the speaker takes what was queued, and tells the call how much of each track has sounded.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

import numpy as np

from helpline.actions import GUEST, Caller
from helpline.audio.pcm import BYTES_PER_MS, samples
from helpline.call.call import Call
from helpline.call.shown import CallState, Caption, Shown, StateShown
from helpline.channels.document import CallDocument
from helpline.clock import Clock, SystemClock
from helpline.desk import Desk

FRAME_MS: Final = 40
REPORT_MS: Final = 120
"""How often the speaker reports what has sounded."""
AUDIBLE: Final = 300
"""A sample beyond this is sound that a person hears; a synthesiser's pauses stay far below."""
BREATH_MS: Final = 400
"""Nobody speaks in the instant in which the line opens; ears that have heard no silence yet mishear."""
AT_REST: Final[frozenset[CallState]] = frozenset({"listening", "idle", "ended"})
QUIET_MS: Final = 400
"""At rest for so long: the turn is over, not just between a tool and its answer."""


class Line(Protocol):
    """What the telephone needs of a call."""

    def hear(self, pcm24k: bytes) -> None: ...

    def push(self, down: bool) -> None:
        """Says nothing without push to talk."""

    def played(self, track: str, played_ms: int) -> None: ...


class Microphone:
    """Gives what was spoken into it at the pace of time, and silence when nobody speaks."""

    def __init__(self) -> None:
        self._speech = bytearray()

    def speak(self, pcm24k: bytes) -> None:
        self._speech += pcm24k

    @property
    def left_ms(self) -> float:
        """How much speech is still to be given."""
        return len(self._speech) / BYTES_PER_MS

    def take(self, ms: int) -> bytes:
        """The next stretch of sound, always `ms` long."""
        size = ms * BYTES_PER_MS
        frame = bytes(self._speech[:size])
        del self._speech[:size]
        return frame.ljust(size, b"\0")


class Speaker:
    """Sounds what was queued at the pace of time, and knows how much of each track has sounded."""

    def __init__(self) -> None:
        self._queue: deque[tuple[str, bytearray]] = deque()
        self._played: dict[str, int] = {}

    def queue(self, track: str, pcm24k: bytes) -> None:
        if self._queue and self._queue[-1][0] == track:
            self._queue[-1][1].extend(pcm24k)
        else:
            self._queue.append((track, bytearray(pcm24k)))

    def clear(self) -> None:
        self._queue.clear()

    @property
    def silent(self) -> bool:
        return not self._queue

    def take(self, ms: int) -> bytes:
        """What sounds in the next stretch of time, silence where nothing is queued."""
        size = ms * BYTES_PER_MS
        sound = bytearray()
        while self._queue and len(sound) < size:
            track, waiting = self._queue[0]
            part = waiting[: size - len(sound)]
            del waiting[: len(part)]
            sound += part
            self._played[track] = self._played.get(track, 0) + len(part)
            if not waiting:
                self._queue.popleft()
        return bytes(sound).ljust(size, b"\0")

    def reports(self) -> list[tuple[str, int]]:
        """Each track that sounded since the last report, with its ms played from its start."""
        current = self._queue[0][0] if self._queue else None
        reports = [(track, played // BYTES_PER_MS) for track, played in self._played.items()]
        self._played = {track: played for track, played in self._played.items() if track == current}
        return reports


class WavChannel:
    """A `Channel` without a person: speak into it, wait for the answer, read what was said and done."""

    def __init__(self, clock: Clock | None = None, notice: Callable[[Shown], None] | None = None) -> None:
        self.clock = clock or SystemClock()
        self.microphone = Microphone()
        self.speaker = Speaker()
        self.document = CallDocument()
        self.heard = bytearray()
        """The desk's voice as it sounded, from the first word on: pcm24k."""
        self.state: CallState = "idle"
        self.over = False
        self._notice = notice
        self._turn_from_ms: float | None = None
        """When the customer finished, while the answer has not begun."""
        self._rested_at_ms = self.clock.now_ms()
        self._pushing = False
        self._typing = False
        self._thinking = False
        self._changed = asyncio.Condition()
        self._since_report_ms = 0
        self._passed_ms = 0

    # --- what the call asks ---

    async def play(self, track: str, pcm24k: bytes) -> None:
        if self._thinking and audible_end(pcm24k):
            self._answer_begins()
        self.speaker.queue(track, pcm24k)

    async def clear_playback(self) -> None:
        self.speaker.clear()

    async def show(self, shown: Shown) -> None:
        self.document.take(shown)
        if isinstance(shown, StateShown):
            self.state = shown.state
            self._thinking = self._thinking or shown.state in ("thinking", "working")
            self._rested_at_ms = self.clock.now_ms()
        if self._typing and isinstance(shown, Caption) and shown.speaker == "desk":
            self._answer_begins()
        if self._notice:
            self._notice(shown)
        await self._tell()

    # --- what the customer does ---

    def speak(self, pcm24k: bytes) -> None:
        """Say this, after what is being said already."""
        breath = bytes(max(0, BREATH_MS - self._passed_ms) * BYTES_PER_MS)
        self.microphone.speak(breath + pcm24k[: audible_end(pcm24k)])
        self._typing, self._turn_from_ms = False, None

    def typed(self) -> None:
        """A line was typed just now."""
        self._typing, self._turn_from_ms = True, self.clock.now_ms()

    async def run(self, line: Line) -> None:
        """Let time pass on this line, until `stop`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self.over:
            due += FRAME_MS / 1000
            await asyncio.sleep(due - loop.time())
            self.advance(line)
            await self._tell()

    def stop(self) -> None:
        """The call is over: time need not pass any more, and nobody waits in vain."""
        self.over = True

    def advance(self, line: Line) -> None:
        """One frame's time: the customer is heard, and hears."""
        self._passed_ms += FRAME_MS
        left_ms = self.microphone.left_ms
        if left_ms and not self._pushing:
            self._pushing = True
            line.push(True)
        line.hear(self.microphone.take(FRAME_MS))
        if self._pushing and not self.microphone.left_ms:
            self._pushing = False
            line.push(False)
        if 0 < left_ms <= FRAME_MS:
            # What sounds before the desk has begun to think is the rest of an older answer.
            self._turn_from_ms, self._thinking = self.clock.now_ms() - (FRAME_MS - left_ms), False
        sounding = not self.speaker.silent
        sound = self.speaker.take(FRAME_MS)
        if sounding or self.heard:
            self.heard += sound
        self._since_report_ms += FRAME_MS
        if self._since_report_ms >= REPORT_MS or (sounding and self.speaker.silent):
            self._since_report_ms = 0
            for track, played_ms in self.speaker.reports():
                line.played(track, played_ms)

    def _answer_begins(self) -> None:
        if self._turn_from_ms is not None:
            self.document.latency_ms.append(round(self.clock.now_ms() - self._turn_from_ms))
            self._turn_from_ms, self._thinking = None, False

    # --- waiting ---

    async def until(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something holds, as time passes and things are shown; False: it did not, in time."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: self.over or holds())
        except TimeoutError:
            return False
        return holds()

    async def answered(self, timeout_s: float = 30.0) -> bool:
        """Wait for the reply to what was said or typed last to be heard to its end; False: none came."""
        before = self.document.desk_lines

        def done() -> bool:
            rested = self.state in AT_REST and self.clock.now_ms() - self._rested_at_ms >= QUIET_MS
            replied = self.document.desk_lines > before and self.speaker.silent
            ended = self.state == "ended" or bool(self.document.failure)
            return ended or (rested and replied and not self.microphone.left_ms)

        return await self.until(done, timeout_s)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def line_to(desk: Desk, channel: WavChannel, caller: Caller = GUEST) -> AsyncIterator[Call]:
    """A call at this desk, with time passing on its line; hung up on the way out."""
    call = await desk.admit(channel, kind="wav", caller=caller)
    time = asyncio.create_task(channel.run(call))
    end = asyncio.create_task(_stop_at_the_end(call, channel))
    try:
        yield call
    finally:
        call.hang_up("the customer hung up")
        await end
        await time


async def _stop_at_the_end(call: Call, channel: WavChannel) -> None:
    """However the call ends, even if it breaks off without a word."""
    await call.ended()
    channel.stop()


def audible_end(pcm24k: bytes) -> int:
    """Where the sound ends, in bytes: what follows is a synthesiser's silence."""
    loud = np.flatnonzero(np.abs(samples(pcm24k).astype(np.int32)) > AUDIBLE)
    return int(loud[-1] + 1) * 2 if loud.size else 0
