"""A Realtime server in small, and a customer's ear: models written from the protocol, not from our client.

The server takes and gives JSON objects. It answers one response at a time, writes down whatever a real one
would find fault with (`faults`), and remembers what each of its items holds, so that a test can ask it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
PLANS = ("speech", "words_first", "words_last", "text", "tool", "tools", "both", "failed", "refused", "mute")
CHUNK_MS = 200


@dataclass
class Response:
    id: str
    ask: str | None
    script: deque[Json] = field(default_factory=deque)
    begun: bool = False
    cancelled: bool = False


class Server:
    """One session."""

    def __init__(self, number: int) -> None:
        self.name = f"s{number}"
        self.configured = False
        self.response: Response | None = None
        self.audio_ms: dict[str, int] = {}
        """Of assistant items: how much was sent."""
        self.response_of: dict[str, str] = {}
        self.calls: dict[str, int] = {}
        """Function calls made or told here: how often each was answered here."""
        self.context: list[Json] = []
        self.speaking = ""
        self.wordless: deque[str] = deque()
        self.said: list[Json] = []
        self.faults: list[str] = []
        self._count = 0

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{self.name}_{kind}{self._count}"

    def _say(self, *events: Json) -> list[Json]:
        self.said += events
        return list(events)

    # --- what a client sends ---

    def take(self, event: Json) -> list[Json]:
        kind = event["type"]
        if kind != "session.update" and not self.configured:
            self.faults.append(f"{kind} before session.update")
        match kind:
            case "session.update":
                self.configured = True
                return self._say({"type": "session.updated", "session": {"type": "realtime"}})
            case "response.create":
                return self._asked(event)
            case "response.cancel":
                return self._cancelled()
            case "input_audio_buffer.clear":
                self.speaking = ""
            case "conversation.item.create":
                self._item(event["item"])
            case "conversation.item.truncate":
                self._truncated(event["item_id"], event["audio_end_ms"])
            case "conversation.item.delete":
                self.audio_ms.pop(event["item_id"], None)
        return []

    def _asked(self, event: Json) -> list[Json]:
        if self.response is not None:
            self.faults.append("two responses asked at once")
        self.response = Response(self._id("r"), event.get("event_id"))
        return []

    def _cancelled(self) -> list[Json]:
        response = self.response
        if response is None or not response.begun:
            return self._say({"type": "error", "error": {"code": "response_cancel_not_active"}})
        response.cancelled = True
        response.script = deque([self._done(response, "cancelled")])
        return []

    def _item(self, item: Json) -> None:
        self.context.append(item)
        if item["type"] == "function_call":
            self.calls.setdefault(item["call_id"], 0)
        elif item["type"] == "function_call_output":
            if item["call_id"] not in self.calls:
                self.faults.append("an answer to a call that this session does not know")
            self.calls[item["call_id"]] = self.calls.get(item["call_id"], 0) + 1

    def _truncated(self, item_id: str, end_ms: int) -> None:
        if item_id not in self.audio_ms:
            self.faults.append("truncates an item that is not there")
        elif not 0 < end_ms <= self.audio_ms[item_id]:
            self.faults.append(f"truncates at {end_ms} of {self.audio_ms[item_id]} ms")

    # --- what it sends by itself ---

    def go_on(self, plan: str) -> list[Json]:
        """The next event of the response that was asked for."""
        response = self.response
        if response is None:
            return []
        if not response.begun:
            if plan == "mute":
                return []
            if plan == "refused":
                self.response = None
                error = {"code": "rate_limit_exceeded", "event_id": response.ask}
                return self._say({"type": "error", "error": error})
            response.begun = True
            response.script = deque(self._script(response, plan))
        event = response.script.popleft()
        if event["type"] == "response.output_audio.delta":
            self.audio_ms[event["item_id"]] = self.audio_ms.get(event["item_id"], 0) + CHUNK_MS
        elif event["type"] == "response.function_call_arguments.done":
            self.calls.setdefault(event["call_id"], 0)
        elif event["type"] == "response.done":
            self.response = None
        return self._say(event)

    def _done(self, response: Response, status: str) -> Json:
        body: Json = {"id": response.id, "status": status, "output": [], "usage": {"total_tokens": 1}}
        if status == "failed":
            body["status_details"] = {"error": {"code": "server_error"}}
        return {"type": "response.done", "response": body}

    def _script(self, response: Response, plan: str) -> list[Json]:
        body = {"id": response.id, "conversation_id": "conv", "status": "in_progress"}
        begin = {"type": "response.created", "response": body}
        if plan == "failed":
            return [begin, self._done(response, "failed")]
        events = [begin]
        if plan in ("speech", "words_first", "words_last", "both"):
            events += self._speech(response, plan)
        if plan == "text":
            at = {"item_id": self._id("i"), "response_id": response.id}
            events += [
                {"type": "response.output_text.delta", **at, "delta": "It is "},
                {"type": "response.output_text.done", **at, "text": "It is on its way."},
            ]
        for _ in range({"tool": 1, "both": 1, "tools": 2}.get(plan, 0)):
            events += self._call(response)
        return [*events, self._done(response, "completed")]

    def _speech(self, response: Response, plan: str) -> list[Json]:
        item = self._id("i")
        self.response_of[item] = response.id
        at = {"item_id": item, "response_id": response.id}
        words = [
            {"type": "response.output_audio_transcript.delta", **at, "delta": f"word{n} "} for n in range(6)
        ]
        sound = [
            {"type": "response.output_audio.delta", **at, "delta": "AAAA" * (CHUNK_MS * 48 // 3)}
            for _ in range(10)
        ]
        mixed = [event for pair in zip(words, sound, strict=False) for event in pair] + sound[len(words) :]
        body = {"speech": mixed, "both": mixed, "words_first": words + sound, "words_last": sound + words}
        ends = [{"type": "response.output_audio.done", **at}]
        text = "".join(f"word{n} " for n in range(6))
        ends.append({"type": "response.output_audio_transcript.done", **at, "transcript": text})
        added = {"type": "response.output_item.added", "response_id": response.id}
        return [{**added, "item": {"id": item, "type": "message", "role": "assistant"}}, *body[plan], *ends]

    def _call(self, response: Response) -> list[Json]:
        item = self._id("i")
        call = {"id": item, "type": "function_call", "call_id": self._id("c"), "name": "look"}
        at = {"response_id": response.id, "item_id": item}
        return [
            {"type": "response.output_item.added", "response_id": response.id, "item": call},
            {
                "type": "response.function_call_arguments.done",
                **at,
                "call_id": call["call_id"],
                "name": "look",
                "arguments": "{}",
            },
            {"type": "response.output_item.done", "response_id": response.id, "item": call},
        ]

    # --- what it hears ---

    def speech_starts(self) -> list[Json]:
        self.speaking = self._id("u")
        return self._say(
            {"type": "input_audio_buffer.speech_started", "item_id": self.speaking, "audio_start_ms": 0}
        )

    def speech_stops(self, ms: int) -> list[Json]:
        item, self.speaking = self.speaking, ""
        self.wordless.append(item)
        return self._say(
            {"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": ms + 800},
            {"type": "input_audio_buffer.committed", "item_id": item},
        )

    def commits(self) -> list[Json]:
        """Push to talk: what was said until now is an item."""
        item = self._id("u")
        self.wordless.append(item)
        return self._say({"type": "input_audio_buffer.committed", "item_id": item})

    def words_come(self, text: str | None) -> list[Json]:
        if not self.wordless:
            return []
        name = "conversation.item.input_audio_transcription"
        item = self.wordless.popleft()
        if text is None:
            return self._say({"type": f"{name}.failed", "item_id": item, "error": {"code": "oops"}})
        return self._say({"type": f"{name}.completed", "item_id": item, "transcript": text})


class VendorServer(Server):
    """One that takes the turns itself: it answers what it heard, and falls silent when it hears more."""

    def _asked(self, event: Json) -> list[Json]:
        if self.response is None:
            return super()._asked(event)
        code = "conversation_already_has_active_response"
        return self._say({"type": "error", "error": {"code": code, "event_id": event.get("event_id")}})

    def speech_starts(self) -> list[Json]:
        events = super().speech_starts()
        response = self.response
        if response is not None and response.begun:
            self.response = None
            events += self._say(self._done(response, "cancelled"))
        return events

    def speech_stops(self, ms: int) -> list[Json]:
        events = super().speech_stops(ms)
        if self.response is None:
            self.response = Response(self._id("r"), None)
        return events


class Ear:
    """The customer's end: plays what it is given in real time, and forgets it when told to be silent."""

    def __init__(self) -> None:
        self._queue: deque[tuple[str, float]] = deque()
        self.played_ms: dict[str, float] = {}
        """By track."""
        self.given_ms: dict[str, float] = {}
        """By item: the furthest it can have been heard."""

    def play(self, track: str, ms: float) -> None:
        self._queue.append((track, ms))
        item = track.rpartition(".")[0]
        self.given_ms[item] = self.given_ms.get(item, 0) + ms

    def silence(self) -> None:
        self._queue.clear()

    def pass_time(self, ms: float) -> None:
        while self._queue and ms > 0:
            track, left = self._queue.popleft()
            part = min(left, ms)
            self.played_ms[track] = self.played_ms.get(track, 0) + part
            ms -= part
            if part < left:
                self._queue.appendleft((track, left - part))
