"""A company's own code at the moments of a call: functions in the file of its tools, found by their names.

    def on_receipt(event: ReceiptMade) -> None: ...

Each may be async, or sync: then it runs in one of a few threads that are the hooks' own, so that one which
hangs holds up no tool and no stop of the desk. Those of one call run one at a time, in the order of what
happened, beside the call: the customer never waits for them. One that fails or takes longer than `TIME_S` is
logged by its kind alone and harms nothing. What they get is personal: it is not redacted.
"""

import asyncio
import inspect
import logging
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from helpline.actions import Caller, Receipt
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.call.call import Recorder
from helpline.errors import SettingsError

__all__ = ["CallEnded", "CallStarted", "ErrorHappened", "Hooks", "ReceiptMade", "TurnEnded", "hooks_in"]

log = logging.getLogger(__name__)

TIME_S: Final = 5.0
THREADS: Final = 4
WAITING: Final = 200
"""Moments of one call that wait for its hooks; one more is dropped, and that is logged."""
_TOOL_FAILURES: Final = frozenset({"unreachable", "timeout", "unknown_outcome", "failed"})


@dataclass(frozen=True, slots=True)
class CallStarted:
    """`on_call_start`."""

    call_id: str
    channel: str
    language: str
    customer_id: str | None
    """None while nobody is verified."""
    at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """`on_turn`: one side has finished a line."""

    call_id: str
    speaker: sh.Speaker
    text: str
    heard: str
    """The part of it that was heard."""
    typed: bool


@dataclass(frozen=True, slots=True)
class ReceiptMade:
    """`on_receipt`: a change was carried out. The webhook survives a kill, this does not."""

    call_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ErrorHappened:
    """`on_error`."""

    call_id: str
    kind: str
    """`tool NAME REASON`, `notice` (the customer was told of an error), or `call` (it broke off)."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """`on_call_end`."""

    call_id: str
    reason: str
    duration_ms: int
    references: tuple[str, ...]
    """Of its receipts."""


Moment = CallStarted | TurnEnded | ReceiptMade | ErrorHappened | CallEnded
Hook = Callable[[Any], object]
NAMES: Final[Mapping[type, str]] = {
    CallStarted: "on_call_start",
    TurnEnded: "on_turn",
    ReceiptMade: "on_receipt",
    ErrorHappened: "on_error",
    CallEnded: "on_call_end",
}


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions by their names; none is needed."""

    functions: Mapping[str, Hook] = field(default_factory=dict)
    sign_in: Callable[[str, str], Any] | None = None
    """Who signs in at the page by name and password: the customer's id, or None (`helpline.sign_ins`)."""
    signed_in_by: Callable[[str, Mapping[str, Any]], Any] | None = None
    """Who signed in at a provider, as it names them: the customer's id, or None (`helpline.sign_ins`)."""
    time_s: float = TIME_S
    """How long one may take."""

    def __bool__(self) -> bool:
        return bool(self.functions or self.sign_in or self.signed_in_by)


def hooks_in(names: Mapping[str, object], place: str) -> Hooks:
    """The hooks among a module's names. Raises SettingsError for one that takes no single argument."""
    found: dict[str, Hook] = {}
    for name in NAMES.values():
        hook = names.get(name)
        if hook is None:
            continue
        if not callable(hook) or not _takes(hook, 1):
            raise SettingsError(f"{place}: {name} must be a function of one argument, the event.")
        found[name] = hook
    sign_in = names.get("sign_in")
    if sign_in is not None and not (callable(sign_in) and _takes(sign_in, 2)):
        raise SettingsError(f"{place}: sign_in must be a function of a name and a password.")
    signed_in_by = names.get("signed_in_by")
    if signed_in_by is not None and not (callable(signed_in_by) and _takes(signed_in_by, 2)):
        raise SettingsError(f"{place}: signed_in_by must be a function of a provider and its user.")
    return Hooks(found, sign_in, signed_in_by)


def _takes(hook: Callable[..., object], arguments: int) -> bool:
    try:
        inspect.signature(hook).bind(*[object()] * arguments)
    except (TypeError, ValueError):
        return False
    return True


class HookThreads:
    """A few threads for sync hooks. They are daemons: one that hangs keeps no process from its end."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Future[object], Hook, Moment] | None] = queue.SimpleQueue()
        self._started = 0

    def submit(self, hook: Hook, moment: Moment) -> "Future[object]":
        """Run it when a thread is free; cancelled before that, it never runs."""
        if self._started < THREADS:
            self._started += 1
            threading.Thread(target=self._run, name=f"hooks {self._started}", daemon=True).start()
        future: Future[object] = Future()
        self._work.put((future, hook, moment))
        return future

    def close(self) -> None:
        """Let the threads end when they have done what is theirs."""
        for _ in range(self._started):
            self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, hook, moment = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(hook(moment))
            except BaseException as error:  # noqa: BLE001 - the edge of a thread: whoever waits gets it
                future.set_exception(error)


class CallHooks:
    """One call's moments on their way to the hooks. A `Recorder` before another."""

    def __init__(self, hooks: Hooks, call_id: str, recorder: Recorder, threads: HookThreads) -> None:
        self._hooks = hooks
        self._threads = threads
        self._latest: Future[object] | None = None
        """The sync hook that ran last; it may be running still, when its time is over."""
        self._call_id = call_id
        self._recorder = recorder
        self._waiting: asyncio.Queue[Moment | None] = asyncio.Queue()
        self._lines: set[str] = set()
        self._references: list[str] = []
        self._reason = ""

    def began(self, channel: str, language: str, caller: Caller, at: datetime) -> None:
        """The call has come in."""
        self._add(CallStarted(self._call_id, channel, language, caller.customer_id, at))

    def broke_off(self) -> None:
        """The call ended by a fault of ours."""
        self._add(ErrorHappened(self._call_id, "call"))

    def ended(self, duration_ms: int) -> None:
        """The call is over: `run` ends with its last moment."""
        self._add(CallEnded(self._call_id, self._reason, duration_ms, tuple(self._references)))
        self._waiting.put_nowait(None)

    async def run(self) -> None:
        """Give each moment to its hook, until `ended`."""
        while (moment := await self._waiting.get()) is not None:
            name = NAMES[type(moment)]
            try:
                async with asyncio.timeout(self._hooks.time_s):
                    await self._call(self._hooks.functions[name], moment)
            except Exception as error:  # noqa: BLE001 - the edge: a company's code must not end a call
                log.error("call %s: %s failed: %s", self._call_id, name, type(error).__name__)

    async def _call(self, hook: Hook, moment: Moment) -> None:
        if self._latest is not None and not self._latest.done():
            await asyncio.wait([asyncio.wrap_future(self._latest)])
        if inspect.iscoroutinefunction(hook):
            await hook(moment)
            return
        self._latest = self._threads.submit(hook, moment)
        answer = await asyncio.wrap_future(self._latest)
        if isinstance(answer, Awaitable):
            await answer

    def _add(self, moment: Moment) -> None:
        if NAMES[type(moment)] not in self._hooks.functions:
            return
        if self._waiting.qsize() >= WAITING and not isinstance(moment, CallEnded):
            log.error("call %s: hooks are too slow, a moment was dropped", self._call_id)
            return
        self._waiting.put_nowait(moment)

    # --- what the call tells its recorder ---

    def connected(self, backend: str) -> None:
        self._recorder.connected(backend)

    def became(self, caller: Caller) -> None:
        self._recorder.became(caller)

    def spoke(self, language: str) -> None:
        self._recorder.spoke(language)

    def noted(self, fact: fx.Fact) -> None:
        self._recorder.noted(fact)

    def shown(self, shown: sh.Shown) -> None:
        self._recorder.shown(shown)
        match shown:
            case sh.Caption(final=True) if shown.line_id not in self._lines and shown.text:
                self._lines.add(shown.line_id)
                self._add(TurnEnded(self._call_id, shown.speaker, shown.text, shown.heard, shown.typed))
            case sh.ReceiptShown(receipt) if receipt.reference not in self._references:
                self._references.append(receipt.reference)
                self._add(ReceiptMade(self._call_id, receipt))
            case sh.ToolEnded(result=result) if not result.ok and result.reason in _TOOL_FAILURES:
                self._add(ErrorHappened(self._call_id, f"tool {shown.name} {result.reason}"))
            case sh.Notice(kind="error"):
                self._add(ErrorHappened(self._call_id, "notice"))
            case sh.StateShown("ended", detail):
                self._reason = detail
            case _:
                return
