"""A company's own code at the moments of a call: functions in the file of its tools, found by their names.

    def on_receipt(event: ReceiptMade) -> None: ...

Each may be sync (it runs in a thread) or async. Those of one call run one after another, in the order of what
happened, beside the call: the customer never waits for them. One that fails or takes longer than `TIME_S` is
logged by its kind alone and harms nothing. What they get is personal: it is not redacted.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
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

    def __bool__(self) -> bool:
        return bool(self.functions) or self.sign_in is not None


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
    return Hooks(found, sign_in)


def _takes(hook: Callable[..., object], arguments: int) -> bool:
    try:
        inspect.signature(hook).bind(*[object()] * arguments)
    except (TypeError, ValueError):
        return False
    return True


class CallHooks:
    """One call's moments on their way to the hooks. A `Recorder` before another."""

    def __init__(self, hooks: Hooks, call_id: str, recorder: Recorder) -> None:
        self._hooks = hooks
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
                async with asyncio.timeout(TIME_S):
                    await _call(self._hooks.functions[name], moment)
            except Exception as error:  # noqa: BLE001 - the edge: a company's code must not end a call
                log.error("call %s: %s failed: %s", self._call_id, name, type(error).__name__)

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


async def _call(hook: Hook, moment: Moment) -> None:
    if inspect.iscoroutinefunction(hook):
        await hook(moment)
        return
    answer = await asyncio.to_thread(hook, moment)
    if isinstance(answer, Awaitable):
        await answer
