"""A model that the test plays, behind a real desk: what it says and which tools it calls, turn by turn."""

import json
from collections.abc import Sequence
from typing import Any

from tests.call.servers import Peer, ScriptedBackend

Turn = str | Sequence[tuple[str, dict[str, Any]]]
"""What it says, or the tools that it calls at once."""


class Model:
    """Answers each `response.create` with its next turn, over any number of sessions; then it says "Fine."

    A test reads what it was told and given.
    """

    def __init__(self, *turns: Turn, sessions: int = 20) -> None:
        self._turns = list(turns)
        self._outputs: dict[str, dict[str, Any]] = {}
        self.seen: list[dict[str, Any]] = []
        """Every event that it was sent."""
        self._asked = 0
        self.backend = ScriptedBackend(*[self._session] * sessions)

    def then(self, *turns: Turn) -> None:
        """What it does next."""
        self._turns += turns

    async def _session(self, peer: Peer) -> None:
        peer.seen = _Noted(self)
        await peer.greet()
        while True:
            await peer.expect("response.create")
            self._asked += 1
            turn = self._turns.pop(0) if self._turns else "Fine."
            if isinstance(turn, str):
                await self._say(peer, f"r{self._asked}", turn)
            else:
                await self._call(peer, f"r{self._asked}", turn)

    async def _say(self, peer: Peer, response: str, text: str) -> None:
        at = {"response_id": response, "item_id": f"a_{response}", "output_index": 0, "content_index": 0}
        await peer.send("response.created", response={"id": response, "conversation_id": "conv"})
        for word in text.split(" "):
            await peer.send("response.output_text.delta", **at, delta=f"{word} ")
        await peer.send("response.output_text.done", **at, text=f"{text} ")
        await peer.send("response.done", response={"id": response, "status": "completed", "output": []})

    async def _call(self, peer: Peer, response: str, tools: Sequence[tuple[str, dict[str, Any]]]) -> None:
        await peer.send("response.created", response={"id": response, "conversation_id": "conv"})
        for number, (name, arguments) in enumerate(tools):
            await peer.send(
                "response.function_call_arguments.done",
                response_id=response,
                output_index=number,
                item_id=f"i_{response}_{number}",
                call_id=f"c_{response}_{number}",
                name=name,
                arguments=json.dumps(arguments),
            )
        await peer.send("response.done", response={"id": response, "status": "completed", "output": []})

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What tools gave it back, in the order in which it called them."""
        return [self._outputs[call] for call in sorted(self._outputs)]

    @property
    def told(self) -> str:
        """Every item that it was given, as text."""
        items = [event for event in self.seen if event["type"] == "conversation.item.create"]
        return json.dumps(items, ensure_ascii=False)


class _Noted(list[dict[str, Any]]):
    """A peer's events, noted with the model too."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def append(self, event: dict[str, Any]) -> None:
        super().append(event)
        self._model.seen.append(event)
        item = event.get("item", {})
        if item.get("type") == "function_call_output":
            self._model._outputs[item["call_id"]] = json.loads(item["output"])
