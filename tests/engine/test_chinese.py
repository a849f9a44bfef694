"""The engine and a Chinese customer: it says what it can do, knows what is typed most, guesses nothing."""

import pytest
import sqlalchemy as sa

from helpline.call.shown import CardShown, Notice, ProposalShown, ReceiptShown
from helpline.engine.chinese import asks, in_english
from helpline.engine.spoken import sentences, spaced_numbers
from helpline.engine.voice import Synthesiser
from helpline.store import schema as t
from tests.records.desks import desk_in
from tests.records.test_going_on import Seen


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("取消订单1005", "cancel order 1005"),
        ("请帮我把一零零五号订单取消", "cancel order 1005"),
        ("查询订单1004", "where is order 1004"),
        ("我的快递到哪了？", "where is my order"),
        ("我想退货，订单1002", "I want to return order 1002"),
        ("我想和人工客服通话。", "I would like to talk to a person"),
        ("我买了什么", "what did I order"),
        ("请再说一遍", "please say that again"),
    ],
)
def test_what_is_typed_most_is_understood(typed: str, english: str):
    assert in_english(typed) == english


@pytest.mark.parametrize(
    "typed", ["不要取消订单1005", "别取消", "订单1004还是1005", "今天天气怎么样", "好的", "cancel 1005"]
)
def test_nothing_is_guessed(typed: str):
    assert in_english(typed) == ""


async def test_what_is_missing_is_asked_for_in_chinese_and_taken_as_it_is_typed(line):
    _, _, channel = line
    await channel.say("我的订单到哪了？")
    assert channel.lines()[-1] == ("desk", "请问订单号是多少？")
    await channel.say("1004")
    assert "订单1004" in channel.lines()[-1][1]
    await channel.say("请给我回电")
    assert channel.lines()[-1][1].startswith("请问什么时间给您回电？")
    await channel.say("下周一下午三点")
    (offered,) = channel.of(ProposalShown)
    assert "下午3点" in offered.proposal.read_back
    await channel.say("好的")
    assert len(channel.of(ReceiptShown)) == 1


async def test_a_question_is_looked_up_in_the_pages_of_help(line):
    _, _, channel = line
    await channel.say("配送需要多久？")
    assert "within six days" in channel.lines()[-1][1]
    await channel.say("退款什么时候到账？")
    assert "5 to 7 business days" in channel.lines()[-1][1]


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [("zh-CN", "谁赢得了世界杯？", "好的"), ("en", "who won the world cup last year", "yes please")],
)
async def test_a_yes_to_the_offer_of_a_person_gets_one(tmp_path, language, question, answer):
    async with desk_in(tmp_path) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language=language)
        channel.join(call)
        await channel.say(question)
        await channel.say(answer)
        assert [each.card.kind for each in channel.of(CardShown)] == ["ticket"]
        call.hang_up("the customer hung up")
        await desk.gone(call)


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("好了吗", False),
        ("可以吗？", False),
        ("确定吗", False),
        ("包邮吗", True),
        ("能开发票吗？", True),
        ("谢谢", False),
    ],
)
def test_what_is_a_question_for_the_pages_of_help(line: str, is_one: bool):
    assert asks(line) is is_one


async def test_the_summary_for_a_person_is_in_the_customers_language(line):
    _, _, channel = line
    await channel.say("查询订单1004")
    await channel.say("人工客服")
    (card,) = [each.card for each in channel.of(CardShown) if each.card.kind == "ticket"]
    assert card.data["summary"] == "客户要求人工客服。涉及订单1004。"


@pytest.fixture
async def line(tmp_path):
    async with desk_in(tmp_path) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language="zh-CN")
        channel.join(call)
        yield desk, call, channel
        call.hang_up("the customer hung up")
        await desk.gone(call)


async def rows(desk) -> int:
    async with desk.store.database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(t.ledger)) or 0)


@pytest.mark.parametrize("how", ["typed", "button"])
async def test_a_change_is_read_back_in_chinese_and_confirmed_once(line, how: str):
    desk, call, channel = line
    assert await channel.say("取消订单1005")
    (offered,) = channel.of(ProposalShown)
    assert channel.lines()[-1] == ("desk", offered.proposal.read_back)
    assert offered.proposal.read_back.endswith("要取消吗？")
    assert await rows(desk) == 0
    if how == "typed":
        assert await channel.say("好的")
    else:
        call.answer(offered.proposal.id, True)
        assert await channel.rested()
    assert await rows(desk) == 1
    (receipt,) = channel.of(ReceiptShown)
    assert channel.lines()[-1] == ("desk", receipt.receipt.say)
    assert receipt.receipt.say.startswith("已办好。订单1005已取消。")


async def test_it_says_that_it_speaks_english_in_chinese(line):
    desk, _, channel = line
    assert "英语" in desk.banner_in("zh-CN")
    assert desk.banner_in("en") == desk.banner
    assert await channel.say("今天天气真好")
    assert "内置引擎只会英语" in channel.lines()[-1][1]


async def test_who_talks_is_told_once_what_is_heard(line):
    _, call, channel = line
    assert await channel.say("你好")
    assert channel.of(Notice) == []
    assert await call.start_voice()
    call.end_voice()
    assert await call.start_voice()
    assert [notice.text[:11] for notice in channel.of(Notice)] == ["您说的话会按英语来听。"]


def test_chinese_is_spoken_in_mandarin_and_not_spelled():
    voice = Synthesiser("en-us")
    spoken_s = len(voice.speak("我可以取消订单")) / 48_000
    assert 0.5 < spoken_s < 3  # spelled as "Chinese letter, Chinese letter …" it takes more than five


def test_a_number_is_read_digit_by_digit():
    assert spaced_numbers("订单1005，84.50美元，2026") == "订单1 0 0 5，84.50美元，2 0 2 6"


def test_chinese_sentences_are_spoken_one_by_one():
    assert sentences("已办好。订单1005已取消。要退款吗？好") == [
        "已办好。",
        "订单1005已取消。",
        "要退款吗？",
        "好",
    ]
