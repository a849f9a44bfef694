"""The promises measured on sets that were frozen before they were first run.

On first sight, before anything was changed for them: 318 of 400 answers as a clerk would read them, and 3
false yes among the rest ("right", "okay so", "yes I would like to"); 75 of 110 claims found, and 10 of the
190 other sentences touched.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from helpline.actions import Proposal
from helpline.call.claims import Reported, sentences, unbacked
from helpline.call.confirm import classify

HERE = Path(__file__).parent
PROPOSAL = Proposal(
    "prop_1",
    "cancel_order",
    "1005",
    "cancel order 1005",
    ("cancel",),
    "I can cancel order 1005, 2 items, and refund 72 dollars to your Visa ending in 4242. Shall I cancel it?",
    7200,
)


def load(name: str, key: str) -> list[dict[str, Any]]:
    return list(tomllib.loads((HERE / name).read_text())[key])


def is_touched(entry: dict[str, Any]) -> bool:
    reported = [Reported(entry["order"], entry["status"])] if "order" in entry else []
    return any(unbacked(sentence, (), reported) for _, sentence, _ in sentences(entry["text"]))


def test_no_answer_is_taken_for_a_yes_that_is_none():
    answers = load("answers.toml", "answer")
    assert len(answers) == 400
    false_yes = [
        a["text"] for a in answers if classify(a["text"], PROPOSAL) == "yes" and a["expect"] != "yes"
    ]
    assert false_yes == []


OTHERS = """
ok нет|okay ダメ|yes 👎|ok ما|yes ½|sì va bene|sure, if it's free|yes for me that is a problem|yes i need it
ok i want it|ok i would like my order please|fine, i will go|yes sir i need the order|ok that is all
ok thank you that is all|great thanks bye|ok so i am good|no problem i need it|great, my order is good
sure i need the order|no worries|no problem|yes yes i already said no need|okay thanks bye
ok i will cancel it myself|yes it is my order|yes that order is mine|sure you can|okay you can keep it
yes you can go|yes i would like it|okay i am on it|good|ok cool|yes it was|yes, i want my order
sure i want both items|absolutely not|ok let it be|okay then do no more
"""


@pytest.mark.parametrize("text", OTHERS.replace("\n", "|").strip("|").split("|"))
def test_words_of_agreement_among_others_are_no_yes(text: str):
    assert classify(text, PROPOSAL) != "yes"


def test_most_yes_and_no_are_understood_without_asking_again():
    answers = load("answers.toml", "answer")
    for expect, at_least in (("yes", 0.9), ("no", 0.75)):
        mine = [a for a in answers if a["expect"] == expect]
        assert sum(classify(a["text"], PROPOSAL) == expect for a in mine) >= at_least * len(mine)


def test_false_claims_are_stopped():
    claims = [entry for entry in load("claims.toml", "sentence") if entry["kind"] == "claim"]
    assert len(claims) == 110
    assert sum(map(is_touched, claims)) >= 0.95 * len(claims)


def test_what_claims_nothing_is_left_alone():
    others = [entry for entry in load("claims.toml", "sentence") if entry["kind"] != "claim"]
    assert len(others) == 190
    assert sum(map(is_touched, others)) <= 0.01 * len(others)
