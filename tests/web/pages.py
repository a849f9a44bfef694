"""Pages of the tests: they note all that is shown on them."""

from collections.abc import Mapping
from typing import Any


class NotedPage:
    """A `Page` that keeps its steps as a browser would, and what it was told and played."""

    def __init__(self, page_id: str = "page") -> None:
        self.id = page_id
        self.steps: dict[str, dict[str, Any]] = {}
        self.puts: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.sounds: list[tuple[str, bytes]] = []
        self.silences = 0
        self.voices: list[bool] = []

    async def put(self, step: Mapping[str, Any]) -> None:
        self.puts.append(step["id"])
        self.steps.setdefault(step["id"], {}).update(step)

    async def clear(self) -> None:
        self.steps.clear()

    async def change(self, step_id: str, **changes: Any) -> None:
        self.steps[step_id].update(changes)

    async def tell(self, kind: str, **values: Any) -> None:
        self.told.append({"type": kind, **values})

    async def sound(self, track: str, pcm24k: bytes) -> None:
        self.sounds.append((track, pcm24k))

    async def silence(self) -> None:
        self.silences += 1

    async def voice(self, on: bool) -> None:
        self.voices.append(on)

    def outputs(self, kind: str = "assistant_message") -> list[str]:
        return [step["output"] for step in self.steps.values() if step["type"] == kind]

    def cards(self) -> list[dict[str, Any]]:
        """Each card as it was last drawn, in the order in which they came."""
        last = {told["id"]: told["card"] for told in self.told if told["type"] == "card"}
        return list(last.values())

    def state(self) -> str:
        return [told["state"] for told in self.told if told["type"] == "state"][-1]
