"""The promises measured on sets that were frozen before they were first run.

On first sight, before anything was changed for them: 318 of 400 answers as a clerk would read them, and 3
false yes among the rest ("right", "okay so", "yes I would like to"); 75 of 110 claims found, and 10 of the
190 other sentences touched. In Chinese, whose sets are by the author of its rules but older than these:
180 of 211 answers, no false yes, 24 of 55 claims found, and 1 of 77 other sentences touched.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from helpline import sentences as catalogue
from helpline.actions import Proposal
from helpline.call.claims import Done, Reported, sentences, told_in, unbacked
from helpline.call.confirm import classify
from helpline.wording import Sentence

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


CHINESE_PROPOSAL = Proposal(
    "prop_1",
    "cancel_order",
    "1005",
    "取消订单1005",
    ("cancel", "取消"),
    "我可以取消订单1005，共2件商品，并退款72美元到您的尾号4242的Visa。要取消吗？",
    7200,
)


def test_no_chinese_answer_is_taken_for_a_yes_that_is_none():
    answers = load("answers_zh.toml", "answer")
    assert len(answers) == 211
    false_yes = [
        a["text"] for a in answers if classify(a["text"], CHINESE_PROPOSAL) == "yes" and a["expect"] != "yes"
    ]
    assert false_yes == []


CHINESE_OTHERS = """
是好的|好是好|好是好，不过|可以取消|可以退款|可以退吗|要吗|好的取消订单1004|好的取消一零零四|请取消预约|是您说的|行李箱|对面
好的请问|好我知道|是这样的|不是我说可以|是1005|好的，1005和1006|好的，帮我取消并换货
同意什么|确认1004|好评|对账|可以给我退款吗
好的，别取消|是的，别|没问题的话就取消|可以的话|好像可以|是，但先等等
嗯嗯嗯|好吗好的吗|要是可以|當然不|好的 but no|ok 不
我要退货|我要这个订单|要的是那一件|谢谢，不用|帮我取消另外一个|请先不要取消|好容易|对半|是否|当然得先看看
"""


@pytest.mark.parametrize("text", CHINESE_OTHERS.replace("\n", "|").strip("|").split("|"))
def test_chinese_words_of_agreement_among_others_are_no_yes(text: str):
    assert classify(text, CHINESE_PROPOSAL) != "yes"


@pytest.mark.parametrize("text", ["好的", "取消", "可以的，请取消", "请退款"])
def test_a_chinese_yes_needs_no_chinese_offer_but_names_no_other_change(text: str):
    expected = "yes" if text in ("好的", "可以的，请取消") else "neither"
    assert classify(text, PROPOSAL if text == "好的" else CHINESE_PROPOSAL) == expected


def test_most_chinese_yes_and_no_are_understood_without_asking_again():
    answers = load("answers_zh.toml", "answer")
    for expect in ("yes", "no"):
        mine = [a for a in answers if a["expect"] == expect]
        assert sum(classify(a["text"], CHINESE_PROPOSAL) == expect for a in mine) >= 0.9 * len(mine)


def test_false_claims_in_chinese_are_stopped():
    claims = [entry for entry in load("claims_zh.toml", "sentence") if entry["kind"] == "claim"]
    assert len(claims) == 55
    assert sum(map(is_touched, claims)) >= 0.95 * len(claims)


def test_what_claims_nothing_in_chinese_is_left_alone():
    others = [entry for entry in load("claims_zh.toml", "sentence") if entry["kind"] != "claim"]
    assert len(others) == 77
    assert sum(map(is_touched, others)) <= 0.01 * len(others)


WITH_A_RECEIPT = set(
    "CANCELLED CALLBACK_BOOKED RETURNED EXCHANGED ITEMS_CHANGED SENT_ELSEWHERE PAID_WITH ACCOUNT_CHANGED "
    "TICKET_OPENED DONE DONE_BEFORE".split()
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_desks_own_sentences_are_never_stopped(language: str):
    """What it asks, refuses and reads back claims nothing that it has not said itself."""
    for name, sentence in vars(catalogue).items():
        if isinstance(sentence, Sentence):
            text = re.sub(r"\{\w+\}", "1005", sentence.in_(language))
            stopped = [each for _, each, _ in sentences(text) if unbacked(each, (), told_in(text))]
            assert not stopped or name in WITH_A_RECEIPT, text
            done = [Done("cancel_order", "1005", ("cancel", "取消"))]
            assert name not in ("CANCELLED", "DONE") or not any(
                unbacked(each, done, ()) for _, each, _ in sentences(text)
            )
