"""Proposal, heard read-back, yes: nothing happens without all three, and nothing happens twice."""

import pytest

from helpline.actions import Caller, Card, Identity, Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.shown import CardShown, Notice, ProposalClosed, ProposalShown, ReceiptShown
from helpline.realtime import events as ev

from .talk import Talk, notes, of, proposal, sent

READ_BACK = proposal().read_back


def proposed() -> Talk:
    """The customer asked for a change and the model is about to speak the read-back."""
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    return talk.propose()


def heard(talk: Talk) -> Talk:
    talk.reply("r2", "a2", READ_BACK, 5000)
    talk.wait(6000)
    return talk


def test_a_yes_after_the_read_back_was_heard_settles_once():
    talk = heard(proposed())
    assert any(isinstance(e.shown, ProposalShown) for e in of(talk.effects, fx.Show))
    effects = talk.speech("u2", "yes please", ms=400)
    (settle,) = of(effects, fx.Settle)
    assert settle.answer == "yes"
    assert settle.means == "voice"
    assert "1005" in settle.heard
    assert not sent(effects, ev.ResponseCreate), "the model has no part in it"
    assert not of(talk.speech("u3", "yes", ms=400), fx.Settle), "a second yes while it is carried out"


def test_the_receipt_is_told_and_shown_and_one_reply_asked_for():
    talk = heard(proposed())
    talk.speech("u2", "yes", ms=400)
    card = Card("order", "Order 1005", {"status": "cancelled"})
    receipt = Receipt(
        "R-4821", "prop_1", "cancel_order", 'Done: "cancelled".', "2026-01-01T00:00:00+00:00", card=card
    )
    effects = talk.give(fx.Settled("prop_1", receipt=receipt))
    assert "R-4821" in notes(effects)
    assert r"Say to the customer: \"Done" not in notes(effects)
    assert r'Say to the customer: "Done: \"cancelled\"."' in notes(effects)
    assert len(sent(effects, ev.ResponseCreate)) == 1
    shown = [e.shown for e in of(effects, fx.Show)]
    assert ReceiptShown(receipt) in shown
    assert CardShown(card) in shown
    assert ProposalClosed("prop_1", "confirmed") in shown


@pytest.mark.parametrize("after_ms", [0, 300, 1200])
def test_a_yes_before_the_read_back_was_heard_does_nothing_and_it_is_read_again(after_ms: int):
    talk = proposed()
    talk.reply("r2", "a2", "One moment please, let me look into that for you now. " + READ_BACK, 9000)
    talk.wait(after_ms)
    effects = talk.speech("u2", "yes", ms=400)
    assert not of(effects, fx.Settle)
    assert READ_BACK in notes(effects)
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_no_closes_the_proposal_unexecuted():
    talk = heard(proposed())
    effects = talk.speech("u2", "no thank you", ms=600)
    (settle,) = of(effects, fx.Settle)
    assert settle.answer == "no"
    effects = talk.give(fx.Settled("prop_1", declined=True))
    assert ProposalClosed("prop_1", "declined") in [e.shown for e in of(effects, fx.Show)]
    assert not of(talk.speech("u3", "yes", ms=400), fx.Settle)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("where is my order 1004?", "Order 1004 is on its way. Can I help you with anything else?"),
        ("hm, I am not sure", "All right, I will not cancel order 1005. Is there anything else?"),
        ("let me think", "Of course. So I will leave it and not cancel order 1005, shall I?"),
        ("what else can you do?", "I can look up your orders. Would you like me to?"),
    ],
)
def test_a_yes_to_another_question_is_no_yes_to_an_offer_left_open(said: str, asked: str):
    talk = heard(proposed())
    talk.speech("u2", said)
    talk.reply("r3", "a3", asked, 3000)
    talk.wait(4000)
    effects = talk.speech("u3", "yes", ms=400)
    assert not of(effects, fx.Settle)
    assert "nothing was done" in notes(effects)
    assert len(sent(effects, ev.ResponseCreate)) == 1
    talk.reply("r4", "a4", READ_BACK, 5000)
    talk.wait(6000)
    assert of(talk.speech("u4", "yes", ms=400), fx.Settle), "asked again, it is"


@pytest.mark.parametrize(
    ("between", "asked"),
    [
        (("um",), ""),
        (("okay so", "let me see"), ""),
        (("what do I get back?",), "84 dollars and 50 cents. Shall I cancel it?"),
    ],
)
def test_a_yes_after_the_offer_was_spoken_of_again_is_one(between: tuple[str, ...], asked: str):
    talk = heard(proposed())
    for number, said in enumerate(between):
        talk.speech(f"b{number}", said)
    if asked:
        talk.reply("r3", "a3", asked, 3000)
        talk.wait(4000)
    (settle,) = of(talk.speech("u3", "yes please", ms=400), fx.Settle)
    assert settle.answer == "yes"


def test_a_yes_is_to_what_was_asked_before_an_mhm_as_well():
    talk = proposed()
    talk.reply("r2", "a2", READ_BACK, 5000)
    talk.wait(6000)
    talk.speech("u2", "mhm", ms=200)
    talk.reply("r3", "a3", "Take your time.", 1000)
    talk.wait(2000)
    assert of(talk.speech("u3", "yes", ms=400), fx.Settle)


def test_anything_else_goes_to_the_model_and_the_proposal_stays():
    talk = heard(proposed())
    effects = talk.speech("u2", "how much do I get back?")
    assert not of(effects, fx.Settle)
    assert len(sent(effects, ev.ResponseCreate)) == 1
    talk.reply("r3", "a3", "84 dollars and 50 cents. Shall I cancel it?", 2500)
    talk.wait(3000)
    assert len(of(talk.speech("u3", "yes", ms=400), fx.Settle)) == 1


@pytest.mark.parametrize("how", ["failed", "never", "empty"])
def test_an_answer_that_cannot_be_read_asks_for_the_button(how: str):
    talk = heard(proposed())
    effects = talk.speech("u2", "" if how == "empty" else None, ms=400)
    if how == "failed":
        effects = talk.give(ev.TranscriptionFailed(item_id="u2"))
    if how == "never":
        assert not sent(effects, ev.ResponseCreate)
        effects = talk.wait(3100)
    assert not of(effects, fx.Settle)
    assert any(isinstance(e.shown, Notice) for e in of(effects, fx.Show))
    assert "press Yes or No" in notes(effects)


def test_without_transcription_the_button_is_the_only_way():
    talk = Talk().live(transcribes=False)
    talk.speech("u1", None)
    talk.propose()
    heard(talk)
    effects = talk.speech("u2", None, ms=400)
    assert not of(effects, fx.Settle)
    assert "press Yes or No" in notes(effects)
    (settle,) = of(talk.give(fx.Pressed("prop_1", "yes")), fx.Settle)
    assert settle.means == "button"


def test_the_button_counts_once_and_only_for_the_pending_proposal():
    talk = proposed()
    assert not of(talk.give(fx.Pressed("prop_other", "yes")), fx.Settle)
    effects = talk.give(fx.Pressed("prop_1", "yes"), fx.Pressed("prop_1", "yes"), fx.Pressed("prop_1", "no"))
    assert len(of(effects, fx.Settle)) == 1


def test_in_a_typed_conversation_shown_counts_as_heard():
    talk = Talk()
    talk.give(fx.Typed("cancel order 1005"))
    talk.live(voice=False)
    talk.propose()
    assert not of(talk.give(fx.Typed("yes")), fx.Settle), "nothing was shown yet"
    talk.give(ev.ResponseDone(response=ev.Response(id="r2", status="cancelled")))
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r3", conversation_id="c")),
        ev.OutputTextDelta(item_id="a3", response_id="r3", delta=READ_BACK),
        ev.ResponseDone(response=ev.Response(id="r3", status="completed")),
    )
    (settle,) = of(talk.give(fx.Typed("yes")), fx.Settle)
    assert settle.means == "typed"


def test_a_newer_proposal_replaces_the_one_before():
    talk = heard(proposed())
    talk.speech("u2", "rather return order 1002")
    talk.call_tool("r3", "call_2", "process_return")
    from helpline.actions import ToolResult

    second = proposal(
        id="prop_2",
        action="process_return",
        subject="1002",
        effect="return order 1002",
        effect_words=("return",),
    )
    effects = talk.tool_done("call_2", ToolResult("I can return order 1002. Shall I?", proposal=second))
    assert ProposalClosed("prop_1", "replaced") in [e.shown for e in of(effects, fx.Show)]
    effects = talk.speech("u3", "yes", ms=400)
    assert not of(effects, fx.Settle), "what was heard was about the other order"


def test_a_proposal_expires():
    talk = heard(proposed())
    effects = talk.wait(proposal().lives_ms)
    assert ProposalClosed("prop_1", "expired") in [e.shown for e in of(effects, fx.Show)]
    assert not of(talk.speech("u2", "yes", ms=400), fx.Settle)


def test_a_pending_proposal_survives_a_lost_connection():
    talk = heard(proposed())
    talk.give(fx.Lost("gone"))
    talk.live()
    assert len(of(talk.speech("u9", "yes", ms=400), fx.Settle)) == 1


def test_a_yes_that_interrupts_the_end_of_the_read_back_counts():
    talk = proposed()
    talk.reply("r2", "a2", READ_BACK, 5000)
    talk.wait(4200)
    assert len(of(talk.speech("u2", "yes", ms=400), fx.Settle)) == 1


def test_another_caller_voids_what_was_proposed():
    talk = heard(proposed())
    talk.give(fx.CallerChanged(Caller("c2", "Someone Else", Identity.PROVEN, "demo")))
    assert not of(talk.speech("u2", "yes", ms=400), fx.Settle)


def test_nothing_of_a_customer_is_left_when_a_stranger_takes_the_line():
    talk = heard(proposed())
    stranger = Caller("c2", "Someone Else", Identity.PROVEN, "demo")
    effects = talk.give(fx.CallerChanged(stranger, stranger=True))
    assert of(effects, fx.Disconnect)
    assert of(effects, fx.Connect), "voice is on: a fresh session is asked for"
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert not sent(effects, ev.ItemCreate), "there is nothing to rebuild"
    assert not talk.c.transcript.lines
    assert not of(talk.speech("u9", "yes", ms=400), fx.Settle)


def test_a_stranger_hears_no_more_of_what_was_being_said_and_done_for_the_customer_before():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.call_tool("r1", "c1", "cancel_order")
    talk.reply("r2", "a2", READ_BACK, 5000)
    talk.wait(500)
    stranger = Caller("c2", "Someone Else", Identity.PROVEN, "demo")
    effects = talk.give(fx.CallerChanged(stranger, stranger=True))
    assert of(effects, fx.ClearPlayback)
    assert [each.tool_call_id for each in of(effects, fx.CancelTool)] == ["c1"]


@pytest.mark.parametrize(
    "said",
    [
        "I can cancel order 1005 and refund 500 dollars. Shall I cancel it?",
        "I can cancel order 1005, you get $8.45 back. Shall I?",
        "订单1005可以取消，退款800美元，要取消吗？ Shall I cancel it?",
    ],
)
def test_a_yes_to_another_amount_is_none_and_the_right_one_is_read(said: str):
    talk = proposed()
    talk.reply("r2", "a2", said, 5000)
    talk.wait(6000)
    effects = talk.speech("u2", "yes", ms=400)
    assert not of(effects, fx.Settle)
    assert READ_BACK in notes(effects)
    talk.reply("r3", "a3", READ_BACK, 5000)
    talk.wait(6000)
    assert of(talk.speech("u3", "yes", ms=400), fx.Settle)


def test_the_right_amount_that_was_heard_before_is_not_behind_another():
    talk = heard(proposed())
    talk.speech("u2", "how much is that?")
    talk.reply("r3", "a3", "You get 500 dollars. Shall I cancel order 1005?", 3000)
    talk.wait(4000)
    effects = talk.speech("u3", "yes", ms=400)
    assert not of(effects, fx.Settle)
    assert "nothing was done" in notes(effects)


@pytest.mark.parametrize(
    "said",
    [
        "I can cancel order 1005 and refund 84 dollars",
        "I can cancel order 1005 and refund $84.50. Shall I cancel it?",
        "Order 1005 was 90 dollars; I can cancel it and refund 84 dollars and 50 cents. Shall I cancel it?",
        "I can cancel order 1005 and refund eighty four fifty. Shall I cancel it?",
        "I can cancel order 1005. Shall I cancel it?",
    ],
)
def test_a_yes_to_the_right_amount_or_to_none_is_one(said: str):
    talk = proposed()
    talk.reply("r2", "a2", said, 5000)
    talk.wait(6000)
    assert of(talk.speech("u2", "yes", ms=400), fx.Settle)


def test_a_receipt_that_comes_when_a_stranger_has_the_line_is_not_shown_to_them():
    talk = heard(proposed())
    assert of(talk.speech("u2", "yes", ms=400), fx.Settle)
    talk.give(fx.CallerChanged(Caller("c2", "Someone Else", Identity.PROVEN, "demo"), stranger=True))
    receipt = Receipt("R-4821", "prop_1", "cancel_order", "Order 1005 is cancelled.", "2026-01-01T00:00:00Z")
    effects = talk.give(fx.Settled("prop_1", receipt=receipt), fx.Opened("test", ev.SessionSettings()))
    effects += talk.give(ev.SessionUpdated())
    assert not [e.shown for e in of(effects, fx.Show) if isinstance(e.shown, ReceiptShown | ProposalClosed)]
    assert "1005" not in notes(effects)
    assert not talk.c.done


def test_an_offer_that_waits_behind_a_change_is_not_made_to_a_stranger():
    talk = heard(proposed())
    talk.speech("u2", "yes", ms=400)
    second = proposal(id="prop_2", subject="1004")
    talk.call_tool("r3", "call_2", "cancel_order")
    talk.tool_done("call_2", ToolResult("I can cancel order 1004. Shall I?", proposal=second))
    talk.give(fx.CallerChanged(Caller("c2", "Someone Else", Identity.PROVEN, "demo"), stranger=True))
    effects = talk.give(fx.Settled("prop_1", say="It did not work."))
    assert not [e.shown for e in of(effects, fx.Show) if isinstance(e.shown, ProposalShown)]
    assert talk.c.pending is None


def test_a_language_that_is_spoken_already_is_no_switch():
    talk = proposed()
    talk.give(fx.LanguageChosen("zh-CN"))
    assert talk.give(fx.LanguageChosen("zh-CN")) == []


def test_what_was_heard_before_a_switch_of_language_is_what_the_yes_confirms():
    """The offer keeps its wording: a yes is to what was heard, and may be in either language."""
    talk = heard(proposed())
    assert not of(talk.give(fx.LanguageChosen("zh-CN")), fx.Settle)
    (settle,) = of(talk.speech("u2", "好的", ms=400), fx.Settle)
    assert settle.answer == "yes"
    assert READ_BACK in settle.heard


def test_what_was_not_heard_before_a_switch_of_language_is_heard_first():
    talk = proposed()
    talk.give(fx.LanguageChosen("zh-CN"))
    effects = talk.speech("u2", "好的", ms=400)
    assert not of(effects, fx.Settle)
    assert READ_BACK in notes(effects), "it is read to them before it can be confirmed"


def test_an_offer_read_anew_in_the_other_language_is_heard_as_well():
    talk = proposed()
    talk.give(fx.LanguageChosen("zh-CN"))
    talk.reply("r2", "a2", "我可以取消订单1005，并退款84.50美元到您的Visa卡。要取消吗？", 5000)
    talk.wait(6000)
    assert of(talk.speech("u2", "好的", ms=400), fx.Settle)


def test_an_offer_whose_time_runs_out_while_it_is_carried_out_is_not_over():
    talk = heard(proposed())
    assert of(talk.speech("u2", "yes", ms=400), fx.Settle)
    effects = talk.wait(proposal().lives_ms + 1000)
    assert not [e.shown for e in of(effects, fx.Show) if isinstance(e.shown, ProposalClosed)]
    receipt = Receipt("R-4821", "prop_1", "cancel_order", "Order 1005 is cancelled.", "2026-01-01T00:00:00Z")
    effects = talk.give(fx.Settled("prop_1", receipt=receipt))
    assert ReceiptShown(receipt) in [e.shown for e in of(effects, fx.Show)]
