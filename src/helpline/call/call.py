"""One call: a customer, from ring to hang-up.

A `Call` is the driver of a conversation with a desk around it: it knows who is on the line, runs the desk's
tools for them and no one else, carries out what they confirmed, and shows all of it at their channel.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from helpline.actions import Answer, Caller, Pace, Receipt, ToolDefinition, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Rules
from helpline.call.driver import Driver
from helpline.call.meter import Meter
from helpline.call.shown import Shown
from helpline.channels.channel import Channel
from helpline.clock import Clock
from helpline.errors import ToolError
from helpline.realtime.connection import Backend
from helpline.realtime.events import SessionSettings
from helpline.realtime.trace import Trace
from helpline.sentences import OTHER_CUSTOMER
from helpline.storable import storable
from helpline.tools.context import CallContext
from helpline.tools.keywords import keywords_of
from helpline.tools.registry import Toolbox
from helpline.tools.settling import carry_out

log = logging.getLogger(__name__)

KEPT_FACTS = 1000


class Manner(Protocol):
    """How the desk speaks: makes the session to ask of a backend for a caller."""

    def session(
        self,
        backend: Backend,
        caller: Caller,
        tools: tuple[ToolDefinition, ...],
        *,
        language: str,
        keywords: tuple[str, ...],
        pace: Pace | None,
        fresh: bool,
    ) -> SessionSettings:
        """`fresh` is False for a change in mid-call, which must not name the voice again."""

    async def pronounce(self, ways: Sequence[str], *, pace: Pace | None) -> tuple[str, bytes]:
        """The desk's own voice, as `Host.pronounce` of the driver has it."""


class Recorder(Protocol):
    """Writes a call down as it happens. Its methods return at once and never raise."""

    def connected(self, backend: str) -> None:
        """A session with this backend has begun."""

    def became(self, caller: Caller) -> None:
        """Another verified caller is on the line."""

    def spoke(self, language: str) -> None:
        """The call goes on in another language."""

    def shown(self, shown: Shown) -> None:
        """Something is about to be shown: it is written down first."""

    def noted(self, fact: fx.Fact) -> None:
        """Something happened that is nobody's line."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every call works with that comes in now: the same for all of them."""

    toolbox: Toolbox
    backends: tuple[Backend, ...]
    """In the order in which they are tried; never empty."""
    manner: Manner
    clock: Clock
    rules: Rules


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a call, beside what it shows."""

    recorder: Recorder
    meter: Meter
    trace: Trace | None


class Call:
    """A live call. Channels call its methods; `run` is awaited by the desk that admitted it."""

    def __init__(
        self,
        channel: Channel,
        context: CallContext,
        equipment: Equipment,
        *,
        kept: Kept,
        begun: Conversation | None = None,
    ) -> None:
        """`begun` is where a call goes on that broke off with an earlier desk."""
        self.id = context.call_id
        self.kind = context.channel
        self._recorder = kept.recorder
        self._meter = kept.meter
        self._channel = channel
        self._toolbox = equipment.toolbox
        self._manner = equipment.manner
        self._context = context
        self._driver = Driver(
            self,
            equipment.backends,
            rules=equipment.rules,
            clock=equipment.clock,
            trace=kept.trace,
            begun=begun,
        )
        self._driver.post(fx.LanguageChosen(context.language))
        self._backend: Backend | None = None
        self._keywords: tuple[str, ...] = ()
        self._pace: Pace | None = None
        self.facts: deque[fx.Fact] = deque(maxlen=KEPT_FACTS)
        """What happened that is nobody's line, latest last."""
        self.receipts: list[Receipt] = []

    @property
    def caller(self) -> Caller:
        """Who is on the line, as verified below the model."""
        return self._context.caller

    # --- what channels call ---

    async def run(self) -> None:
        """Attend the call to its end. What comes in while the ears are told what to expect is not lost."""
        self._keywords = await keywords_of(self._context)
        await self._driver.run()

    def hear(self, pcm24k: bytes) -> None:
        """Microphone audio: 24 kHz mono s16le, 20-100 ms at a time."""
        self._driver.hear(pcm24k)

    async def start_voice(self) -> bool:
        """Switch voice on; True when the desk listens, or has to say that it must hang up.

        When it can do neither, a notice was shown. Idempotent.
        """
        self._driver.post(fx.VoiceStarted())
        await self._driver.until(lambda c: c.voice)
        await self._driver.until(lambda c: c.may_listen or c.farewell is not None or not c.voice)
        return self._driver.conversation.voice

    def end_voice(self) -> None:
        """Switch voice off; typed chat goes on."""
        self._driver.post(fx.VoiceEnded())

    def push(self, down: bool) -> None:
        """The button of push to talk was pressed or let go; without push to talk it says nothing."""
        self._driver.post(fx.Pushed() if down else fx.Released())

    def type(self, text: str) -> None:
        """A typed line."""
        self._driver.post(fx.Typed(storable(text)))

    def answer(self, proposal_id: str, yes: bool) -> None:
        """A proposal's button was pressed."""
        answer: Answer = "yes" if yes else "no"
        self._driver.post(fx.Pressed(proposal_id, answer))

    def played(self, track: str, played_ms: int) -> None:
        """The channel's report of how much of a track has sounded."""
        self._driver.post(fx.Played(track, played_ms))

    def stop_reply(self) -> None:
        """Silence this reply."""
        self._driver.post(fx.Stopped())

    def hang_up(self, reason: str = "") -> None:
        self._driver.post(fx.HungUp(reason))

    async def ended(self) -> None:
        """Wait until the call is over."""
        await self._driver.ended.wait()

    async def become(self, caller: Caller) -> None:
        """Another verified caller is on this line: signed in, verified, or picked in the demo."""
        if caller == self._context.caller:
            return
        before = self._context.caller.customer_id
        self._context = self._context.with_caller(caller)
        self._recorder.became(caller)
        stranger = before is not None and before != caller.customer_id
        if stranger:  # At once: nothing more of the one before may be said, whatever the shop takes.
            self._keywords = ()
            self._driver.post(fx.CallerChanged(caller, stranger=True))
        self._keywords = await keywords_of(self._context)
        if stranger:
            return  # The session that comes is asked for with all of it.
        if self._backend is not None:
            self._driver.post(fx.SessionChanged(self._session(self._backend, fresh=False)))
        self._driver.post(fx.CallerChanged(caller, stranger=False))

    @property
    def language(self) -> str:
        """The language of the call, as a tag such as `zh-CN`."""
        return self._context.language

    def speak(self, language: str) -> None:
        """Go on in another language: the desk's sentences, the model's, and what is listened for."""
        if language == self._context.language:
            return
        self._context = self._context.with_language(language)
        self._recorder.spoke(language)
        if self._backend is not None:
            self._driver.post(fx.SessionChanged(self._session(self._backend, fresh=False)))
        self._driver.post(fx.LanguageChosen(language))

    def pace(self, pace: Pace) -> None:
        """Speak slower or faster from the next reply on."""
        if pace == (self._pace or "normal"):
            return
        self._pace = pace
        if self._backend is not None:
            self._driver.post(fx.SessionChanged(self._session(self._backend, fresh=False)))

    def idle_ms(self, now_ms: int) -> int:
        """For how long nobody has spoken, typed or worked; 0 while voice is on or a yes is awaited."""
        conversation = self._driver.conversation
        quiet_ms = conversation.quiet_ms
        if conversation.voice or conversation.pending is not None or quiet_ms is None:
            return 0
        return max(0, now_ms - max(quiet_ms, conversation.words_ms))

    @property
    def dropped_audio_ms(self) -> int:
        """Microphone audio that had to be dropped while there was nobody to send it to."""
        return self._driver.dropped_audio_ms

    def spent(self, usages: Sequence[fx.UsageCounted]) -> None:
        """What a call that goes on has cost already."""
        for usage in usages:
            self._charge(usage)

    async def perform(self, effects: Sequence[fx.Effect]) -> None:
        """Show and record what the start of a call that goes on has brought, before it runs."""
        for effect in effects:
            if isinstance(effect, fx.Show):
                await self.show(effect.shown)
            elif isinstance(effect, fx.Record):
                self.record(effect.fact)

    # --- what the driver asks of its host ---

    async def play(self, track: str, pcm24k: bytes) -> None:
        await self._channel.play(track, pcm24k)

    async def clear_playback(self) -> None:
        await self._channel.clear_playback()

    async def show(self, shown: Shown) -> None:
        self._recorder.shown(shown)
        await self._channel.show(shown)

    def record(self, fact: fx.Fact) -> None:
        self.facts.append(fact)
        self._recorder.noted(fact)
        if isinstance(fact, fx.UsageCounted):
            self._charge(fact)
        if isinstance(fact, fx.Incident):
            # Its detail may be a server's own words: that is for the record, which is redacted.
            log.info("call %s: %s", self.id, fact.kind)

    def _charge(self, usage: fx.UsageCounted) -> None:
        limit = self._meter.charge(usage)
        if limit is not None:
            self._driver.post(limit)

    def session(self, backend: Backend) -> SessionSettings:
        self._backend = backend
        self._recorder.connected(backend.name)
        return self._session(backend, fresh=True)

    def _session(self, backend: Backend, *, fresh: bool) -> SessionSettings:
        tools = self._toolbox.definitions(self._context)
        return self._manner.session(
            backend,
            self._context.caller,
            tools,
            language=self._context.language,
            keywords=self._keywords,
            pace=self._pace,
            fresh=fresh,
        )

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        context = self._context
        try:
            result = await self._toolbox.run(context, tool.name, tool.arguments, tool.tool_call_id)
        except ToolError as refusal:
            return ToolResult(refusal.say_in(context.language), ok=False, reason=refusal.reason)
        if result.pace is not None:
            self.pace(result.pace)
        if result.caller is not None:
            known = self._context.caller
            if known.customer_id not in (None, result.caller.customer_id):  # Perhaps only since it began.
                other = OTHER_CUSTOMER.in_(self._context.language)
                return ToolResult(other, ok=False, reason="other_customer")
            if result.caller.identity >= known.identity:
                await self.become(result.caller)
        return result

    async def pronounce(self, ways: Sequence[str]) -> tuple[str, bytes]:
        return await self._manner.pronounce(ways, pace=self._pace)

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        settled = await carry_out(self._toolbox, self._context, settle)
        if settled.receipt is not None:
            self.receipts.append(settled.receipt)
        return settled
