"""A chat model as the engine's brain: any OpenAI-compatible endpoint with tool calling, streamed into speech.

Set by HELPLINE_CHAT_URL, _MODEL and _KEY. Words leave as they come, so the first sentence sounds while the
rest is thought of. What the app asked to have said goes out as it is, without the model: a confirmation must
not be paraphrased.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import msgspec

from helpline.engine.brain import Answered, Called, Entry, Part, Said, Say, Turn, told_to_say
from helpline.engine.calls import Calls
from helpline.engine.meaning import Tool
from helpline.errors import BackendError

_MOST_LINE = 1_000_000
_MOST_WORDS = 20_000
"""Characters of one reply; a model that goes on is cut off."""
_MOST_CONTEXT = 48_000
_MOST_ENTRY = 16_000
"""Characters of the conversation that the model sees, and of one line or result in it."""
_DONE = "[DONE]"
_UNKNOWN = '{"error": "the result is not known"}'


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
        async with AsyncExitStack() as open_:
            client = self._client
            if client is None:
                client = await open_.enter_async_context(httpx.AsyncClient())
            parts = await open_.enter_async_context(aclosing(self._ask(client, turn)))
            async for part in parts:
                yield part

    async def _ask(self, client: httpx.AsyncClient, turn: Turn) -> AsyncGenerator[Part, None]:
        calls, aloud, said, end = Calls({tool.name for tool in turn.tools}), Aloud(), 0, ""
        try:
            async with (
                client.stream(
                    "POST",
                    self._settings.endpoint,
                    json=_request(self._settings.model, turn),
                    headers=_headers(self._settings.key),
                    timeout=httpx.Timeout(self._settings.first_word_s, connect=10.0),
                ) as response,
                aclosing(_Stream(response, self._settings.first_word_s)) as stream,
            ):
                if response.status_code != 200:
                    raise _lost(_refused(response.status_code))
                while (event := await stream.next()) is not None:
                    delta, reason = _read(event)
                    end = reason or end
                    if any(value for key, value in delta.items() if key != "role"):
                        stream.is_alive()
                    calls.take(delta.get("tool_calls"))
                    if words := aloud.take(str(delta.get("content") or "")):
                        said += len(words)
                        yield Say(words)
                    if end == _DONE or said > _MOST_WORDS:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            name = type(error).__name__
            raise _lost(f"The chat model cannot be reached ({name}): check HELPLINE_CHAT_URL.") from error
        if not end and said <= _MOST_WORDS:
            raise _lost("The chat model broke off in the middle of its answer: check HELPLINE_CHAT_URL.")
        if end == "content_filter" and not said:
            raise _lost("The chat model's content filter held the answer back.")
        if rest := aloud.rest():
            yield Say(rest)
        # A call in pieces is made only when the model has ended: half of one may be another call.
        for call in calls.finished():
            yield call


class _Stream:
    """The events of a streamed answer; one that says nothing for too long is lost, keep-alives or not."""

    def __init__(self, response: httpx.Response, patience_s: float) -> None:
        self._chunks = response.aiter_bytes()
        self._patience_s = self._left_s = patience_s
        self._lines: deque[bytes] = deque()
        self._rest = b""

    def is_alive(self) -> None:
        """Something came of the last event: the patience begins anew."""
        self._left_s = self._patience_s

    async def next(self) -> bytes | None:
        """The next event's data; None at the end. Raises BackendError for a stall and for endless lines."""
        while True:
            while self._lines:
                if (line := self._lines.popleft()).startswith(b"data:"):
                    return line.removeprefix(b"data:").strip()
            chunk = await self._chunk()
            if not chunk:
                return None
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._lines.extend(lines)
            if len(self._rest) > _MOST_LINE:
                raise _lost("The chat model's answer is no stream of events: check HELPLINE_CHAT_URL.")

    async def _chunk(self) -> bytes:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(max(self._left_s, 0)):
                return await anext(self._chunks, b"")
        except TimeoutError:
            raise _lost("The chat model stalls: check HELPLINE_CHAT_URL.") from None
        finally:
            self._left_s -= now() - began

    async def aclose(self) -> None:
        """Leave the rest."""
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()


class Aloud:
    """A model's words without what it thinks: some servers stream `<think>…</think>` before the answer."""

    _OPENS, _CLOSES = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["start", "thinking", "after", "aloud"] = "start"

    def take(self, words: str) -> str:
        """What of the words so far can be said."""
        self._held += words
        if self._state == "start":
            begun = self._held.lstrip()
            if begun.startswith(self._OPENS):
                self._state = "thinking"
            elif not self._OPENS.startswith(begun):
                self._state = "aloud"
        if self._state == "thinking":
            _, closed, after = self._held.partition(self._CLOSES)
            self._held = after if closed else self._held[-len(self._CLOSES) :]
            self._state = "after" if closed else "thinking"
        if self._state == "after":
            self._held = self._held.lstrip()
            self._state = "aloud" if self._held else "after"
        said, self._held = (self._held, "") if self._state == "aloud" else ("", self._held)
        return said

    def rest(self) -> str:
        """What was held back and is no thought after all."""
        return self._held if self._state == "start" else ""


def _lost(says: str) -> BackendError:
    return BackendError(says, setting="HELPLINE_CHAT_URL")


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
    """The conversation as chat messages, each call with its result right after it, as endpoints insist."""
    results = {entry.call_id: entry.output for entry in turn.entries if isinstance(entry, Answered)}
    messages: list[dict[str, Any]] = []
    calls: list[Called] = []
    for entry in (*_recent(turn.entries), None):
        if isinstance(entry, Called):
            calls.append(entry)
        elif not isinstance(entry, Answered):
            messages += _called(calls, results)
            calls = []
            if isinstance(entry, Said) and entry.text.strip():
                messages.append({"role": entry.role, "content": entry.text[:_MOST_ENTRY]})
    head = [{"role": "system", "content": turn.instructions}] if turn.instructions else []
    return head + messages


def _called(calls: list[Called], results: dict[str, str]) -> list[dict[str, Any]]:
    if not calls:
        return []
    made = [
        {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    answers = [
        {
            "role": "tool",
            "tool_call_id": call.call_id,
            "content": results.get(call.call_id, _UNKNOWN)[:_MOST_ENTRY],
        }
        for call in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *answers]


def _recent(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The newest entries that fit; the last one is always among them."""
    left = _MOST_CONTEXT
    for at in range(len(entries) - 1, -1, -1):
        left -= min(_size(entries[at]), _MOST_ENTRY)
        if left < 0 and at < len(entries) - 1:
            return entries[at + 1 :]
    return entries


def _size(entry: Entry) -> int:
    match entry:
        case Said(_, text):
            return len(text)
        case Called(_, name, arguments):
            return len(name) + len(arguments)
        case Answered(_, output):
            return len(output)


def _read(event: bytes) -> tuple[dict[str, Any], str]:
    """What one event adds, and how the answer ends, if it does; raises BackendError for an error event."""
    if event == b"[DONE]":
        return {}, _DONE
    try:
        body = msgspec.json.decode(event)
    except msgspec.DecodeError:
        return {}, ""  # nothing that can be used
    if not isinstance(body, dict):
        return {}, ""
    if body.get("error"):
        raise _lost("The chat model reported an error in the middle of its answer.")
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return {}, ""
    delta, reason = first.get("delta"), first.get("finish_reason")
    return delta if isinstance(delta, dict) else {}, reason if isinstance(reason, str) else ""
