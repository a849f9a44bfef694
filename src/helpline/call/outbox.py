"""What waits to be sent to the connection: events, and the microphone's audio."""

import asyncio
from collections import deque
from collections.abc import Callable

from helpline.realtime.events import ClientEvent, InputAppend, InputCommit

HELD_AUDIO_MS = 10_000
"""Microphone audio kept while there is nobody to send it to; beyond it the oldest is dropped and counted."""
COMMIT = b""
"""Stands among the sound for the commit of what is before it."""
LISTENED_BACK_MS = 600
"""Microphone audio kept after it was sent: speech is reported a little after it has begun."""


class Outbox:
    """What waits to be sent: events in order and never dropped, audio bounded and dropped oldest first.

    The last audio that was sent is kept, and more of it while words are awaited (`keeps_sent`): a session
    that is lost takes with it what it was still to put into words.

    Whoever waits for nothing is not queued: what comes while the writer has nothing to do is sent at once, by
    `send_now` where there is one.
    """

    def __init__(self) -> None:
        self._events: deque[ClientEvent] = deque()
        self._audio: deque[bytes] = deque()
        self._audio_bytes = 0
        self._sent: deque[bytes] = deque()
        self._sent_bytes = 0
        self._session_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self.send_now: Callable[[ClientEvent], bool] | None = None
        """Sends without waiting; False when it cannot. Of the connection in use."""
        self.audio_open = False
        self.keeps_sent = False
        self.dropped_ms = 0

    def put(self, event: ClientEvent) -> None:
        if isinstance(event, InputCommit):
            self._audio.append(COMMIT)
            self._wake()
        elif not self._sent_now(event):
            self._events.append(event)
            self._wake()

    def put_audio(self, pcm24k: bytes) -> None:
        if self.audio_open and not self._audio and self._sent_now(InputAppend(audio=pcm24k)):
            self._note_sent(pcm24k)
            return
        self._audio.append(pcm24k)
        self._audio_bytes += len(pcm24k)
        self._drop_oldest()
        if self.audio_open:
            self._wake()

    def _sent_now(self, event: ClientEvent) -> bool:
        """Sent past the writer, which waits for something to send: what it has taken before is sent."""
        if self._waiter is None or self._waiter.done() or self._events or self.send_now is None:
            return False
        return self.send_now(event)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _drop_oldest(self) -> None:
        while self._audio_bytes > HELD_AUDIO_MS * 48 and len(self._audio) > 1:
            oldest = self._audio.popleft()
            self._audio_bytes -= len(oldest)
            self.dropped_ms += len(oldest) // 48

    def rehear(self, ms: int, pushes: int = 0) -> None:
        """Put the last `ms` of what was sent in front of what waits: with push to talk, of so many pushes."""
        taken = begun = 0
        while self._sent and taken < ms * 48:
            if pushes and (begun == 0 or self._sent[-1] == COMMIT):
                if begun == pushes:
                    break  # the sound of a push that was dealt with
                begun += 1
            pcm = self._sent.pop()
            taken += len(pcm)
            self._audio.appendleft(pcm)
        self._audio_bytes += taken
        self._forget_sent()
        self._drop_oldest()

    def open_audio(self, may: bool) -> None:
        if may != self.audio_open:
            self.audio_open = may
            self._wake()

    @property
    def captured_ms(self) -> int:
        """How much of the microphone's audio this session has been given, with what waits for it."""
        return (self._session_bytes + self._audio_bytes) // 48

    def begin_session(self) -> None:
        """A fresh session counts the audio that it is given from nothing."""
        self._session_bytes = 0

    def clear_events(self) -> None:
        """The connection they were meant for is gone; the conversation tells the next one afresh."""
        self._events.clear()

    def clear_audio(self) -> None:
        self._audio.clear()
        self._audio_bytes = 0
        self._forget_sent()

    def _forget_sent(self) -> None:
        self._sent.clear()
        self._sent_bytes = 0

    def _take_audio(self) -> bytes:
        pcm = self._audio.popleft()
        self._audio_bytes -= len(pcm)
        self._note_sent(pcm)
        return pcm

    def _note_sent(self, pcm: bytes) -> None:
        self._session_bytes += len(pcm)
        self._sent.append(pcm)
        self._sent_bytes += len(pcm)
        bound = (HELD_AUDIO_MS if self.keeps_sent else LISTENED_BACK_MS) * 48
        while self._sent_bytes > bound:
            self._sent_bytes -= len(self._sent.popleft())

    async def get(self) -> ClientEvent:
        """The next to be sent; one writer at a time."""
        while True:
            if self._events:
                return self._events.popleft()
            if self._audio and self.audio_open:
                pcm24k = self._take_audio()
                return InputAppend(audio=pcm24k) if pcm24k else InputCommit()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
