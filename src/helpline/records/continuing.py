"""A call that broke off with its desk, and how its next start goes on with it.

What was said and done comes from the sealed journal, what became of its changes from the database: nothing
of it comes from the customer's browser.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, get_args

from helpline.actions import Caller, Proposal, Receipt
from helpline.call import claims
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.call.claims import Reported, done_by
from helpline.call.replies import KEPT_REPORTS, output_of
from helpline.call.state import Conversation, Pending, Rules, Step
from helpline.call.transcript import Entry, Exchange, Line, Note, Transcript, quoted
from helpline.records.draft import Draft
from helpline.records.events import Became, Event, readable
from helpline.records.journal import Journal
from helpline.sentences import LEFT_AS_IT_WAS

GOES_ON_WITHIN: Final = timedelta(minutes=30)
"""A call whose last word is older than this has ended: its customer has long gone on to something else."""

Stored = Mapping[str, tuple[str, Receipt | None]]
"""What became of a call's proposals, by id: the state, and the receipt of one that is done."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A call whose desk is gone, as far as its journal goes."""

    journal: Journal
    draft: Draft
    events: tuple[Event, ...]

    @classmethod
    def of(cls, journal: Journal) -> "BrokenOff | None":
        """None for a journal that was cut short before it said whose it is."""
        events = tuple(readable(journal.resume()))
        draft = Draft.of(events)
        return cls(journal, draft, events) if draft is not None else None

    @property
    def holder(self) -> str:
        return self.draft.began.holder

    def began_at(self, channel: str) -> bool:
        """Whether it came by this channel; empty means any."""
        return channel in ("", self.draft.began.channel)

    @property
    def of_caller(self) -> tuple[Event, ...]:
        """What happened since the one who is on the line now took it: nothing of another customer's."""
        known, since, since_ms = self.draft.began.caller.customer_id, 0, 0
        for at, event in enumerate(self.events):
            if isinstance(event.what, Became):
                if known not in (None, event.what.caller.customer_id):
                    since, since_ms = at, event.at_ms
                known = event.what.caller.customer_id
        return tuple(each for each in self.events[since:] if _began_ms(each) >= since_ms)

    @property
    def caller(self) -> Caller:
        """Who was on the line, as verified in the call."""
        return self.draft.caller

    def may_go_on(self, now: datetime) -> bool:
        """Whether somebody can prove that it is theirs, it had not ended, and it is not old."""
        recent = now - self.draft.ended_at() < GOES_ON_WITHIN
        return bool(self.holder) and self.draft.ended is None and recent

    def elapsed_ms(self, now: datetime) -> int:
        """Since the call began; never before its last event, whatever the wall clock says."""
        elapsed = now - datetime.fromisoformat(self.draft.began.at)
        return max(self.draft.last_ms, int(elapsed.total_seconds() * 1000))

    def shown(self) -> Iterator[sh.Shown]:
        """What its customer had seen, again and in order."""
        for event in self.of_caller:
            if not isinstance(event.what, get_args(sh.Shown)):
                continue
            yield event.what
            if isinstance(event.what, sh.ToolEnded):
                yield from map(sh.CardShown, event.what.result.cards)
            elif isinstance(event.what, sh.ReceiptShown) and event.what.receipt.card is not None:
                yield sh.CardShown(event.what.receipt.card)


def _began_ms(event: Event) -> int:
    """A line that was cut off by the next customer is written down after they came, and is not theirs."""
    return event.what.start_ms if isinstance(event.what, sh.Caption) else event.at_ms


def goes_on(
    broken: BrokenOff, stored: Stored, rules: Rules, *, now_ms: int, elapsed_ms: int
) -> tuple[Conversation, tuple[fx.Effect, ...]]:
    """The conversation as it was, and what has to be shown: what was done meanwhile and never seen. PURE."""
    own = broken.of_caller
    draft = Draft.begin(broken.draft.began)
    for event in own:
        draft.take(event)
    started_ms = now_ms - elapsed_ms
    tools = [event.what for event in own if isinstance(event.what, sh.ToolEnded)]
    entries = _entries(draft)
    s = Step(
        Conversation(
            rules=rules,
            language=draft.language,
            started_ms=started_ms,
            quiet_ms=now_ms,
            words_ms=now_ms,
            transcript=Transcript(tuple(entries)),
            called=frozenset(tool.tool_call_id for _, tool in broken.draft.tools),
            notes=_numbered(entries, draft),
            reported=_reported(entries, tools)[-KEPT_REPORTS:],
        ),
        now_ms,
    )
    s.incident("desk_restarted")
    unanswered = bool(entries) and not (isinstance(entries[-1], Line) and entries[-1].speaker == "desk")
    for proposal_id, (at_ms, proposal) in draft.proposals.items():
        state, receipt = stored.get(proposal_id, ("failed", None))
        if receipt is not None:
            s.set(done=(*s.c.done, done_by(proposal, receipt)))
        if proposal_id in draft.closed and (receipt is None or proposal_id in draft.receipts):
            continue
        if state in ("open", "working"):
            pending = Pending(proposal, started_ms + at_ms, _made_by(tools, proposal_id))
            s.set(pending=pending, offer=proposal)
            if unanswered:
                s.tell("The desk was interrupted, and nothing was done yet. " + quoted(proposal.read_back))
        else:
            unanswered = _tell_the_end(s, proposal, state, receipt) or unanswered
    s.set(wants_reply=unanswered)
    return s.c, tuple(s.effects)


def _reported(entries: Iterable[Entry], tools: Iterable[sh.ToolEnded]) -> tuple[Reported, ...]:
    """What the tools have said is so: what a claim of the desk may rest on."""
    outputs = (entry.output for entry in entries if isinstance(entry, Exchange))
    own = (tool.result for tool in tools if tool.result.proposal is None)
    return (
        *(report for output in outputs for report in claims.reports_in(output)),
        *(report for result in own for report in claims.told_in(result.say, result.data)),
    )


def _made_by(tools: Sequence[sh.ToolEnded], proposal_id: str) -> str:
    """The tool call that proposed it last; empty when none is known."""
    made_by = [t.tool_call_id for t in tools if t.result.proposal and t.result.proposal.id == proposal_id]
    return made_by[-1] if made_by else ""


def _tell_the_end(s: Step, proposal: Proposal, state: str, receipt: Receipt | None) -> bool:
    """Show and tell how a proposal ended while nobody looked. True when the customer waits to hear it."""
    if receipt is not None:
        s.show(sh.ProposalClosed(proposal.id, "confirmed"))
        s.show(sh.ReceiptShown(receipt))
        if receipt.card is not None:
            s.show(sh.CardShown(receipt.card))
        s.tell(f"The customer said yes. It is done: receipt {receipt.reference}. {quoted(receipt.say)}")
        return True
    if state == "declined":
        s.show(sh.ProposalClosed(proposal.id, "declined"))
        s.tell("The customer said no. " + quoted(s.words(LEFT_AS_IT_WAS)))
        return True
    s.show(sh.ProposalClosed(proposal.id, "expired" if state == "expired" else "failed"))
    s.tell(f"It was not done: the offer to {proposal.effect} is over.")
    return False


def _entries(draft: Draft) -> list[Entry]:
    """Lines, tools' exchanges and receipts in the order in which they began."""
    timed: list[tuple[int, int, Entry]] = []
    for line in draft.lines:
        entry = Line(
            line.line_id, line.speaker, line.text, line.heard, True, line.typed, line.start_ms, line.end_ms
        )
        timed.append((line.start_ms, 0 if line.speaker == "customer" else 2, entry))
    for at_ms, tool in draft.tools:
        output = output_of(tool.result)
        exchange = Exchange(tool.tool_call_id, tool.name, tool.arguments, output)
        timed.append((at_ms - tool.took_ms, 1, exchange))
    for at_ms, receipt in draft.receipts.values():
        done = f"The customer said yes. It is done: receipt {receipt.reference}."
        timed.append((at_ms, 1, Note(f"receipt_{receipt.reference}", done)))
    return [entry for _, _, entry in sorted(timed, key=lambda each: each[:2])]


def _numbered(entries: list[Entry], draft: Draft) -> int:
    """A number above those of all lines and notes, so that none that comes takes the place of one of them."""
    found = [int(match[1]) for entry in entries if (match := re.fullmatch(r"\w+_(\d{1,6})", entry.id))]
    return max(found, default=0) + len(draft.proposals) + 100
