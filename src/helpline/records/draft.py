"""A call's record while it comes together, and the document that it ends as: PURE.

The same events give the same document, whether they come from a live call or from its journal after a crash.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from helpline.actions import GUEST, Caller, Proposal, Receipt
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.call.farewell import NOBODY
from helpline.realtime.cost import Bill, Price, PriceList, seconds_of, tokens_of
from helpline.realtime.events import Usage
from helpline.records.events import Became, Began, Connected, Event, Rated, Spoke
from helpline.records.outcome import Seen, Verdict, judge

DEAD_AIR_MS: Final = 2000
"""An answer that begins later than this leaves the customer in silence."""

ModelOf = Callable[[str, str], str]
"""Which model answered: of a backend, for a `response` or a `transcription`."""


@dataclass(slots=True)
class Draft:
    """Takes a call's events in their order."""

    began: Began
    callers: list[Caller] = field(default_factory=list)
    sessions: list[tuple[int, str]] = field(default_factory=list)
    """Each session with a backend, reconnects too: when it began."""
    captions: dict[str, sh.Caption] = field(default_factory=dict)
    tools: list[tuple[int, sh.ToolEnded]] = field(default_factory=list)
    proposals: dict[str, tuple[int, Proposal]] = field(default_factory=dict)
    answers: dict[str, tuple[int, fx.Answered]] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, tuple[int, Receipt]] = field(default_factory=dict)
    """By proposal: a repeat of a yes gives the first receipt again."""
    incidents: list[tuple[int, fx.Incident]] = field(default_factory=list)
    interruptions: list[tuple[int, fx.Interrupted]] = field(default_factory=list)
    silences: list[tuple[int, fx.Silenced]] = field(default_factory=list)
    turns: list[tuple[int, fx.TurnTimed]] = field(default_factory=list)
    usages: list[fx.UsageCounted] = field(default_factory=list)
    notices: list[tuple[int, sh.Notice]] = field(default_factory=list)
    identities: list[tuple[int, str, bool]] = field(default_factory=list)
    """How well the caller was known, from when on, and whether it was another one than before."""
    language: str = ""
    """The last one in which the call went on."""
    rating: Rated | None = None
    ended: str | None = None
    """Why the call ended; None while it lives, and for good when it was killed."""
    last_ms: int = 0
    _caller: Caller = GUEST

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Draft | None":
        """From a journal; None for one that was cut short before it said whose it is."""
        draft = None
        for event in events:
            if draft is not None:
                draft.take(event)
            elif isinstance(event.what, Began):
                draft = cls.begin(event.what)
        return draft

    @classmethod
    def begin(cls, began: Began) -> "Draft":
        draft = cls(began, language=began.language)
        draft._meet(began.caller, 0)
        return draft

    def take(self, event: Event) -> None:
        """One more thing has happened."""
        at_ms, what = event.at_ms, event.what
        self.last_ms = max(self.last_ms, at_ms)
        match what:
            case sh.Caption():
                self.captions[what.line_id] = what
            case sh.ToolEnded():
                self.tools.append((at_ms, what))
            case sh.ProposalShown():
                self.proposals[what.proposal.id] = (at_ms, what.proposal)
            case sh.ProposalClosed():
                self.closed[what.proposal_id] = what.outcome
            case sh.ReceiptShown():
                self.receipts.setdefault(what.receipt.proposal_id, (at_ms, what.receipt))
            case sh.StateShown(state="ended"):
                self.ended = what.detail or "hung up"
            case sh.Notice():
                self.notices.append((at_ms, what))
            case Connected():
                self.sessions.append((at_ms, what.backend))
            case Became():
                self._meet(what.caller, at_ms)
            case Spoke():
                self.language = what.language
            case Rated():
                self.rating = what
            case fx.Incident():
                self.incidents.append((at_ms, what))
            case fx.Interrupted():
                self.interruptions.append((at_ms, what))
            case fx.Answered():
                self.answers[what.proposal_id] = (at_ms, what)
            case fx.Silenced():
                self.silences.append((at_ms, what))
            case fx.TurnTimed():
                self.turns.append((at_ms, what))
            case fx.UsageCounted():
                self.usages.append(what)
            case _:
                pass  # Shown and gone: cards, states, tools that only began.

    def _meet(self, caller: Caller, at_ms: int) -> None:
        another = self._caller.customer_id not in (None, caller.customer_id)
        self._caller = caller
        self.identities.append((at_ms, caller.identity.name.lower(), another))
        if caller.customer_id is not None:
            self.callers = [each for each in self.callers if each.customer_id != caller.customer_id]
            self.callers.append(caller)

    @property
    def caller(self) -> Caller:
        """Who is on the line now."""
        return self._caller

    @property
    def customers(self) -> tuple[str, ...]:
        """The ids of all who were verified, the last one last."""
        return tuple(caller.customer_id for caller in self.callers if caller.customer_id is not None)

    @property
    def lines(self) -> list[sh.Caption]:
        """What was said, in the order in which it began."""
        return sorted(self.captions.values(), key=lambda line: line.start_ms)

    @property
    def unsettled(self) -> bool:
        """A change was asked for, and the call did not live to show what became of it."""
        return any(proposal not in self.closed for proposal in self.proposals)

    def add_receipts(self, receipts: Iterable[Receipt]) -> None:
        """What the ledger knows and the call did not live to show."""
        for receipt in receipts:
            if receipt.proposal_id not in self.receipts:
                self.receipts[receipt.proposal_id] = (self.last_ms, receipt)
                self.closed[receipt.proposal_id] = "confirmed"

    def verdict(self) -> Verdict:
        """What became of the call, by the rules."""
        waiting = [each for id_, (_, each) in self.proposals.items() if id_ not in self.closed]
        seen = Seen(
            lines=self.lines,
            tools=[tool for _, tool in self.tools],
            receipts=[receipt for _, receipt in self.receipts.values()],
            open_proposal=waiting[-1] if waiting else None,
            in_doubt=self._in_doubt(),
            limited=any(incident.kind == "limit" for _, incident in self.incidents),
            broke_off=self.ended in (None, NOBODY),
        )
        return judge(seen)

    def _in_doubt(self) -> tuple[str, ...]:
        """Changes of which nobody knows whether they were done."""
        done = {self.proposals[each][1].effect for each in self.receipts if each in self.proposals}
        kinds = (incident.detail for _, incident in self.incidents if incident.kind == "outcome_unknown")
        return tuple(effect for effect in dict.fromkeys(kinds) if effect not in done)

    def usage(self, prices: PriceList, model_of: ModelOf) -> dict[str, Any]:
        """What the call used and what that cost, by modality: JSON values."""
        bill = Bill()
        money: dict[str, Decimal] = {}
        for counted in self.usages:
            model = model_of(counted.backend, counted.kind)
            bill = bill.charged(counted.usage, model, prices)
            for modality, share in _shares(counted.usage, prices.of(model)):
                money[modality] = money.get(modality, Decimal(0)) + share
        return {
            "tokens": {name: count for name, count in asdict(bill.tokens).items() if count},
            "transcribed_s": float(bill.transcribed_s),
            "money": None if bill.total is None else str(bill.total),
            "money_by_modality": {modality: str(share) for modality, share in money.items() if share},
            "currency": prices.currency,
            "unpriced_models": sorted(bill.unpriced),
        }

    def ended_at(self) -> datetime:
        return datetime.fromisoformat(self.began.at) + timedelta(milliseconds=self.last_ms)


def document(draft: Draft, customer_keys: Sequence[str], usage: Mapping[str, Any]) -> dict[str, Any]:
    """The record as JSON values. It is not redacted yet."""
    verdict = draft.verdict()
    began = draft.began
    identity = draft.callers[-1].identity.name.lower() if draft.callers else "guest"
    return {
        "id": began.call_id,
        "customers": list(customer_keys),
        "identity": identity,
        "identities": [
            {"at_ms": at_ms, "identity": identity, "another": another}
            for at_ms, identity, another in draft.identities
        ],
        "channel": began.channel,
        "language": draft.language,
        "started_at": began.at,
        "goes_on_from": began.past,
        "ended_at": draft.ended_at().isoformat(),
        "duration_ms": draft.last_ms,
        "backends": list(dict.fromkeys(backend for _, backend in draft.sessions)),
        "sessions": [{"at_ms": at_ms, "backend": backend} for at_ms, backend in draft.sessions],
        "ended": draft.ended if draft.ended is not None else "the desk broke off",
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "summary": verdict.summary,
        "summarised_by": "rules",
        "next_step": verdict.next_step,
        "promises": list(verdict.promises),
        "lines": [_line(line) for line in draft.lines],
        "tools": [_tool(at_ms, tool) for at_ms, tool in draft.tools],
        "proposals": [_proposal(draft, at_ms, each) for at_ms, each in draft.proposals.values()],
        "receipts": [_receipt(at_ms, each) for at_ms, each in draft.receipts.values()],
        "incidents": [{"at_ms": at_ms, **asdict(incident)} for at_ms, incident in draft.incidents],
        "interruptions": [{"at_ms": at_ms, **asdict(cut)} for at_ms, cut in draft.interruptions],
        "silences": [{"at_ms": at_ms, **asdict(silence)} for at_ms, silence in draft.silences],
        "turns": [_turn(draft, at_ms, turn) for at_ms, turn in draft.turns],
        "dead_air_ms": sum(max(0, turn.latency_ms - DEAD_AIR_MS) for _, turn in draft.turns),
        "unanswered_ms": _unanswered_ms(draft),
        "rating": asdict(draft.rating) if draft.rating else None,
        "usage": dict(usage),
        "notices": [
            {"at_ms": at_ms, "kind": notice.kind, "text": notice.text} for at_ms, notice in draft.notices
        ],
    }


def _turn(draft: Draft, at_ms: int, turn: fx.TurnTimed) -> dict[str, Any]:
    """An answer's wait: how long it was, and how much of it tools took."""
    began_ms = at_ms - turn.latency_ms
    worked = [
        (max(began_ms, ended_ms - tool.took_ms), min(at_ms, ended_ms)) for ended_ms, tool in draft.tools
    ]
    return {
        "at_ms": at_ms,
        "latency_ms": turn.latency_ms,
        "spoken": turn.spoken,
        "tool_ms": _covered_ms(worked),
        "dead_air_ms": max(0, turn.latency_ms - DEAD_AIR_MS),
    }


def _covered_ms(spans: Iterable[tuple[int, int]]) -> int:
    """How much time the spans cover: what ran side by side counts once."""
    covered, until = 0, 0
    for begins, ends in sorted(spans):
        covered += max(0, ends - max(begins, until))
        until = max(until, ends)
    return covered


def _unanswered_ms(draft: Draft) -> int:
    """How long the customer waited in vain at the end of the call, beyond the usual two seconds."""
    lines = [line for line in draft.lines if line.text.strip()]
    if not lines or lines[-1].speaker != "customer":
        return 0
    return max(0, draft.last_ms - lines[-1].end_ms - DEAD_AIR_MS)


def _line(line: sh.Caption) -> dict[str, Any]:
    return {
        "speaker": line.speaker,
        "text": line.text,
        "heard": line.heard,
        "typed": line.typed,
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
    }


def _tool(at_ms: int, tool: sh.ToolEnded) -> dict[str, Any]:
    result = tool.result
    return {
        "at_ms": at_ms,
        "name": tool.name,
        "arguments": arguments_of(tool.arguments),
        "ok": result.ok,
        "reason": result.reason,
        "say": result.say,
        "data": msgspec.to_builtins(result.data),
        "proposal": result.proposal.id if result.proposal else None,
        "took_ms": tool.took_ms,
    }


def arguments_of(text: str) -> Any:
    """What the model wrote, as JSON where it is that."""
    try:
        return msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _proposal(draft: Draft, at_ms: int, proposal: Proposal) -> dict[str, Any]:
    answered_ms, answer = draft.answers.get(proposal.id, (None, None))
    return {
        "at_ms": at_ms,
        "id": proposal.id,
        "action": proposal.action,
        "subject": proposal.subject,
        "effect": proposal.effect,
        "read_back": proposal.read_back,
        "amount_cents": proposal.amount_cents,
        "currency": proposal.currency,
        "outcome": draft.closed.get(proposal.id, "left open"),
        "answered_ms": answered_ms,
        "means": answer.means if answer is not None else "",
    }


def _receipt(at_ms: int, receipt: Receipt) -> dict[str, Any]:
    data: Mapping[str, Any] = msgspec.to_builtins(receipt.data)
    return {
        "at_ms": at_ms,
        "reference": receipt.reference,
        "proposal": receipt.proposal_id,
        "action": receipt.action,
        "say": receipt.say,
        "at": receipt.at,
        "data": data,
    }


def _shares(usage: Usage, price: Price | None) -> Iterator[tuple[str, Decimal]]:
    """What each modality of a usage cost; transcription by the minute is audio."""
    if price is None:
        return
    tokens = tokens_of(usage)
    for name, per_million in price.tokens.items():
        if count := getattr(tokens, name, 0):
            yield name.partition("_")[0], count * per_million / 1_000_000
    if price.per_minute:
        yield "audio", seconds_of(usage) * price.per_minute / 60
