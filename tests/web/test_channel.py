"""What a call shows, as it stands on a page."""

import dataclasses

import pytest

from helpline.actions import Card, Proposal, Receipt, ToolResult
from helpline.call.shown import (
    Caption,
    CardShown,
    Notice,
    ProposalClosed,
    ProposalShown,
    ReceiptShown,
    StateShown,
    ToolEnded,
    ToolStarted,
)
from helpline.channels.web.channel import PIECE_BYTES, WebChannel
from tests.web.pages import NotedPage

CANCEL = Proposal(
    "p1", "cancel_order", "1005", "cancel order 1005", ("cancel",), "I can cancel order 1005. Shall I?", 8450
)
RECEIPT = Receipt("R-4821", "p1", "cancel_order", "Done.", "2026-11-22T12:00:00+00:00")


@pytest.fixture
def page():
    return NotedPage()


@pytest.fixture
def channel(page):
    return WebChannel(page, desk_name="ShopMe")


def said(text, heard=None, *, line="l1", speaker="desk", final=True, typed=False):
    return Caption(line, speaker, text, text if heard is None else heard, final, typed)


async def test_a_line_grows_in_place(channel, page):
    for text in ("Order", "Order 1004", "Order 1004 is on its way."):
        await channel.show(said(text, final=text.endswith(".")))
    assert page.outputs() == ["Order 1004 is on its way."]
    assert len(page.puts) == 1


async def test_a_line_that_still_sounds_is_not_struck_out(channel, page):
    await channel.show(said("Order 1004 is on its way.", "Order", final=False))
    (step,) = page.steps.values()
    assert step["output"] == "Order 1004 is on its way."
    assert step["streaming"]


async def test_what_an_interruption_left_unheard_is_struck_out(channel, page):
    await channel.show(said("Order 1004 is on its way.", "Order 1004"))
    assert page.outputs() == ["Order 1004 ~~is on its way.~~"]


async def test_both_sides_are_shown(channel, page):
    await channel.show(said("where is it", speaker="customer", line="l1"))
    await channel.show(said("On its way.", line="l2"))
    assert page.outputs("user_message") == ["where is it"]
    assert page.outputs() == ["On its way."]


async def test_a_typed_line_that_the_page_shows_itself_is_not_shown_twice(channel, page):
    channel.typed("where is it")
    await channel.show(said("where is it", speaker="customer", typed=True))
    assert page.steps == {}


async def test_a_line_typed_for_the_customer_is_shown(channel, page):
    await channel.show(said("I would like to talk to a person.", speaker="customer", typed=True))
    assert page.outputs("user_message") == ["I would like to talk to a person."]


async def test_a_tool_is_one_step_with_arguments_result_and_time(channel, page):
    await channel.show(ToolStarted("t1", "check_order_status", '{"order_id": "1004"}'))
    result = ToolResult("It is on its way.", {"status": "shipped"})
    await channel.show(ToolEnded("t1", "check_order_status", '{"order_id": "1004"}', result, 12))
    (step,) = page.steps.values()
    assert step["name"] == "Used: order status"
    assert '"order_id": "1004"' in step["input"]
    assert '"status": "shipped"' in step["output"]
    assert step["start"] < step["end"]
    assert not step["isError"]


async def test_a_change_that_waits_for_its_yes_does_not_look_done(channel, page):
    result = ToolResult("Shall I cancel it?", proposal=CANCEL)
    await channel.show(ToolEnded("t1", "cancel_order", "{}", result, 12))
    assert [step["name"] for step in page.steps.values()] == ["Prepared: cancel an order"]


async def test_numbers_are_spoken_one_way_and_written_another(channel, page):
    await channel.show(said("R 4 8 2 1 is no number yet.", line="l0"))
    await channel.show(ReceiptShown(dataclasses.replace(RECEIPT, say="Done. Your receipt is R 4 8 2 1.")))
    await channel.show(said("Your receipt is R 4 8 2 1.", line="l1"))
    await channel.show(said("Your receipt is R 4 8 2 1. Anything else?", "Your receipt is R 4", line="l2"))
    await channel.show(said("您的回执号是R 4 8 2 1。", line="l3"))
    assert page.cards()[0]["text"] == "Done. Your receipt is R-4821."
    lines = [step["output"] for name, step in page.steps.items() if "-line-" in name]
    assert lines == [
        "R 4 8 2 1 is no number yet.",
        "Your receipt is R\\-4821.",
        "Your receipt is R 4 ~~8 2 1. Anything else?~~",
        "您的回执号是R\\-4821。",
    ]


async def test_words_that_were_withdrawn_before_they_were_shown_leave_nothing(channel, page):
    await channel.show(said("", final=False))
    await channel.show(said("", line="l2"))
    assert page.steps == {}


async def test_a_refusal_of_a_tool_is_marked(channel, page):
    result = ToolResult("I cannot find that order.", ok=False, reason="unknown_order")
    await channel.show(ToolEnded("t1", "check_order_status", "{}", result, 3))
    (step,) = page.steps.values()
    assert step["isError"]
    assert "unknown_order" in step["output"]


async def test_a_card_with_a_key_is_one_card(channel, page):
    for status in ("pending", "cancelled"):
        await channel.show(CardShown(Card("order", "Order 1005", {"status": status}, key="order-1005")))
    assert [card["data"]["status"] for card in page.cards()] == ["cancelled"]
    assert page.outputs() == ["Order 1005. Status\\: cancelled"]


async def test_cards_without_a_key_are_cards_each(channel, page):
    for _ in range(2):
        await channel.show(CardShown(Card("passage", "Returns", {"text": "30 days."})))
    assert len(page.cards()) == 2


async def test_a_proposal_is_answered_on_its_card(channel, page):
    await channel.show(CardShown(Card("proposal", "Cancel order 1005", key="p1")))
    await channel.show(ProposalShown(CANCEL))
    assert [(card["proposal"], card["outcome"], card["amount"]) for card in page.cards()] == [
        ("p1", "", "$84.50")
    ]
    await channel.show(ProposalClosed("p1", "confirmed"))
    assert [card["outcome"] for card in page.cards()] == ["confirmed"]


async def test_a_proposal_that_was_never_shown_closes_quietly(channel, page):
    await channel.show(ProposalClosed("p9", "expired"))
    assert page.told == []


async def test_a_receipt_that_comes_twice_is_one_card(channel, page):
    for _ in range(2):
        await channel.show(ReceiptShown(RECEIPT))
        await channel.show(CardShown(Card("receipt", "Receipt R-4821", key="receipt-R-4821")))
    assert [card["title"] for card in page.cards()] == ["R-4821"]


async def test_a_notice_is_its_own_kind_of_message(channel, page):
    await channel.show(Notice("Check AZURE_OPENAI_ENDPOINT.", "error"))
    (step,) = page.steps.values()
    assert step["output"] == "Check AZURE\\_OPENAI\\_ENDPOINT."
    assert step["isError"]
    assert page.cards() == [{"kind": "notice", "tone": "error"}]


async def test_hostile_card_data_is_cut_to_what_a_card_bears(channel, page):
    deep = {"a": {"b": {"c": {"d": {"e": "f"}}}}, "long": "x" * 10_000, "many": list(range(10_000))}
    await channel.show(CardShown(Card("order", "y" * 10_000, deep)))
    (card,) = page.cards()
    assert len(card["title"]) == 600
    assert len(card["data"]["long"]) == 600
    assert len(card["data"]["many"]) == 40
    assert card["data"]["a"]["b"]["c"]["d"] == ""


async def test_sound_goes_out_in_short_pieces_in_order(channel, page):
    pcm = bytes(range(256)) * 60
    await channel.play("t1", pcm)
    assert b"".join(piece for _, piece in page.sounds) == pcm
    assert all(0 < len(piece) <= PIECE_BYTES for _, piece in page.sounds)


async def test_half_a_sample_is_not_sent(channel, page):
    await channel.play("t1", b"\1\2\3")
    assert page.sounds == [("t1", b"\1\2")]


async def test_silence_reaches_the_page(channel, page):
    await channel.clear_playback()
    assert page.silences == 1


async def test_the_end_is_known(channel, page):
    await channel.show(StateShown("ended", "The call is over."))
    assert channel.ended
    channel.begin()
    assert not channel.ended


async def test_nothing_of_one_customer_is_left_for_another(channel, page):
    await channel.say("welcome", "Hello.")
    await channel.show(said("Order 1004 is on its way.", line="l1", final=False))
    await channel.show(CardShown(Card("order", "Order 1004", {"status": "shipped"}, key="order-1004")))
    await channel.forget()
    await channel.show(said("Order 1004 is on its way.", "Order 1004", line="l1"))
    await channel.show(CardShown(Card("order", "Order 1004", {"status": "late"}, key="order-1004")))
    await channel.say("welcome", "Hello.")
    await channel.show(said("Hello, Bo.", line="l2"))
    assert page.outputs() == ["Hello.", "Hello, Bo."]
    again = NotedPage("again")
    await channel.draw_on(again)
    assert again.outputs() == ["Hello.", "Hello, Bo."]
    assert [told for told in again.told if told["type"] == "card"] == []


async def test_a_second_call_does_not_write_over_the_first(channel, page):
    await channel.show(said("One."))
    channel.begin()
    await channel.show(said("Two."))
    assert page.outputs() == ["One.", "Two."]


async def test_a_page_that_returns_is_told_what_it_missed(channel, page):
    channel.typed("where is it")
    await channel.show(said("where is it", speaker="customer", typed=True, line="l1"))
    channel.leave()
    await channel.show(said("On its way.", line="l2"))
    await channel.show(CardShown(Card("order", "Order 1004", key="order-1004")))
    await channel.show(StateShown("listening"))
    assert page.steps == {}
    reloaded = NotedPage("another")
    await channel.draw_on(reloaded)
    assert reloaded.outputs("user_message") == ["where is it"]
    assert reloaded.outputs()[0] == "On its way."
    assert len(reloaded.cards()) == 1
    assert reloaded.state() == "listening"


async def test_the_same_page_is_not_shown_its_own_typed_lines_again(channel, page):
    channel.typed("where is it")
    await channel.show(said("where is it", speaker="customer", typed=True, line="l1"))
    await channel.show(said("On its way.", line="l2"))
    await channel.draw_on(page)
    assert page.outputs("user_message") == []
    assert page.outputs() == ["On its way."]


async def test_memory_is_bounded(channel, page):
    for number in range(1000):
        await channel.show(said("Words.", line=f"l{number}"))
    reloaded = NotedPage("another")
    await channel.draw_on(reloaded)
    assert len(reloaded.steps) == 400
