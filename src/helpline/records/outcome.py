"""What became of a call, by rules over its lines, tools and receipts: PURE.

Rules:
- transferred: a person was asked for, and the tool that gets one ran.
- limit: a limit of the desk ended the call (its length, its tool calls, a caller who was silent).
- callback: a callback was booked and nothing else was done.
- abandoned: the customer said nothing; or left without an answer to the last thing they said; or left while
  a change waited for their yes, or nobody knew whether it was done; or the call broke off.
- solved: everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from helpline.actions import Proposal, Receipt
from helpline.call.shown import Caption, ToolEnded

Outcome = Literal["solved", "transferred", "callback", "abandoned", "limit"]

_PROMISES = {
    "process_return": "the refund of a return once the goods are here",
    "exchange_items": "the replacement of an exchange",
    "cancel_order": "the refund of a cancelled order",
    "schedule_callback": "a callback",
    "open_ticket": "an answer to a ticket",
}
"""What the shop still owes after each action."""

_NEXT_STEPS = {
    "process_return": "The customer sends the goods back.",
    "exchange_items": "The customer sends the goods back.",
    "schedule_callback": "A person calls the customer back.",
    "open_ticket": "A person looks at the ticket.",
    "transfer_to_person": "A person takes the call over.",
}
_SUBORDINATE = frozenset(
    {"get_customer_info", "search_help", "verify_by_email", "verify_by_name_and_postcode", "send_code",
     "verify_code"}
)  # fmt: skip
"""Tools that are called on the way to something else: a reason for calling only when there is no other."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rules look at."""

    lines: Sequence[Caption]
    tools: Sequence[ToolEnded]
    receipts: Sequence[Receipt]
    open_proposal: Proposal | None
    in_doubt: tuple[str, ...]
    """Changes of which nobody knows whether they were done."""
    limited: bool
    broke_off: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: str
    """Why they called: a tool's name in words, `a question`, or `nothing`."""
    summary: str
    next_step: str
    promises: tuple[str, ...]


def judge(seen: Seen) -> Verdict:
    """The verdict of the rules."""
    outcome = _outcome(seen)
    actions = [receipt.action for receipt in seen.receipts]
    if outcome == "transferred":
        actions.append("transfer_to_person")
    promises = [_promise(receipt) for receipt in seen.receipts]
    steps = [f"A person finds out whether it was done: {effect}." for effect in seen.in_doubt]
    steps += [_NEXT_STEPS[action] for action in actions if action in _NEXT_STEPS]
    return Verdict(
        outcome=outcome,
        reason=_reason(seen),
        summary=_summary(seen, outcome),
        next_step=" ".join(dict.fromkeys(steps)),
        promises=tuple(dict.fromkeys(promise for promise in promises if promise)),
    )


def _outcome(seen: Seen) -> Outcome:
    if any(tool.name == "transfer_to_person" and tool.result.ok for tool in seen.tools):
        return "transferred"
    if seen.limited:
        return "limit"
    actions = {receipt.action for receipt in seen.receipts}
    if seen.broke_off or seen.open_proposal is not None or seen.in_doubt or not _was_answered(seen.lines):
        return "abandoned"
    return "callback" if actions == {"schedule_callback"} else "solved"


def _was_answered(lines: Sequence[Caption]) -> bool:
    """The customer said something, and the desk spoke after the last of it."""
    spoken = [line for line in lines if line.text.strip()]
    if not any(line.speaker == "customer" for line in spoken):
        return False
    last = spoken[-1]
    return last.speaker == "desk" and bool(last.heard.strip())


def _reason(seen: Seen) -> str:
    names = [tool.name for tool in seen.tools]
    first = next((name for name in names if name not in _SUBORDINATE), names[0] if names else "")
    if first:
        return first.replace("_", " ")[:60]
    said = any(line.speaker == "customer" and line.text.strip() for line in seen.lines)
    return "a question" if said else "nothing"


def _promise(receipt: Receipt) -> str:
    """What is owed, of what, and by which receipt; a cancelled order that cost nothing owes nothing."""
    owed = _PROMISES.get(receipt.action, "")
    amount = str(receipt.data.get("amount", ""))
    if not owed or (receipt.action == "cancel_order" and not amount):
        return ""
    what = ", ".join(part for part in (str(receipt.data.get("effect", "")), amount) if part)
    return f"{owed}: {what} ({receipt.reference})" if what else f"{owed} ({receipt.reference})"


def _summary(seen: Seen, outcome: Outcome) -> str:
    """A few sentences that say nothing but what was done, refused or left open."""
    done = [f"{_past(receipt.action)} ({receipt.reference})" for receipt in seen.receipts]
    asked = _asked(seen)
    parts = []
    if asked:
        parts.append(f"The customer asked for: {', '.join(asked)}.")
    elif any(line.speaker == "customer" for line in seen.lines):
        parts.append("The customer asked a question.")
    else:
        parts.append("Nobody said anything.")
    if done:
        parts.append(f"Done: {', '.join(done)}.")
    refused = [tool.name.replace("_", " ") for tool in seen.tools if not tool.result.ok]
    if refused:
        parts.append(f"Refused: {', '.join(dict.fromkeys(refused))}.")
    if seen.open_proposal is not None:
        parts.append(f"Left open: {seen.open_proposal.effect}.")
    if seen.in_doubt:
        parts.append(f"Not known whether done: {'; '.join(seen.in_doubt)}.")
    parts.append(f"Outcome: {outcome}.")
    return " ".join(parts)


def _asked(seen: Seen) -> list[str]:
    """Each thing asked for once, with the order it was about."""
    asked: dict[str, None] = {}
    for tool in seen.tools:
        if tool.name in _SUBORDINATE:
            continue
        subject = tool.result.proposal.subject if tool.result.proposal else tool.result.data.get("number")
        name = tool.name.replace("_", " ")
        asked[f"{name} {subject}" if subject else name] = None
    return list(asked)


def _past(action: str) -> str:
    return action.replace("_", " ")
