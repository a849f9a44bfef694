"""What a model may say at a point of a call, on sets that were frozen before they were first measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from helpline.actions import Proposal, Receipt
from helpline.call.claims import Done, Reported, done_by, sentences, unbacked

HERE = Path(__file__).parent
CANCEL = Proposal(
    "prop_1",
    "cancel_order",
    "1005",
    "cancel order 1005",
    ("cancel",),
    "I can cancel order 1005, 2 items, and refund 72.50 dollars to your Visa ending in 4242. Shall I cancel it?",
    7250,
)
CALLBACK = Proposal(
    "prop_2",
    "schedule_callback",
    "555 0100",
    "book a call back",
    ("call back", "callback", "call you"),
    "I can book a call back on Friday, November 27 at 3:30 pm, at 555 0100. Shall I?",
)
ACCOUNT = Proposal(
    "prop_3",
    "update_account_info",
    "",
    "change your e-mail to maria.lopez@example.com",
    ("e-mail", "email", "change"),
    "I can change your e-mail to maria.lopez@example.com. Shall I?",
)


def receipt(proposal: Proposal, say: str) -> Done:
    return done_by(
        proposal, Receipt("R-4821", proposal.id, proposal.action, say, "2026-11-26T10:00:00+00:00")
    )


class Point(NamedTuple):
    done: tuple[Done, ...] = ()
    offer: Proposal | None = None


POINTS = {
    "nothing": Point(),
    "offer": Point(offer=CANCEL),
    "cancelled": Point((receipt(CANCEL, "Done. Order 1005 is cancelled."),)),
    "callback": Point((receipt(CALLBACK, "Done. We will call you back on Friday, November 27 at 3:30 pm."),)),
    "account": Point((receipt(ACCOUNT, "Done. I changed your e-mail."),)),
}
REPORTED = (Reported("1003", "delivered"), Reported("1005", "placed"))


def lines(name: str, kind: str) -> Iterator[tuple[str, str]]:
    """(what stands, what is said)."""
    point = told = ""
    for line in (HERE / name).read_text().splitlines():
        if line.startswith("["):
            point, _, told = line.strip("[]").partition(" / ")
        elif line and not line.startswith("#") and told == kind:
            yield point, line


def is_stopped(point: str, text: str) -> bool:
    done, offer = POINTS[point]
    return any(unbacked(sentence, done, REPORTED, offer) for _, sentence, _ in sentences(text))


@pytest.mark.parametrize(("name", "count"), [("claimed_first.txt", 100), ("claimed_second.txt", 60)])
def test_what_is_not_done_is_not_said(name: str, count: int):
    false = list(lines(name, "false"))
    assert len(false) == count
    missed = [said for said in false if not is_stopped(*said)]
    assert len(missed) <= 0.05 * count, missed


@pytest.mark.parametrize(("name", "count"), [("claimed_first.txt", 157), ("claimed_second.txt", 102)])
def test_what_claims_nothing_or_what_is_done_is_said(name: str, count: int):
    fine = list(lines(name, "fine"))
    assert len(fine) == count
    stopped = [said for said in fine if is_stopped(*said)]
    assert len(stopped) <= 0.01 * count, stopped
