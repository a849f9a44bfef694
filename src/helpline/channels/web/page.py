"""One open browser page, as the desk can act on it: Chainlit's emitter and nothing more.

Steps are sent as the plain dictionaries of Chainlit's socket protocol rather than as `cl.Message` objects:
those find their page through a context variable that background tasks lack, and pile up in a chat context
that we do not use. An emitter belongs to a session, and goes on working when the session's socket returns.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from helpline.channels.web.sound import SoundWires


class Page(Protocol):
    """What the channel draws on. Nothing here raises because the customer has gone."""

    @property
    def id(self) -> str:
        """The same for as long as this page is open, through drops of its socket."""

    async def put(self, step: Mapping[str, Any]) -> None:
        """Show a step, or show it anew: a step is known by its `id`."""

    async def clear(self) -> None:
        """Take away every step that is shown."""

    async def change(self, step_id: str, **changes: Any) -> None:
        """Change some fields of a step that is shown."""

    async def tell(self, kind: str, **values: Any) -> None:
        """Tell the page's own script (`public/helpline.js`)."""

    async def sound(self, track: str, pcm24k: bytes) -> None:
        """Play after what was sent before; unknown tracks begin, silenced ones stay silent."""

    async def silence(self) -> None:
        """Drop every sound that was sent."""

    async def voice(self, on: bool) -> None:
        """Open or close the page's microphone."""


class ChainlitPage:
    """A `Page` over the emitter of a Chainlit session, and the sound of its socket."""

    def __init__(self, emitter: Any, wires: SoundWires) -> None:
        self._emitter = emitter
        self._wires = wires

    @property
    def id(self) -> str:
        session_id: str = self._emitter.session.id
        return session_id

    async def put(self, step: Mapping[str, Any]) -> None:
        await self._emitter.send_step({"threadId": self._emitter.session.thread_id, **step})

    async def clear(self) -> None:
        # What Chainlit's page does with a thread that it reopens: it replaces all that it shows.
        thread = {"id": self._emitter.session.thread_id, "steps": [], "elements": [], "metadata": {}}
        await self._emitter.resume_thread(thread)

    async def change(self, step_id: str, **changes: Any) -> None:
        await self._emitter.update_step({"id": step_id, **changes})

    async def tell(self, kind: str, **values: Any) -> None:
        await self._emitter.send_window_message({"helpline": "page", "type": kind, **values})

    async def sound(self, track: str, pcm24k: bytes) -> None:
        if wire := self._wires.at(self.id):
            wire.play(track, pcm24k)

    async def silence(self) -> None:
        if wire := self._wires.at(self.id):
            wire.silence()

    async def voice(self, on: bool) -> None:
        await self._emitter.update_audio_connection("on" if on else "off")


class NoPage:
    """The page of a call whose customer has gone: shows nothing."""

    id = ""

    async def put(self, step: Mapping[str, Any]) -> None: ...
    async def clear(self) -> None: ...
    async def change(self, step_id: str, **changes: Any) -> None: ...
    async def tell(self, kind: str, **values: Any) -> None: ...
    async def sound(self, track: str, pcm24k: bytes) -> None: ...
    async def silence(self) -> None: ...
    async def voice(self, on: bool) -> None: ...
