"""The one driver of a conversation: takes the next event, steps, performs the effects in order.

Microphone audio changes no state, so it never waits behind anything: it goes through a short bounded buffer
straight to the connection. Everything else enters one inbox.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from helpline.actions import ToolResult
from helpline.audio.echo import EchoGate
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Event, Rules, begin, step, wake_at
from helpline.call.outbox import Outbox
from helpline.call.playout import sounds_until_ms
from helpline.call.replay import note_input, note_rules
from helpline.call.shown import Shown
from helpline.call.transcript import Transcript
from helpline.clock import Clock, SystemClock
from helpline.errors import BackendError, ConnectionLost, Trouble
from helpline.realtime import faults
from helpline.realtime.connection import Backend, Connection, PromptConnection, prompt
from helpline.realtime.dialects import GA, Dialect
from helpline.realtime.events import ClientEvent, ServerEvent, SessionSettings, SpeechStarted, UnknownEvent
from helpline.realtime.faults import Verdict
from helpline.realtime.trace import Trace
from helpline.redact import redact

INBOX_LIMIT = 1000
"""A reader waits when this many events are unread: the server is slowed, nothing is lost."""
PAUSES_MS = (0, 250, 500, 1000, 1500)
"""Between attempts to connect; the last one again and again, so that a server that is back is soon found."""
PATIENCE_MS = 30_000
"""A call that was under way is not given up for so long."""
HASTE_MS = 2000
"""A backend is tried for so long before the next one."""
MANY_LOST = 6
"""So many sessions lost in a row, each soon after it began: the backend is of no use."""
STEADY_MS = 10_000
"""A session that was lost sooner counts as an attempt that failed: the next one waits longer."""
CONNECT_TIMEOUT_S = 10.0
_NO_BACKEND = "No backend is configured: set HELPLINE_BACKENDS."
_LONGEST_REASON = 300
log = logging.getLogger(__name__)


class Host(Protocol):
    """Who the driver works for: performs what the conversation decided."""

    async def play(self, track: str, pcm24k: bytes) -> None: ...

    async def clear_playback(self) -> None: ...

    async def show(self, shown: Shown) -> None: ...

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        """Never raises: what goes wrong is a result with a sentence."""

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        """Never raises."""

    async def pronounce(self, ways: Sequence[str]) -> tuple[str, bytes]:
        """A sentence in a voice of this machine's: the wording that it can say, and its pcm24k, empty for
        none. Never raises."""

    def record(self, fact: fx.Fact) -> None: ...

    def session(self, backend: Backend) -> SessionSettings:
        """What to ask of a fresh session."""


class Driver:
    """Drives one conversation until it is hung up. `run` owns every task it starts."""

    def __init__(
        self,
        host: Host,
        backends: Sequence[Backend],
        *,
        rules: Rules | None = None,
        clock: Clock | None = None,
        past: Transcript | None = None,
        begun: Conversation | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._host = host
        self._trace = trace
        self._dialect: Dialect = GA
        self._backends = tuple(backends)
        self._clock = clock or SystemClock()
        self._begun = begun
        self.conversation: Conversation = begun or begin(self._clock.now_ms(), rules, past)
        self._inbox: deque[tuple[int, Event]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        """The loop waits for the inbox to fill."""
        self._room = asyncio.Event()
        self._room.set()
        self._outbox = Outbox()
        self._echo = EchoGate()
        self._at = 0
        """Which backend is in use; a failure moves it on."""
        self._refused = 0
        """How many backends in a row have turned out to be of no use."""
        self._unsteady = 0
        """How many sessions in a row were lost soon after they began."""
        self._opened_ms = 0
        self._generation = 0
        self._connection: Connection | None = None
        self._prompt: PromptConnection | None = None
        """The same, if it can be read without a task that waits for it."""
        self._session_tasks: set[asyncio.Task[None]] = set()
        self._tools: dict[str, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms: int | None = None
        self._watchers: list[tuple[Callable[[Conversation], bool], asyncio.Future[bool]]] = []
        self.ended = asyncio.Event()
        self.failure = ""
        """Why the last attempt to connect failed."""

    # --- what others call ---

    def post(self, event: Event) -> None:
        """Put an event into the inbox."""
        self._put(0, event)

    def _put(self, generation: int, event: Event) -> None:
        self._inbox.append((generation, event))
        self._stir()

    def _stir(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def hear(self, pcm24k: bytes) -> None:
        """Microphone audio, 24 kHz mono s16le; the desk's own voice in it is silenced."""
        if self.conversation.hears and pcm24k:
            if self._echo.listens:
                pcm24k = self._echo.filter(pcm24k, self._clock.now_ms())
            self._outbox.put_audio(pcm24k)

    @property
    def dropped_audio_ms(self) -> int:
        return self._outbox.dropped_ms

    async def until(self, holds: Callable[[Conversation], bool]) -> bool:
        """Wait until something holds of the conversation; False when the call ended first."""
        if holds(self.conversation):
            return True
        if self.ended.is_set():
            return False
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._watchers.append((holds, future))
        return await future

    # --- the loop ---

    async def run(self) -> None:
        """Drive until the hang-up. A change the customer has confirmed is finished even then."""
        if self._trace is not None:
            note_rules(self._trace, self.conversation.rules)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                try:
                    if self._begun is not None:  # Something may be due at once.
                        self.post(fx.Ticked())
                    await self._loop()
                finally:
                    self._cancel_timer()
                    await self._drop_connection()
                    for tool in self._tools.values():
                        tool.cancel()
        finally:
            self.ended.set()
            for _, future in self._watchers:
                if not future.done():
                    future.set_result(False)

    async def _loop(self) -> None:
        self._tend_audio()
        while not self.conversation.closed:
            event = self._next_event()
            if event is None:
                await self._rest()  # nothing is held meanwhile: neither the event nor what was before it
            else:
                await self._take_event(event)

    async def _take_event(self, event: Event) -> None:
        """One step, and what follows from it."""
        before = self.conversation
        for effect in self._step(event):
            match effect:  # these come with every word
                case fx.Send(sent):
                    self._outbox.put(sent)
                case fx.Show(shown):
                    await self._host.show(shown)
                case fx.Play(track, pcm24k):
                    self._echo.played(pcm24k, self._clock.now_ms())
                    await self._host.play(track, pcm24k)
                case _:
                    await self._perform(effect, event)
        if _concerns_audio(before, self.conversation):
            self._tend_audio()
        if self._watchers:
            self._notify()

    async def _rest(self) -> None:
        """Wait for the next event, or for the time at which something is due."""
        self._arm(wake_at(self.conversation, self._clock.now_ms()))
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _next_event(self) -> Event | None:
        """What is in the inbox, then what the connection has received; nothing of one that is gone."""
        while self._inbox:
            generation, event = self._inbox.popleft()
            if len(self._inbox) < INBOX_LIMIT:
                self._room.set()
            if not generation:
                return event
            if generation == self._generation:
                if type(event) is fx.Lost:
                    self._leave_connection()
                return event
        if self._prompt is None:
            return None
        try:
            return self._prompt.receive_now()
        except ConnectionLost as lost:
            event = self._lost(lost)
            self._leave_connection()
            return event

    def _step(self, event: Event) -> list[fx.Effect]:
        """The next value, and what is to be done."""
        if self._trace is not None:
            self._write_down(self._trace, event)
        self.conversation, effects = step(self.conversation, event, self._clock.now_ms())
        if isinstance(event, fx.Played) and self._echo.listens:
            self._echo.sounds_until(sounds_until_ms(self.conversation.playout), self._clock.now_ms())
        if self._outbox.audio_open and not self.conversation.may_listen:
            self._outbox.open_audio(False)
        return effects

    def _since_speech_ms(self, began: SpeechStarted) -> int:
        """How long ago the customer began to speak: servers say where in the audio they were given."""
        onset_ms = (began.audio_start_ms or 0) + self.conversation.rules.prefix_ms
        return max(0, self._outbox.captured_ms - onset_ms)

    def _write_down(self, trace: Trace, event: Event) -> None:
        """Write down what the conversation is about to take, in the order in which it takes it."""
        if isinstance(event, ServerEvent | UnknownEvent):
            trace.event("received", event, self._dialect)
        else:
            note_input(trace, event)

    def _tend_audio(self) -> None:
        """The microphone opens behind what a fresh session must be told first."""
        self._outbox.keeps_sent = bool(self.conversation.wordless or self.conversation.push)
        self._outbox.open_audio(self.conversation.may_listen)
        if not self.conversation.voice:
            self._outbox.clear_audio()

    def _notify(self) -> None:
        waiting = []
        for holds, future in self._watchers:
            if future.done():
                continue
            if holds(self.conversation):
                future.set_result(True)
            else:
                waiting.append((holds, future))
        self._watchers = waiting

    async def _perform(self, effect: fx.Effect, event: Event) -> None:
        match effect:
            case fx.ClearPlayback():
                self._echo.cleared(self._clock.now_ms())
                await self._host.clear_playback()
                if isinstance(event, SpeechStarted):
                    self._host.record(fx.Silenced(self._since_speech_ms(event)))
            case fx.RunTool():
                self._tools[effect.tool_call_id] = self._tasks.create_task(self._run_tool(effect))
            case fx.CancelTool(tool_call_id):
                if task := self._tools.pop(tool_call_id, None):
                    task.cancel()
            case fx.Settle():
                self._tasks.create_task(self._settle(effect))
            case fx.Pronounce():
                self._tools[effect.line_id] = self._tasks.create_task(self._pronounce(effect))
            case fx.Record(fact):
                self._host.record(fact)
            case fx.Connect():
                self._start(self._connect())
            case fx.Disconnect(reason, trouble):
                await self._on_disconnect(reason, trouble)
            case fx.Rehear(ms, pushes):
                self._outbox.rehear(ms, pushes)
            case fx.Send() | fx.Show() | fx.Play() | fx.HangUp():
                pass  # the loop does these itself, and ends with the step that closed the conversation

    async def _run_tool(self, tool: fx.RunTool) -> None:
        started_ms = self._clock.now_ms()
        result = await self._host.run_tool(tool)
        self._tools.pop(tool.tool_call_id, None)
        self.post(fx.ToolFinished(tool.tool_call_id, result, self._clock.now_ms() - started_ms))

    async def _settle(self, settle: fx.Settle) -> None:
        self.post(await self._host.settle(settle))

    async def _pronounce(self, wanted: fx.Pronounce) -> None:
        text, pcm24k = await self._host.pronounce(wanted.ways)
        self._tools.pop(wanted.line_id, None)
        self.post(fx.Pronounced(wanted.line_id, text, pcm24k))

    # --- time ---

    def _arm(self, due_ms: int | None) -> None:
        if due_ms is None or (self._timer_ms is not None and self._timer_ms <= due_ms):
            return  # an early tick does no harm and arms the next
        self._cancel_timer()
        self._timer_ms = due_ms
        delay_s = max(0, due_ms - self._clock.now_ms()) / 1000
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = self._timer_ms = None
        self.post(fx.Ticked())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timer_ms = None

    # --- the connection ---

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._session_tasks.add(task)
        task.add_done_callback(self._session_tasks.discard)

    async def _connect(self) -> None:
        """Try the backend in use, then those behind it, then those before it; a call that was under way goes
        around again for a while, leaving out those that refused it."""
        failures: list[BackendError] = []
        useless: set[int] = set()
        await _pause(self._unsteady)
        until_ms = self._clock.now_ms() + (PATIENCE_MS if self.conversation.link.backend else 0)
        haste_ms = HASTE_MS
        while True:
            for _ in self._backends:
                connection = await self._try(haste_ms, failures, useless)
                if connection is not None:
                    self._take(connection, self._backends[self._at])
                    return
                self._move_on()
            if len(useless) == len(self._backends) or self._clock.now_ms() >= until_ms:
                break
            haste_ms = 0
            await _pause(len(PAUSES_MS))
        first = failures[0] if failures else BackendError(_NO_BACKEND, retry=False)
        self.failure = str(first)
        # What is behind it helps only who runs the desk; a backend of one's own may say anything.
        log.warning("no backend answers: %s", redact(self.failure)[:_LONGEST_REASON])
        self.post(fx.Lost(self.failure, hopeless=True, trouble=first.trouble))

    async def _try(self, haste_ms: int, failures: list[BackendError], useless: set[int]) -> Connection | None:
        """Try the backend in use, once and for so long after that; one that is of no use is not tried."""
        backend = self._backends[self._at]
        until_ms = self._clock.now_ms() + haste_ms
        attempt = 0
        while self._at not in useless and (attempt == 0 or self._clock.now_ms() < until_ms):
            await _pause(attempt)
            attempt += 1
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    return await backend.connect()
            except BackendError as error:
                failures.append(error)
                if not error.retry:
                    useless.add(self._at)
            except TimeoutError:
                failures.append(BackendError(f"{backend.answers} did not answer in time."))
        return None

    def _take(self, connection: Connection, backend: Backend) -> None:
        self._generation += 1
        self._connection = connection
        self._opened_ms = self._clock.now_ms()
        self._dialect = getattr(connection, "dialect", GA)
        if self._trace is not None:
            self._trace.opened(backend.name, self._dialect)
        self._outbox.clear_events()
        self._outbox.begin_session()
        self._prompt = prompt(connection)
        if self._prompt is not None:
            self._outbox.send_now = self._sender(self._prompt)
            self._prompt.on_ready(self._stir)
        else:
            self._start(self._read(connection, self._generation))
        self._start(self._write(connection, self._generation))
        session = self._host.session(backend)
        opened = fx.Opened(
            backend.name,
            session,
            transcribes=backend.transcribes,
            wall_s=self._clock.utcnow().timestamp(),
            languages=getattr(backend, "languages", ()),
        )
        self._put(self._generation, opened)

    async def _read(self, connection: Connection, generation: int) -> None:
        try:
            while True:
                event = await connection.receive()
                self._put(generation, event)
                if len(self._inbox) >= INBOX_LIMIT:
                    self._room.clear()
                    await self._room.wait()
        except ConnectionLost as lost:
            self._put(generation, self._lost(lost))

    def _lost(self, lost: ConnectionLost) -> fx.Lost:
        if self._trace is not None:
            self._trace.lost(lost.code)
        unsteady = self._is_unsteady()
        useless = faults.of_close(lost.code).verdict is Verdict.FAIL_OVER or unsteady
        trouble = faults.of_close(lost.code).trouble
        return self._next_backend(str(lost), trouble) if useless else fx.Lost(str(lost))

    def _sender(self, connection: PromptConnection) -> Callable[[ClientEvent], bool]:
        """How to send over it without waiting."""
        if (trace := self._trace) is None:
            return connection.send_now

        def send_now(event: ClientEvent) -> bool:
            sent = connection.send_now(event)
            if sent:
                trace.event("sent", event, self._dialect)
            return sent

        return send_now

    async def _write(self, connection: Connection, generation: int) -> None:
        try:
            while generation == self._generation:
                event = await self._outbox.get()
                await connection.send(event)
                if self._trace is not None:
                    self._trace.event("sent", event, self._dialect)
        except ConnectionLost:
            return  # the reader says so, once

    def _is_unsteady(self) -> bool:
        """Count a session that is lost; True when too many in a row were lost at once."""
        if self._clock.now_ms() - self._opened_ms >= STEADY_MS:
            self._unsteady = self._refused = 0
        else:
            self._unsteady += 1
        return self._unsteady >= MANY_LOST

    async def _on_disconnect(self, reason: str, trouble: Trouble) -> None:
        if self._connection is not None:
            self._is_unsteady()
        self._leave_connection()
        if reason:
            self.post(self._next_backend(f"{self._backends[self._at].name}: {reason}.", trouble))

    def _next_backend(self, reason: str, trouble: Trouble) -> fx.Lost:
        """The backend in use is of no use: the next one answers, unless all were tried."""
        self._move_on()
        self._refused += 1
        hopeless = self._refused >= len(self._backends)
        if hopeless:
            self._refused = 0
            log.warning("no backend answers: %s", redact(reason)[:_LONGEST_REASON])
        return fx.Lost(reason, hopeless=hopeless, trouble=trouble)

    def _move_on(self) -> None:
        self._at = (self._at + 1) % len(self._backends)
        self._unsteady = 0

    def _leave_connection(self) -> None:
        """Close it beside the call, which need not wait for the other side's goodbye."""
        connection = self._let_go()
        if connection is not None:
            self._tasks.create_task(connection.close())

    async def _drop_connection(self) -> None:
        connection = self._let_go()
        if connection is not None:
            await connection.close()

    def _let_go(self) -> Connection | None:
        self._generation += 1
        self._outbox.send_now = None
        if self._prompt is not None:
            self._prompt.on_ready(None)
        self._prompt = None
        connection, self._connection = self._connection, None
        for task in tuple(self._session_tasks):
            task.cancel()
        self._outbox.clear_events()
        return connection


def _concerns_audio(before: Conversation, after: Conversation) -> bool:
    """May what `_tend_audio` looks at have changed? Frozen values that are the same have not."""
    return (
        after.link is not before.link
        or after.voice is not before.voice
        or after.wordless is not before.wordless
        or after.push is not before.push
        or after.closed
    )


async def _pause(attempt: int) -> None:
    await asyncio.sleep(PAUSES_MS[min(attempt, len(PAUSES_MS) - 1)] / 1000)
