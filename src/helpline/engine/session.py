"""One Realtime session, from `session.created` to the end of its socket: the protocol's server side (GA).

One loop reads the client's events and performs them in order; replies run beside it and only ever send. Order
and fields follow recorded sessions; what cannot be done becomes an `error` event and the session goes on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from helpline.engine.accent import Accent
from helpline.engine.brain import Brain
from helpline.engine.captions import Captions
from helpline.engine.configuration import Configuration
from helpline.engine.dialogue import Known
from helpline.engine.history import History, Item, decode_audio, read_item
from helpline.engine.language import readable
from helpline.engine.lexicon import expected_from
from helpline.engine.listening import (
    Began,
    Ended,
    Growing,
    Hearing,
    Listened,
    ListeningFailed,
    ListenSettings,
)
from helpline.engine.protocol import (
    Json,
    Refusal,
    integer,
    missing,
    new_id,
    nullable,
    one_of,
    text,
    wrong_value,
)
from helpline.engine.rates import Rate
from helpline.engine.references import asks_for_reference
from helpline.engine.reply import Making, Pace, Reply, Speaker
from helpline.engine.requests import ResponseRequest, read_request
from helpline.engine.turns import items_of, turn_of
from helpline.engine.usage import usage_of_input
from helpline.engine.voice import Voice
from helpline.errors import ConnectionLost
from helpline.realtime.connection import Frames

MOST_AUDIO_BYTES = 15 * 1024 * 1024
DEAF = "ears_unavailable"
"""The code of the error that says that nobody listens."""
_LEAST_COMMIT_MS = 100
_SLICE_MS = 200
_FAREWELL_S = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may use."""

    session_s: int = 3600
    """Then `session_expired`, close 1001."""
    frame_bytes: int = 22 * 1024 * 1024
    items: int = 2000
    characters: int = 4_000_000
    """Of text in all items together; beyond either, the oldest are forgotten."""
    update_bytes: int = 2 * 1024 * 1024
    """Of a `session.update`: what a session keeps for as long as it lives."""
    buffer_ms: int = 600_000
    """Of audio that waits for a commit (push to talk)."""
    parallel_replies: int = 8
    replies_per_minute: int = 600
    tokens_per_minute: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is made with."""

    hearing: Hearing
    brain: Brain
    voice: Voice | None
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    silence_ms: int = 500
    language: str = ""
    """What is spoken, where the client does not say; empty: the ears are to find out."""
    flat: bool = False
    """The client connected as one of the preview: the flat shape from the first event."""
    transcribes_only: bool = False
    """The client connected for transcripts alone."""
    wall_clock: Callable[[], datetime] = datetime.now


class Session:
    """Serves one client. `run` returns when the client is gone or the session's time is over."""

    def __init__(self, frames: Frames, parts: Parts) -> None:
        self._frames = frames
        self._parts = parts
        self._expires_at = int(time.time()) + parts.limits.session_s
        self._configuration = Configuration(new_id("sess"), self._expires_at, silence_ms=parts.silence_ms)
        if parts.transcribes_only:
            self._configuration.transcribe_only()
        self._conversation_id = new_id("conv")
        self._history = History(parts.limits.items, parts.limits.characters)
        self._speaker = Speaker(Making(parts.brain, parts.voice, parts.pace, self._emit))
        self._active: Reply | None = None
        self._aside: dict[str, Reply] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._utterance_id = ""
        self._uncommitted_ms = 0.0
        self._captions = Captions(self._emit)
        self._accent = Accent(flat=parts.flat)
        self._rate = Rate(parts.limits.replies_per_minute, parts.limits.tokens_per_minute, time.monotonic)
        self._spoke = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._deaf = False
        self._known = Known()
        self._asked_for_reference = False

    async def run(self) -> None:
        """Serve until the end; the caller closes the frames."""
        try:
            async with asyncio.timeout(self._parts.limits.session_s), asyncio.TaskGroup() as self._tasks:
                await self._emit("session.created", session=self._configuration.body)
                try:
                    await self._parts.hearing.configure(self._listen_settings())
                except ListeningFailed as deaf:
                    await self._cannot_hear(deaf)
                await self._serve()
        except* ConnectionLost:
            pass  # the client is gone: so is everything that was for it
        except* TimeoutError:
            await self._expire()
        finally:
            await self._parts.hearing.close()

    async def _serve(self) -> None:
        while True:
            await self._take(await self._frames.recv())

    async def _expire(self) -> None:
        minutes = self._parts.limits.session_s // 60
        expired = Refusal(
            f"Your session hit the maximum duration of {minutes} minutes.", code="session_expired"
        )
        with suppress(ConnectionLost, TimeoutError):  # to one that does not read it is not said
            async with asyncio.timeout(_FAREWELL_S):
                await self._emit("error", error=expired.event(None))
        await self._frames.close(1001, "session expired")

    # --- the client's events ---------------------------------------------------------------------------

    async def _take(self, frame: str | bytes) -> None:
        event_id: str | None = None
        try:
            event = self._decoded(frame)
            event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
            async with self._one_at_a_time:
                await self._perform(self._accent.heard(event))
        except Refusal as refused:
            await self._emit("error", error=refused.event(event_id))
        except RecursionError:
            too_deep = Refusal("The event is nested too deeply.", code="invalid_value")
            await self._emit("error", error=too_deep.event(event_id))
        except ListeningFailed as deaf:
            await self._cannot_hear(deaf, event_id)

    async def _cannot_hear(self, deaf: ListeningFailed, event_id: str | None = None) -> None:
        """Say so, once until something is heard again; what is typed is answered all the same."""
        if not self._deaf:
            _log.warning("%s", deaf)
            refused = Refusal(str(deaf), code=DEAF, kind="server_error")
            await self._emit("error", error=refused.event(event_id))
        self._deaf = True

    def _decoded(self, frame: str | bytes) -> Json:
        if len(frame) > self._parts.limits.frame_bytes:
            raise Refusal("The event is too large.", code="invalid_value")
        try:
            event = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise Refusal(
                "We could not parse the event: it is not valid JSON.", code="invalid_json"
            ) from error
        if not isinstance(event, dict):
            raise Refusal("We could not parse the event: it is not a JSON object.", code="invalid_json")
        if event.get("type") == "session.update" and len(frame) > self._parts.limits.update_bytes:
            raise wrong_value("session", f"expected at most {self._parts.limits.update_bytes} bytes.")
        return event

    async def _perform(self, event: Json) -> None:
        if "type" not in event:
            raise missing("type")
        perform = self._performers().get(one_of(*self._performers())(event["type"], "type"))
        if perform is not None:
            await perform(event)

    def _performers(self) -> dict[str, Callable[[Json], Awaitable[None]]]:
        return {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
            "output_audio_buffer.clear": self._clear_output,
        }

    async def _update(self, event: Json) -> None:
        if "session" not in event:
            raise missing("session")
        self._configuration.update(event["session"], voice_fixed=self._has_spoken())
        await self._emit("session.updated", session=self._configuration.body)
        await self._parts.hearing.configure(self._listen_settings())

    def _has_spoken(self) -> bool:
        return any(item.spoken and item.body.get("role") == "assistant" for item in self._history)

    def _listen_settings(self) -> ListenSettings:
        transcription = self._configuration.input["transcription"] or {}
        tools = self._configuration.body["tools"]
        expected = expected_from(transcription.get("keywords") or (), tools, self._language)
        self._known = Known(expected.ids, expected.keywords)
        return ListenSettings(
            self._configuration.input["format"]["type"],
            self._configuration.vad,
            expected.without_ids(),
            expected.ids,
            self._asked_for_reference,
        )

    @property
    def _language(self) -> str:
        """What is spoken; empty: one of several, or not known."""
        named = self._configuration.languages or (self._parts.language,)
        return named[0] if len(named) == 1 else ""

    async def _listen_for_what_was_asked(self, reply: Reply) -> None:
        asked = asks_for_reference(reply.said)
        if asked != self._asked_for_reference:
            async with self._one_at_a_time:
                self._asked_for_reference = asked
                await self._parts.hearing.configure(self._listen_settings())

    async def _append(self, event: Json) -> None:
        if "audio" not in event:
            raise missing("audio")
        audio = decode_audio(text(event["audio"], "audio"), "audio")
        if len(audio) > MOST_AUDIO_BYTES:
            raise wrong_value("audio", "expected at most 15 MiB of audio.")
        bytes_per_ms = 48 if self._configuration.input["format"]["type"] == "audio/pcm" else 8
        self._wait_for_commit(len(audio) / bytes_per_ms)
        slice_bytes = _SLICE_MS * bytes_per_ms
        for at in range(0, len(audio), slice_bytes):
            heard_now = await self._parts.hearing.feed(audio[at : at + slice_bytes])
            self._deaf = False
            for heard in heard_now:
                await self._on_heard(heard)

    def _wait_for_commit(self, ms: float) -> None:
        """Nothing but a commit ends an utterance when there is no turn detection: it has to end somewhere."""
        if self._configuration.turn_detection is not None:
            self._uncommitted_ms = 0.0
            return
        if self._uncommitted_ms + ms > self._parts.limits.buffer_ms:
            raise wrong_value(
                "audio",
                f"the input audio buffer would hold more than {self._parts.limits.buffer_ms}ms: commit it or"
                " clear it first.",
            )
        self._uncommitted_ms += ms

    async def _commit(self, event: Json) -> None:
        uncommitted_ms, self._uncommitted_ms = self._uncommitted_ms, 0.0
        committed = await self._parts.hearing.commit()
        # What was given, where that is known: the change of the rate holds some of it back.
        by_hand = self._configuration.turn_detection is None
        given_ms = uncommitted_ms if by_hand else committed.duration_ms
        if given_ms < _LEAST_COMMIT_MS:
            raise Refusal(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but"
                f" buffer only has {given_ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        item = self._spoken_item(self._utterance_id or new_id("item"), committed.text, round(given_ms))
        await self._commit_item(item)
        await self._caption(item)

    async def _clear(self, event: Json) -> None:
        self._uncommitted_ms = 0.0
        await self._parts.hearing.clear()
        self._utterance_id = ""
        await self._emit("input_audio_buffer.cleared")

    async def _create_item(self, event: Json) -> None:
        if "item" not in event:
            raise missing("item")
        item = read_item(event["item"])
        previous = nullable(text)(event.get("previous_item_id"), "previous_item_id")
        if item.body["type"] == "function_call_output" and not self._history.has_call(item.body["call_id"]):
            raise Refusal(
                f"Tool call ID '{item.body['call_id'][:64]}' not found in conversation.",
                code="invalid_tool_call_id",
                param="item.call_id",
            )
        await self._hear(item)
        self._history.add(item, previous)
        for name in ("conversation.item.added", "conversation.item.done"):
            await self._emit(name, previous_item_id=self._history.before(item), item=item.body)

    async def _hear(self, item: Item) -> None:
        """The words of the audio that a client put into an item."""
        if item.pcm24k:
            item.heard = readable(await self._parts.hearing.transcribe(item.pcm24k), language=self._language)
            item.pcm24k = b""

    def _item(self, event: Json, purpose: str) -> Item:
        if "item_id" not in event:
            raise missing("item_id")
        item_id = text(event["item_id"], "item_id")
        item = self._history.find(item_id)
        if item is None:
            raise Refusal(
                f"Error {purpose[:-1]}ing item: the item with id '{item_id[:64]}' does not exist.",
                code=f"item_{purpose}_invalid_item_id",
                param="item_id",
            )
        return item

    async def _retrieve_item(self, event: Json) -> None:
        await self._emit("conversation.item.retrieved", item=self._item(event, "retrieve").body)

    async def _delete_item(self, event: Json) -> None:
        item = self._item(event, "delete")
        self._history.remove(item)
        await self._emit("conversation.item.deleted", item_id=item.id)

    async def _truncate_item(self, event: Json) -> None:
        item = self._item(event, "truncate")
        for name in ("content_index", "audio_end_ms"):
            if name not in event:
                raise missing(name)
        content_index = integer(0, 0)(event["content_index"], "content_index")
        audio_end_ms = integer(0, 2**31)(event["audio_end_ms"], "audio_end_ms")
        if item.body.get("role") != "assistant" or not item.spoken:
            raise Refusal(
                "Only model output audio messages can be truncated", code="invalid_value", param="item_id"
            )
        if audio_end_ms > item.audio_ms:
            raise Refusal(
                f"Audio content of {item.audio_ms}ms is already shorter than {audio_end_ms}ms",
                code="invalid_value",
                param="audio_end_ms",
            )
        item.cut(audio_end_ms)
        self._history.count(item)
        await self._emit(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=content_index,
            audio_end_ms=audio_end_ms,
        )

    async def _create_response(self, event: Json) -> None:
        if self._configuration.only_transcribes:
            raise Refusal("A transcription session makes no responses.", code="invalid_value", param="type")
        request = read_request(event.get("response"))
        for item in request.input or ():
            if isinstance(item, Item):
                await self._hear(item)
        await self._respond(request)

    async def _cancel_response(self, event: Json) -> None:
        wanted = nullable(text)(event.get("response_id"), "response_id")
        reply = self._active if wanted is None else self._running(wanted)
        if reply is None:
            raise Refusal("Cancellation failed: no active response found", code="response_cancel_not_active")
        reply.stop("client_cancelled")

    def _running(self, response_id: str) -> Reply | None:
        if self._active is not None and self._active.id == response_id:
            return self._active
        return self._aside.get(response_id)

    async def _clear_output(self, event: Json) -> None:
        raise Refusal(
            "output_audio_buffer.clear is only for WebRTC and SIP: send response.cancel and"
            " conversation.item.truncate instead.",
            code="invalid_value",
            param="type",
        )

    # --- speech ----------------------------------------------------------------------------------------

    async def _on_heard(self, heard: Listened) -> None:
        match heard:
            case Began(start_ms):
                await self._speech_began(start_ms)
            case Growing(words):
                if self._configuration.input["transcription"] is not None and self._utterance_id:
                    await self._captions.grow(self._utterance_id, words, self._language)
            case Ended(end_ms, words, duration_ms):
                await self._speech_ended(end_ms, words, duration_ms)

    async def _speech_began(self, start_ms: int) -> None:
        self._utterance_id = new_id("item")
        self._captions.begin()
        self._spoke.set()
        await self._emit(
            "input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._utterance_id
        )
        detection = self._configuration.turn_detection
        if detection and detection["interrupt_response"] and self._active is not None:
            self._active.stop("turn_detected")

    async def _speech_ended(self, end_ms: int, words: str, duration_ms: int) -> None:
        item = self._spoken_item(self._utterance_id or new_id("item"), words, duration_ms)
        await self._emit("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item.id)
        await self._commit_item(item)
        detection = self._configuration.turn_detection
        if detection and detection["create_response"] and not self._configuration.only_transcribes:
            await self._respond_to_speech()
        await self._caption(item)

    async def _respond_to_speech(self) -> None:
        if self._active is not None:
            stopping = self._active
            if not stopping.stopped.is_set():
                refused = _already_active(stopping)
                await self._emit("error", error=refused.event(None))
                return
            await stopping.done.wait()
        await self._respond(ResponseRequest())

    def _spoken_item(self, item_id: str, words: str, duration_ms: int) -> Item:
        content = [{"type": "input_audio", "transcript": None}]
        body: Json = {
            "id": item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": content,
        }
        return Item(body, heard=readable(words, language=self._language), audio_ms=duration_ms, spoken=True)

    async def _commit_item(self, item: Item) -> None:
        self._utterance_id = ""
        previous = self._history.last_id
        self._history.add(item)
        await self._emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item.id)
        for name in ("conversation.item.added", "conversation.item.done"):
            await self._emit(name, previous_item_id=previous, item=item.body)

    async def _caption(self, item: Item) -> None:
        if self._configuration.input["transcription"] is not None:
            await self._captions.complete(item)
            self._history.count(item)

    # --- silence -----------------------------------------------------------------------------------------

    async def _wait_for_speech(self, reply: Reply) -> None:
        """After a reply was heard: nobody says anything for `idle_timeout_ms`, so speak again."""
        detection = self._configuration.turn_detection or {}
        idle_ms = detection.get("idle_timeout_ms")
        if self._configuration.only_transcribes or idle_ms is None or reply.reason is not None:
            return
        self._spoke.clear()
        now = asyncio.get_running_loop().time()
        playing_s = max((reply.started_at or now) + reply.audio_ms / 1000 - now, 0)
        try:
            await asyncio.wait_for(self._spoke.wait(), playing_s + idle_ms / 1000)
        except TimeoutError:
            async with self._one_at_a_time:
                await self._silence_passed(idle_ms)

    async def _silence_passed(self, idle_ms: int) -> None:
        if self._active is not None or self._spoke.is_set():
            return
        try:
            committed = await self._parts.hearing.commit()
        except ListeningFailed as deaf:
            await self._cannot_hear(deaf)
            return
        item = self._spoken_item(new_id("item"), committed.text, committed.duration_ms)
        start_ms = max(committed.end_ms - idle_ms, 0)
        await self._emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start_ms,
            audio_end_ms=committed.end_ms,
            item_id=item.id,
        )
        await self._commit_item(item)
        await self._respond(ResponseRequest())

    # --- responses -------------------------------------------------------------------------------------

    async def _respond(self, request: ResponseRequest) -> None:
        in_conversation = request.conversation == "auto"
        if in_conversation and self._active is not None:
            raise _already_active(self._active)
        if len(self._aside) >= self._parts.limits.parallel_replies:
            raise Refusal("Too many responses at once.", code="rate_limit_exceeded", kind="rate_limit_error")
        reply = self._reply(request, in_conversation)
        if in_conversation:
            self._active = reply
        else:
            self._aside[reply.id] = reply
        self._spoke.set()
        await self._emit("response.created", response=reply.body("in_progress"))
        if self._tasks is not None:
            self._tasks.create_task(self._perform_reply(reply))

    async def _perform_reply(self, reply: Reply) -> None:
        try:
            if self._rate.take(reply.input_usage.text_in + reply.input_usage.audio_in):
                await self._emit("rate_limits.updated", rate_limits=self._rate.body())
                await self._speaker.perform(reply)
            else:
                await self._speaker.refuse(reply, "inference_rate_limit_exceeded", "Too many responses.")
        finally:
            if self._active is reply:
                self._active = None
            self._aside.pop(reply.id, None)
            reply.done.set()
        if reply.into is not None:
            await self._listen_for_what_was_asked(reply)
            await self._wait_for_speech(reply)

    def _reply(self, request: ResponseRequest, in_conversation: bool) -> Reply:
        body = self._configuration.body
        output = {**self._configuration.output, **(request.output or {})}
        items = items_of(request, self._history)
        turn = turn_of(request, self._configuration, items, self._known, self._parts.wall_clock())
        modalities = request.output_modalities or body["output_modalities"]
        return Reply(
            id=new_id("resp"),
            modality="audio" if "audio" in modalities else "text",
            audio_format=output["format"],
            voice_name=output["voice"],
            speed=output.get("speed", 1.0),
            most_tokens=request.max_output_tokens or body["max_output_tokens"],
            conversation_id=self._conversation_id if in_conversation else None,
            metadata=request.metadata,
            turn=turn,
            input_usage=usage_of_input(items, turn.instructions, len(turn.tools)),
            into=self._history if in_conversation else None,
        )

    async def _emit(self, name: str, /, **fields: Any) -> None:
        event = self._accent.said({"type": name, "event_id": new_id("event"), **fields})
        if event is not None:
            await self._frames.send(msgspec.json.encode(event))


def _already_active(reply: Reply) -> Refusal:
    return Refusal(
        f"Conversation already has an active response in progress: {reply.id}. Wait until the response is"
        " finished before creating a new one.",
        code="conversation_already_has_active_response",
    )
