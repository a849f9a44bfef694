"""Who is at the desk's pages: a visit joins one customer's browser to the one call that they are in.

A page comes and goes (a dropped socket, a reload, a second tab); the visit outlives it by a grace time, and
with it the call. A visit is found again by its page's session id, or by the cookie of the browser.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any, Final

from helpline.actions import GUEST, Caller, Pace
from helpline.channels.web.browsers import CUSTOMER_COOKIE, cookie
from helpline.channels.web.channel import WebChannel
from helpline.channels.web.lateness import Lateness
from helpline.channels.web.limits import Allowance
from helpline.channels.web.page import Page
from helpline.channels.web.seam import Call, Desk
from helpline.channels.web.signing_in import SIGNED_IN, SignIn, is_anothers
from helpline.channels.web.words import Words, asked_for, spoken_in, words_for
from helpline.clock import Clock
from helpline.errors import DeskDraining
from helpline.records.past import Past
from helpline.settings import Settings

GRACE_S: Final = 30.0
"""How long a call waits for a page that is away."""

SIGNED_OUT: Final = "The customer signed out."
REOPENED: Final = "The customer opened an earlier conversation."
PAGE_LOST: Final = "The page was closed or its connection was lost."


class Visit:
    """One customer at the page: who they are, what they see, and the call once there is one."""

    def __init__(
        self, channel: WebChannel, *, caller: Caller, browser: str, words: Words, language: str
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.channel = channel
        self.caller = caller
        self.browser = browser
        self.address = ""
        """Where its page is; empty when that is not known."""
        self.words = words
        self.language = language
        """In which its calls are held: the page's, or the desk's own where the page lacks it."""
        self.lateness = Lateness()
        self.messages = Allowance(burst=8, per_s=1.0)
        self.starts = Allowance(burst=6, per_s=0.5)
        self.sound_ms = Allowance(burst=10_000, per_s=2000)
        """A microphone makes 1000 ms a second; what waited in a socket comes faster for a while."""
        self.voice_wanted = False
        self.past: Past | None = None
        """A past conversation of the customer's that is shown: the next call goes on from it."""
        self._call: Call | None = None
        self._admitting = asyncio.Lock()

    @property
    def call(self) -> Call | None:
        """The call that is going on, if one is."""
        return None if self.channel.ended else self._call

    @property
    def latest(self) -> Call | None:
        """The call that is going on, or the one that was the last."""
        return self._call

    async def call_at(self, desk: Desk) -> Call:
        """The call that is going on, or a new one. Raises what `Desk.admit` raises."""
        async with self._admitting:
            if self.call is None:
                self.channel.begin()
                self._call = await desk.admit(
                    self.channel,
                    kind="web",
                    caller=self.caller,
                    language=self.language,
                    address=self.address,
                    holder=self.browser,
                    past=self.past,
                )
                self.past = None
            assert self._call is not None
            self._call.pace(self.pace)
            return self._call

    async def take_up(self, desk: Desk) -> bool:
        """Go on with the call in which this browser was when the desk broke off; False when there is none.

        What was seen of it is remembered, and drawn when the channel has its page again.
        """
        if not self.browser:
            return False
        async with self._admitting:
            page = self.channel.page
            self.channel.leave()
            try:
                call = await desk.take_up(self.channel, holder=self.browser, address=self.address)
            except DeskDraining:
                call = None  # The page is welcomed, and told when it wants a call.
            finally:
                if not self.channel.page.id:  # No second tab has come meanwhile.
                    self.channel.come_back(page)
            if call is None:
                return False
            self._call, self.caller = call, call.caller
            call.speak(self.language)
            return True

    async def reopen(self, past: Past) -> None:
        """Leave the call that is going on; the next one goes on from a past one."""
        async with self._admitting:
            self.hang_up(REOPENED)
            self.voice_wanted = False
            self.channel = self.channel.another()
            self.past = past

    def speak(self, words: Words, language: str) -> None:
        """Go on in another language, in the call too if there is one."""
        self.words, self.language = words, language
        self.channel.words = words
        if self.call:
            self.call.speak(language)

    @property
    def pace(self) -> Pace:
        """How fast the customer wants to be spoken to."""
        return "slower" if self.channel.slower else "normal"

    def set_pace(self, pace: Pace) -> None:
        self.channel.slower = pace == "slower"
        if self.call:
            self.call.pace(pace)

    async def become(self, caller: Caller) -> None:
        """Go on as another customer, in the call too if there is one."""
        if caller.customer_id != self.caller.customer_id:
            self.past = None
        self.caller = caller
        if self.call:
            await self.call.become(caller)

    def hang_up(self, reason: str) -> None:
        if self.call:
            self.call.hang_up(reason)
        self._call = None


class Visits:
    """Every visit, by its id, by its page and by its browser's cookie."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        clock: Clock,
        *,
        grace_s: float,
        sign_in: SignIn | None,
        providers: Mapping[str, str],
    ) -> None:
        self.desk = desk
        self.settings = settings
        self.clock = clock
        self.providers = providers
        """With whose accounts customers may sign in: names by ids."""
        self._sign_in = sign_in
        self._grace_s = grace_s
        self._visits: dict[str, Visit] = {}
        self._by_page: dict[str, str] = {}
        self._by_browser: dict[str, str] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._visits)

    def get(self, visit_id: str) -> Visit | None:
        return self._visits.get(visit_id)

    def at(self, page_id: str) -> Visit | None:
        """The visit whose page this is."""
        return self._visits.get(self._by_page.get(page_id, ""))

    def of(self, browser: str) -> Visit | None:
        """The visit that this browser's cookie names, if it is still going on."""
        return self._visits.get(self._by_browser.get(browser, "")) if browser else None

    @property
    def demo_customers(self) -> tuple[Caller, ...]:
        """Whom a visitor may be; nobody where customers sign in."""
        return () if self._sign_in or self._gives_tokens else self.desk.demo_customers

    @property
    def _gives_tokens(self) -> bool:
        return self.desk.signs_in or bool(self.providers)

    async def signed_in(self, environ: Mapping[str, Any]) -> Caller:
        """Who is signed in at the page that this request opened; GUEST for nobody."""
        if self._sign_in and (caller := await self._sign_in.caller(environ, self.desk)) != GUEST:
            return caller
        token = cookie(environ.get("HTTP_COOKIE", ""), CUSTOMER_COOKIE) if self._gives_tokens else ""
        return (await self.desk.signed_in(token) if token else None) or GUEST

    async def sign_out(self, browser: str) -> None:
        """The customer at this browser has signed out: their conversation is over, and goes from the page."""
        visit = self.of(browser)
        if visit is None:
            return
        callers = (visit.caller, visit.call.caller) if visit.call else (visit.caller,)
        if all(
            caller.how != SIGNED_IN for caller in callers
        ):  # By a code in the call, they were better known.
            return
        page = visit.channel.page
        self.end(visit, SIGNED_OUT)
        await page.voice(False)
        await page.clear()

    async def recognise(self, visit: Visit, signed_in: Caller) -> bool:
        """Who is signed in at a visit's page is who the visit is from now on.

        False when it was somebody else's, or they have signed out: then it is over, and nothing of it may be
        shown any more.
        """
        known = visit.call.caller if visit.call else visit.caller
        if is_anothers(known, signed_in):
            self.end(visit, SIGNED_OUT)
            return False
        if known.identity < signed_in.identity:
            await visit.become(signed_in)
        return True

    def begin(self, page: Page, *, browser: str, language: str, signed_in: Caller = GUEST) -> Visit:
        """A new visit: of the first demo customer where there are such, else of who is signed in."""
        caller = self.demo_customers[0] if self.demo_customers else signed_in
        words, spoken = self.speaking(language)
        channel = WebChannel(page, desk_name=self.settings.name, words=words)
        visit = Visit(channel, caller=caller, browser=browser, words=words, language=spoken)
        self._visits[visit.id] = visit
        self._by_page[page.id] = visit.id
        if browser:
            self._by_browser[browser] = visit.id
        return visit

    def speaking(self, asked: str) -> tuple[Words, str]:
        """The page's words, and the language of its calls, for an `Accept-Language` or a chosen language."""
        own = self.settings.language
        page = asked_for(asked, own)
        return words_for(page), spoken_in(page, own)

    async def move(self, visit: Visit, page: Page) -> Page:
        """Bring a visit to the page where its customer is now; returns the page where it was."""
        self._stay(visit)
        before = visit.channel.page
        self._by_page.pop(before.id, None)
        self._by_page[page.id] = visit.id
        visit.lateness.restart()
        await visit.channel.draw_on(page)
        return before

    async def back(self, visit: Visit) -> None:
        """The page's socket has returned: draw what was missed."""
        self._stay(visit)
        await visit.channel.draw_on(visit.channel.page)

    def away(self, visit: Visit) -> None:
        """The page's socket is lost: the visit ends if it does not return within the grace time."""
        self._stay(visit)
        loop = asyncio.get_running_loop()
        self._leaving[visit.id] = loop.call_later(self._grace_s, self.end, visit, PAGE_LOST)

    def end(self, visit: Visit, reason: str) -> None:
        """The customer has left: hang up, and forget the visit."""
        self._stay(visit)
        self._visits.pop(visit.id, None)
        self._by_page.pop(visit.channel.page.id, None)
        if self._by_browser.get(visit.browser) == visit.id:
            del self._by_browser[visit.browser]
        visit.channel.leave()
        visit.hang_up(reason)

    def close(self) -> None:
        """The desk closes: no timer outlives it; the desk itself ends the calls."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()

    def _stay(self, visit: Visit) -> None:
        if timer := self._leaving.pop(visit.id, None):
            timer.cancel()
