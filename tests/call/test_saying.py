"""Never claimed without being done: what the desk is about to say is checked before it is heard."""

import pytest
from msgspec.structs import replace

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.claims import sentences, told_in, unbacked
from helpline.realtime import events as ev

from .talk import Talk, captions, notes, of, played_ms, proposal, sent, sound

CLAIM = "I have cancelled order 1005 for you."


def incidents(talk: Talk) -> list[str]:
    return [e.fact.kind for e in of(talk.effects, fx.Record) if isinstance(e.fact, fx.Incident)]


def said(talk: Talk, text: str, ms: int = 3000) -> list[fx.Effect]:
    """A reply whose sound comes all at once, before its words come one by one."""
    effects = talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(ms)),
    )
    for word in text.split(" "):
        effects += talk.give(ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta=word + " "))
        effects += talk.wait(10)
    return effects


def test_a_claim_with_no_receipt_is_stopped_before_it_sounds_or_shows():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    effects = said(talk, f"Sure. {CLAIM}")
    effects += talk.done("r1", "a1", f"Sure. {CLAIM}") + talk.wait(5000)
    assert incidents(talk) == ["claim_stopped"]
    assert "not" in notes(effects)
    assert not any("cancelled" in caption.text for caption in captions(effects))
    assert played_ms(effects) <= len("Sure. I have ") * 1000 // 14, "no more than its harmless beginning"
    assert len(sent(effects, ev.ResponseCreate)) == 1, "one reply in its place"


def test_a_claim_with_its_receipt_is_spoken_untouched():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r9", "a9", proposal().read_back, 5000)
    talk.wait(6000)
    talk.speech("u2", "yes", ms=400)
    talk.give(fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now")))
    effects = said(talk, CLAIM) + talk.done("r1", "a1", CLAIM) + talk.wait(5000)
    assert incidents(talk) == []
    assert played_ms(effects) == 3000
    assert captions(effects)[-1].heard == CLAIM


def test_a_receipt_for_one_order_backs_no_claim_about_another():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r9", "a9", proposal().read_back, 5000)
    talk.give(fx.Pressed("prop_1", "yes"))
    talk.give(fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now")))
    said(talk, "I have cancelled order 1004.")
    talk.done("r1", "a1", "I have cancelled order 1004.")
    assert incidents(talk) == ["claim_stopped"]


def test_a_status_that_a_tool_reported_may_be_told():
    talk = Talk().live()
    talk.speech("u1", "what about order 1003")
    talk.call_tool("r0", "c1", "check_order_status")
    talk.tool_done("c1", ToolResult("It was cancelled.", {"order_id": "1003", "status": "cancelled"}))
    said(talk, "Order 1003 has been cancelled.")
    talk.done("r1", "a1", "Order 1003 has been cancelled.")
    assert incidents(talk) == []


def test_the_status_of_one_order_backs_no_claim_about_another():
    talk = Talk().live()
    talk.speech("u1", "what about order 1003")
    talk.call_tool("r0", "c1", "check_order_status")
    talk.tool_done("c1", ToolResult("It was cancelled.", {"order_id": "1003", "status": "cancelled"}))
    said(talk, "Order 1004 has been cancelled.")
    talk.done("r1", "a1", "Order 1004 has been cancelled.")
    assert incidents(talk) == ["claim_stopped"]


def test_words_that_differ_in_the_end_are_checked_from_their_beginning():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    effects = said(talk, "Of course, let me look. One moment.")
    effects += talk.done("r1", "a1", CLAIM) + talk.wait(5000)
    assert incidents(talk) == ["claim_stopped"]
    assert not any("cancelled" in caption.text for caption in captions(effects))


def test_a_refusal_of_a_tool_may_be_repeated():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1003")
    talk.call_tool("r0", "c1", "cancel_order")
    sentence = "Order 1003 has already been cancelled."
    talk.tool_done("c1", ToolResult(sentence, ok=False, reason="cancelled"))
    said(talk, sentence)
    talk.done("r1", "a1", sentence)
    assert incidents(talk) == []


def test_a_proposal_backs_nothing():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    said(talk, CLAIM)
    talk.done("r1", "a1", CLAIM)
    assert incidents(talk) == ["claim_stopped"]


def test_a_claim_whose_words_came_too_late_is_corrected_aloud():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(3000)),
    )
    talk.wait(2500)  # a server that sends its transcript after the sound
    effects = talk.done("r1", "a1", CLAIM)
    assert incidents(talk) == ["claim_slipped"]
    assert "correct myself" in notes(effects)


SAID_OF_IT = {"en": "Done. Order 1005 is cancelled.", "zh": "已办好。订单1005已取消。"}


def cancelled(language: str) -> Talk:
    talk = Talk().live()
    talk.c = replace(talk.c, language=language)
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r9", "a9", proposal().read_back, 5000)
    talk.wait(6000)
    talk.give(fx.Pressed("prop_1", "yes"))
    receipt = Receipt("R-1", "prop_1", "cancel_order", SAID_OF_IT[language], "now")
    talk.give(fx.Settled("prop_1", receipt=receipt))
    return talk


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_said_in_place_of_a_claim_denies_nothing_that_is_done(language: str):
    """The order is cancelled, and only what the model adds to it is not so."""
    talk = cancelled(language)
    claim = "I have also changed your address."
    effects = said(talk, claim) + talk.done("r1", "a1", claim)
    assert incidents(talk) == ["claim_stopped"]
    told = notes(effects)
    assert ("Order 1005 is cancelled." if language == "en" else "订单1005已取消。") in told
    assert ("Nothing else" if language == "en" else "此外没有") in told
    assert "Nothing has been changed" not in told
    assert "还没有做任何更改" not in told
    words = told.partition('Say to the customer: "')[2].rpartition('"')[0]
    assert unbacked_in(words, talk) == [], "it may itself be said"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_correction_aloud_denies_nothing_that_is_done(language: str):
    talk = cancelled(language)
    claim = "I have changed your address."
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(3000)),
    )
    talk.wait(2500)
    effects = talk.done("r1", "a1", claim)
    assert incidents(talk) == ["claim_slipped"]
    told = notes(effects)
    assert ("Order 1005 is cancelled." if language == "en" else "订单1005已取消。") in told
    assert ("correct myself" if language == "en" else "更正") in told
    assert "Nothing has been changed" not in told
    assert "没有办理，没有做" not in told


def test_what_nobody_knows_is_not_denied():
    """The line to the shop broke in the middle of the change: it may be done."""
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r9", "a9", proposal().read_back, 5000)
    talk.wait(6000)
    talk.give(fx.Pressed("prop_1", "yes"))
    talk.give(fx.Settled("prop_1", say="I lost the line.", unsure=True))
    effects = said(talk, CLAIM) + talk.done("r1", "a1", CLAIM)
    assert "claim_stopped" in incidents(talk)
    told = notes(effects)
    assert "Nothing has been changed" not in told
    assert "can't say whether it was" in told


def unbacked_in(text: str, talk: Talk) -> list[str]:
    c = talk.c
    return [each for _, each, _ in sentences(text) if unbacked(each, c.done, c.reported, c.offer)]


def test_a_question_about_it_is_no_claim():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    text = "Do you want it cancelled, or shall I look for something else? I can have it refunded."
    effects = said(talk, text) + talk.done("r1", "a1", text) + talk.wait(5000)
    assert incidents(talk) == []
    assert played_ms(effects) == 3000


def test_typed_claims_are_not_shown():
    talk = Talk()
    talk.give(fx.Typed("cancel order 1005"))
    talk.live(voice=False)
    effects = talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputTextDelta(item_id="a1", response_id="r1", delta="Sure. I have cancelled your order."),
    )
    assert [c.text for c in captions(effects) if c.speaker == "desk"][-1:] in ([], ["Sure. "])
    assert incidents(talk) == ["claim_stopped"]


def test_a_model_that_will_not_stop_claiming_is_left_unheard():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    asked = 1
    for n in range(10):
        talk.reply(f"r{n}", f"a{n}", CLAIM, 2000)
        created = len(sent(talk.effects, ev.ResponseCreate))
        if created == asked:
            break
        asked = created
    assert asked <= 5
    assert not any("cancelled" in line.heard for line in talk.c.transcript.lines if line.speaker == "desk")


def test_a_ticket_that_a_tool_says_it_opened_may_be_told_and_nothing_else():
    """A ticket needs no yes and has no receipt: what stands behind it is the tool's own sentence."""
    told = told_in("I have passed this on to a person, who will get back to you.")
    assert unbacked("I have opened a ticket for you.", (), told) is None
    assert unbacked("I have cancelled your order.", (), told) is not None
    assert unbacked("I have opened a ticket for you.", (), ()) is not None
    changed = told_in("I have cancelled order 1005.")
    assert unbacked("I have cancelled order 1005.", (), changed) is not None
