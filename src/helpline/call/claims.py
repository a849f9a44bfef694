"""Does the desk say that something is done which is not? PURE, and known before it is heard.

A *claim* is a clause that reports a change as made: "I have cancelled your order", "your refund has been
issued", "you're all set". Offers, questions, conditions, negations and the future are none. A claim is backed
by a receipt of this call for that kind of change (and that order, where one is named), or by a status that a
tool has reported. Everything else is stopped before it sounds.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from helpline.actions import Proposal, Receipt
from helpline.call import chinese, details, english, european
from helpline.call.legible import ODD, legible
from helpline.call.order_numbers import order_numbers, together


class Claim(msgspec.Struct, frozen=True):
    """A change reported as made."""

    kind: str
    """cancel, return, exchange, refund, update, book, ticket, transfer, order; `done` for "all set"."""
    subject: str
    """The order number it names, or empty."""
    sentence: str
    own: bool = False
    """It says who did it: "I have cancelled it". Only a receipt of this call can be behind that."""
    several: bool = False
    """It speaks of more than one: "both orders", "your other order"."""
    clause: str = ""
    """Where it says so, in plain lower case."""


class Done(msgspec.Struct, frozen=True):
    """A change that has its receipt."""

    action: str
    subject: str
    words: tuple[str, ...] = ()
    """The proposal's effect words."""
    told: str = ""
    """What was offered and what was said when it was done: no claim may tell of it otherwise."""
    say: str = ""
    """What the desk says of it once it is done."""


def done_by(proposal: Proposal, receipt: Receipt) -> Done:
    """What a claim may have behind it once this proposal has its receipt."""
    told = f"{_told_of(proposal)} ; {receipt.say}"
    return Done(receipt.action, proposal.subject, proposal.effect_words, told, receipt.say)


def _told_of(proposal: Proposal) -> str:
    amount = "" if proposal.amount_cents is None else f"{proposal.amount_cents / 100:.2f} {proposal.currency}"
    return " ; ".join((proposal.effect, proposal.read_back, amount))


class Reported(msgspec.Struct, frozen=True):
    """A status that a tool has reported for an order (or for anything, when it named none)."""

    subject: str
    status: str
    ours: bool = False
    """A tool said that the desk itself did it: a ticket, say, which needs no yes and has no receipt."""


_SENTENCE = re.compile(r"[^.!?。！？]+(?:[.!?](?=\d)[^.!?。！？]*)*[.!?。！？]*\s*")


def sentences(text: str) -> Iterator[tuple[int, str, bool]]:
    """(start, sentence, complete) of each; the last may still be growing. "84.50" does not end one."""
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        closed = sentence.rstrip()[-1:] in ".!?。！？"
        growing = (
            match.end() == len(text) and sentence.rstrip()[-1:] == "." and sentence.rstrip()[-2:-1].isdigit()
        )
        yield match.start(), sentence, closed and not growing


def claims_in(sentence: str) -> tuple[Claim, ...]:
    """The changes that one sentence reports as made, one for each order that it names."""
    text = together(legible(sentence))
    readings = (chinese,) if chinese.CHINESE.search(text) else (english, european)
    return tuple(
        Claim(kind, subject, text.strip(), own, reading.several(kind, clause), clause)
        for reading in readings
        for kind, own, clause in reading.claims_in(text)
        for subject in order_numbers(clause) or order_numbers(text) or ("",)
    )


# --- backed? ----------------------------------------------------------------------------------------------

_KINDS_OF_ACTION = (
    ("cancel", ("cancel", "refund")),
    ("return", ("return", "refund")),
    ("exchange", ("exchange", "update", "refund", "order")),
    ("refund", ("refund",)),
    ("callback", ("book",)),
    ("schedule", ("book",)),
    ("ticket", ("ticket",)),
    ("transfer", ("transfer", "ticket", "book")),
    ("update", ("update",)),
    ("change", ("update", "exchange", "refund")),
    ("modify", ("update", "exchange", "refund")),
)
_STATUSES = {
    "cancel": ("cancel",),
    "return": ("return",),
    "exchange": ("exchange",),
    "update": ("update",),
    "refund": ("refund", "credit", "cancel", "return"),
    "book": ("booked", "scheduled", "callback"),
    "ticket": ("open", "ticket"),
    "transfer": ("transfer",),
}


_WITHOUT_A_YES = ("ticket", "transfer")
"""What a tool does at once, since it changes nothing of the customer's."""


def is_backed(
    claim: Claim, done: Iterable[Done], reported: Iterable[Reported], offer: Proposal | None = None
) -> bool:
    """Is there a receipt of this call, or a status from a tool, behind it?

    `offer` is a change that was offered and is not done: of it only a status of that very order can tell.
    """
    backing = [one for one in done if _done_backs(one, claim)]
    if backing and not (claim.several and len({one.subject for one in backing}) < 2):
        return not details.tells_otherwise(
            claim.kind, claim.clause, claim.sentence, [one.told for one in done]
        )
    if claim.own:
        reported = [one for one in reported if one.ours]
    if offer is not None and claim.kind in _kinds_of(offer.action):
        subject = claim.subject or offer.subject
        reported = [one for one in reported if one.subject == subject]
    return any(_status_backs(one, claim) for one in reported)


def _kinds_of(action: str) -> tuple[str, ...]:
    return next((kinds for stem, kinds in _KINDS_OF_ACTION if stem in action), ())


def _done_backs(done: Done, claim: Claim) -> bool:
    kinds = _kinds_of(done.action)
    of_an_order = claim.kind not in ("book", "ticket", "transfer") and "account" not in done.action
    if of_an_order and claim.subject and done.subject.isdigit() and claim.subject != done.subject:
        return False
    if claim.kind == "done" or claim.kind in kinds:
        return True
    return not kinds and any(word[:5].lower() in claim.clause for word in done.words if word)


def _status_backs(reported: Reported, claim: Claim) -> bool:
    if claim.subject and reported.subject and claim.subject != reported.subject:
        return False
    return any(stem in reported.status for stem in _STATUSES.get(claim.kind, ()))


def reports_in(output: str) -> tuple[Reported, ...]:
    """The statuses in a tool's output (JSON text); an answer that changed nothing reports nothing."""
    try:
        body = json.loads(output)
    except ValueError:
        return ()
    if not isinstance(body, dict) or body.get("status") in ("not_done_yet", "refused", "not_run"):
        return ()
    return tuple(_statuses(body, "", depth=0))


def told_in(say: str, data: Mapping[str, Any] | None = None) -> tuple[Reported, ...]:
    """What a tool's own sentence says is done ("order 1005 is already cancelled"): the desk may repeat it.

    "It is cancelled" tells of the order that the data name, and of no other.
    A help page that is read out tells of nobody's order, whatever it says.
    """
    if data and "passages" in data:
        return ()
    return tuple(
        Reported(claim.subject or _order_of(data or {}), status, claim.own and claim.kind in _WITHOUT_A_YES)
        for _, sentence, _ in sentences(say)
        for claim in claims_in(sentence)
        for status in _STATUSES.get(claim.kind, ())[:1]
    )


def _order_of(data: Mapping[str, Any]) -> str:
    """The order that data are about; empty when they name none."""
    return str(data.get("order_id") or data.get("order_number") or data.get("number") or "")


def _statuses(value: Any, subject: str, depth: int) -> Iterator[Reported]:
    if depth > 6:
        return
    if isinstance(value, dict):
        subject = _order_of(value) or subject
        for key, inner in value.items():
            if isinstance(inner, str) and (key == "status" or key.endswith("_status")):
                yield Reported(subject, inner.lower())
            else:
                yield from _statuses(inner, subject, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _statuses(inner, subject, depth + 1)


LONGEST_TURN = 40
"""No words that make a claim of a growing sentence are longer."""


def may_have_become(text: str, looked: int) -> bool:
    """Can a growing sentence have become a claim by what came since it was `looked` at? A cheap look."""
    since = max(0, looked - LONGEST_TURN)
    lower = text.lower()
    if (
        english.MAYBE_BY_NOW.search(lower, since)
        or details.MONEY.search(lower, since)
        or ODD.search(text, since)
    ):
        return True
    return european.MAYBE.search(lower, since) is not None


def unbacked(
    sentence: str, done: Iterable[Done], reported: Iterable[Reported], offer: Proposal | None = None
) -> Claim | None:
    """The first claim in a sentence that nothing stands behind."""
    sentence = legible(sentence)
    lower = sentence.lower()
    done, reported = tuple(done), tuple(reported)
    if english.MAYBE.search(lower) or european.MAYBE.search(lower) or chinese.CHINESE.search(sentence):
        for claim in claims_in(sentence):
            if not is_backed(claim, done, reported, offer):
                return claim
    return _other_promise(sentence, done, offer) if done and details.MONEY.search(lower) else None


def _other_promise(sentence: str, done: tuple[Done, ...], offer: Proposal | None) -> Claim | None:
    """ "You'll get ninety dollars back", where what was done gives back thirty."""
    subject = next(iter(order_numbers(sentence)), "")
    if subject and all(subject != one.subject for one in done):
        return None
    told = [one.told for one in done]
    if offer is not None:
        told.append(_told_of(offer))
    return Claim("refund", subject, sentence.strip()) if details.promises_otherwise(sentence, told) else None
