"""A customer's end without sound: what would have sounded counts as heard, since its words are shown."""

from typing import Generic, Protocol, TypeVar

from helpline.audio.pcm import BYTES_PER_MS


class Playing(Protocol):
    """What this end needs of its call at least."""

    def played(self, track: str, played_ms: int) -> None: ...


C = TypeVar("C", bound=Playing)


class WrittenChannel(Generic[C]):
    """The sound's half of such a `Channel`; what is shown is the subclass's."""

    def __init__(self) -> None:
        self._call: C | None = None
        self._sounded: dict[str, int] = {}
        """Bytes of each track."""

    def join(self, call: C) -> None:
        """The call that this is the end of."""
        self._call = call

    async def play(self, track: str, pcm24k: bytes) -> None:
        self._sounded[track] = self._sounded.get(track, 0) + len(pcm24k)
        if self._call is not None:
            self._call.played(track, self._sounded[track] // BYTES_PER_MS)

    async def clear_playback(self) -> None:
        self._sounded.clear()
