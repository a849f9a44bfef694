"""The desk's own sentences: whole in each language, and none outside their home."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from string import Formatter

import pytest

from helpline import sentences, wording
from helpline.wording import Sentence, later

SOURCE = Path(__file__).parent.parent / "src" / "helpline"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def catalogue() -> Iterator[tuple[str, Sentence]]:
    for name, value in vars(sentences).items():
        if isinstance(value, Sentence):
            yield name, value
        elif isinstance(value, dict) and name.isupper():
            yield from ((f"{name}[{key}]", each) for key, each in value.items())


SENTENCES = dict(catalogue())


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", SENTENCES)
def test_each_sentence_is_whole_in_both_languages(name: str):
    sentence = SENTENCES[name]
    assert blanks(sentence.en) == blanks(sentence.zh)
    assert sentence.en.strip()
    if len(re.findall(r"[a-z]+", re.sub(r"\{\w+\}", "", sentence.en))) > 1:
        assert CHINESE.search(sentence.zh)
    assert not CHINESE.search(sentence.en)
    assert sentence.en.rstrip().endswith("?") == sentence.zh.rstrip().endswith("？")
    assert not re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", sentence.zh)), "English in a Chinese sentence"


def test_there_are_sentences():
    assert len(SENTENCES) > 150


def uses() -> Iterator[tuple[str, str, set[str]]]:
    """(where, sentence, blanks filled in) of each sentence that is filled in anywhere."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            if name in SENTENCES:
                filled = {keyword.arg or "" for keyword in node.keywords}
                yield f"{path.name}:{node.lineno}", name, filled


def test_every_blank_is_filled_in_where_a_sentence_is_said():
    found = list(uses())
    assert len(found) > 60
    wrong = [(where, name) for where, name, filled in found if filled != blanks(SENTENCES[name].en)]
    assert wrong == []


def test_a_refusal_has_its_words_from_the_catalogue():
    """A sentence written where it is said would be heard in one language alone."""
    stray = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "")
            at = {"refusal": 1, "ToolError": 0, "Notice": 0}.get(name)
            if at is not None and len(node.args) > at and _is_english(node.args[at]):
                stray.append(f"{path.name}:{node.lineno}")
    assert stray == []


def _is_english(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_what_stands_in_a_blank_is_worded_in_the_same_language():
    refund = later(wording.money, 8450)
    asks = sentences.CANCEL_ASK(
        number="1005",
        items=later(wording.count, 2, "item"),
        refund=sentences.AND_REFUND(
            money=refund, to=sentences.TO_YOUR(method=sentences.WAYS_TO_PAY["gift_card"])
        ),
    )
    assert asks.in_("en-GB") == (
        "I can cancel order 1005, 2 items, and refund 84 dollars and 50 cents to your gift card."
        " Shall I cancel it?"
    )
    assert asks.in_("zh-CN") == "我可以取消订单1005，共2件商品，并退款84.50美元到您的礼品卡。要取消吗？"


def test_a_value_with_braces_in_it_stays_what_it_is():
    assert (
        sentences.TICKET_ASK(subject="{number}").in_("zh") == "我可以为您向同事提交工单：{number}。要提交吗？"
    )


@pytest.mark.parametrize(
    ("english", "chinese", "said"),
    [
        ("84 dollars", "84美元", later(wording.money, 8400)),
        ("7 euros and 5 cents", "7.05欧元", later(wording.money, 705, "EUR")),
        ("1 order", "1个订单", later(wording.count, 1, "order")),
        ("a, b or c", "a、b或c", later(wording.listed, ["a", "b", "c"], "or")),
        ("tomorrow", "明天", later(wording.day, date(2026, 3, 4), date(2026, 3, 3))),
        ("on Friday", "周五", later(wording.day, date(2026, 3, 6), date(2026, 3, 3))),
        ("on March 13", "3月13日", later(wording.day, date(2026, 3, 13), date(2026, 3, 3))),
        ("on December 24, 2025", "2025年12月24日", later(wording.day, date(2025, 12, 24), date(2026, 3, 3))),
        ("Tuesday, March 3", "3月3日 周二", later(wording.date_text, date(2026, 3, 3))),
        ("12 AM", "凌晨12点", later(wording.clock_time, time(0))),
        ("9:30 AM", "上午9点30分", later(wording.clock_time, time(9, 30))),
        ("12 PM", "中午12点", later(wording.clock_time, time(12))),
        ("3 PM", "下午3点", later(wording.clock_time, datetime(2026, 3, 3, 15, tzinfo=UTC))),
        ("8:05 PM", "晚上8点05分", later(wording.clock_time, time(20, 5))),
    ],
)
def test_money_days_and_times_in_each_language(english: str, chinese: str, said: later):
    assert said.in_("en") == english
    assert said.in_("zh-CN") == chinese


@pytest.mark.parametrize("tag", ["zh", "zh-CN", "ZH-Hans-CN", " zh-TW"])
def test_every_kind_of_chinese_is_answered_in_the_one_we_have(tag: str):
    assert sentences.DONE.in_(tag) == "已办好。"


@pytest.mark.parametrize("tag", ["en", "en-GB", "fr", ""])
def test_a_language_that_we_lack_is_answered_in_english(tag: str):
    assert sentences.DONE.in_(tag) == "Done."
