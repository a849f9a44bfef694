"""What of Chinese speech was heard, and how long it takes: below the model, as for English."""

import pytest

from helpline.actions import Proposal
from helpline.call import effects as fx
from helpline.call.chinese import with_digits
from helpline.call.confirm import asks_for, is_backchannel, read_back_heard
from helpline.call.transcript import heard_part, spoken_length

from .talk import Talk, notes, of, proposal

READ_BACK = "我可以取消订单1005，共2件商品，并退款84.50美元到您的尾号4242的Visa。要取消吗？"
CANCEL = proposal(
    read_back=READ_BACK, effect="取消订单1005", effect_words=("cancel", "取消"), amount_cents=8450
)
BY_AMOUNT = Proposal("p", "x", "1005", "x", (), READ_BACK, 8450)


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("一零零五", "1005"),
        ("幺零零五", "1005"),
        ("七十二美元", "72美元"),
        ("八十四点五", "84.5"),
        ("一千零五", "1005"),
        ("十二", "12"),
        ("两万三千", "23000"),
        ("订单1005", "订单1005"),
    ],
)
def test_numerals_are_read_as_they_are_said(said: str, digits: str):
    assert with_digits(said) == digits


@pytest.mark.parametrize(
    "heard",
    [
        READ_BACK,
        "我可以取消订单1005",
        "订单一零零五，我可以为您取消",
        "订单1 0 0 5，要取消吗",
    ],
)
def test_a_chinese_read_back_was_heard_with_its_number_and_its_effect(heard: str):
    assert read_back_heard(CANCEL, heard)


@pytest.mark.parametrize(
    "heard", ["", "我可以取消", "订单1005，共2件商品", "订单1004，要取消吗", "我可以取消订单10"]
)
def test_without_either_it_was_not(heard: str):
    assert not read_back_heard(CANCEL, heard)


@pytest.mark.parametrize(
    ("heard", "whole"),
    [
        ("订单1005退款84.50美元", True),
        ("订单一零零五退八十四点五美元", True),
        ("订单1005退84美元50美分", True),
        ("订单1005退84美元", False),
        ("订单1005退184.50美元", False),
        ("订单1005退款", False),
    ],
)
def test_an_amount_in_chinese_names_the_change_too(heard: str, whole: bool):
    assert read_back_heard(BY_AMOUNT, heard) is whole


@pytest.mark.parametrize(
    ("turn", "asks"),
    [
        (READ_BACK, True),
        ("退款84.50美元。要不要取消？", True),
        ("订单1004正在配送途中。请问还有什么可以帮您？", False),
        ("好的，我不会取消订单1005。还需要别的帮助吗？", False),
        ("那我先不取消订单1005，好吗？", False),
        ("我可以查询您的订单。需要吗？", False),
    ],
)
def test_a_yes_is_one_to_what_was_asked_last(turn: str, asks: bool):
    assert asks_for(CANCEL, turn) is asks


def test_a_reply_without_spaces_is_heard_in_part():
    assert heard_part("我可以取消订单1005，要取消吗", 0, 4000) == ""
    half = heard_part("我可以取消订单1005，要取消吗", 2000, 4000)
    assert "我可以取消订单1005".startswith(half)
    assert 4 <= len(half) <= 8
    assert heard_part("我可以取消订单1005，要取消吗", 4000, 4000).endswith("吗")


@pytest.mark.parametrize("heard_ms", range(0, 4000, 100))
def test_a_number_is_heard_whole_or_not_at_all(heard_ms: int):
    part = heard_part("订单1005已取消", heard_ms, 4000)
    assert "1005" in part or not any(character.isdigit() for character in part)


def test_a_chinese_character_takes_longer_to_say_than_a_letter():
    assert spoken_length("请稍等") == 9
    assert spoken_length("wait") == 4


@pytest.mark.parametrize("sound", ["嗯", "嗯。", "嗯嗯", "哦", "mhm"])
def test_sounds_of_listening_interrupt_nobody(sound: str):
    assert is_backchannel(sound)


@pytest.mark.parametrize("word", ["好", "对", "不", "停"])
def test_words_do(word: str):
    assert not is_backchannel(word)


def offered() -> Talk:
    talk = Talk().live()
    talk.speech("u1", "取消订单1005")
    talk.call_tool("r1", "call_1", "cancel_order")
    from helpline.actions import ToolResult

    talk.tool_done("call_1", ToolResult(READ_BACK, proposal=CANCEL))
    return talk


def test_a_spoken_chinese_yes_after_the_read_back_was_heard_settles():
    talk = offered()
    talk.reply("r2", "a2", READ_BACK, 9000)
    talk.wait(10_000)
    (settle,) = of(talk.speech("u2", "好的，谢谢", ms=400), fx.Settle)
    assert (settle.answer, settle.means) == ("yes", "voice")


@pytest.mark.parametrize("after_ms", [0, 500])
def test_one_before_it_was_heard_does_nothing_and_it_is_read_again(after_ms: int):
    talk = offered()
    talk.reply("r2", "a2", "请稍等，我来为您看一下这个订单的情况。" + READ_BACK, 14_000)
    talk.wait(after_ms)
    effects = talk.speech("u2", "好的", ms=400)
    assert not of(effects, fx.Settle)
    assert READ_BACK in notes(effects)


def test_a_hm_in_chinese_lets_the_reply_go_on():
    talk = offered()
    talk.reply("r2", "a2", READ_BACK, 9000)
    talk.wait(2000)
    effects = talk.speech("u2", "嗯", ms=300)
    assert not of(effects, fx.Interrupted)
