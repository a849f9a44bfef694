"""The web end of a call: what the call shows, as Chainlit steps, cards and sound on one page.

Each thing shown has an id of its own, so showing it again changes it in place. A short memory of what was
shown lets a page that returns, or a reloaded one, be drawn again.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never

from helpline.call.shown import (
    CallState,
    Caption,
    CardShown,
    Notice,
    ProposalClosed,
    ProposalShown,
    ReceiptShown,
    Shown,
    StateShown,
    ToolEnded,
    ToolStarted,
)
from helpline.channels.web import cards
from helpline.channels.web.markup import code, indented, partly_heard, plain
from helpline.channels.web.numbers import Numbers
from helpline.channels.web.page import NoPage, Page
from helpline.channels.web.words import ENGLISH, Words

PIECE_BYTES: Final = 4800
"""100 ms of sound: short pieces, so that a flush loses little."""

_REMEMBERED: Final = 400
"""Steps kept for a page that returns; the oldest go first. The call itself forgets nothing."""


class WebChannel:
    """A `Channel` that draws on the page it has at the moment; pages come and go, the call stays."""

    def __init__(self, page: Page, *, desk_name: str, words: Words = ENGLISH) -> None:
        self._page = page
        self.words = words
        """The page's own, in its language."""
        self._desk_name = desk_name
        self._prefix = ""
        self.slower = False
        """Whether the desk was asked to speak slowly, by the page or aloud."""
        self.listens = False
        """Whether the page's microphone was opened for the call."""
        self._steps: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, dict[str, Any]] = {}
        self._state: dict[str, Any] = {"state": "idle", "detail": ""}
        self._typed: deque[str] = deque(maxlen=16)
        """Typed by the customer and shown by the page itself, but not yet captioned by the call."""
        self._on_page_already: set[str] = set()
        self._numbers = Numbers()
        self._gone: set[str] = set()
        """Steps that were another customer's to see: what still comes of them is not shown."""
        self.begin()

    @property
    def page(self) -> Page:
        return self._page

    @property
    def ended(self) -> bool:
        """Whether the call that drew here is over."""
        return bool(self._state["state"] == "ended")

    def begin(self) -> None:
        """A new call draws here: its lines and cards are not those of the call before."""
        self._prefix = secrets.token_hex(4)
        self._gone.clear()
        self._state = {"state": "idle", "detail": ""}

    async def forget(self) -> None:
        """Another customer is at the page: nothing that was shown is theirs to see."""
        self._gone.update(step_id for step_id in self._steps if step_id.startswith(self._prefix))
        for shown in (self._steps, self._cards, self._on_page_already, self._typed):
            shown.clear()
        self._numbers = Numbers()
        await self._page.clear()

    def another(self) -> "WebChannel":
        """A channel for another conversation on the same page, which this one leaves."""
        page = self._page
        self.leave()
        other = WebChannel(page, desk_name=self._desk_name, words=self.words)
        other.slower = self.slower
        return other

    def typed(self, text: str) -> None:
        """The page has shown this typed line by itself: the caption that follows is not shown again."""
        self._typed.append(text)

    def leave(self) -> None:
        """The page has gone; what is shown from now on is remembered."""
        self._page = NoPage()

    def come_back(self, page: Page) -> None:
        """The page is there again; `draw_on` draws what it missed."""
        self._page = page

    async def draw_on(self, page: Page) -> None:
        """Draw all that is remembered on a page, and go on there."""
        fresh = page.id != self._page.id
        self._page = page
        for step_id, step in self._steps.items():
            if fresh or step_id not in self._on_page_already:
                await page.put(step)
            if card := self._cards.get(step_id):
                await page.tell("card", id=step_id, card=card)
        await page.tell("state", **self._state)

    async def play(self, track: str, pcm24k: bytes) -> None:
        for piece in _pieces(pcm24k):
            await self._page.sound(track, piece)

    async def clear_playback(self) -> None:
        await self._page.silence()

    async def show(self, shown: Shown) -> None:
        match shown:
            case Caption():
                await self._show_caption(shown)
            case ToolStarted():
                await self._show_tool(shown.tool_call_id, shown.name, shown.arguments)
            case ToolEnded():
                await self._show_tool_result(shown)
            case CardShown(card) if card.kind in ("proposal", "receipt"):
                return  # Drawn from what says more: whether it is still open, and its buttons.
            case CardShown(card):
                self._numbers.give(str(card.data.get("ticket", "")))
                await self._show_card(card.key or secrets.token_hex(4), cards.card(card))
            case ProposalShown(proposal):
                await self._show_card(f"proposal-{proposal.id}", cards.proposal(proposal))
            case ProposalClosed(proposal_id, outcome):
                await self._close_proposal(proposal_id, outcome)
            case ReceiptShown(receipt):
                self._numbers.give(receipt.reference)
                drawn = cards.receipt(receipt)
                drawn["text"] = self._written(drawn["text"])
                await self._show_card(f"receipt-{receipt.reference}", drawn)
            case StateShown(state, detail):
                await self._show_state(state, detail)
            case Notice(text, kind):
                await self.notice(text, kind=kind)
            case _:
                assert_never(shown)

    async def say(self, step_id: str, markdown: str) -> None:
        """Show a message of the page's own as the desk's, such as the welcome."""
        await self._put(step_id, self._message(markdown, name=self._desk_name))

    async def notice(self, text: str, *, kind: str = "info", step_id: str = "") -> None:
        """Show one sentence that is not part of the conversation."""
        step_id = step_id or f"{self._prefix}-notice-{secrets.token_hex(4)}"
        message = self._message(plain(text), name=self._desk_name)
        await self._put(step_id, {**message, "isError": kind == "error", "metadata": {"notice": kind}})
        await self._tell_card(step_id, {"kind": "notice", "tone": kind})

    async def _show_state(self, state: CallState, detail: str) -> None:
        self._state = {"state": state, "detail": self._worded(state, detail)}
        await self._page.tell("state", **self._state)
        if self.listens and state in ("idle", "ended"):
            # The call ended voice by itself: nobody hears this microphone any more.
            self.listens = False
            await self._page.voice(False)

    def _worded(self, state: CallState, detail: str) -> str:
        if state == "working":
            return self.words.tool(detail)
        return self.words.reasons.get(detail, detail)

    async def _show_caption(self, line: Caption) -> None:
        step_id = f"{self._prefix}-line-{line.line_id}"
        if line.speaker == "customer":
            # Chainlit shows the customer's words as they are, not as Markdown.
            step = self._message(line.text, name=self.words.you, kind="user_message")
        elif line.final and line.heard != line.text:
            step = self._message(
                self._written(partly_heard(line.text, line.heard), plain), name=self._desk_name
            )
        else:
            step = {
                **self._message(plain(self._written(line.text)), name=self._desk_name),
                "streaming": not line.final,
            }
        if not line.text and step_id not in self._steps:
            return  # Words that were held back until they were withdrawn.
        if line.typed and line.speaker == "customer" and self._shown_by_page(step_id, line.text):
            self._remember(step_id, step)
        else:
            await self._put(step_id, step)

    def _written(self, text: str, marked: Callable[[str], str] = str) -> str:
        return self._numbers.written(text, marked)

    def _shown_by_page(self, step_id: str, text: str) -> bool:
        if step_id in self._on_page_already:
            return True
        if text not in self._typed:
            return False
        self._typed.remove(text)
        self._on_page_already.add(step_id)
        return True

    async def _show_tool(self, tool_call_id: str, name: str, arguments: str) -> None:
        step = {
            "type": "tool",
            "name": self.words.working.format(tool=self.words.tool(name)),
            "input": indented(arguments),
            "output": "",
            "showInput": "json",
            "language": "json",
            "start": _now(),
        }
        await self._put(f"{self._prefix}-tool-{tool_call_id}", step)

    async def _show_tool_result(self, ended: ToolEnded) -> None:
        step_id = f"{self._prefix}-tool-{ended.tool_call_id}"
        if step_id not in self._steps:
            await self._show_tool(ended.tool_call_id, ended.name, ended.arguments)
        result = ended.result
        answer = {"say": result.say, **({"reason": result.reason} if result.reason else {}), **result.data}
        now = datetime.now(UTC)
        await self._change(
            step_id,
            name=self.words.tool_ended(ended.name, result),
            output=code(answer),
            isError=not result.ok,
            start=_iso(now - timedelta(milliseconds=ended.took_ms)),
            end=_iso(now),
        )
        if result.pace is not None:
            self.slower = result.pace == "slower"
            await self._page.tell("pace", slower=self.slower)

    async def _show_card(self, key: str, card: dict[str, Any]) -> None:
        step_id = f"{self._prefix}-card-{key}"
        # The text is what Slack, a printer or a page without our script shows; the script draws the card.
        await self._put(
            step_id, self._message(plain(cards.as_text(card, self.words.labels)), name=self._desk_name)
        )
        await self._tell_card(step_id, card)

    async def _close_proposal(self, proposal_id: str, outcome: str) -> None:
        step_id = f"{self._prefix}-card-proposal-{proposal_id}"
        if card := self._cards.get(step_id):
            await self._tell_card(step_id, {**card, "outcome": outcome})

    async def _tell_card(self, step_id: str, card: dict[str, Any]) -> None:
        if step_id in self._gone:
            return
        self._cards[step_id] = card
        await self._page.tell("card", id=step_id, card=card)

    def _message(self, text: str, *, name: str, kind: str = "assistant_message") -> dict[str, Any]:
        return {"type": kind, "name": name, "output": text, "streaming": False}

    async def _put(self, step_id: str, step: Mapping[str, Any]) -> None:
        if step_id in self._gone:
            return
        if step_id in self._steps:
            await self._change(step_id, **step)
        else:
            await self._page.put(self._remember(step_id, step))

    async def _change(self, step_id: str, **changes: Any) -> None:
        if step_id in self._gone:
            return
        self._remember(step_id, changes)
        await self._page.change(step_id, **changes)

    def _remember(self, step_id: str, step: Mapping[str, Any]) -> dict[str, Any]:
        remembered = self._steps.get(step_id)
        if remembered is None:
            remembered = self._steps[step_id] = {"id": step_id, "metadata": {}, "createdAt": _now()}
        remembered.update(step)
        while len(self._steps) > _REMEMBERED:
            oldest = next(iter(self._steps))
            del self._steps[oldest]
            self._cards.pop(oldest, None)
            self._on_page_already.discard(oldest)
        return remembered


def _pieces(pcm24k: bytes) -> Iterator[bytes]:
    whole = len(pcm24k) - len(pcm24k) % 2
    for start in range(0, whole, PIECE_BYTES):
        yield pcm24k[start : min(start + PIECE_BYTES, whole)]


def _now() -> str:
    return _iso(datetime.now(UTC))


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
