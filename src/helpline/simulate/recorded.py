"""A scenario out of a recorded call: the same words, and what became of it as what must become of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from helpline.simulate.scenario import Expect, Scenario, Step, Words

_ENDS = {
    "cancel_order": "cancelled",
    "process_return": "return requested",
    "exchange_items": "exchange requested",
}
INTO_A_REPLY_MS: Final = 3000
"""Words that began so soon before a reply was cut are those that cut it: first they must be understood."""


def scenario_of(record: Mapping[str, Any], customer: str) -> Scenario:
    """The scenario; `customer` is whose call it was, or `guest`.

    What was redacted in the record stands in it as `[card]` and the like: put something in its place.
    """
    proposals = {proposal["id"]: proposal for proposal in record["proposals"]}
    orders = {
        proposals[receipt["proposal"]]["subject"]: _ENDS[receipt["action"]]
        for receipt in record["receipts"]
        if receipt["action"] in _ENDS and receipt["proposal"] in proposals
    }
    ran = list(dict.fromkeys(tool["name"] for tool in record["tools"] if tool["ok"]))
    return Scenario(
        name=f"as in {record['id']}",
        customer=customer,
        steps=list(_steps(record)),
        expect=Expect(
            orders=orders,
            receipts=[receipt["action"] for receipt in record["receipts"]],
            tools=Words(must=ran),
            outcome=record["outcome"],
        ),
    )


def _steps(record: Mapping[str, Any]) -> Iterator[str | Step]:
    """What the customer did, in the order of time, and where the network broke."""
    happened: list[tuple[int, str, Any]] = [
        (line["start_ms"], "said", line)
        for line in record["lines"]
        if line["speaker"] == "customer" and line["text"].strip()
    ]
    happened += [
        (proposal["answered_ms"], "pressed", proposal)
        for proposal in record["proposals"]
        if proposal.get("means") == "button"
    ]
    happened += [
        (incident["at_ms"], "cut", incident)
        for incident in record["incidents"]
        if incident["kind"] == "connection_lost"
    ]
    cut = False
    for at_ms, kind, what in sorted(happened, key=lambda each: each[0]):
        if kind == "cut":
            cut = True
            continue
        if kind == "pressed":
            yield Step(press="yes" if what["outcome"] == "confirmed" else "no", cut=cut)
        else:
            yield _said(record, at_ms, what["text"], cut)
        cut = False


def _said(record: Mapping[str, Any], at_ms: int, text: str, cut: bool) -> str | Step:
    for interruption in record["interruptions"]:
        if 0 <= interruption["at_ms"] - at_ms <= INTO_A_REPLY_MS:
            return Step(interrupt=text, after_ms=interruption["heard_ms"], cut=cut)
    return Step(say=text, cut=True) if cut else text
