"""What a model may say at a point of a call, on sets that were frozen before they were first measured.

On first sight the rules of before missed 57 of the 100 false claims of the first set and stopped 4 of the 157
others. After they were mended for the first set alone, 5 of 60 and 6 of 102 of the second, and 5 of 40
and 9 of 60 of the third: that is what words nobody thought of are worth. The fourth,
after that: 13 of 50 and 3 of 80; the fifth, after they were mended for the fourth: 12 of 50 and 1 of 80.
All five are bounds since then.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from helpline.actions import Proposal, Receipt
from helpline.call import effects as fx
from helpline.call.claims import Done, Reported, done_by, sentences, unbacked
from helpline.realtime import events as ev

from ..call.talk import Talk, of, played_ms

HERE = Path(__file__).parent
CANCEL = Proposal(
    "prop_1",
    "cancel_order",
    "1005",
    "cancel order 1005",
    ("cancel",),
    "I can cancel order 1005, 2 items, and refund 72.50 dollars to your Visa ending in 4242. "
    "Shall I cancel it?",
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


@pytest.mark.parametrize(
    ("name", "count"), [("first", 100), ("second", 60), ("third", 40), ("fourth", 50), ("fifth", 50)]
)
def test_what_is_not_done_is_not_said(name: str, count: int):
    false = list(lines(f"claimed_{name}.txt", "false"))
    assert len(false) == count
    missed = [said for said in false if not is_stopped(*said)]
    assert len(missed) <= 0.05 * count, missed


@pytest.mark.parametrize(
    ("name", "count"), [("first", 157), ("second", 102), ("third", 60), ("fourth", 80), ("fifth", 80)]
)
def test_what_claims_nothing_or_what_is_done_is_said(name: str, count: int):
    fine = list(lines(f"claimed_{name}.txt", "fine"))
    assert len(fine) == count
    stopped = [said for said in fine if is_stopped(*said)]
    assert len(stopped) <= 0.01 * count, stopped


AMOUNTS = [
    ("I've refunded 72 dollars to your Visa.", True),
    ("I've refunded 73 dollars to your Visa.", True),
    ("I've refunded 72.50 dollars to your Visa.", False),
    ("I've refunded $72.50 to your Visa.", False),
    ("I've refunded seventy-two dollars and fifty cents to your Visa.", False),
    ("I've refunded 7250 dollars to your Visa.", True),
    ("I've refunded seven thousand two hundred and fifty dollars.", True),
    ("You'll get 90 dollars.", True),
    ("You will receive ninety dollars on your Visa soon.", True),
    ("So 90 dollars will be back on your card by Friday.", True),
    ("We'll send ninety dollars back to you.", True),
    ("You'll get 72.50 dollars back.", False),
    ("You'll get it back in three to five days.", False),
    ("You'll get 30 dollars if you return the teapot as well.", False),
    ("For order 1003 you'll get 30 dollars back.", False),
    ("Will I get 90 dollars, you ask?", False),
    ("The mug was 90 dollars.", False),
]


@pytest.mark.parametrize(("said", "stopped"), AMOUNTS)
def test_another_amount_than_the_receipts_is_not_said(said: str, stopped: bool):
    """A rounded amount is another one."""
    assert is_stopped("cancelled", said) == stopped


BRITISH = [
    "The cancellation has been finalised.",
    "I've finalised your cancellation.",
    "I've organised your refund.",
    "Your refund has been authorised.",
    "I've authorised your return.",
    "Your order's been cancelled.",
    "Your order's been canceled.",
]


@pytest.mark.parametrize("said", BRITISH)
def test_british_spelling_is_read(said: str):
    assert is_stopped("nothing", said)


@pytest.mark.parametrize("said", ["I have confirmed your address.", "Your card is accepted."])
def test_what_is_looked_at_is_not_changed(said: str):
    assert not is_stopped("nothing", said)


PIECES = [
    ("I have can", "celled every", "thing for you."),
    ("Your em", "ail is n", "ow maria.lopez@example.com."),
    ("You", "'re all s", "et with the new address."),
    (
        "Order 1005 is cancelled and you get ninety dollars: your refund of nin",
        "ety dollars has been is",
        "sued.",
    ),
]


@pytest.mark.parametrize("pieces", PIECES)
def test_a_claim_in_pieces_is_not_heard(pieces: tuple[str, ...]):
    talk = Talk().live()
    talk.speech("u1", "do it")
    effects = talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")))
    for piece in pieces:
        effects += talk.give(ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta=piece))
    effects += talk.reply("r1", "a1", "", 3000)
    effects += talk.wait(4000)
    kinds = [e.fact.kind for e in of(effects, fx.Record) if isinstance(e.fact, fx.Incident)]
    assert "claim_stopped" in kinds
    assert played_ms(effects) < 1000


def test_a_claim_over_two_replies_is_not_heard():
    """The first reply ends in mid-sentence, with nothing claimed; the second says what is not so."""
    talk = Talk().live()
    talk.speech("u1", "cancel it please")
    talk.reply("r1", "a1", "Thank you. So, your order 1005", 1500)
    talk.wait(2000)
    talk.speech("u2", "yes?")
    effects = talk.reply("r2", "a2", "has been cancelled.", 2500)
    effects += talk.wait(4000)
    kinds = [e.fact.kind for e in of(effects, fx.Record) if isinstance(e.fact, fx.Incident)]
    assert "claim_stopped" in kinds
