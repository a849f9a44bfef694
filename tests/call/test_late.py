"""Events that come late, twice, in another order, or not at all."""

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Rules, wake_at
from helpline.realtime import events as ev

from .talk import Talk, captions, notes, of, played_ms, proposal, sent, sound


def created(response: str) -> ev.ResponseCreated:
    return ev.ResponseCreated(response=ev.Response(id=response, conversation_id="conv"))


def done(response: str, **fields: object) -> ev.ResponseDone:
    return ev.ResponseDone(response=ev.Response(id=response, status="completed", **fields))


def asked() -> Talk:
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    return talk


# --- twice ------------------------------------------------------------------------------------------------


def test_a_repeated_end_of_an_earlier_response_does_not_end_the_one_just_asked_for():
    talk = asked()
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    talk.speech("u2", "and the other one")
    talk.give(done("r1"))
    assert not sent(talk.give(fx.ReplyAsked()), ev.ResponseCreate), "one is in flight"


def test_a_repeated_beginning_of_a_finished_response_does_not_block_the_next():
    talk = asked()
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    talk.give(created("r1"))
    assert len(sent(talk.speech("u2", "and the other one"), ev.ResponseCreate)) == 1


def test_usage_is_counted_once():
    talk = asked()
    talk.give(created("r1"))
    usage = ev.Usage(total_tokens=10)
    effects = talk.give(done("r1", usage=usage), done("r1", usage=usage))
    assert len([e for e in of(effects, fx.Record) if isinstance(e.fact, fx.UsageCounted)]) == 1
    words = ev.TranscriptionCompleted(item_id="u9", transcript="hi", usage=usage)
    effects = talk.give(ev.InputCommitted(item_id="u9"), words, words)
    assert len([e for e in of(effects, fx.Record) if isinstance(e.fact, fx.UsageCounted)]) == 1


def test_an_utterance_that_is_reported_twice_is_answered_once():
    talk = asked()
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    effects = talk.give(
        ev.SpeechStarted(item_id="u1"), ev.SpeechStopped(item_id="u1"), ev.InputCommitted(item_id="u1")
    )
    assert not sent(effects, ev.ResponseCreate)
    line = talk.c.transcript.line("u1")
    assert line is not None
    assert line.text == "where is my order"
    assert len(sent(talk.speech("u2", "hello?"), ev.ResponseCreate)) == 1, "nothing waits for its end"


def test_an_mhm_whose_item_comes_behind_its_words_is_taken_back():
    talk = asked()
    talk.reply("r1", "a1", "word " * 20, 4000)
    talk.wait(1000)
    talk.give(ev.SpeechStarted(item_id="u2"))
    talk.wait(700)
    effects = talk.give(
        ev.SpeechStopped(item_id="u2", audio_end_ms=1000),
        ev.TranscriptionCompleted(item_id="u2", transcript="mhm"),
        ev.InputCommitted(item_id="u2"),
    )
    assert [e.item_id for e in sent(effects, ev.ItemDelete)] == ["u2"]
    assert not sent(effects, ev.ResponseCreate)


# --- late -------------------------------------------------------------------------------------------------


def test_sound_of_another_response_is_not_played():
    talk = asked()
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    talk.speech("u2", "and then?")
    talk.give(created("r2"))
    effects = talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(200)))
    assert not of(effects + talk.wait(2000), fx.Play)


def test_late_words_of_one_reply_do_not_take_the_words_of_the_next():
    talk = asked()
    talk.reply("r1", "a1", "One moment", 3000, done=False)
    talk.give(done("r1"), fx.Typed("go on"), created("r2"))
    talk.give(ev.OutputTranscriptDelta(item_id="a2", response_id="r2", delta="Your order "))
    talk.give(ev.OutputTranscriptDone(item_id="a1", response_id="r1", transcript="One moment please."))
    talk.give(ev.OutputTranscriptDelta(item_id="a2", response_id="r2", delta="is here."))
    line = talk.c.transcript.line("a2")
    assert line is not None
    assert line.text == "Your order is here."


def test_words_that_come_behind_the_end_of_their_response_are_still_shown():
    talk = asked()
    talk.give(created("r1"), ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(2000)))
    talk.wait(500)
    talk.give(done("r1"))
    talk.give(ev.OutputTranscriptDone(item_id="a1", response_id="r1", transcript="It is on its way."))
    assert captions(talk.wait(3000))[-1].heard == "It is on its way."


def test_the_beginning_of_a_response_may_be_missing():
    talk = asked()
    effects = talk.give(
        ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta="Hello there."),
        ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(300)),
    )
    assert played_ms(effects) == 300
    talk.give(done("r1"))
    talk.wait(1000)
    assert len(sent(talk.speech("u2", "hello"), ev.ResponseCreate)) == 1


def test_a_doomed_response_whose_beginning_is_missing_is_cancelled_and_not_heard():
    talk = asked()
    talk.give(fx.Stopped())
    effects = talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(300)))
    assert [e.response_id for e in sent(effects, ev.ResponseCancel)] == ["r1"]
    effects = talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(300)))
    assert effects == []
    assert not of(talk.wait(500), fx.Play)


def test_a_server_without_response_ids_is_heard_again_after_an_interruption():
    talk = asked()
    talk.give(ev.ResponseCreated(response=ev.Response()))
    talk.give(ev.OutputAudioDelta(item_id="a1", delta=sound(500)), fx.Stopped())
    assert not of(talk.give(ev.OutputAudioDelta(item_id="a1", delta=sound(500))), fx.Play)
    talk.give(ev.ResponseDone(response=ev.Response(status="cancelled")), fx.Typed("hello?"))
    talk.give(ev.ResponseCreated(response=ev.Response()))
    talk.give(ev.OutputTranscriptDelta(item_id="a2", delta="Hello again."))
    assert of(talk.give(ev.OutputAudioDelta(item_id="a2", delta=sound(200))), fx.Play)


# --- never ------------------------------------------------------------------------------------------------


def test_a_session_that_never_begins_the_reply_is_replaced_and_asked_once():
    talk = asked()
    effects = talk.wait(11_000)
    assert of(effects, fx.Disconnect)
    assert of(effects, fx.Connect)
    assert not sent(effects, ev.ResponseCreate), "never two in one session"
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_reply_of_which_nothing_more_comes_is_asked_again_of_a_fresh_session():
    talk = asked()
    talk.reply("r1", "a1", "Let me", 400, done=False)
    assert not of(talk.wait(25_000), fx.Disconnect)
    assert of(talk.wait(6_000), fx.Disconnect)
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_sessions_that_never_reply_are_given_up_with_a_sentence():
    talk = asked()
    for _ in range(4):
        talk.wait(11_000)
        talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert len(sent(talk.effects, ev.ResponseCreate)) == 4
    assert any("could not answer" in str(e.shown) for e in of(talk.effects, fx.Show))


def test_speech_that_never_ends_does_not_hold_up_what_was_typed():
    talk = asked()
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    talk.give(ev.SpeechStarted(item_id="noise"))
    assert len(sent(talk.give(fx.Typed("hello?")), ev.ResponseCreate)) == 1


def test_a_retry_that_is_held_up_does_not_wake_the_call_over_and_over():
    talk = asked()
    talk.give(ev.ErrorReceived(error=ev.ErrorDetails(code="server_error", event_id="ask_1")))
    talk.give(ev.SpeechStarted(item_id="u2"))
    talk.wait(3000)
    due = wake_at(talk.c, talk.now)
    assert due is not None
    assert due > talk.now


def test_an_error_about_something_else_leaves_the_reply_in_flight():
    talk = asked()
    talk.give(ev.ErrorReceived(error=ev.ErrorDetails(code="invalid_value", message="too long")))
    assert not sent(talk.give(fx.ReplyAsked()), ev.ResponseCreate)


def test_an_error_about_a_reply_that_was_cut_off_does_not_ask_for_it_again():
    talk = asked()
    talk.give(fx.Stopped())
    talk.give(ev.ErrorReceived(error=ev.ErrorDetails(code="server_error", event_id="ask_1")))
    assert not sent(talk.wait(5000), ev.ResponseCreate)


# --- the vendor's turns -----------------------------------------------------------------------------------


def test_with_vendor_turns_the_desk_asks_only_for_what_the_vendor_cannot_know():
    talk = Talk(Rules(vendor_turns=True)).live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r2", "a2", proposal().read_back, 3000)
    talk.wait(4000)
    assert not sent(talk.speech("u2", "how much is that"), ev.ResponseCreate), "the vendor answers this"
    talk.give(created("r3"), done("r3"))
    talk.speech("u3", "yes")
    effects = talk.give(
        fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now"))
    )
    assert len(sent(effects, ev.ResponseCreate)) == 1


# --- proposals and tools ----------------------------------------------------------------------------------


def test_a_proposal_made_while_another_is_carried_out_waits_for_it():
    talk = asked()
    talk.give(created("r1"))
    for call_id in ("c1", "c5"):
        talk.give(ev.ArgumentsDone(item_id=call_id, response_id="r1", call_id=call_id, name="x"))
    talk.tool_done("c1", ToolResult("?", proposal=proposal()))
    talk.give(fx.Pressed("prop_1", "yes"))
    talk.tool_done("c5", ToolResult("?", proposal=proposal(id="prop_2", subject="1004")))
    talk.give(fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now")))
    assert [(one.action, one.subject) for one in talk.c.done] == [("cancel_order", "1005")]
    assert talk.c.pending is not None
    assert talk.c.pending.proposal.id == "prop_2"
    assert not talk.c.pending.settling


def test_an_answer_that_was_carried_out_twice_is_told_once():
    talk = asked().propose()
    talk.give(fx.Pressed("prop_1", "yes"))
    settled = fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now"))
    assert notes(talk.give(settled, settled)).count("R-1") == 1


def test_past_its_limit_a_call_runs_no_more_tools():
    talk = Talk(Rules(max_tool_calls=2)).live()
    talk.speech("u1", "hello")
    talk.give(created("r1"))
    for n in range(5):
        talk.give(ev.ArgumentsDone(item_id=f"i{n}", response_id="r1", call_id=f"c{n}", name="f"))
    assert len(of(talk.effects, fx.RunTool)) == 2
    assert talk.c.ends == "tool limit"


def test_the_result_of_a_tool_that_comes_after_the_hang_up_is_nobodys():
    talk = asked()
    talk.call_tool("r1", "c1", "f")
    effects = talk.give(fx.HungUp("bye"))
    assert [e.tool_call_id for e in of(effects, fx.CancelTool)] == ["c1"]
    assert talk.tool_done("c1", ToolResult("late")) == []
