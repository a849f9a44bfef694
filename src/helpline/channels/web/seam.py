"""What the page asks of the desk: the whole seam between this channel and the rooms below it.

The tests of the channel are written against these two Protocols, so that another front can come to the same
seam, and the desk can change behind it.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from helpline.actions import GUEST, Caller, Pace
from helpline.channels.channel import Channel
from helpline.records.past import Heading, Past
from helpline.settings import Settings


class Call(Protocol):
    """One customer's call. Everything but starting, becoming and the end is told, not awaited."""

    @property
    def id(self) -> str: ...
    @property
    def caller(self) -> Caller: ...

    async def start_voice(self) -> bool:
        """Turn voice on, again if it is on already; False when it cannot be, and a Notice said why."""

    def end_voice(self) -> None: ...
    def hear(self, pcm24k: bytes) -> None:
        """Microphone sound, 24 kHz mono s16le; never blocks."""

    def push(self, down: bool) -> None:
        """The button of push to talk is held, or let go."""

    def type(self, text: str) -> None: ...
    def speak(self, language: str) -> None:
        """Go on in another language, by its tag; nothing happens when it is the same."""

    def pace(self, pace: Pace) -> None:
        """Speak slower or faster from the next reply on."""

    def answer(self, proposal_id: str, yes: bool) -> None: ...
    def played(self, track: str, played_ms: int) -> None:
        """The page has played so much of a track; the call clamps what it is told."""

    def stop_reply(self) -> None: ...
    def hang_up(self, reason: str) -> None: ...
    async def become(self, caller: Caller) -> None: ...


class Desk(Protocol):
    """Where calls come from."""

    @property
    def banner(self) -> str:
        """One line: who answers."""

    def banner_in(self, language: str) -> str:
        """The same in the customer's language, where it is known in it."""

    @property
    def demo_customers(self) -> tuple[Caller, ...]:
        """Whom a visitor may be; empty unless the demo shop is served on this machine alone."""

    def suggestions(self, language: str) -> tuple[str, ...]:
        """What a customer may begin with, in their language: each a sentence that could be typed."""

    def closed_notice(self, language: str) -> str:
        """One sentence for who comes outside the opening hours; empty within them."""

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
        """`language` is the customer's, as a tag such as `zh-CN`.

        `address` is where the page is, as far as it is known: guesses at a customer are counted by it.

        `holder` names the browser: it alone may go on with the call after a restart of the desk.

        `past` is what `past` gave for this caller: the call goes on from it.
        """
        ...

    async def customer(self, customer_id: str) -> Caller | None:
        """The customer of that id as signed in; None when the shop has none."""

    @property
    def signs_in(self) -> bool:
        """Whether customers can sign in by name and password."""

    async def sign_in(self, name: str, password: str, *, address: str = "") -> str | None:
        """A token for `signed_in`; None for a wrong password as for an unknown name or too many tries."""

    async def sign_in_by(self, provider: str, user: Mapping[str, Any], email: str) -> str | None:
        """A token for who signed in at a provider, as it names them; None for nobody of the shop's.

        `email` is theirs, verified by the provider; empty when it verified none.
        """

    async def signed_in(self, token: str) -> Caller | None:
        """Who signed in with this token; None for nobody, who has signed out, and when its time is over."""

    async def sign_out(self, token: str) -> None:
        """The token is worth nothing any more."""

    async def history(self, caller: Caller) -> tuple[Heading, ...]:
        """The past conversations of a caller who has signed in, the newest first."""
        ...

    async def past(self, caller: Caller, call_id: str) -> Past | None:
        """One of them; None for any other id."""

    async def rate(self, call_id: str, good: bool, comment: str) -> None:
        """Keep what the customer thinks of a call, live or over."""

    async def take_up(
        self, channel: Channel, *, holder: str, address: str = "", shown_again: bool = True
    ) -> Call | None:
        """The holder's call that broke off when the desk did, going on; what was seen is shown again."""
        ...


class OpenDesk(Protocol):
    def __call__(self, settings: Settings, /) -> AbstractAsyncContextManager[Desk]: ...
