"""The desk in a messenger: one customer's written conversation, without a page.

A messenger brings letters one by one; those of one sender in one private conversation join the one call that
they are in, also when the desk was started anew in between. They are a guest until they have said who they
are, as anybody is. Who writes where others read along is asked to write in private: what a call says is for
one customer. A call ends when nothing has been written for `IDLE_S`; the next letter begins another.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from helpline.call.shown import (
    Caption,
    CardShown,
    Notice,
    ProposalClosed,
    ProposalShown,
    ReceiptShown,
    Shown,
    StateShown,
    ToolStarted,
)
from helpline.channels.web import cards
from helpline.channels.web.limits import Allowance
from helpline.channels.web.numbers import Numbers
from helpline.channels.web.seam import Call, Desk
from helpline.channels.web.words import Words
from helpline.channels.written import WrittenChannel
from helpline.clock import Clock

log = logging.getLogger(__name__)

IDLE_S: Final = 1800.0
HOLD_S: Final = 10.0
"""How long a messenger's request is held for the answer: Teams gives up on one after 15 s."""
MAX_CORRESPONDENTS: Final = 2000
MAX_LETTER: Final = 4000
LONGEST_TEXT: Final = 1800
"""Characters of one message: Discord takes 2000, and escapes count."""
_REMEMBERED: Final = 10_000
_WAITING: Final = 100
_SEND_S: Final = 20.0
UNANSWERED: Final = "The customer has written nothing for half an hour."

Say = Callable[[str], Awaitable[None]]
"""Send one message to where the letter came from."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that a customer sent."""

    messenger: str
    """`slack`, `teams` or `discord`."""
    sender: str
    """The messenger's own id of who wrote it."""
    place: str
    """Its id of the conversation."""
    private: bool
    """Whether nobody else reads along."""
    id: str
    """Its id of the message: messengers deliver some twice."""
    text: str


class MessengerChannel(WrittenChannel[Call]):
    """A `Channel` of texts: finished lines, cards and notices, in the order in which they came.

    What is to be sent waits for a task of its own (`run`), so that a slow messenger never holds up the call.
    """

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.say: Say | None = None
        self.state = "idle"
        self._words = words
        self._asks = ""
        self._lines: set[str] = set()
        self._cards: dict[str, str] = {}
        self._numbers = Numbers()
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(maxsize=_WAITING)
        self._changed = asyncio.Condition()
        self._answered = True

    @property
    def ended(self) -> bool:
        return self.state == "ended"

    def asked(self) -> None:
        """A letter was typed into the call: `rested` waits for what comes of it."""
        self._answered = False

    async def show(self, shown: Shown) -> None:
        match shown:
            case Caption(speaker="desk", final=True) if shown.line_id not in self._lines:
                self._lines.add(shown.line_id)
                self._answered = True
                # The read-back comes first, then how to answer it.
                text = self._numbers.written(shown.text)
                self._send(" ".join(part for part in (text, self._asks) if part))
                self._asks = ""
            case ProposalShown():
                self._asks = self._words.yes_or_no
            case ProposalClosed():
                self._asks = ""
            case ReceiptShown(receipt):
                self._numbers.give(receipt.reference)
                text = self._numbers.written(cards.as_text(cards.receipt(receipt)))
                self._send_card(f"receipt-{receipt.reference}", text)
            case CardShown(card) if card.kind not in ("proposal", "receipt"):
                self._numbers.give(str(card.data.get("ticket", "")))
                self._send_card(card.key or cards.as_text(cards.card(card)), cards.as_text(cards.card(card)))
            case Notice(text):
                self._answered = True
                self._send(text)
            case StateShown(state):
                self.state = state
            case ToolStarted():
                self._answered = False  # A line before it ("one moment") is not the answer.
            case _:
                pass
        await self._news()

    async def rested(self, within_s: float) -> None:
        """Wait until what was asked is answered and sent, or until the time is over."""
        try:
            async with asyncio.timeout(within_s):
                async with self._changed:
                    await self._changed.wait_for(self._is_at_rest)
                await self._outgoing.join()
        except TimeoutError:
            return  # The answer is sent when it comes.

    async def run(self) -> None:
        """Send what is to be sent, until cancelled."""
        while True:
            text = await self._outgoing.get()
            try:
                if self.say is not None:
                    async with asyncio.timeout(_SEND_S):
                        await self.say(text)
            except Exception as failed:  # noqa: BLE001 - the messenger's own libraries raise anything
                log.error("a messenger took no message: %s", type(failed).__name__)
            finally:
                self._outgoing.task_done()

    def _is_at_rest(self) -> bool:
        return self.ended or (self._answered and self.state in ("idle", "listening"))

    def _send_card(self, key: str, text: str) -> None:
        if self._cards.get(key) != text:
            self._cards[key] = text
            self._send(text)

    def _send(self, text: str) -> None:
        for start in range(0, len(text), LONGEST_TEXT):
            try:
                self._outgoing.put_nowait(text[start : start + LONGEST_TEXT])
            except asyncio.QueueFull:
                log.error("a messenger is too slow: a message was dropped")

    async def _news(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _address_of(letter: Letter) -> str:
    return f"{letter.messenger}:{letter.sender}"


def _holder_of(letter: Letter) -> str:
    """Who may go on with the call after a restart: this sender, here. No browser's name has a colon in it."""
    return f"{letter.messenger}:{letter.sender}:{letter.place}"


class _Correspondent:
    """One sender in one private conversation, and their call."""

    def __init__(self) -> None:
        self.letters = Allowance(burst=8, per_s=0.5)
        self.warned = False
        self.admitting = asyncio.Lock()
        self.channel: MessengerChannel | None = None
        self.call: Call | None = None
        self.sending: asyncio.Task[None] | None = None
        self.leaving: asyncio.TimerHandle | None = None


class Correspondents:
    """Everybody who writes to the desk by a messenger."""

    def __init__(self, desk: Desk, clock: Clock, words: Words, *, idle_s: float = IDLE_S) -> None:
        self._desk = desk
        self._clock = clock
        self._words = words
        self._idle_s = idle_s
        self._all: dict[tuple[str, str, str], _Correspondent] = {}
        self._seen: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._all)

    async def take(self, letter: Letter, say: Say) -> None:
        """Answer a letter; returns when it is answered, or after `HOLD_S` at the latest.

        Raises what `Desk.admit` raises, in a sentence for the customer.
        """
        if not letter.text.strip() or self._is_known(letter):
            return
        if not letter.private:
            await say(self._words.write_in_private)
            return
        key = (letter.messenger, letter.sender, letter.place)
        if key not in self._all and len(self._all) >= MAX_CORRESPONDENTS:
            await say(self._words.full)
            return
        correspondent = self._all.setdefault(key, _Correspondent())
        self._stay(key, correspondent)
        if not correspondent.letters.take(self._clock.now_ms()):
            if not correspondent.warned:
                correspondent.warned = True
                await say(self._words.too_fast)
            return
        correspondent.warned = False
        text = letter.text.strip()
        if len(text) > MAX_LETTER:
            await say(self._words.too_long.format(limit=MAX_LETTER))
        channel, call = await self._call(correspondent, letter)
        channel.say = say
        channel.asked()
        call.type(text[:MAX_LETTER])
        await channel.rested(HOLD_S)

    async def close(self) -> None:
        """The desk closes: no timer and no task outlives it; the desk itself ends the calls."""
        tasks = [each.sending for each in self._all.values() if each.sending is not None]
        for each in self._all.values():
            if each.leaving is not None:
                each.leaving.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._all.clear()

    async def _call(self, correspondent: _Correspondent, letter: Letter) -> tuple[MessengerChannel, Call]:
        async with correspondent.admitting:
            channel, call = correspondent.channel, correspondent.call
            if channel is None or call is None or channel.ended:
                channel = MessengerChannel(self._words)
                call = await self._going_on(channel, letter) or await self._desk.admit(
                    channel,
                    kind=letter.messenger,
                    address=_address_of(letter),
                    holder=_holder_of(letter),
                )
                channel.join(call)
                if correspondent.sending is not None:
                    correspondent.sending.cancel()
                correspondent.channel, correspondent.call = channel, call
                correspondent.sending = asyncio.create_task(channel.run(), name=f"letters of {call.id}")
            return channel, call

    async def _going_on(self, channel: MessengerChannel, letter: Letter) -> Call | None:
        """The sender's call that broke off when the desk did; the messenger still shows what was said."""
        return await self._desk.take_up(
            channel, holder=_holder_of(letter), address=_address_of(letter), shown_again=False
        )

    def _stay(self, key: tuple[str, str, str], correspondent: _Correspondent) -> None:
        if correspondent.leaving is not None:
            correspondent.leaving.cancel()
        loop = asyncio.get_running_loop()
        correspondent.leaving = loop.call_later(self._idle_s, self._leave, key)

    def _leave(self, key: tuple[str, str, str]) -> None:
        correspondent = self._all.pop(key)
        if correspondent.call is not None:
            correspondent.call.hang_up(UNANSWERED)
        if correspondent.sending is not None:
            correspondent.sending.cancel()

    def _is_known(self, letter: Letter) -> bool:
        """Whether this very letter has come before."""
        name = (letter.messenger, letter.place, letter.id)
        if name in self._seen:
            return True
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False
