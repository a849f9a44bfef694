"""The port every channel implements: the customer's end of a call.

The other direction is the `Call`'s own methods: `hear`, `start_voice`, `end_voice`, `type`, `answer`,
`played`, `stop_reply`, `hang_up`.
"""

from typing import Protocol

from helpline.call.shown import Shown


class Channel(Protocol):
    """Awaited in order by the call's one driver: return soon, never raise for a customer who is gone."""

    async def play(self, track: str, pcm24k: bytes) -> None:
        """Play 24 kHz mono s16le after what was queued before; the call paces it at most 1 s ahead."""

    async def clear_playback(self) -> None:
        """Silence now. What was queued is dropped; the call plays again, if at all, as a new track."""

    async def show(self, shown: Shown) -> None:
        """Show one thing."""
