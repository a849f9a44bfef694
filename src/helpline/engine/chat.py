"""A chat model as the engine's brain: any OpenAI-compatible endpoint with tool calling, streamed into speech.

Set by HELPLINE_CHAT_URL, _MODEL and _KEY. Words leave as they come, so the first sentence sounds while the
rest is thought of. What the app asked to have said goes out as it is, without the model: a confirmation must
not be paraphrased.
"""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import httpx
import msgspec

from helpline.chat import completions_at
from helpline.engine.brain import Answered, Called, Entry, Part, Said, Say, Turn, told_to_say
from helpline.engine.calls import Calls
from helpline.engine.meaning import Tool
from helpline.errors import BackendError

_MOST_LINE = 1_000_000
_MOST_WORDS = 20_000
"""Characters of one reply; a model that goes on is cut off."""
_MOST_BYTES = 4_000_000
"""Of one streamed answer, thoughts included: some minutes of a fast model."""
_MOST_CONTEXT = 48_000
_LEAST_CONTEXT = 3_000
_MOST_ENTRY = 16_000
"""Characters of the conversation that the model sees, and of one line or result in it."""
_MOST_REASON = 20_000
_DONE = "[DONE]"
_CALLS_UNREAD = (
    "The chat model writes its calls as words: set the --tool-call-parser of this model (vLLM) or --jinja"
    " (llama.cpp), or take one that calls tools."
)
_STALLS = "The chat model stalls: check HELPLINE_CHAT_URL."
_UNKNOWN = '{"error": "the result is not known"}'
_CALLS = "(The customer is on the line.)"
_WAITS = "(The customer waits for your answer.)"
_INTERRUPTED = "I see."
_NOTES = "What begins with {mark} comes from the desk, not from the customer: heed it, never read it aloud."


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Where the model is."""

    url: str
    """With or without `/v1` and `/chat/completions`; a query stays as it is."""
    model: str
    key: str = field(default="", repr=False)
    first_word_s: float = 20.0
    """How long the model may think, and pause, before it counts as lost."""

    @property
    def endpoint(self) -> str:
        """The address of the chat completions."""
        return completions_at(self.url)


class ChatBrain:
    """Answers one session with a chat model."""

    def __init__(self, settings: ChatSettings, client: httpx.AsyncClient | None = None) -> None:
        self._settings = settings
        self._client = client
        self._mark = f"[desk {secrets.token_hex(3)}]"
        """Begins what the desk says in a customer's place: nobody else can know it."""
        self._most_context = _MOST_CONTEXT
        """Less when the model has said that it was too much."""

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """The model's words and calls; raises BackendError when it is not there, stalls or breaks off."""
        if said := _verbatim(turn):
            yield Say(said)
            return
        async with AsyncExitStack() as open_:
            client = self._client
            if client is None:
                client = await open_.enter_async_context(httpx.AsyncClient())
            while True:
                parts = await open_.enter_async_context(aclosing(self._ask(client, turn)))
                try:
                    async for part in parts:
                        yield part
                    return
                except _TooLong as too_long:
                    if self._most_context <= _LEAST_CONTEXT:
                        raise _lost(str(too_long)) from too_long
                    self._most_context //= 4

    async def _ask(self, client: httpx.AsyncClient, turn: Turn) -> AsyncGenerator[Part, None]:
        calls, aloud, said, end = Calls({tool.name for tool in turn.tools}), Aloud(), 0, ""
        try:
            async with (
                client.stream(
                    "POST",
                    self._settings.endpoint,
                    json=self._request(turn),
                    headers=_headers(self._settings.key),
                    timeout=httpx.Timeout(self._settings.first_word_s, connect=10.0),
                ) as response,
                aclosing(_Stream(response, self._settings.first_word_s)) as stream,
            ):
                if response.status_code != 200:
                    raise _refusal(response.status_code, await stream.head())
                while (event := await stream.next()) is not None:
                    delta, reason = _read(event)
                    end = end if reason == _DONE and end else reason or end
                    if any(value for key, value in delta.items() if key != "role"):
                        stream.is_alive()
                    calls.take(delta.get("tool_calls"))
                    if words := aloud.take(_written(delta.get("content") or delta.get("refusal"))):
                        said += len(words)
                        yield Say(words)
                    if reason == _DONE or said > _MOST_WORDS:
                        break
        except httpx.ReadTimeout as error:
            raise _lost(_STALLS) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            name = type(error).__name__
            raise _lost(f"The chat model cannot be reached ({name}): check HELPLINE_CHAT_URL.") from error
        if not end and said <= _MOST_WORDS:
            raise _lost("The chat model broke off in the middle of its answer: check HELPLINE_CHAT_URL.")
        if end == "content_filter" and not said:
            raise _lost("The chat model's content filter held the answer back.")
        if rest := aloud.rest():
            said += len(rest)
            yield Say(rest)
        # A call in pieces is made only when the model has ended: half of one may be another call.
        made = calls.finished()
        if made and end == "length":
            raise _lost("The chat model's answer was cut off at a call: let it answer with more tokens.")
        if not made and not said:
            raise _lost("The chat model answered nothing: take another in HELPLINE_CHAT_MODEL.")
        for call in made:
            yield call

    def _request(self, turn: Turn) -> dict[str, Any]:
        messages = _messages(turn, self._mark, self._most_context)
        body: dict[str, Any] = {"model": self._settings.model, "stream": True, "messages": messages}
        if turn.tools and turn.tool_choice != "none":
            body["tools"] = [_tool(tool) for tool in turn.tools]
            named = turn.tool_choice not in ("auto", "required")
            body["tool_choice"] = (
                {"type": "function", "function": {"name": turn.tool_choice}} if named else turn.tool_choice
            )
        return body


class _TooLong(Exception):
    """The conversation does not fit into the model's context."""


class _Stream:
    """The events of a streamed answer; one that says nothing for too long is lost, keep-alives or not.

    A server that does not stream answers with one JSON object: that is the only event.
    """

    def __init__(self, response: httpx.Response, patience_s: float) -> None:
        self._chunks = response.aiter_bytes()
        self._patience_s = self._left_s = patience_s
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._whole = bytearray()
        self._began = False
        self._left_bytes = _MOST_BYTES

    async def head(self) -> str:
        """The beginning of an answer that is no stream: why it is a refusal."""
        read = b""
        while len(read) < _MOST_REASON and (chunk := await self._chunk()):
            read += chunk
        return read.decode("utf-8", "replace")

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
                whole, self._whole = self._whole, bytearray()
                return bytes(whole) or None
            self._left_bytes -= len(chunk)
            if self._left_bytes < 0:
                raise _lost("The chat model goes on for ever: take another in HELPLINE_CHAT_MODEL.")
            if self._whole or (not self._began and chunk.lstrip().startswith(b"{")):
                self._whole += chunk
                continue
            self._began = self._began or bool(chunk.strip())
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
            raise _lost(_STALLS) from None
        finally:
            self._left_s -= now() - began

    async def aclose(self) -> None:
        """Leave the rest."""
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()


_CALL_IN_WORDS = re.compile(
    r"<tool_call>|<\|tool_call|\[TOOL_CALLS\]|<\|python_(?:tag|start)\|>|<function=|```tool_code"
    r"|\A\s*\[?\s*\{\s*\"(?:name|function|tool_calls?|type\"\s*:\s*\"function)\"\s*[:,}]"
    r"|\A\s*\[\w+\(",
    re.I,
)
"""How models write a call that their server was to read."""


class Aloud:
    """A model's words without what it thinks: some servers stream `<think>…</think>` before the answer.

    Raises BackendError for words that are a call: nobody is to hear one, and it was not made.
    """

    _OPENS, _CLOSES = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._said = ""
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
        self._said += said
        if said and _CALL_IN_WORDS.search(self._said, max(0, len(self._said) - len(said) - 100)):
            raise _lost(_CALLS_UNREAD)
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


_REFUSALS = (
    (
        re.compile(r"support tools|auto-tool-choice|tool-call-parser|--jinja|tool.{0,30}not supported", re.I),
        "The chat model cannot call tools as it is served: take one that can, or start vLLM with"
        " --enable-auto-tool-choice and --tool-call-parser, llama.cpp with --jinja.",
    ),
    (
        re.compile(r"content[ _](?:filter|management)", re.I),
        "The chat model's content filter refused the conversation.",
    ),
    (
        re.compile(r"api[- ]?version", re.I),
        "The chat endpoint does not know this api-version: set one that it has in HELPLINE_CHAT_URL.",
    ),
)
"""What a server says of a request that it refuses, and what to do about it."""
_TOO_LONG = re.compile(
    r"context[ _-](?:length|size|window)|(?:prompt|input|request)[^.]{0,60}too (?:long|large)|too many token",
    re.I,
)


def _refusal(status: int, said: str) -> Exception:
    """Why there is no answer, in our words: the server's may quote what was sent."""
    if status in (401, 403):
        return _lost("The chat model refused the key: check HELPLINE_CHAT_KEY.")
    known = next((sentence for pattern, sentence in _REFUSALS if pattern.search(said)), "")
    if known:
        return _lost(known)
    if status in (400, 413, 422, 500) and _TOO_LONG.search(said):
        return _TooLong("The conversation is too long for the chat model: give it a larger context.")
    if status == 404:
        return _lost("There is no such chat model: check HELPLINE_CHAT_URL and HELPLINE_CHAT_MODEL.")
    if status == 429:
        return _lost(
            "The chat model takes no more requests for now (429): check its quota, or HELPLINE_CHAT_URL."
        )
    return _lost(f"The chat model answered {status}: check HELPLINE_CHAT_URL and HELPLINE_CHAT_MODEL.")


def _written(content: Any) -> str:
    """The words of a delta; Mistral's thinking models stream a list of thoughts and texts."""
    if isinstance(content, list):
        texts = (
            part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"
        )
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": described}


def _messages(turn: Turn, mark: str, most: int) -> list[dict[str, Any]]:
    """The conversation as chat messages, in the one shape that the strictest template takes.

    One system message, and that first; user and assistant in turns, the user first; each call with its result
    right after it; after a result the assistant; the last word is not the assistant's. Servers of Mistral,
    Gemma and Qwen models refuse all else.
    """
    results = {entry.call_id: entry.output for entry in turn.entries if isinstance(entry, Answered)}
    messages: list[dict[str, Any]] = []
    calls: list[Called] = []
    noted = False
    for entry in (*_recent(turn.entries, most), None):
        if isinstance(entry, Called):
            calls.append(entry)
        elif not isinstance(entry, Answered):
            if calls:
                _add_calls(messages, calls, results)
                calls = []
            if isinstance(entry, Said) and (text := entry.text.strip()[:_MOST_ENTRY]):
                noted = noted or entry.role == "system"
                if entry.role == "assistant":
                    _add(messages, "assistant", text)
                else:
                    _add(messages, "user", f"{mark} {text}" if entry.role == "system" else text)
    if not messages or messages[-1]["role"] == "assistant":
        _add(messages, "user", _WAITS if messages else _CALLS)
    told = [turn.instructions, _NOTES.format(mark=mark) if noted else ""]
    head = "\n\n".join(text for text in told if text)
    return [{"role": "system", "content": head}, *messages] if head else messages


def _add(messages: list[dict[str, Any]], role: str, text: str) -> None:
    """One more message, or more of the last one."""
    last = messages[-1] if messages else {"role": ""}
    if last["role"] == role and "tool_calls" not in last:
        last["content"] += f"\n{text}"
        return
    if role == "assistant" and last["role"] == "":
        messages.append({"role": "user", "content": _CALLS})
    elif role == "user" and last["role"] == "tool":
        messages.append({"role": "assistant", "content": _INTERRUPTED})
    messages.append({"role": role, "content": text})


def _add_calls(messages: list[dict[str, Any]], calls: list[Called], results: dict[str, str]) -> None:
    if not messages:
        messages.append({"role": "user", "content": _CALLS})
    spoke = messages[-1]["role"] == "assistant"
    said = messages.pop()["content"] if spoke else ""
    made = [
        {
            "id": _short(call.call_id),
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in calls
    ]
    messages.append({"role": "assistant", "content": said, "tool_calls": made})
    for call in calls:
        result = results.get(call.call_id, _UNKNOWN)[:_MOST_ENTRY]
        messages.append({"role": "tool", "tool_call_id": _short(call.call_id), "content": result})


def _short(call_id: str) -> str:
    """A call's id in nine letters and digits: Mistral takes no other."""
    return blake2b(call_id.encode(), digest_size=8).hexdigest()[:9]


def _recent(entries: tuple[Entry, ...], most: int) -> tuple[Entry, ...]:
    """The newest entries that fit; the last one is always among them."""
    left = most
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
    reason = first["finish_reason"] if isinstance(first.get("finish_reason"), str) else ""
    if isinstance(whole := first.get("message"), dict):
        return whole, reason or _DONE
    return first["delta"] if isinstance(first.get("delta"), dict) else {}, reason
