"""`RealtimeClient`: a voice desk inside your own app, in the words of the library it grew from.

It is the library face of the one driver of a conversation: turn-taking, barge-in, reconnects and confirmed
changes are the desk's. Events arrive in order, one at a time, as dictionaries; a handler may be plain or
async, and an exception in one is reported through `error` and does not end the call.

    client = RealtimeClient(system_prompt="You help customers of a shop.")
    client.on("conversation.updated", play)
    await client.add_tool(definition, handler)
    await client.connect()
"""

import asyncio
import dataclasses
import inspect
import logging
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from helpline.actions import GUEST, Caller, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Rules
from helpline.call.driver import Driver
from helpline.call.shown import Caption, Notice, ReceiptShown, Shown, StateShown, ToolEnded, ToolStarted
from helpline.call.transcript import Transcript
from helpline.engine.backend import EngineBackend
from helpline.engine.desk_voice import DeskVoice
from helpline.errors import BackendError, SettingsError, ToolError
from helpline.manner import rules_of
from helpline.realtime import wire
from helpline.realtime.asked import choice_asked, session_asked, transcription_asked
from helpline.realtime.backends import OpenAIBackend, UrlBackend, backend_of
from helpline.realtime.connection import Backend, Connection
from helpline.realtime.events import (
    ClientEvent,
    InputCommit,
    ItemCreate,
    ItemDelete,
    ServerEvent,
    SessionSettings,
    SessionUpdate,
    UnknownEvent,
)
from helpline.settings import Settings, load_settings
from helpline.settings_text import Secret
from helpline.storable import storable
from helpline.tools.offered import ShopHandler, ShopTools

log = logging.getLogger(__name__)

Handler = Callable[[Any], object]
"""Plain or async; what it returns is not looked at."""
ToolHandler = Callable[..., Any] | ShopHandler
"""Plain or async, called with the arguments by name; or one of the shop's own tools."""

EVENTS = (
    "conversation.updated",
    "conversation.item.appended",
    "conversation.item.completed",
    "conversation.item.input_audio_transcription.completed",
    "conversation.interrupted",
    "error",
    "realtime.event",
)
_BY_THE_APP = "disconnected"
SORRY = "I am sorry, something went wrong on our side. Nothing was changed."


class RealtimeClient:
    """A conversation with a Realtime server, configured from the environment or from arguments.

    `url` is any compatible server; `api_key` and `model` alone mean OpenAI; nothing at all means the backends
    of the environment, or the embedded engine when there is no key. Raises SettingsError.
    """

    MOST_EVENTS: ClassVar = 2000
    """Events that wait for handlers: at least half a minute of a call. Then the newest are lost."""
    LONGEST_HANDLER_S: ClassVar = 10.0
    """After hanging up, a handler that works on for so long and lets nothing else be handled is cancelled."""

    def __init__(
        self,
        system_prompt: str = "",
        *,
        url: str = "",
        api_key: str = "",
        model: str = "",
        rules: Rules | None = None,
    ) -> None:
        self._settings = load_settings()
        self._prompt = system_prompt
        self._voice = DeskVoice(self._settings.engine_voice)
        backends = _backends(self._settings, url, api_key, model)
        self._engines = tuple(backend for backend in backends if isinstance(backend, _SharedEngine))
        self._backends = tuple(_Tapped(backend, self._saw) for backend in backends)
        # The app says when somebody speaks: with push to talk by `create_response`, not by a button of ours.
        self._rules = rules or msgspec.structs.replace(rules_of(self._settings), push_to_talk=False)
        if rules is not None:  # What the session is asked for goes with them.
            self._settings = dataclasses.replace(
                self._settings,
                silence_ms=rules.silence_ms,
                vad_prefix_ms=rules.prefix_ms,
                turn_taking="vendor" if rules.vendor_turns else "desk",
            )
        self._handlers: dict[str, list[Handler]] = {name: [] for name in EVENTS}
        self._tools: dict[str, tuple[dict[str, Any], ToolHandler]] = {}
        self._shop = ShopTools(self._settings)
        self._changes = SessionSettings()
        self._keywords: tuple[str, ...] = ()
        self._caller = GUEST
        self._past = Transcript()
        self._driver: Driver | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._connecting = asyncio.Lock()
        self._uncommitted = False
        """Sound was given since the last commit; only push to talk asks."""
        self._events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        self._running: tuple[str, Handler] | None = None
        """The handler that is at work, and for which event."""
        self._unhandled = 0
        """Events that found too many others waiting, since the last that did not."""
        self._items = _Items()

    # --- the connection ---

    async def connect(self, *, voice: bool = True) -> bool:
        """Open the session; the conversation so far goes on. Raises BackendError.

        Without `voice` nothing is opened yet: the first typed line does that, and is answered in text.
        """
        async with self._connecting:
            if self._driver is None or self._driver.ended.is_set():
                await self._start()
        driver = self._live()
        if not voice or driver.conversation.may_listen:
            return True
        driver.post(fx.VoiceStarted())
        await driver.until(lambda c: c.voice)
        await driver.until(lambda c: c.may_listen or c.farewell is not None or not c.voice)
        if not driver.conversation.may_listen:
            failure = driver.failure or "The connection could not be opened."
            await self.disconnect()
            raise BackendError(failure)
        return True

    async def _start(self) -> None:
        await self.disconnect()
        if any(isinstance(handler, ShopHandler) for _, handler in self._tools.values()):
            self._keywords = await self._shop.keywords(self._caller)
        for engine in self._engines:
            engine.take()
        self._events = asyncio.Queue()
        self._driver = Driver(self, self._backends, rules=self._rules, past=self._past)
        self._tasks = (asyncio.create_task(self._driver.run()), asyncio.create_task(self._dispatch()))

    async def disconnect(self) -> None:
        """Hang up. A change that was confirmed is finished first; the conversation is kept until `reset`.

        From inside a handler too: the events that are still waiting follow when it has returned.
        """
        driver, self._driver = self._driver, None
        if driver is None:
            return
        driver.post(fx.HungUp(_BY_THE_APP))
        run, dispatch = self._tasks
        await run
        self._events.put_nowait(None)
        if dispatch is not asyncio.current_task():
            await self._finish(dispatch)
        self._past = driver.conversation.transcript
        self._items.end()
        for engine in self._engines:
            await engine.give_back()
        await self._shop.close()

    async def _finish(self, dispatch: asyncio.Task[None]) -> None:
        """Let the handlers have what still waits; one that does not return is not waited for for ever."""
        waiting = -1
        while not dispatch.done() and self._events.qsize() != waiting:
            waiting = self._events.qsize()
            await asyncio.wait({dispatch}, timeout=self.LONGEST_HANDLER_S)
        if not dispatch.done():
            log.error("%s has not returned; it is cancelled", self._at_work())
            dispatch.cancel()
        await asyncio.gather(dispatch, return_exceptions=True)

    def _at_work(self) -> str:
        name, handler = self._running or ("an event", None)
        return f"the handler {getattr(handler, '__qualname__', '')!r} of {name}"

    def is_connected(self) -> bool:
        """Is there a call, or one line away from it?"""
        return self._driver is not None and not self._driver.conversation.closed

    async def reset(self) -> None:
        """Hang up and forget everything: handlers, tools, conversation, customer."""
        await self.disconnect()
        self._past = Transcript()
        self._items = _Items()
        self._caller = GUEST
        self._changes = SessionSettings()
        self._tools.clear()
        for handlers in self._handlers.values():
            handlers.clear()

    async def wait_for_session_created(self) -> bool:
        """Wait until the session is open and configured; False when the call ended first."""
        return await self._live().until(lambda c: c.link.phase == "ready")

    # --- events ---

    def on(self, name: str, handler: Handler) -> None:
        """Call `handler` for each event of this name, with one dictionary.

        An item is a dictionary too: `id`, `type`, `role`, `status`, and `formatted` with `transcript`, `text`
        and `heard`; it is the same object in every event about it.

        - `conversation.item.appended`, `conversation.item.completed`: {"item"}
        - `conversation.updated`: {"item", "delta"}; the delta has what came, as `transcript`, `text`,
          `arguments` or `audio` (24 kHz mono s16le to be played; the event's `track` names the stretch)
        - `conversation.item.input_audio_transcription.completed`: {"item", "delta": {"transcript"}}
        - `conversation.interrupted`: {}: silence what plays
        - `error`: {"message"}, of a handler or tool that failed with its `exception`
        - `realtime.event`: {"source": "client" or "server", "event": the protocol's}

        Raises ValueError for a name that does not exist.
        """
        if name not in self._handlers:
            raise ValueError(f"no event is called {name!r}: use {', '.join(EVENTS)}")
        self._handlers[name].append(handler)

    async def wait_for_next_item(self) -> dict[str, Any]:
        """The next item that appears: {"item": …}. Raises BackendError when the call ends first."""
        return await self._items.next("conversation.item.appended")

    async def wait_for_next_completed_item(self) -> dict[str, Any]:
        """The next item that is finished: {"item": …}. Raises BackendError when the call ends first."""
        return await self._items.next("conversation.item.completed")

    def _emit(self, name: str, event: Mapping[str, Any]) -> None:
        self._items.tell(name, dict(event))
        if not self._handlers[name]:
            return
        if self._events.qsize() < self.MOST_EVENTS:
            self._events.put_nowait((name, dict(event)))
            return
        self._unhandled += 1
        if self._unhandled == 1:  # said where it is read at once; `error` waits behind the others
            log.error(
                "%s has not returned: %s events wait, later ones are lost", self._at_work(), self.MOST_EVENTS
            )

    async def _dispatch(self) -> None:
        while (event := await self._events.get()) is not None:
            name, value = event
            for handler in tuple(self._handlers[name]):
                self._running = (name, handler)
                await self._call(name, handler, value)
            if self._unhandled:
                lost, self._unhandled = self._unhandled, 0
                self._emit("error", {"message": f"{lost} events were lost: {self._at_work()} took too long"})

    async def _call(self, name: str, handler: Handler, value: Any) -> None:
        try:
            answer = handler(value)
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:  # noqa: BLE001 - your own code: it must not end the call
            if name == "error":  # there is nobody left to tell
                log.error("a handler of `error` failed (%s)", type(error).__name__)
            else:
                self._emit("error", {"message": f"a handler of {name} failed", "exception": error})

    def _saw(self, source: str, event: ClientEvent | ServerEvent | UnknownEvent) -> None:
        if self._handlers["realtime.event"]:
            self._emit("realtime.event", {"source": source, "event": msgspec.to_builtins(event)})

    # --- who is on the line ---

    def identify(self, customer: Caller) -> None:
        """Say who the verified customer is; only the app that uses this client may know.

        Of what was said with another customer nothing is kept.
        """
        before = self._caller.customer_id
        stranger = before is not None and before != customer.customer_id
        self._caller = customer
        if stranger:
            self._past = Transcript()
        if self._driver is not None:
            self._driver.post(fx.SessionChanged(self._session()))
            self._driver.post(fx.CallerChanged(customer, stranger=stranger))

    # --- tools and session ---

    async def add_tool(self, definition: Mapping[str, Any], handler: ToolHandler) -> None:
        """Offer a tool: its JSON definition (name, description, parameters) and a plain or async function."""
        name = str(definition.get("name") or "")
        if not name or name in self._tools:
            raise ValueError(f"a tool needs a name of its own, not {name!r}")
        self._tools[name] = ({"type": "function", **definition}, handler)
        self._session_changed()

    async def remove_tool(self, name: str) -> None:
        """Offer a tool no longer. Raises ValueError when there is none of that name."""
        if self._tools.pop(name, None) is None:
            raise ValueError(f"no tool is called {name!r}")
        self._session_changed()

    async def update_session(self, **changes: Any) -> None:
        """Change the session: the protocol's fields, nested (`audio={…}`) or flat (`voice=…`)."""
        frame = msgspec.json.encode({"type": "session.update", "session": {"type": "realtime", **changes}})
        try:
            event = wire.decode_client(frame)
        except wire.BadFrame as error:
            raise ValueError(str(error)) from None
        assert isinstance(event, SessionUpdate)
        self._changes = _merged(self._changes, event.session)
        self._session_changed()

    def _session_changed(self) -> None:
        if self._driver is not None and self._driver.conversation.link.phase == "ready":
            self._driver.post(fx.SessionChanged(self._session()))

    def session(self, backend: Backend) -> SessionSettings:
        """What the driver asks of a fresh session."""
        settings = self._settings
        asked = session_asked(settings)
        words = transcription_asked(settings, settings.language, self._keywords)
        base = msgspec.structs.replace(asked, transcription=words if backend.transcribes else None)
        return _merged(base, self._session())

    def _session(self) -> SessionSettings:
        offered = [
            definition
            for definition, handler in self._tools.values()
            if not isinstance(handler, ShopHandler) or self._shop.may_use(handler, self._caller)
        ]
        choice = choice_asked(self._settings.tool_choice, [str(one["name"]) for one in offered])
        ours = SessionSettings(instructions=self._prompt, tools=tuple(offered), tool_choice=choice)
        session = _merged(ours, self._changes)
        if not any(isinstance(handler, ShopHandler) for _, handler in self._tools.values()):
            return session
        told = self._shop.in_its_zone(session.instructions or "")
        return msgspec.structs.replace(session, instructions=told)

    # --- talking ---

    async def append_input_audio(self, pcm24k: bytes) -> bool:
        """Microphone audio: 24 kHz mono s16le."""
        self._live().hear(bytes(pcm24k))
        self._uncommitted = True
        return True

    async def send_user_message_content(self, content: Sequence[Mapping[str, Any]] = ()) -> bool:
        """What the customer wrote (`{"type": "input_text", "text": …}`) or said (`input_audio`, `audio`)."""
        for part in content:
            if part.get("type") == "input_audio":
                audio = part["audio"]
                await self.append_input_audio(b64decode(audio) if isinstance(audio, str) else audio)
        text = "\n".join(str(part.get("text", "")) for part in content if part.get("type") == "input_text")
        if text:
            self._live().post(fx.Typed(storable(text)))
        return True

    async def create_response(self) -> bool:
        """Ask for a reply now; it is sent once no other is in flight.

        Where turn detection is off (push to talk) the customer has finished: what was said is committed, and
        answered.
        """
        driver = self._live()
        session = driver.conversation.session
        if self._uncommitted and session is not None and session.turn_detection is None:
            driver.post(fx.Forwarded(InputCommit()))
        else:
            driver.post(fx.ReplyAsked())
        self._uncommitted = False
        return True

    async def cancel_response(self, item_id: str | None = None, sample_count: int = 0) -> dict[str, Any]:
        """Silence the reply; `sample_count` (24 kHz) says how much of that item was heard."""
        driver = self._live()
        clip = driver.conversation.playout.clip(item_id) if item_id else None
        heard = (clip.track, sample_count // 24) if clip is not None and sample_count > 0 else ()
        driver.post(fx.Stopped(*heard))
        return {"item": self._items.known.get(item_id or "")}

    async def create_conversation_item(self, item: Mapping[str, Any]) -> bool:
        """Put an item of your own into the conversation; messages are told to later sessions too.

        Raises ValueError for what is no item.
        """
        frame = msgspec.json.encode({"type": "conversation.item.create", "item": dict(item)})
        try:
            event = wire.decode_client(frame)
        except wire.BadFrame as error:
            raise ValueError(str(error)) from None
        assert isinstance(event, ItemCreate)
        self._live().post(fx.Forwarded(event))
        return True

    async def delete_item(self, item_id: str) -> bool:
        """Take an item out of the conversation, for later sessions too."""
        self._live().post(fx.Forwarded(ItemDelete(item_id=item_id)))
        return True

    def _live(self) -> Driver:
        if self._driver is None:
            raise BackendError("The client is not connected: await connect() first.")
        return self._driver

    # --- what the driver asks of its host ---

    async def play(self, track: str, pcm24k: bytes) -> None:
        item = self._items.get(track.rpartition(".")[0], "assistant")
        self._emit("conversation.updated", {"item": item, "delta": {"audio": pcm24k}, "track": track})

    async def clear_playback(self) -> None:
        self._emit("conversation.interrupted", {})

    async def show(self, shown: Shown) -> None:
        match shown:
            case Caption():
                self._show_caption(shown)
            case ToolStarted(tool_call_id, name, arguments):
                item = self._items.get(tool_call_id, "function_call")
                item |= {"type": "function_call", "name": name, "arguments": arguments}
                self._emit("conversation.item.appended", {"item": item})
                self._emit("conversation.updated", {"item": item, "delta": {"arguments": arguments}})
                item["status"] = "completed"
                self._emit("conversation.item.completed", {"item": item})
            case ToolEnded(tool_call_id, _, _, result):
                item = self._items.get(f"{tool_call_id}_output", "function_call_output")
                answer = (
                    msgspec.json.encode(result.data, enc_hook=str).decode() if result.data else result.say
                )
                item |= {"type": "function_call_output", "call_id": tool_call_id, "output": answer}
                self._done(item)
            case ReceiptShown(receipt):
                item = self._items.get(receipt.reference, "receipt")
                item |= {"type": "receipt", "receipt": receipt}
                self._done(item)
            case StateShown("ended", reason) if reason != _BY_THE_APP:
                self._items.end()
                self._emit("error", {"message": f"The call has ended{reason and f': {reason}'}."})
            case Notice(text, "error", reason):
                self._emit("error", {"message": reason or text})
            case _:
                pass

    def _done(self, item: dict[str, Any]) -> None:
        """An item that is there as a whole."""
        item["status"] = "completed"
        self._emit("conversation.item.appended", {"item": item})
        self._emit("conversation.item.completed", {"item": item})

    def _show_caption(self, caption: Caption) -> None:
        role = "user" if caption.speaker == "customer" else "assistant"
        new = caption.line_id not in self._items.known
        item = self._items.get(caption.line_id, role)
        before = item["formatted"]["transcript"]
        item["formatted"] |= {"transcript": caption.text, "heard": caption.heard}
        if caption.typed:
            item["formatted"]["text"] = caption.text
        if new:
            self._emit("conversation.item.appended", {"item": item})
        if caption.text != before:
            added = caption.text.removeprefix(before) if caption.text.startswith(before) else caption.text
            delta = {"text" if caption.typed else "transcript": added}
            self._emit("conversation.updated", {"item": item, "delta": delta})
        if caption.final and item["status"] != "completed":
            item["status"] = "completed"
            self._emit("conversation.item.completed", {"item": item})
            if role == "user" and not caption.typed:
                event = {"item": item, "delta": {"transcript": caption.text}}
                self._emit("conversation.item.input_audio_transcription.completed", event)

    def record(self, fact: fx.Fact) -> None:
        if isinstance(fact, fx.Incident) and fact.kind == "error":
            self._emit("error", {"message": f"The server reported: {fact.detail}."})

    async def pronounce(self, ways: Sequence[str]) -> tuple[str, bytes]:
        return await self._voice.pronounce(ways)

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        known = self._tools.get(tool.name)
        if known is None:
            return ToolResult("I cannot do that.", ok=False, reason="unknown_tool")
        _, handler = known
        try:
            if isinstance(handler, ShopHandler):
                return await self._shop.run(handler, self._caller, tool.arguments, tool.tool_call_id)
            answer = handler(**msgspec.json.decode(tool.arguments or "{}", type=dict[str, Any]))
            return _as_result(await answer if inspect.isawaitable(answer) else answer)
        except ToolError as refusal:
            return ToolResult(refusal.say, ok=False, reason=refusal.reason)
        except Exception as error:  # noqa: BLE001 - your own code: it must not end the call
            self._emit("error", {"message": f"the tool {tool.name} failed", "exception": error})
            return ToolResult(SORRY, ok=False, reason="failed")

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        return await self._shop.settle(self._caller, settle)

    @property
    def conversation(self) -> Conversation | None:
        """The state of the call as it stands; None when not connected."""
        return self._driver.conversation if self._driver is not None else None


class _Items:
    """The items as handlers see them, and who waits for the next one."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, list[asyncio.Future[dict[str, Any]]]] = {}

    def get(self, item_id: str, role: str) -> dict[str, Any]:
        if item_id not in self.known:
            self.known[item_id] = {
                "id": item_id,
                "type": "message",
                "role": role,
                "status": "in_progress",
                "formatted": {"transcript": "", "text": "", "heard": ""},
            }
        return self.known[item_id]

    async def next(self, name: str) -> dict[str, Any]:
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, []).append(future)
        return await future

    def end(self) -> None:
        """The call is over: nobody waits in vain."""
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(BackendError("The call has ended."))
        self._waiting.clear()

    def tell(self, name: str, event: dict[str, Any]) -> None:
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(event)


class _SharedEngine:
    """The embedded engine, one for all clients whose settings agree: a page's every visitor has a client."""

    _running: ClassVar[dict[Settings, tuple[EngineBackend, int]]] = {}

    name = EngineBackend.name
    transcribes = EngineBackend.transcribes

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.answers = EngineBackend.of(settings).answers

    def take(self) -> None:
        """A call begins."""
        engine, users = self._running.get(self._settings) or (EngineBackend.of(self._settings), 0)
        self._running[self._settings] = (engine, users + 1)

    async def give_back(self) -> None:
        """A call is over; the engine goes with the last one."""
        engine, users = self._running.pop(self._settings)
        if users > 1:
            self._running[self._settings] = (engine, users - 1)
        else:
            await engine.aclose()

    async def connect(self) -> Connection:
        engine, _ = self._running[self._settings]
        return await engine.connect()


class _Tapped:
    """A backend whose sessions are looked at from the side."""

    def __init__(self, backend: Backend, saw: Callable[[str, Any], None]) -> None:
        self._backend = backend
        self._saw = saw
        self.name = backend.name
        self.answers = backend.answers
        self.transcribes = backend.transcribes

    async def connect(self) -> Connection:
        return _Tap(await self._backend.connect(), self._saw)


class _Tap:
    def __init__(self, connection: Connection, saw: Callable[[str, Any], None]) -> None:
        self._connection = connection
        self._saw = saw

    async def send(self, event: ClientEvent) -> None:
        self._saw("client", event)
        await self._connection.send(event)

    async def receive(self) -> ServerEvent | UnknownEvent:
        event = await self._connection.receive()
        self._saw("server", event)
        return event

    async def close(self) -> None:
        await self._connection.close()


def _backends(settings: Settings, url: str, api_key: str, model: str) -> tuple[Backend, ...]:
    if url:
        return (UrlBackend(url, Secret(api_key), model),)
    if api_key:
        return (OpenAIBackend(model or settings.openai_model, Secret(api_key)),)
    if not settings.backends:
        raise SettingsError("No backend is configured: set HELPLINE_BACKENDS, for instance to engine.")
    return tuple(
        _SharedEngine(settings) if name == "engine" else backend_of(name, settings)
        for name in settings.backends
    )


def _merged(base: SessionSettings, over: SessionSettings) -> SessionSettings:
    asked = msgspec.structs.asdict(over).items()
    changes = {name: value for name, value in asked if value is not msgspec.UNSET}
    return msgspec.structs.replace(base, **changes)


def _as_result(answer: object) -> ToolResult:
    if isinstance(answer, ToolResult):
        return answer
    if isinstance(answer, Mapping):
        return ToolResult(str(answer.get("say", "")), dict(answer))
    return ToolResult(str(answer) if answer is not None else "Done.")
