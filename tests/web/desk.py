"""A desk with a script, obeying the seam of `helpline.channels.web.seam`: it admits calls and notes all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from helpline.actions import GUEST, Caller, Identity
from helpline.call.shown import Notice, StateShown
from helpline.channels.channel import Channel
from helpline.errors import HelplineError
from helpline.records.past import Heading, Past
from helpline.settings import Settings

ANA = Caller("cus_ana", "Ana Ruiz", Identity.PROVEN, "demo")
BO = Caller("cus_bo", "Bo Lindqvist", Identity.PROVEN, "demo")


class ScriptedCall:
    """Notes what the channel tells it; the test plays the desk through `channel`."""

    def __init__(self, call_id: str, channel: Channel, caller: Caller) -> None:
        self.id = call_id
        self.kind = ""
        self.address = ""
        self.channel = channel
        self.caller = caller
        self.told: list[tuple[object, ...]] = []
        self.heard = bytearray()
        self.can_listen = True
        self.paced = "normal"
        self.gate = asyncio.Event()
        """`start_voice` waits for it."""
        self.gate.set()
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_typed: Callable[[ScriptedCall, str], Awaitable[None]] | None = None

    async def start_voice(self) -> bool:
        self._note("start_voice")
        await self.gate.wait()
        if self.can_listen:
            await self.channel.show(StateShown("listening"))
        else:
            await self.channel.show(Notice("The engine's ears are not installed: run make setup.", "error"))
        return self.can_listen

    def end_voice(self) -> None:
        self._note("end_voice")

    def hear(self, pcm24k: bytes) -> None:
        self.heard += pcm24k
        self._note("hear", len(pcm24k))

    def push(self, down: bool) -> None:
        self._note("push", down)

    def type(self, text: str) -> None:
        self._note("type", text)
        if self.on_typed:
            self._soon(self.on_typed(self, text))

    def speak(self, language: str) -> None:
        self.language = language
        self._note("speak", language)

    def pace(self, pace: str) -> None:
        if pace != self.paced:
            self.paced = pace
            self._note("pace", pace)

    def answer(self, proposal_id: str, yes: bool) -> None:
        self._note("answer", proposal_id, yes)

    def played(self, track: str, played_ms: int) -> None:
        self._note("played", track, played_ms)

    def stop_reply(self) -> None:
        self._note("stop_reply")

    def hang_up(self, reason: str) -> None:
        self._note("hang_up", reason)
        self._soon(self.channel.show(StateShown("ended", reason)))

    async def become(self, caller: Caller) -> None:
        self.caller = caller
        self._note("become", caller.customer_id)

    async def until(self, holds: Callable[["ScriptedCall"], bool], timeout_s: float = 60) -> None:
        """Wait until something holds of what was told; fails the test when it never does."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: holds(self))

    async def until_told(self, *what: object) -> tuple[object, ...]:
        """Wait until the channel has told this, by its first words; returns the whole of it."""
        await self.until(lambda call: call.first(*what) is not None)
        told = self.first(*what)
        assert told is not None
        return told

    def first(self, *what: object) -> tuple[object, ...] | None:
        return next((told for told in self.told if told[: len(what)] == what), None)

    def count(self, what: str) -> int:
        return sum(told[0] == what for told in self.told)

    def _note(self, *what: object) -> None:
        self.told.append(what)
        self._soon(self._announce())

    async def _announce(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _soon(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class ScriptedDesk:
    """Admits every call, unless `trouble` is set; `calls` are all of them in order."""

    def __init__(self, *, demo: bool = True) -> None:
        self.banner = "Answered by a script of the tests."
        self.demo_customers: tuple[Caller, ...] = (ANA, BO) if demo else ()
        self.calls: list[ScriptedCall] = []
        self.closed = ""
        self.suggested: tuple[str, ...] = ()
        self.trouble: HelplineError | None = None
        self.on_typed: Callable[[ScriptedCall, str], Awaitable[None]] | None = None
        self.pasts: dict[str, Past] = {}
        """Past conversations by id."""
        self.passwords: dict[tuple[str, str], str] = {}
        """Whose name and password these are."""
        self.emails: dict[str, str] = {}
        """Whose e-mail this is, for who signs in elsewhere."""
        self.tokens: dict[str, str] = {}
        self.issued = 0
        self._news = asyncio.Condition()

    def banner_in(self, language: str) -> str:
        return self.banner

    @property
    def signs_in(self) -> bool:
        return bool(self.passwords)

    async def sign_in(self, name: str, password: str, *, address: str = "") -> str | None:
        customer_id = self.passwords.get((name, password))
        if customer_id is None:
            return None
        return self._token(customer_id)

    async def sign_in_by(self, provider: str, user: Mapping[str, Any], email: str) -> str | None:
        customer_id = self.emails.get(email)
        return self._token(customer_id) if customer_id else None

    def _token(self, customer_id: str) -> str:
        self.issued += 1
        token = f"token-{self.issued}"
        self.tokens[token] = customer_id
        return token

    async def signed_in(self, token: str) -> Caller | None:
        return await self.customer(self.tokens[token]) if token in self.tokens else None

    async def sign_out(self, token: str) -> None:
        self.tokens.pop(token, None)

    async def history(self, caller: Caller) -> tuple[Heading, ...]:
        own = [past for past in self.pasts.values() if past.customer_id == caller.customer_id]
        return tuple(Heading(past.call_id, past.at, past.lines[0].text, ()) for past in own)

    async def past(self, caller: Caller, call_id: str) -> Past | None:
        past = self.pasts.get(call_id)
        return past if past and past.customer_id == caller.customer_id else None

    def suggestions(self, language: str) -> tuple[str, ...]:
        return self.suggested

    def closed_notice(self, language: str) -> str:
        return self.closed

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
    ) -> ScriptedCall:
        if self.trouble:
            raise self.trouble
        call = ScriptedCall(f"call_{len(self.calls)}", channel, caller)
        call.kind = kind
        call.address = address
        call.language = language
        call.past = past
        call.on_typed = self.on_typed
        self.calls.append(call)
        async with self._news:
            self._news.notify_all()
        return call

    async def customer(self, customer_id: str) -> Caller | None:
        names = {each.customer_id: each.name for each in (ANA, BO)}
        if customer_id not in names:
            return None
        return Caller(customer_id, names[customer_id], Identity.PROVEN, "sign_in")

    async def rate(self, call_id: str, good: bool, comment: str) -> None:
        for call in self.calls:
            if call.id == call_id:
                call._note("rated", good, comment)

    async def take_up(
        self, channel: Channel, *, holder: str, address: str = "", shown_again: bool = True
    ) -> ScriptedCall | None:
        return None

    async def call(self, number: int = 0) -> ScriptedCall:
        """The call of that number, once it has been admitted."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(self.calls) > number)
        return self.calls[number]

    def opener(self) -> Callable[[Settings], AbstractAsyncContextManager["ScriptedDesk"]]:
        @asynccontextmanager
        async def open_desk(settings: Settings) -> AsyncIterator[ScriptedDesk]:
            yield self

        return open_desk
