"""Chainlit's hooks: each finds the visit, tells its call what the customer did, and returns soon.

No decision of the conversation is taken here. `cl.user_session` holds the handle of the visit and nothing
else: Chainlit writes it into its thread metadata. Exceptions stop here, at the edge of Chainlit's tasks:
ours are said in one sentence, others are logged by kind and place alone, for their text may be personal.
"""

import functools
import logging
import math
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final, ParamSpec

from helpline.actions import GUEST, Caller
from helpline.audio.pcm import BYTES_PER_MS
from helpline.call.shown import ReceiptShown
from helpline.channels.web.adapters import MESSENGERS, Adapters, letter_of, say_by
from helpline.channels.web.browsers import LANGUAGE_COOKIE, Browsers, cookie
from helpline.channels.web.guard import address_of
from helpline.channels.web.inbound import (
    Answered,
    CustomerChosen,
    HistoryAsked,
    MicFailed,
    PaceChosen,
    PageMessage,
    PastChosen,
    PersonAsked,
    Played,
    Pushed,
    RatingGiven,
    Stopped,
    Suggested,
    read_page_message,
)
from helpline.channels.web.markup import plain
from helpline.channels.web.messenger import Correspondents
from helpline.channels.web.page import ChainlitPage
from helpline.channels.web.seam import Call
from helpline.channels.web.signing_in import SIGNED_IN
from helpline.channels.web.sound import SoundWires
from helpline.channels.web.visits import Visit, Visits
from helpline.channels.web.words import is_touched
from helpline.errors import BackendError, DeskDraining, HelplineError, ToolError
from helpline.redact import redact
from helpline.sentences import NOBODY_ANSWERS
from helpline.wording import Saying, said

log = logging.getLogger(__name__)

MAX_MESSAGE: Final = 4000
"""Characters of a typed line; the rest is cut, and the customer is told."""
_MAX_CHUNK_BYTES: Final = 48_000

P = ParamSpec("P")


class Handlers:
    """The hooks of one page, to be registered with Chainlit by `register`."""

    def __init__(
        self,
        visits: Visits,
        browsers: Browsers,
        correspondents: Correspondents,
        adapters: Adapters,
        wires: SoundWires,
    ) -> None:
        self._visits = visits
        self._browsers = browsers
        self._correspondents = correspondents
        self._adapters = adapters
        self._wires = wires

    def register(self) -> None:
        """Give the hooks to Chainlit, in place of those of an earlier app in this process."""
        import chainlit as cl

        cl.on_chat_start(self._edge(self.on_chat_start))
        cl.on_chat_end(self._edge(self.on_chat_end))
        cl.on_message(self._edge(self.on_message))
        cl.on_stop(self._edge(self.on_stop))
        cl.on_audio_start(self._edge(self.on_audio_start))
        cl.on_audio_end(self._edge(self.on_audio_end))
        cl.on_window_message(self._edge(self.on_window_message))

    async def on_chat_start(self) -> None:
        """A page has opened: find the visit that its browser is in, or begin one."""
        session = _session()
        if session.client_type in MESSENGERS:
            return  # Its message comes next, and with it who wrote it.
        page = self._page()
        cookies = session.environ.get("HTTP_COOKIE", "")
        browser = self._browsers.known(cookies)
        language = cookie(cookies, LANGUAGE_COOKIE) or session.environ.get("HTTP_ACCEPT_LANGUAGE", "")
        signed_in = await self._visits.signed_in(session.environ)
        visit = self._visits.of(browser)
        if visit and await self._visits.recognise(visit, signed_in):
            visit.speak(*self._visits.speaking(language))
            await self._resume(visit, page)
        else:
            visit = self._visits.begin(page, browser=browser, language=language, signed_in=signed_in)
            visit.address = address_of(session.environ)
            if not await visit.take_up(self._visits.desk):
                await self._welcome(visit)
            elif await self._visits.recognise(visit, signed_in):
                await self._go_on(visit)
            else:  # It was another customer's; nothing of it has been shown.
                visit = self._visits.begin(page, browser=browser, language=language, signed_in=signed_in)
                await self._welcome(visit)
        visit.address = address_of(session.environ)
        self._hold(visit)
        await self._tell_about(visit)

    async def on_chat_end(self) -> None:
        """The socket is lost, for a moment or for good; or a messenger's message was answered."""
        if _session().client_type in MESSENGERS:
            self._adapters.forget(_session().id)
            return
        visit = self._visits.at(_session().id)
        if visit:
            self._visits.away(visit)

    def on_clear(self) -> None:
        """*New chat*: this conversation is over."""
        if visit := self._visits.at(_session().id):
            self._visits.end(visit, "The customer left.")

    async def on_return(self) -> None:
        """The socket of a page that was away is back."""
        visit = self._visits.at(_session().id)
        if visit is None:
            await self._page().voice(False)
            await self.on_chat_start()
            return
        if not await self._visits.recognise(visit, await self._visits.signed_in(_session().environ)):
            await self._page().clear()
            await self._page().voice(False)
            await self.on_chat_start()
            return
        await self._visits.back(visit)
        await self._tell_about(visit)

    async def on_message(self, message: Any) -> None:
        """A typed line."""
        if _session().client_type in MESSENGERS:
            await self._take_letter(str(message.content))
            return
        visit = self._visit()
        if visit is None:
            return
        text = str(message.content).strip()
        if not visit.messages.take(self._visits.clock.now_ms()):
            await visit.channel.notice(visit.words.too_fast, kind="warning")
            return
        if len(text) > MAX_MESSAGE:
            await visit.channel.notice(visit.words.too_long.format(limit=MAX_MESSAGE), kind="warning")
        if text:
            await self._type(visit, text[:MAX_MESSAGE], on_page=True)

    async def _take_letter(self, text: str) -> None:
        """A message that came by a messenger."""
        import chainlit as cl
        from chainlit.user_session import user_sessions

        session: Any = cl.context.session
        letter = letter_of(session.client_type, user_sessions[session.id], text)
        if letter is None:
            return
        say = say_by(session.client_type, cl.context.emitter)
        try:
            await self._correspondents.take(letter, say)
        except DeskDraining:
            await say(self._visits.speaking("")[0].closing)
        except HelplineError as known:
            log.error("a message was not answered: %s", redact(str(known)))
            await say(self._visits.speaking("")[0].failed)

    async def on_stop(self) -> None:
        """Stop: silence the reply."""
        visit = self._visit()
        if visit and visit.call:
            visit.call.stop_reply()

    async def on_audio_start(self) -> bool:
        """P: True opens the page's microphone."""
        visit = self._visit()
        if visit is None:
            return False
        # P again while it starts is the same start: refused, it would take the microphone from the first one.
        if not visit.voice_wanted and not visit.starts.take(self._visits.clock.now_ms()):
            await visit.channel.notice(visit.words.too_fast, kind="warning")
            return False
        await _mark_first_interaction()
        visit.voice_wanted = True
        call = await self._call_at(visit)
        ready = await call.start_voice()
        if not ready:
            visit.voice_wanted = False
        elif not visit.voice_wanted:  # Ended while it started.
            call.end_voice()
        else:
            visit.lateness.restart()
            visit.channel.listens = True
        return visit.voice_wanted

    def hear(self, page_id: str, pcm24k: bytes, elapsed_ms: float) -> None:
        """Microphone sound of a page, as soon as it is in."""
        visit = self._visits.at(page_id)
        if visit is None or visit.call is None or not visit.voice_wanted:
            return
        if not 0 < len(pcm24k) <= _MAX_CHUNK_BYTES or len(pcm24k) % 2 or not math.isfinite(elapsed_ms):
            return
        now_ms = self._visits.clock.now_ms()
        if visit.lateness.is_late(int(elapsed_ms), now_ms):
            return
        if visit.sound_ms.take(now_ms, len(pcm24k) / BYTES_PER_MS):
            visit.call.hear(pcm24k)

    def heed_played(self, page_id: str, message: object) -> None:
        """How much a page says that it has played."""
        visit = self._visits.at(page_id)
        played = read_page_message(message)
        if visit and visit.call and isinstance(played, Played):
            visit.call.played(played.track, played.ms)

    async def on_audio_end(self) -> None:
        """P again, or the page could not open its microphone: typed chat goes on."""
        visit = self._visit()
        if visit is None:
            return
        visit.voice_wanted = visit.channel.listens = False
        if visit.call:
            visit.call.end_voice()
        # The answer to a second P may still be on its way, and would open the microphone again.
        await visit.channel.page.voice(False)

    async def on_window_message(self, data: Any) -> None:
        """The page's own script, and anyone else who can post to the window: hostile input."""
        visit = self._visit()
        message = read_page_message(data)
        if visit and message:
            await self._heed(visit, message)

    async def _heed(self, visit: Visit, message: PageMessage) -> None:
        match message:
            case Played(track, ms) if visit.call:
                visit.call.played(track, ms)
            case Answered(proposal_id, yes) if visit.call:
                visit.call.answer(proposal_id, yes)
            case Pushed(down) if visit.call:
                visit.call.push(down)
            case Stopped():
                await self.on_stop()
            case PersonAsked():
                if visit.messages.take(self._visits.clock.now_ms()):
                    await self._type(visit, visit.words.person)
            case RatingGiven(good, comment) if visit.latest:
                if visit.messages.take(self._visits.clock.now_ms()):
                    await self._visits.desk.rate(visit.latest.id, good, comment)
            case HistoryAsked():
                if visit.messages.take(self._visits.clock.now_ms()):
                    await self._list(visit)
            case PastChosen(call_id):
                if visit.messages.take(self._visits.clock.now_ms()):
                    await self._reopen(visit, call_id)
            case Suggested(number):
                suggested = self._visits.desk.suggestions(visit.language)[number : number + 1]
                if suggested and visit.messages.take(self._visits.clock.now_ms()):
                    await self._type(visit, suggested[0])
            case PaceChosen(pace):
                visit.set_pace(pace)
            case CustomerChosen(customer_id):
                await self._become(visit, customer_id)
            case MicFailed(fault):
                await visit.channel.notice(visit.words.microphone[fault], kind="warning")
                if fault == "lost":
                    await self.on_audio_end()
            case _:
                return

    async def _call_at(self, visit: Visit) -> Call:
        """The call that is going on, or a new one: of the customer only while they are still signed in."""
        if visit.call is None and visit.caller.how == SIGNED_IN:
            visit.caller = await self._signed_in(visit)
        return await visit.call_at(self._visits.desk)

    async def _list(self, visit: Visit) -> None:
        """Tell the page of its customer's past conversations."""
        headings = await self._visits.desk.history(await self._signed_in(visit))
        listed = [
            {"id": each.call_id, "at": each.at, "title": each.title, "references": list(each.references)}
            for each in headings
        ]
        await visit.channel.page.tell(
            "history", conversations=listed, days=self._visits.settings.keep_calls_days
        )

    async def _reopen(self, visit: Visit, call_id: str) -> None:
        """Show a past conversation in place of this one; what the customer says next goes on from it."""
        past = await self._visits.desk.past(await self._signed_in(visit), call_id)
        page = visit.channel.page
        if past is None:  # Another's and one that there is not sound alike.
            await visit.channel.notice(visit.words.no_such_past, kind="warning")
            return
        await _mark_first_interaction()
        await visit.reopen(past)
        await page.voice(False)
        await page.clear()
        for line in past.lines:
            await visit.channel.show(line)
        for receipt in past.receipts:
            await visit.channel.show(ReceiptShown(receipt))
        await visit.channel.notice(visit.words.reopened)
        await page.tell("state", state="idle", detail="")

    async def _signed_in(self, visit: Visit) -> Caller:
        """Who is signed in at the page at this moment, as far as the visit is theirs."""
        signed_in = await self._visits.signed_in(_session().environ)
        return signed_in if signed_in.customer_id == visit.caller.customer_id else GUEST

    async def _type(self, visit: Visit, text: str, *, on_page: bool = False) -> None:
        """Type a line into the call; `on_page` when Chainlit has shown it already."""
        await _mark_first_interaction()
        call = await self._call_at(visit)
        if on_page:
            visit.channel.typed(text)
        call.type(text)

    async def _become(self, visit: Visit, customer_id: str) -> None:
        """Switch to another of the *demo* customers; nobody else can be chosen."""
        chosen = [who for who in self._visits.demo_customers if who.customer_id == customer_id]
        if chosen and chosen[0] != visit.caller:
            await visit.become(chosen[0])
            await visit.channel.forget()
            await self._greet(visit)
            await self._tell_about(visit)

    async def _welcome(self, visit: Visit) -> None:
        await self._greet(visit)
        # A page that outlived a restart of the desk still believes that its microphone is wanted.
        await visit.channel.page.voice(False)

    async def _greet(self, visit: Visit) -> None:
        page_id = visit.channel.page.id
        name = self._visits.settings.name
        own = self._visits.settings.welcome.replace("{shop}", name)
        touch = is_touched(_session().environ.get("HTTP_USER_AGENT", ""))
        welcome = plain(own) if own else visit.words.welcome_to(plain(name), touch=touch)
        await visit.channel.say(f"{page_id}-welcome", welcome)
        await visit.channel.notice(self._visits.desk.banner_in(visit.language), step_id=f"{page_id}-answers")
        if closed := self._visits.desk.closed_notice(visit.language):
            await visit.channel.notice(closed, step_id=f"{page_id}-closed")

    async def _go_on(self, visit: Visit) -> None:
        """The desk has started again in mid-call: the page shows the call as it was, from its beginning."""
        await _mark_first_interaction()
        page = visit.channel.page
        await page.voice(False)
        await page.clear()
        await visit.channel.draw_on(page)
        await visit.channel.notice(visit.words.interrupted)

    async def _resume(self, visit: Visit, page: ChainlitPage) -> None:
        """Go on where the visit was: a reload, or another tab, which then has the call alone."""
        before = await self._visits.move(visit, page)
        visit.voice_wanted = visit.channel.listens = False
        if visit.call:
            visit.call.end_voice()
        if before.id != page.id:
            await before.voice(False)
            await before.tell("elsewhere", text=visit.words.elsewhere)

    async def _tell_about(self, visit: Visit) -> None:
        """What the page's script shows around the conversation."""
        begun = visit.latest or visit.past
        suggestions = [] if begun else list(self._visits.desk.suggestions(visit.language))
        customers = [{"id": who.customer_id, "name": who.name} for who in self._visits.demo_customers]
        await visit.channel.page.tell(
            "desk",
            name=self._visits.settings.name,
            answers=self._visits.desk.banner_in(visit.language),
            customers=customers,
            customer=visit.caller.customer_id,
            push=self._visits.settings.turn_detection == "push_to_talk",
            signs_in=self._visits.desk.signs_in,
            providers=[{"id": each, "name": name} for each, name in self._visits.providers.items()],
            signed_in=visit.caller.name if visit.caller.how == SIGNED_IN else "",
            slower=visit.channel.slower,
            suggestions=suggestions,
        )

    def _edge(self, handler: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[Any]]:
        """The handler, with every exception ended here: said to the customer, or logged without its text."""

        @functools.wraps(handler)
        async def edge(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return await handler(*args, **kwargs)
            except DeskDraining:
                await self._apologise(closing=True)
            except ToolError as refusal:
                await self._apologise(refusal.say)
            except HelplineError as known:  # what is to be changed concerns who runs the desk
                log.error("the page could not do what was asked: %s", redact(str(known)))
                trouble = known.trouble if isinstance(known, BackendError) else None
                await self._apologise(NOBODY_ANSWERS[trouble] if trouble else None)
            except Exception as unknown:  # noqa: BLE001 - the edge of a task; nothing above would see it
                place = traceback.extract_tb(unknown.__traceback__)[-1]
                log.error("the page failed: %s in %s:%s", type(unknown).__name__, place.name, place.lineno)
                await self._apologise()
            return None

        return edge

    async def _apologise(self, sentence: Saying | str | None = None, *, closing: bool = False) -> None:
        """In the page's language."""
        if visit := self._visit():
            say = visit.words.closing if closing else visit.words.failed
            if sentence is not None:
                say = said(sentence, visit.language)
            await visit.channel.notice(say, kind="error")

    def _page(self) -> ChainlitPage:
        import chainlit as cl

        return ChainlitPage(cl.context.emitter, self._wires)

    def _visit(self) -> Visit | None:
        import chainlit as cl

        handle = cl.user_session.get("visit")  # type: ignore[no-untyped-call]
        return self._visits.get(handle) if isinstance(handle, str) else None

    def _hold(self, visit: Visit) -> None:
        import chainlit as cl

        cl.user_session.set("visit", visit.id)  # type: ignore[no-untyped-call]


def _session() -> Any:
    import chainlit as cl

    return cl.context.session


async def _mark_first_interaction() -> None:
    """Chainlit marks it at `audio_end` alone, and until then keeps back what a voice call shows."""
    import chainlit as cl

    session: Any = cl.context.session
    if not session.has_first_interaction:
        session.has_first_interaction = True
        await cl.context.emitter.init_thread("call")
