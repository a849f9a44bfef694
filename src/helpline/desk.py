"""The desk: one process with its settings, its shop, its tools, its backends and its live calls."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from helpline import sentences as say
from helpline.actions import GUEST, Caller, Identity
from helpline.call.call import Call, Equipment, Kept
from helpline.call.conversation import Conversation, begin
from helpline.call.meter import Meter
from helpline.channels.channel import Channel
from helpline.clock import Clock, SystemClock
from helpline.collector import give_back_memory
from helpline.engine.backend import EngineBackend
from helpline.errors import DeskDraining, SettingsError
from helpline.hooks import CallHooks, HookThreads
from helpline.hours import spoken
from helpline.manner import Manner, rules_of
from helpline.own import Own
from helpline.policy import Policy
from helpline.realtime.backends import backend_of
from helpline.realtime.connection import Backend
from helpline.realtime.cost import prices
from helpline.records.continuing import BrokenOff, goes_on
from helpline.records.courier import courier_of
from helpline.records.events import Rated
from helpline.records.past import Heading, Past
from helpline.records.recording import Recording
from helpline.records.records import Records, model_of, open_records
from helpline.records.tracing import trace_of
from helpline.records.workers import workers_of
from helpline.settings import Settings
from helpline.settings_text import nearest_hint
from helpline.sign_ins import SignIns
from helpline.storable import storable
from helpline.store import Store
from helpline.store.elsewhere import ShopElsewhere
from helpline.telemetry import logs
from helpline.telemetry.spans import exported
from helpline.tools.context import CallContext
from helpline.tools.desk import desk_tools
from helpline.tools.knowledge import Knowledge
from helpline.tools.mcp_servers import mcp_tools
from helpline.tools.registry import Toolbox
from helpline.tools.tool import Tool
from helpline.wording import Saying

log = logging.getLogger(__name__)

IDLE_MS = 60_000
"""A desk that closes hangs up a typed call in which nothing has gone on for so long."""
LOOK_S = 1.0
QUIET_S = 20.0
"""After the last call, until its memory is given back: its page, and what else was its, is gone by then."""
LAST_HOOKS_S = 10.0
"""A company's hooks have so long for what a call that is over left to tell them."""
CLOSING = "The desk is closing."


@dataclass(frozen=True, slots=True)
class _Live:
    """A call with what goes along with it."""

    call: Call
    recording: Recording
    hooks: CallHooks
    tracing: ExitStack


class Desk:
    """Many calls. Made by `open_desk`, which owns its shop and waits for its calls."""

    def __init__(
        self,
        settings: Settings,
        equipment: Equipment,
        *,
        own: Own,
        toolbox_with: Callable[[Sequence[Tool]], Toolbox],
        demo_customers: tuple[Caller, ...],
        records: Records,
        sign_ins: SignIns,
    ) -> None:
        self.settings = settings
        self._equipment = equipment
        self._hooks = own.hooks
        self._hook_threads = HookThreads()
        self._toolbox_with = toolbox_with
        self.demo_customers = demo_customers
        """Who the page may pick; empty unless the seeded shop is served on this machine alone."""
        self.records = records
        self._sign_ins = sign_ins
        self._clock = equipment.clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls: dict[str, Call] = {}
        self._recordings: dict[str, Recording] = {}
        self.draining = False
        """No new calls are taken."""

    def bring(self, own: Own) -> None:
        """Other tools and hooks of the company, for calls from now on. Raises SettingsError."""
        self._equipment = replace(self._equipment, toolbox=self._toolbox_with(own.tools))
        self._hooks = own.hooks

    @property
    def toolbox(self) -> Toolbox:
        """The tools of calls that come in from now on; a call keeps those that it began with."""
        return self._equipment.toolbox

    @property
    def calls(self) -> Mapping[str, Call]:
        """The live calls by id."""
        return MappingProxyType(self._calls)

    @property
    def banner(self) -> str:
        """One line: which backend answers."""
        return self._equipment.backends[0].answers

    def banner_in(self, language: str) -> str:
        """The same in the customer's language, where it is known in it."""
        backend = self._equipment.backends[0]
        saying: Saying | None = getattr(backend, "answering", None)
        return saying.in_(language) if saying is not None else backend.answers

    def suggestions(self, language: str) -> tuple[str, ...]:
        """What a customer may begin with: what the company suggests, or of what this desk's tools do."""
        there = (saying for name, saying in say.SUGGESTED.items() if name in self.toolbox.names)
        return self.settings.suggestions or tuple(saying.in_(language) for saying in there)

    def closed_notice(self, language: str) -> str:
        """One sentence for who comes outside the opening hours; empty within them."""
        policy = self.toolbox.policy
        if policy.is_open(self._clock.utcnow()):
            return ""
        return say.CLOSED_TODAY(hours=spoken(policy.hours)).in_(language)

    async def admit(
        self,
        channel: Channel,
        *,
        kind: str,
        caller: Caller = GUEST,
        language: str = "",
        address: str = "",
        holder: str = "",
        past: Past | None = None,
    ) -> Call:
        """Take a call. It lives until somebody hangs up; `kind` is the channel's: `web`, `wav`.

        `language` is the customer's, as a tag; without one it is the desk's own.

        `address` is where it comes from: whoever fails to say who they are too often is locked out by it.
        `holder` is who may go on with it when the desk has broken off and started again (`take_up`).
        `past` is a conversation of the caller's own that it goes on from; another's is left out.
        Raises DeskDraining when the desk is about to close.
        """
        if self.draining:
            raise DeskDraining
        language = language or self.settings.language
        call_id = f"call_{secrets.token_hex(8)}"
        if past is not None and past.customer_id != caller.customer_id:
            past = None  # They have signed out meanwhile.
        recording = self.records.begin(
            call_id,
            channel=kind,
            language=language,
            caller=caller,
            holder=holder,
            past=past.call_id if past else "",
        )
        context = self.toolbox.context(
            call_id=call_id, caller=caller, language=language, channel=kind, address=address
        )
        begun = past.before(begin(self._clock.now_ms(), self._equipment.rules)) if past else None
        live = self._live(channel, context, recording, begun=begun)
        live.hooks.began(kind, language, caller, self._clock.utcnow())
        self._run(live)
        return live.call

    async def customer(self, customer_id: str) -> Caller | None:
        """The shop's customer of that id, as far as the policy lets a sign-in reach; None for nobody.

        For who has signed them in, and for nobody else: nothing is checked here.
        """
        identity = self.toolbox.policy.reaches("sign_in")
        found = await self.toolbox.shop.customer(customer_id) if identity > Identity.GUEST else None
        return Caller(found.id, found.name, identity, "sign_in") if found is not None else None

    @property
    def signs_in(self) -> bool:
        """Whether customers can sign in by name and password."""
        return self._hooks.sign_in is not None

    async def sign_in(self, name: str, password: str, *, address: str = "") -> str | None:
        """A token for `signed_in`; None for a wrong password as for an unknown name or too many tries."""
        if self._hooks.sign_in is None:
            return None
        return await self._sign_ins.begin(self._hooks.sign_in, name, password, address)

    async def sign_in_by(self, provider: str, user: Mapping[str, Any], email: str) -> str | None:
        """A token for who signed in at a provider, as it names them; None for nobody of the shop's.

        `email` is theirs, verified by the provider; empty when it verified none.
        """
        return await self._sign_ins.begin_by(self._hooks.signed_in_by, provider, user, email)

    async def signed_in(self, token: str) -> Caller | None:
        """Who signed in with this token; None for nobody, who has signed out, and when its time is over."""
        customer_id = await self._sign_ins.customer_of(token)
        return await self.customer(customer_id) if customer_id else None

    async def sign_out(self, token: str) -> None:
        """The token is worth nothing any more."""
        await self._sign_ins.end(token)

    async def history(self, caller: Caller) -> tuple[Heading, ...]:
        """The caller's own past conversations, the newest first; none for who has not signed in."""
        if caller.customer_id is None or caller.how != "sign_in":
            return ()
        return await self.records.history(caller.customer_id)

    async def past(self, caller: Caller, call_id: str) -> Past | None:
        """A past conversation of the caller's own, to show and to go on from; None for any other id."""
        if caller.customer_id is None or caller.how != "sign_in":
            return None
        return await self.records.past(caller.customer_id, call_id, reader="the customer")

    async def rate(self, call_id: str, good: bool, comment: str) -> None:
        """Keep what the customer thinks of a call of theirs, live or over, with its record."""
        rated = Rated(good, storable(comment))
        if recording := self._recordings.get(call_id):
            recording.rated(rated)
        else:
            await self.records.rate(call_id, rated)

    async def take_up(
        self, channel: Channel, *, holder: str, address: str = "", shown_again: bool = True
    ) -> Call | None:
        """Go on with the holder's call that broke off when the desk did, if there is one: the same call, with
        the caller who was verified in it. What its customer had seen is shown again, where it is not there
        still.

        Raises DeskDraining when the desk is about to close.
        """
        if self.draining:
            raise DeskDraining
        taken = await self.records.take_up(holder)
        if taken is None:
            return None
        broken, stored = taken
        try:
            past = await self._past_of(broken)
            seen = (*(past.lines if past else ()), *broken.shown()) if shown_again else ()
            for shown in seen:
                await channel.show(shown)
        except BaseException:
            self.records.put_back(broken)
            raise
        began = broken.draft.began
        context = self.toolbox.context(
            call_id=began.call_id,
            caller=self._still(broken.caller),
            language=broken.draft.language,
            channel=began.channel,
            address=address,
        )
        elapsed_ms = broken.elapsed_ms(self._clock.utcnow())
        conversation, effects = goes_on(
            broken, stored, self._equipment.rules, now_ms=self._clock.now_ms(), elapsed_ms=elapsed_ms
        )
        if past is not None:
            conversation = past.before(conversation)
        recording = self.records.go_on(broken)
        live = self._live(channel, context, recording, begun=conversation, part=f"-{elapsed_ms}")
        live.call.spent(broken.draft.usages)
        await live.call.perform(effects)
        self._run(live)
        return live.call

    async def _past_of(self, broken: BrokenOff) -> Past | None:
        """What a call that broke off had gone on from."""
        past, customer_id = broken.draft.began.past, broken.caller.customer_id
        return await self.records.past(customer_id, past) if past and customer_id else None

    def _still(self, caller: Caller) -> Caller:
        """Who was verified in the call; a demo customer only where there still are such."""
        return GUEST if caller.how == "demo" and caller not in self.demo_customers else caller

    def _live(
        self,
        channel: Channel,
        context: CallContext,
        recording: Recording,
        *,
        begun: Conversation | None = None,
        part: str = "",
    ) -> "_Live":
        hooks = CallHooks(self._hooks, context.call_id, recording, self._hook_threads)
        tracing = ExitStack()
        call = Call(
            channel,
            context,
            self._equipment,
            kept=Kept(
                recorder=hooks,
                meter=Meter(prices(), model_of(self.settings), self.settings.max_call_money),
                trace=tracing.enter_context(trace_of(self.settings, f"{context.call_id}{part}", self._clock)),
            ),
            begun=begun,
        )
        return _Live(call, recording, hooks, tracing)

    def _run(self, live: "_Live") -> None:
        call = live.call
        self._calls[call.id] = call
        self._recordings[call.id] = live.recording
        task = asyncio.create_task(self._attend(live), name=call.id)
        self._tasks.add(task)
        task.add_done_callback(self._attended)

    def _attended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            asyncio.get_running_loop().call_later(QUIET_S, self._give_back)

    def _give_back(self) -> None:
        if not self._tasks:
            give_back_memory()

    async def _attend(self, live: "_Live") -> None:
        """Run one call to its end; what goes wrong in it is its own and harms no other."""
        call = live.call
        logs.in_call(call.id)
        began_ms = self._clock.now_ms()
        hooks = asyncio.create_task(live.hooks.run(), name=f"hooks of {call.id}")
        try:
            with live.tracing:
                await call.run()
        except Exception as error:  # noqa: BLE001 - the edge of a task: one call must not end the desk
            log.error("call %s broke off: %s", call.id, logs.without_words(error))
            live.hooks.broke_off()
        finally:
            live.hooks.ended(self._clock.now_ms() - began_ms)
            try:
                await self.records.close(live.recording)
            finally:
                del self._calls[call.id]
                del self._recordings[call.id]
                await asyncio.wait([hooks], timeout=LAST_HOOKS_S)
                hooks.cancel()

    async def gone(self, call: Call) -> None:
        """Wait until a call is over and its record is written."""
        for task in tuple(self._tasks):
            if task.get_name() == call.id:
                await task

    @property
    def store(self) -> Store:
        """The desk's own database."""
        return self.records.store

    async def drain(self, within_s: float) -> int:
        """Take no new calls and let the live ones end by themselves; how many had not, in time.

        A page that is only open, with nothing going on for a minute, is no call to wait for.
        """
        self.draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while self._tasks and loop.time() < until:
            for call in self._calls.values():
                if call.idle_ms(self._clock.now_ms()) >= IDLE_MS:
                    self._break_off(call, CLOSING)
            await asyncio.wait(self._tasks, timeout=min(LOOK_S, until - loop.time()))
        return len(self._calls)

    async def close(self, reason: str = CLOSING) -> None:
        """Hang up every call and wait until all have ended.

        A call whose holder can come back is over for this process alone: the next start goes on with it.
        """
        for call in self._calls.values():
            self._break_off(call, reason)
        await asyncio.gather(*self._tasks)
        self._hook_threads.close()

    def _break_off(self, call: Call, reason: str) -> None:
        self._recordings[call.id].leave()
        call.hang_up(reason)


def chosen(tools: Sequence[Tool], names: Sequence[str]) -> tuple[Tool, ...]:
    """The tools that a company wants offered: all, or those it names and the ways to say who one is.

    Raises SettingsError for a name that no tool has.
    """
    if not names:
        return tuple(tools)
    known = [each.name for each in tools]
    for name in names:
        if name not in known:
            raise SettingsError(
                f"HELPLINE_TOOLS names {name}, which is no tool of this desk{nearest_hint(name, known)}."
            )
    return tuple(each for each in tools if each.name in names or each.below is not None)


@asynccontextmanager
async def backends_of(settings: Settings) -> AsyncIterator[tuple[Backend, ...]]:
    """The backends in the order in which they are tried. Raises SettingsError when one lacks a setting."""
    async with AsyncExitStack() as opened:
        backends: list[Backend] = []
        for name in settings.backends:
            if name == "engine":
                engine = EngineBackend.of(settings)
                opened.push_async_callback(engine.aclose)
                backends.append(engine)
            else:
                backends.append(backend_of(name, settings))
        if not backends:
            raise SettingsError("No backend is configured: set HELPLINE_BACKENDS, for instance to engine.")
        yield tuple(backends)


@asynccontextmanager
async def open_desk(
    settings: Settings,
    *,
    backends: Sequence[Backend] | None = None,
    own: Own | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Desk]:
    """Open the shop and the desk; on the way out every call is hung up and the shop is closed.

    `own` is what the company brings: its tools, its hooks and its order system.

    Raises SettingsError, StoreError or BackendError with one sentence that names what to change.
    """
    clock = clock or SystemClock()
    own = own or Own()
    demo = settings.shop == "demo" and own.open_shop is None
    policy = Policy.load(settings.policy_file, settings.hours)
    async with AsyncExitStack() as opened:
        if backends is None:
            backends = await opened.enter_async_context(backends_of(settings))
        store = await Store.open(settings.database_url, data_dir=settings.data_dir, demo=demo)
        opened.push_async_callback(store.close)
        theirs_alone = await opened.enter_async_context(own.shop())
        shop = ShopElsewhere(theirs_alone, store.database) if theirs_alone is not None else store.shop
        knowledge = Knowledge(store, settings.knowledge_dir, clock)
        courier = await opened.enter_async_context(courier_of(settings, clock=clock, shop=settings.name))
        theirs = await opened.enter_async_context(mcp_tools(settings.mcp))
        ours = (*desk_tools(store, policy, courier=courier, knowledge=knowledge), *theirs)

        def toolbox_with(extra: Sequence[Tool]) -> Toolbox:
            try:
                return Toolbox(
                    chosen((*ours, *extra), settings.tools),
                    store=store, policy=policy, clock=clock, shop=shop,
                )  # fmt: skip
            except ValueError as twice:
                raise SettingsError(f"{str(twice).capitalize()}: rename one, or leave it out.") from None

        equipment = Equipment(
            toolbox=toolbox_with(own.tools),
            backends=tuple(backends),
            manner=Manner(settings, policy, now=clock.utcnow),
            clock=clock,
            rules=rules_of(settings),
        )
        workers = workers_of(settings, store, clock=clock)
        traced = opened.enter_context(exported(settings))
        records = await opened.enter_async_context(
            open_records(settings, store, clock=clock, workers=workers, traced=traced)
        )
        sign_ins = SignIns(store, shop, policy, clock)
        opened.callback(sign_ins.close)
        desk = Desk(
            settings,
            equipment,
            own=own,
            toolbox_with=toolbox_with,
            demo_customers=await store.demo_customers() if demo and settings.loopback else (),
            records=records,
            sign_ins=sign_ins,
        )
        opened.push_async_callback(desk.close)
        yield desk
