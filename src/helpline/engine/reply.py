"""One response: from the brain's parts to the events of the protocol, in the order of real sessions.

Speech is made sentence by sentence, so the first is on its way while the rest is thought of; audio leaves in
pieces of 100 ms, at most `lead_ms` and then `pace` times faster than it plays. A reply can be stopped between
any two pieces: its items end `incomplete`, and `response.done` says why.
"""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from helpline.audio.g711 import alaw_encode, mulaw_encode
from helpline.audio.pcm import chunks, duration_ms
from helpline.audio.resample import Resampler
from helpline.engine.brain import Brain, Call, Say, Turn
from helpline.engine.history import History, Item
from helpline.engine.protocol import Json, fault_of, new_id
from helpline.engine.spoken import clauses, sentences
from helpline.engine.usage import Usage
from helpline.engine.voice import Voice
from helpline.errors import BackendError, ConnectionLost

Emit = Callable[..., Awaitable[None]]
Answer = TypeVar("Answer")
StopReason = Literal["turn_detected", "client_cancelled", "max_output_tokens"]

_log = logging.getLogger(__name__)

_PIECE_MS = 100
_ENDED = re.compile(r"[.!?][\"')\]]*\s+$")
_ARGUMENT_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]{1,8}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast audio leaves: `lead_ms` at once, then `times` as fast as it plays; 0 times: no limit."""

    lead_ms: int = 1000
    times: float = 6.0


@dataclass(frozen=True, slots=True)
class Making:
    """What replies are made with, for the whole session."""

    brain: Brain
    voice: Voice | None
    """None: replies are transcripts without sound."""
    pace: Pace
    emit: Emit


@dataclass(slots=True)
class Reply:
    """One response in progress."""

    id: str
    modality: Literal["text", "audio"]
    audio_format: Json
    voice_name: str
    speed: float
    most_tokens: int | str
    conversation_id: str | None
    metadata: Json | None
    turn: Turn
    input_usage: Usage
    into: History | None
    """Where its items go; None: out of band."""
    reason: StopReason | None = None
    audio_ms: int = 0
    started_at: float | None = None
    """When its first sound left, in the loop's seconds."""
    output: list[Json] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def said(self) -> str:
        """Its words."""
        parts = [part for item in self.output for part in item.get("content", ())]
        return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)

    def stop(self, reason: StopReason) -> None:
        """End it as soon as possible."""
        self.reason = self.reason or reason
        self.stopped.set()

    def body(self, status: str, details: Json | None = None) -> Json:
        """The `response` object."""
        finished = status != "in_progress"
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": list(self.output),
            "conversation_id": self.conversation_id,
            "output_modalities": [self.modality],
            "max_output_tokens": self.most_tokens,
            "audio": {"output": {"format": self.audio_format, "voice": self.voice_name}},
            "usage": (self.input_usage + self.usage).body() if finished else None,
            "metadata": self.metadata,
        }


class _Stopped(Exception):
    """The reply is to end here."""


class Speaker:
    """Performs replies."""

    def __init__(self, making: Making) -> None:
        self._making = making

    async def perform(self, reply: Reply) -> None:
        """From after `response.created` to `response.done`."""
        status, details = "completed", None  # type: str, Json | None
        try:
            await self._say_parts(reply)
        except _Stopped:
            over = reply.reason == "max_output_tokens"
            status = "incomplete" if over else "cancelled"
            details = {"type": status, "reason": reply.reason}
        except BackendError as failed:
            status = "failed"
            error = {"type": "server_error", "code": "brain_unavailable", "message": str(failed)}
            details = {"type": "failed", "error": error}
        except ConnectionLost:
            raise
        except Exception as fault:  # noqa: BLE001 - the edge of the brain: the session goes on without a reply
            _log.error("a reply broke off: %s", fault_of(fault))
            status = "failed"
            error = {
                "type": "server_error",
                "code": "brain_failed",
                "message": "The engine failed to answer.",
            }
            details = {"type": "failed", "error": error}
        await self._making.emit("response.done", response=reply.body(status, details))

    async def refuse(self, reply: Reply, code: str, message: str) -> None:
        """End it before it begins: `response.done`, failed."""
        error = {"type": "rate_limit_error", "code": code, "message": message}
        details = {"type": "failed", "error": error}
        await self._making.emit("response.done", response=reply.body("failed", details))

    async def _say_parts(self, reply: Reply) -> None:
        message: _Message | None = None
        parts = self._making.brain.answer(reply.turn)
        try:
            while (part := await self._next(reply, parts)) is not None:
                if isinstance(part, Say):
                    message = message or await self._open(reply)
                    await message.say(part.text)
                else:
                    if message is not None:
                        await message.finish()
                        message = None
                    await self._call(reply, part)
            if message is not None:
                await message.finish()
        except ConnectionLost:
            raise
        except Exception:
            if message is not None:
                await message.close("incomplete")
            raise
        finally:
            if aclose := getattr(parts, "aclose", None):
                await aclose()

    async def _next(self, reply: Reply, parts: AsyncIterator[Say | Call]) -> Say | Call | None:
        return await _unless_stopped(reply, anext(parts, None))

    async def _open(self, reply: Reply) -> "_Message":
        body: Json = {
            "id": new_id("item"),
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        item = await _add(self._making.emit, reply, body)
        message = _Message(self._making, reply, item)
        await message.begin()
        return message

    async def _call(self, reply: Reply, call: Call) -> None:
        body: Json = {
            "id": new_id("item"), "type": "function_call", "status": "in_progress", "name": call.name,
            "call_id": new_id("call", 16), "arguments": "",
        }  # fmt: skip
        item = await _add(self._making.emit, reply, body)
        place = {
            "response_id": reply.id,
            "item_id": item.id,
            "output_index": len(reply.output),
            "call_id": body["call_id"],
        }
        for piece in _ARGUMENT_PIECE.findall(call.arguments):
            if reply.stopped.is_set():
                await _finish(self._making.emit, reply, item, "incomplete")
                raise _Stopped
            await self._making.emit("response.function_call_arguments.delta", **place, delta=piece)
        body["arguments"] = call.arguments
        reply.usage.text(call.name + call.arguments)
        await self._making.emit(
            "response.function_call_arguments.done", **place, name=call.name, arguments=call.arguments
        )
        await _finish(self._making.emit, reply, item, "completed")


class _Message:
    """An assistant message as it is spoken or written."""

    def __init__(self, making: Making, reply: Reply, item: Item) -> None:
        self._emit = making.emit
        self._making = making
        self._reply = reply
        self._item = item
        self._place: Json = {
            "response_id": reply.id, "item_id": item.id, "output_index": len(reply.output),
            "content_index": 0,
        }  # fmt: skip
        self._waiting = ""
        self._said = ""
        self._sent_bytes = 0
        self._encoder = _Encoder(reply.audio_format)

    @property
    def _spoken(self) -> bool:
        return self._reply.modality == "audio"

    def _part(self) -> Json:
        return (
            {"type": "audio", "transcript": self._said}
            if self._spoken
            else {"type": "text", "text": self._said}
        )

    async def begin(self) -> None:
        await self._emit("response.content_part.added", **self._place, part=self._part())

    async def say(self, text: str) -> None:
        """More of the text; whole sentences leave at once, the rest waits."""
        if not self._spoken:
            await self._write(text)
            return
        self._waiting += text
        *whole, rest = sentences(self._waiting) or [""]
        if _ENDED.search(rest):
            whole, rest = [*whole, rest], ""
        self._waiting = rest
        for sentence in whole:
            await self._speak(sentence)

    async def finish(self) -> None:
        """What waits, then the end of the item."""
        if self._waiting:
            rest, self._waiting = self._waiting, ""
            await self._speak(rest)
        if self._spoken:
            await self._emit_sound(self._encoder.finish())
        await self.close("completed")

    async def close(self, status: str) -> None:
        if self._spoken:
            await self._emit("response.output_audio.done", **self._place)
            await self._emit("response.output_audio_transcript.done", **self._place, transcript=self._said)
        else:
            await self._emit("response.output_text.done", **self._place, text=self._said)
        await self._emit("response.content_part.done", **self._place, part=self._part())
        self._keep()
        await _finish(self._emit, self._reply, self._item, status)

    def _keep(self) -> None:
        """The item as the conversation holds it."""
        content = (
            {"type": "output_audio", "transcript": self._said}
            if self._spoken
            else {"type": "output_text", "text": self._said}
        )
        self._item.body["content"] = [content]
        self._item.spoken = self._spoken

    async def _write(self, text: str) -> None:
        for word in re.findall(r"\s*\S+|\s+$", text):
            self._check()
            self._said += word
            self._count(word)
            await self._emit("response.output_text.delta", **self._place, delta=word)

    async def _speak(self, sentence: str) -> None:
        """A slow voice begins with the first clause, and can be stopped after each."""
        voice = self._making.voice
        for part in clauses(sentence) if voice is not None and voice.slow else [sentence]:
            await self._speak_part(part)

    async def _speak_part(self, sentence: str) -> None:
        """Words and sound interleaved, words ahead."""
        self._check()
        pcm24k = b""
        if self._making.voice is not None:
            speak = asyncio.to_thread(self._making.voice.speak, sentence, speed=self._reply.speed)
            pcm24k = await _unless_stopped(self._reply, speak)
        pieces = list(chunks(pcm24k, _PIECE_MS))
        words = re.findall(r"\s*\S+\s*?(?=\s|$)", sentence) or [sentence]
        if (tail := sentence[len("".join(words)) :]) and words:
            words[-1] += tail
        at_once = max(1, -(-2 * len(words) // max(len(pieces), 1)))
        while words or pieces:
            for word in words[:at_once]:
                self._said += word
                self._count(word)
                await self._emit("response.output_audio_transcript.delta", **self._place, delta=word)
            del words[:at_once]
            if pieces:
                await self._send(pieces.pop(0))
            self._check()

    async def _send(self, pcm24k: bytes) -> None:
        await self._wait_for_its_time()
        encoded = self._encoder.feed(pcm24k)
        self._sent_bytes += len(pcm24k)
        self._reply.audio_ms += duration_ms(pcm24k)
        self._item.audio_ms = duration_ms(self._sent_bytes)
        self._reply.usage.speech(duration_ms(pcm24k))
        await self._emit_sound(encoded)

    async def _emit_sound(self, encoded: bytes) -> None:
        if encoded:
            delta = base64.b64encode(encoded).decode("ascii")
            await self._emit("response.output_audio.delta", **self._place, delta=delta)

    async def _wait_for_its_time(self) -> None:
        pace, now = self._making.pace, asyncio.get_running_loop().time()
        if self._reply.started_at is None:
            self._reply.started_at = now
        ahead_ms = self._reply.audio_ms - pace.lead_ms
        due = self._reply.started_at + ahead_ms / pace.times / 1000 if pace.times > 0 else now
        if due > now:
            await _unless_stopped(self._reply, asyncio.sleep(due - now))
        else:
            await asyncio.sleep(0)

    def _count(self, word: str) -> None:
        self._reply.usage.text(word)
        most = self._reply.most_tokens
        if isinstance(most, int) and self._reply.usage.output_tokens > most:
            self._reply.stop("max_output_tokens")

    def _check(self) -> None:
        if self._reply.stopped.is_set():
            raise _Stopped


async def _add(emit: Emit, reply: Reply, body: Json) -> Item:
    item = Item(body)
    await emit(
        "response.output_item.added", response_id=reply.id, output_index=len(reply.output), item=dict(body)
    )
    if reply.into is not None:
        previous = reply.into.last_id
        reply.into.add(item)
        await emit("conversation.item.added", previous_item_id=previous, item=dict(body))
    return item


async def _finish(emit: Emit, reply: Reply, item: Item, status: str) -> None:
    item.body["status"] = status
    index = len(reply.output)
    reply.output.append(dict(item.body))
    if reply.into is not None and reply.into.find(item.id) is not None:
        reply.into.count(item)
        await emit("conversation.item.done", previous_item_id=reply.into.before(item), item=dict(item.body))
    await emit("response.output_item.done", response_id=reply.id, output_index=index, item=dict(item.body))


async def _unless_stopped(reply: Reply, work: Awaitable[Answer]) -> Answer:
    """The work's result; raises _Stopped, and gives the work up, when the reply is stopped first."""
    if reply.stopped.is_set():
        if asyncio.iscoroutine(work):
            work.close()
        raise _Stopped
    doing = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(reply.stopped.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise _Stopped
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "audio/pcm": bytes,
    "audio/pcmu": mulaw_encode,
    "audio/pcma": alaw_encode,
}


class _Encoder:
    """Speech at 24 kHz in the format of a reply."""

    def __init__(self, audio_format: Json) -> None:
        kind = audio_format["type"]
        self._stream = Resampler(24_000, 24_000 if kind == "audio/pcm" else 8_000)
        self._encode = _CODINGS[kind]

    def feed(self, pcm24k: bytes) -> bytes:
        return self._encode(self._stream.feed(pcm24k))

    def finish(self) -> bytes:
        """What the change of the rate has held back: the last 40 ms."""
        return self._encode(self._stream.finish())
