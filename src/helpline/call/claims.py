"""Does the desk say that something is done which is not? PURE, and known before it is heard.

A *claim* is a clause that reports a change as made: "I have cancelled your order", "your refund has been
issued", "you're all set". Offers, questions, conditions, negations and the future are none. A claim is backed
by a receipt of this call for that kind of change (and that order, where one is named), or by a status that a
tool has reported. Everything else is stopped before it sounds.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from helpline.call import chinese
from helpline.call.confirm import spoken_digits


class Claim(msgspec.Struct, frozen=True):
    """A change reported as made."""

    kind: str
    """cancel, return, exchange, refund, update, book, ticket, transfer, order; `done` for "all set"."""
    subject: str
    """The order number it names, or empty."""
    sentence: str
    own: bool = False
    """It says who did it: "I have cancelled it". Only a receipt of this call can be behind that."""


class Done(msgspec.Struct, frozen=True):
    """A change that has its receipt."""

    action: str
    subject: str
    words: tuple[str, ...] = ()
    """The proposal's effect words."""


class Reported(msgspec.Struct, frozen=True):
    """A status that a tool has reported for an order (or for anything, when it named none)."""

    subject: str
    status: str


_PARTICIPLES = {
    "cancel": r"cancell?ed|called off|voided",
    "return": r"returned|taken back",
    "exchange": r"exchanged|swapped|replaced",
    "refund": r"refunded|reimbursed|credited|waived|paid back|"
    r"given you (?:a|your) (?:\w+ ){0,3}(?:refund|credit)",
    "update": r"updated|changed|modified|corrected|switched|amended|edited|moved|added|removed|saved|"
    r"taken you off|took you off|adjusted",
    "book": r"booked|scheduled|arranged|rescheduled|reserved|got you booked|put you down",
    "ticket": r"opened|filed|logged|raised|escalated|reported|passed (?:this|that|it|everything) on",
    "transfer": r"transferred|handed (?:you |it |this )?over|connected|put (?:you )?through|forwarded|"
    r"placed (?:you )?in the queue",
    "order": r"reordered|reshipped|resent|upgraded|expedited|ordered (?:a|your|the) (?:new|replacement)",
}
_VERBS = {
    "cancel": "cancel",
    "return": "return",
    "exchange": "exchange|replace|swap",
    "refund": "refund|reimburse|credit",
    "update": "update|change|correct|move|add|remove",
    "book": "book|schedule|arrange|reserve",
    "ticket": "open|file|raise|escalate",
    "transfer": "transfer|connect",
}
_THINGS = {
    "cancel": r"cancell?ation",
    "return": r"return",
    "exchange": r"exchange|replacement",
    "refund": r"refund|credit|reimbursement|money",
    "update": r"change|update|address|e-?mail|payment method|phone number|details|delivery(?: date)?",
    "book": r"callback|call back|appointment|call|booking|reservation",
    "ticket": r"ticket|case|complaint|claim",
}
_MADE = (
    r"issued|processed|sent(?: back)?|being sent|made|done|started|set up|created|approved|registered|placed|"
    r"completed?|arranged|initiated|submitted|booked|opened|filed|in place|through|saved|confirmed|ordered|"
    r"moved|on (?:its|the) way|up to date|taken care of|went through|gone through|given you"
)
_DID = (
    r"put|got|made|took care of|taken care of|placed|sent|given you|issued|processed|set up|created|" + _MADE
)
_ADVERBS = (
    r"(?:(?:now|just|already|successfully|officially|also|all|then|"
    r"gone ahead and|went ahead and|been|so) )*"
)
_AGENT = rf"\b(?:i|we)(?: have| had)? {_ADVERBS}"
_OURS = r"\b(?:your|the|my|this|that|these|those|it|you|they|both|everything|\d{3,}|a replacement|a refund)\b"
_PASSIVE = (
    rf"(?:{_OURS}[^,;]{{0,40}}?\b(?:is|are|has|have|was|were|been|got)|\ban? [\w -]{{2,30}} has been) "
    rf"{_ADVERBS}(?:marked as )?"
)
_MANAGED = r"\b(?:i|we) (?:have )?(?:was able to|were able to|been able to|managed to) "
_ALL_SET = re.compile(
    rf"\b(?:(?:it|that|this|everything|all) (?:is|has been|has|was) {_ADVERBS}"
    r"(?:done|taken care of|sorted|complete|completed|all set|finali[sz]ed|gone through)"
    r"|everything went through|you are (?:now )?all set|consider it done|all done|all taken care of"
    r"|all sorted|(?:i|we) (?:have )?(?:just |already )?(?:done (?:that|it|this)|took care of it"
    r"|taken care of it))\b|^done$"
)
_BARE = {
    kind: re.compile(rf"^(?:(?:ok|okay|all|great|good news) )*(?:{words})$")
    for kind, words in _PARTICIPLES.items()
}
_PATTERNS = tuple(
    (
        kind,
        re.compile(
            rf"(?:{_AGENT}|{_PASSIVE})(?:{words})\b"
            + (rf"|{_MANAGED}(?:{_VERBS[kind]})\b" if kind in _VERBS else "")
        ),
    )
    for kind, words in _PARTICIPLES.items()
) + tuple(
    (
        kind,
        re.compile(
            rf"\ban? (?:{words}) has been {_ADVERBS}(?:{_MADE})\b"
            rf"|{_OURS}[^,;]{{0,24}}?\b(?:{words})\b[^,;]{{0,40}}?"
            rf"\b(?:(?:is|are|has|have|was|were|been|got) {_ADVERBS}(?:{_MADE})|went through)\b"
            rf"|{_AGENT}(?:{_DID})\b[^,;]{{0,30}}?\b(?:{words})\b"
        ),
    )
    for kind, words in _THINGS.items()
)
_OPEN = re.compile(
    r"\b(?:not|never|nothing|no|cannot|unable|without|hardly|none|neither|nobody|if|once|when|after|until|unless|"
    r"before|would|could|can|will|shall|may|might|should|must|going to|to be|to have|want|wants|like|whether|"
    r"ready to|need|needs|let me|had you|by whom|how|why|which|what|who|means|"
    r"most|some|any|usually|always|often|every|each)\b"
    r"|\b\w+s that (?:is|are|was|were|has|have)\b"
)
_ASKS = re.compile(
    r"^(?:(?:and|so|or|but|ok|okay|right|now|then) )*"
    r"(?:shall|should|would|do|does|did|can|could|may|have|has|is|are|was|were|will|am)\b"
)
_CONTRACTED = (
    (re.compile(r"\b(?:can|won|don|doesn|didn|hasn|haven|isn|wasn|aren|weren|couldn|hadn)'t\b"), "not"),
    (re.compile(r"\b(it|that|there|everything|this|refund|order|what)'s\b"), r"\1 is"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'m\b"), " am"),
)
_TELLING = "|".join((*_PARTICIPLES.values(), _DID, "all set|sorted|able to|managed to|took care"))
_BEGINS = r"(?<![a-z0-9])"
"""Where a word can begin once marks are blanks: "_done_" is one."""
_MAYBE = re.compile(rf"{_BEGINS}(?:{_TELLING})|[\u4e00-\u9fff]")
"""A cheap look before the careful one."""
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
    """The changes that one sentence reports as made."""
    if chinese.CHINESE.search(sentence):
        return _chinese_claims(sentence)
    found: list[Claim] = []
    anywhere = _order_number(sentence)
    for clause in _clauses(sentence):
        subject = _order_number(clause) or anywhere
        found += [Claim(kind, subject, sentence.strip(), own) for kind, own in _kinds(clause)]
    return tuple(found)


def _clauses(sentence: str) -> list[str]:
    text = sentence.lower().replace("’", "'")
    asks = text.rstrip().endswith("?")
    for pattern, plain in _CONTRACTED:
        text = pattern.sub(plain, text)
    parts = re.split(
        r"[,;:—–]|\b(?:but|and then|because|so that)\b|\band (?=i\b|we\b|your\b|it\b|the\b)", text
    )
    clauses = [re.sub(r"[^a-z0-9' -]+", " ", part).strip() for part in parts]
    clauses = [" ".join(clause.split()) for clause in clauses if clause]
    return clauses[:-1] if asks else clauses


_US = re.compile(r"\b(?:i|we)\b")


def _kinds(clause: str) -> list[tuple[str, bool]]:
    """(kind, does it say that we did it) of what a clause claims."""
    if _ASKS.search(clause):
        return []
    kinds: list[tuple[str, bool]] = []
    for kind, pattern in _PATTERNS:
        match = pattern.search(clause)
        if match and not _OPEN.search(clause[: match.end()]):
            kinds.append((kind, _US.search(match.group()) is not None))
    kinds += [(kind, True) for kind, pattern in _BARE.items() if not kinds and pattern.search(clause)]
    match = _ALL_SET.search(clause)
    if match and not kinds and not _OPEN.search(clause[: match.end()]):
        kinds.append(("done", True))
    return kinds


def _chinese_claims(sentence: str) -> tuple[Claim, ...]:
    anywhere = _order_number(sentence)
    return tuple(
        Claim(kind, _order_number(clause) or anywhere, sentence.strip(), own)
        for kind, own, clause in chinese.claims_in(sentence)
    )


def _order_number(sentence: str) -> str:
    match = re.search(r"(?:\b(?:order|number)|订单)\D{0,12}?(\d{3,})", spoken_digits(sentence))
    return match.group(1) if match else ""


# --- backed? ----------------------------------------------------------------------------------------------

_KINDS_OF_ACTION = (
    ("cancel", ("cancel", "refund")),
    ("return", ("return", "refund")),
    ("exchange", ("exchange", "update", "refund")),
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


def is_backed(claim: Claim, done: Iterable[Done], reported: Iterable[Reported]) -> bool:
    """Is there a receipt of this call, or a status from a tool, behind it?"""
    if any(_done_backs(one, claim) for one in done):
        return True
    return not claim.own and any(_status_backs(one, claim) for one in reported)


def _done_backs(done: Done, claim: Claim) -> bool:
    if claim.subject and done.subject.isdigit() and claim.subject != done.subject:
        return False
    if claim.kind == "done":
        return True
    kinds = next((kinds for stem, kinds in _KINDS_OF_ACTION if stem in done.action), ())
    return claim.kind in kinds or any(
        word[:5].lower() in claim.sentence.lower() for word in done.words if word
    )


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


def told_in(say: str) -> tuple[Reported, ...]:
    """What a tool's own sentence says is done ("order 1005 is already cancelled"): the desk may repeat it."""
    return tuple(
        Reported(claim.subject, status)
        for _, sentence, _ in sentences(say)
        for claim in claims_in(sentence)
        for status in _STATUSES.get(claim.kind, ())[:1]
    )


def _statuses(value: Any, subject: str, depth: int) -> Iterator[Reported]:
    if depth > 6:
        return
    if isinstance(value, dict):
        number = value.get("order_id") or value.get("order_number") or value.get("number")
        subject = str(number) if number else subject
        for key, inner in value.items():
            if isinstance(inner, str) and (key == "status" or key.endswith("_status")):
                yield Reported(subject, inner.lower())
            else:
                yield from _statuses(inner, subject, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _statuses(inner, subject, depth + 1)


_COMPLETES = re.compile(rf"{_BEGINS}(?:{_TELLING}|{'|'.join(_THINGS.values())})|[\u4e00-\u9fff]")
LONGEST_TURN = 40
"""No words that make a claim of a growing sentence are longer."""


def may_have_become(text: str, looked: int) -> bool:
    """Can a growing sentence have become a claim by what came since it was `looked` at? A cheap look."""
    return _COMPLETES.search(text.lower(), max(0, looked - LONGEST_TURN)) is not None


def unbacked(sentence: str, done: Iterable[Done], reported: Iterable[Reported]) -> Claim | None:
    """The first claim in a sentence that nothing stands behind."""
    if _MAYBE.search(sentence.lower()) is None:
        return None
    done, reported = tuple(done), tuple(reported)
    return next((claim for claim in claims_in(sentence) if not is_backed(claim, done, reported)), None)
