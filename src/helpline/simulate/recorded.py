"""A scenario out of a recorded call: the same words, and what became of it as what must become of it."""

from collections.abc import Mapping
from typing import Any

from helpline.simulate.scenario import Expect, Scenario, Words

_ENDS = {
    "cancel_order": "cancelled",
    "process_return": "return requested",
    "exchange_items": "exchange requested",
}


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
        steps=[
            line["text"] for line in record["lines"] if line["speaker"] == "customer" and line["text"].strip()
        ],
        expect=Expect(
            orders=orders,
            receipts=[receipt["action"] for receipt in record["receipts"]],
            tools=Words(must=ran),
            outcome=record["outcome"],
        ),
    )
