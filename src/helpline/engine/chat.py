"""A chat model as the engine's brain: any OpenAI-compatible endpoint with tool calling, streamed into speech.

Set by HELPLINE_CHAT_URL, _MODEL and _KEY. Words leave as they come, so the first sentence sounds while the
rest is thought of. What the app asked to have said goes out as it is, without the model: a confirmation must
not be paraphrased.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from helpline.engine.brain import Answered, Call, Called, Part, Said, Say, Turn, told_to_say
from helpline.engine.meaning import Tool
from helpline.errors import BackendError

_MOST_CALLS = 16
_MOST_ARGUMENTS = 100_000
_MOST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Where the model is."""

    url: str
    """With or without `/chat/completions`."""
    model: str
    key: str = field(default="", repr=False)
    first_word_s: float = 20.0
    """How long the model may think, and pause, before it counts as lost."""

    @property
    def endpoint(self) -> str:
        """The address of the chat completions."""
        head, mark, query = self.url.partition("?")
        head = head.rstrip("/")
        head = head if head.endswith("/chat/completions") else f"{head}/chat/completions"
        return f"{head}{mark}{query}"


class ChatBrain:
    """Answers one session with a chat model."""

    def __init__(self, settings: ChatSettings, client: httpx.AsyncClient | None = None) -> None:
        self._settings = settings
        self._client = client

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """The model's words and calls; raises BackendError when it is not there, stalls or breaks off."""
        if said := _verbatim(turn):
            yield Say(said)
            return
        if self._client is not None:
            async for part in self._ask(self._client, turn):
                yield part
            return
        async with httpx.AsyncClient() as client:
            async for part in self._ask(client, turn):
                yield part

    async def _ask(self, client: httpx.AsyncClient, turn: Turn) -> AsyncIterator[Part]:
        calls = _Calls()
        try:
            async with client.stream(
                "POST",
                self._settings.endpoint,
                json=_request(self._settings.model, turn),
                headers=_headers(self._settings.key),
                timeout=httpx.Timeout(self._settings.first_word_s, connect=10.0),
            ) as response:
                if response.status_code != 200:
                    raise BackendError(_refused(response.status_code), setting="HELPLINE_CHAT_URL")
                async for line in response.aiter_lines():
                    delta = _delta(line)
                    if words := delta.get("content"):
                        yield Say(str(words))
                    calls.take(delta.get("tool_calls"))
        except httpx.HTTPError as error:
            raise BackendError(
                f"The chat model cannot be reached ({type(error).__name__}): check HELPLINE_CHAT_URL.",
                setting="HELPLINE_CHAT_URL",
            ) from error
        for call in calls.finished():
            yield call


def _verbatim(turn: Turn) -> str:
    """What the app wants said, word for word."""
    if said := told_to_say(turn.asked_for):
        return said
    last = turn.entries[-1] if turn.entries else None
    return told_to_say(last.text) if isinstance(last, Said) and last.role == "system" else ""


def _headers(key: str) -> dict[str, str]:
    # Azure takes the key under its own name; the others ignore that one.
    return {"Authorization": f"Bearer {key}", "api-key": key} if key else {}


def _refused(status: int) -> str:
    if status in (401, 403):
        return "The chat model refused the key: check HELPLINE_CHAT_KEY."
    if status == 404:
        return "There is no such chat model: check HELPLINE_CHAT_URL and HELPLINE_CHAT_MODEL."
    return f"The chat model answered {status}: check HELPLINE_CHAT_URL and HELPLINE_CHAT_MODEL."


def _request(model: str, turn: Turn) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "stream": True, "messages": _messages(turn)}
    if turn.tools and turn.tool_choice != "none":
        body["tools"] = [_tool(tool) for tool in turn.tools]
        named = turn.tool_choice not in ("auto", "required")
        body["tool_choice"] = (
            {"type": "function", "function": {"name": turn.tool_choice}} if named else turn.tool_choice
        )
    return body


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": described}


def _messages(turn: Turn) -> list[dict[str, Any]]:
    """The conversation as chat messages; calls that were made together stay together."""
    messages: list[dict[str, Any]] = []
    if turn.instructions:
        messages.append({"role": "system", "content": turn.instructions})
    for entry in turn.entries:
        match entry:
            case Said(role, text):
                messages.append({"role": role, "content": text})
            case Called(call_id, name, arguments):
                call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
                if messages and "tool_calls" in messages[-1]:
                    messages[-1]["tool_calls"].append(call)
                else:
                    messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            case Answered(call_id, output):
                messages.append({"role": "tool", "tool_call_id": call_id, "content": output})
    return messages


def _delta(line: str) -> dict[str, Any]:
    """What one server-sent line adds; {} for anything else."""
    if not line.startswith("data:") or len(line) > _MOST_LINE:
        return {}
    try:
        event = msgspec.json.decode(line.removeprefix("data:").strip())
    except msgspec.DecodeError:
        return {}  # "[DONE]", comments, keep-alives
    choices = event.get("choices") if isinstance(event, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    return delta if isinstance(delta, dict) else {}


class _Calls:
    """Function calls that arrive in pieces."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._arguments: dict[int, str] = {}

    def take(self, pieces: Any) -> None:
        for place, piece in enumerate(pieces if isinstance(pieces, list) else ()):
            function = piece.get("function") if isinstance(piece, dict) else None
            if not isinstance(function, dict):
                continue
            index = piece.get("index", place)
            if not isinstance(index, int) or (index not in self._names and len(self._names) >= _MOST_CALLS):
                continue
            self._names[index] = self._names.get(index, "") + str(function.get("name") or "")
            grown = self._arguments.get(index, "") + str(function.get("arguments") or "")
            self._arguments[index] = grown[:_MOST_ARGUMENTS]

    def finished(self) -> list[Call]:
        """The calls that have a name."""
        return [
            Call(name, self._arguments[index] or "{}") for index, name in sorted(self._names.items()) if name
        ]
