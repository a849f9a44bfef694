"""A customer's end without sound and without waiting: what is typed is answered as fast as the desk can."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from helpline.call.shown import CallState, Shown, StateShown
from helpline.channels.document import CallDocument
from helpline.channels.written import Playing, WrittenChannel

AT_REST: Final[frozenset[CallState]] = frozenset({"idle", "listening", "ended"})


class Typist(Playing, Protocol):
    """What this end needs of a call."""

    def type(self, text: str) -> None: ...


class TextChannel(WrittenChannel[Typist]):
    """A `Channel` for typing."""

    def __init__(self, notice: Callable[[Shown], None] | None = None) -> None:
        super().__init__()
        self.document = CallDocument()
        self.state: CallState = "idle"
        self._notice = notice
        self._changed = asyncio.Condition()

    async def show(self, shown: Shown) -> None:
        self.document.take(shown)
        if isinstance(shown, StateShown):
            self.state = shown.state
        if self._notice is not None:
            self._notice(shown)
        async with self._changed:
            self._changed.notify_all()

    async def say(self, text: str, timeout_s: float = 20.0) -> bool:
        """Type a line and wait until it was answered; False when it was not in time."""
        assert self._call is not None, "join a call first"
        before = self.document.desk_lines
        self._call.type(text)
        return await self._rest(before, timeout_s)

    async def rested(self, timeout_s: float = 20.0) -> bool:
        """Wait for one more line of the desk, after a button was pressed; False when none came in time."""
        return await self._rest(self.document.desk_lines, timeout_s)

    async def _rest(self, before: int, timeout_s: float) -> bool:
        def answered() -> bool:
            replied = self.document.desk_lines > before and self.state in AT_REST
            return replied or self.state == "ended" or bool(self.document.failure)

        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(answered)
        except TimeoutError:
            return False
        return True
