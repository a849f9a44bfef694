"""Sessions that are lost: what goes on, what is asked again, what the next session is told and hears."""

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import wake_at
from helpline.realtime import events as ev

from .talk import Talk, of, played_ms, proposal, sent, sound


def reopen(talk: Talk) -> list[fx.Effect]:
    return talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())


def told(effects: list[fx.Effect]) -> list[str]:
    items = [event.item for event in sent(effects, ev.ItemCreate)]
    return [item.content[0].text or "" if item.content else item.type or "" for item in items]


def test_speech_that_was_being_heard_is_heard_again_by_the_next_session():
    talk = Talk().live()
    talk.give(ev.SpeechStarted(item_id="u1"))
    talk.wait(900)
    (again,) = of(talk.give(fx.Lost("gone")), fx.Rehear)
    assert again.ms == 1200, "with the padding before it"
    assert not sent(reopen(talk), ev.ResponseCreate), "it has not been answered by itself"
    assert len(sent(talk.speech("u2", "where is my order"), ev.ResponseCreate)) == 1
    assert [line.id for line in talk.c.transcript.lines] == ["u2"]


def test_an_utterance_whose_words_had_not_come_is_heard_again_instead_of_answered_blindly():
    talk = Talk().live()
    talk.speech("u1", None)
    effects = talk.give(fx.Lost("gone"))
    assert of(effects, fx.Rehear)
    assert not sent(reopen(talk), ev.ResponseCreate)


def test_an_utterance_whose_words_are_known_is_told_and_answered():
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    assert not of(talk.give(fx.Lost("gone")), fx.Rehear)
    effects = reopen(talk)
    assert told(effects) == ["where is my order"]
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_an_answer_that_failed_for_want_of_quota_is_asked_of_the_next_backend():
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    error = ev.ErrorDetails(code="insufficient_quota")
    details = ev.StatusDetails(error=error)
    effects = talk.give(
        ev.ResponseDone(response=ev.Response(id="r1", status="failed", status_details=details))
    )
    assert len(of(effects, fx.Disconnect)) == 1
    assert not sent(effects, ev.ResponseCreate), "the one without quota is not asked again"
    talk.give(fx.Lost("no quota"))
    assert len(sent(reopen(talk), ev.ResponseCreate)) + len(sent(talk.wait(100), ev.ResponseCreate)) == 1


def test_words_that_have_led_to_a_tool_are_not_heard_again():
    talk = Talk().live()
    talk.speech("u1", None)
    talk.call_tool("r1", "c1", "cancel_order")
    assert not of(talk.give(fx.Lost("gone")), fx.Rehear)
    talk.tool_done("c1", ToolResult("Which one?"))
    effects = reopen(talk)
    assert told(effects) == ["function_call", "function_call_output"]
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_reply_that_was_stopped_is_not_asked_for_again():
    talk = Talk().live()
    talk.speech("u1", "tell me everything")
    talk.give(fx.Stopped(), fx.Lost("gone"))
    assert not sent(reopen(talk), ev.ResponseCreate)


def test_sound_whose_words_never_came_is_not_let_go_by_a_drop():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta="Sure. I have cancelled"),
        ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(3000)),
    )
    talk.give(fx.Lost("gone"))
    talk.wait(5000)
    assert played_ms(talk.effects) <= 6 * 40, "no more than the words before the claim"
    line = talk.c.transcript.line("a1")
    assert line is not None
    assert "cancelled" not in line.text


def test_an_answer_being_carried_out_is_told_to_the_next_session():
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    talk.reply("r2", "a2", proposal().read_back, 3000)
    talk.wait(4000)
    talk.speech("u2", "yes")
    assert len(of(talk.effects, fx.Settle)) == 1
    talk.give(fx.Lost("gone"))
    assert not sent(reopen(talk), ev.ResponseCreate), "not before it is known what became of it"
    effects = talk.give(
        fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now"))
    )
    assert "R-1" in told(effects)[0]
    assert len(sent(effects, ev.ResponseCreate)) == 1
    talk.give(fx.Lost("gone"))
    assert sum("R-1" in text for text in told(reopen(talk))) == 1


def test_an_answer_carried_out_while_the_line_was_down_is_in_the_context():
    talk = Talk().live()
    talk.propose()
    talk.give(fx.Pressed("prop_1", "yes"), fx.Lost("gone"))
    talk.give(fx.Settled("prop_1", receipt=Receipt("R-1", "prop_1", "cancel_order", "Done.", "now")))
    effects = reopen(talk)
    assert sum("R-1" in text for text in told(effects)) == 1
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_proposal_waits_on_through_a_drop():
    talk = Talk().live()
    talk.propose()
    talk.reply("r2", "a2", proposal().read_back, 3000)
    talk.wait(4000)
    talk.give(fx.Lost("gone"))
    reopen(talk)
    effects = talk.speech("u2", "yes please")
    assert [settle.answer for settle in of(effects, fx.Settle)] == ["yes"]


def test_a_read_back_that_broke_off_before_it_named_the_order_counts_for_no_yes():
    talk = Talk().live()
    talk.propose()
    talk.reply("r2", "a2", proposal().read_back, 600, done=False)
    talk.give(fx.Lost("gone"))
    talk.wait(2000)
    reopen(talk)
    assert not of(talk.speech("u2", "yes"), fx.Settle)


def test_settings_that_changed_while_a_session_was_being_configured_reach_it():
    talk = Talk()
    talk.give(fx.VoiceStarted(), fx.Opened("test", ev.SessionSettings()))
    effects = talk.give(fx.SessionChanged(ev.SessionSettings(instructions="new")))
    assert [e.session.instructions for e in sent(effects, ev.SessionUpdate)] == ["new"]


def test_a_server_whose_clock_is_wrong_does_not_make_us_replace_sessions_for_ever():
    talk = Talk()
    talk.give(
        fx.VoiceStarted(),
        fx.Opened("test", ev.SessionSettings(), wall_s=2_000_000.0),
        ev.SessionCreated(session=ev.Session(expires_at=1_000_000)),
        ev.SessionUpdated(),
    )
    due = wake_at(talk.c, talk.now)
    assert due is not None
    assert due > talk.now + 1000
    assert not of(talk.wait(20_000), fx.Disconnect)


def test_a_busy_server_that_refuses_the_session_is_tried_again():
    talk = Talk()
    talk.give(fx.VoiceStarted(), fx.Opened("test", ev.SessionSettings()))
    effects = talk.give(ev.ErrorReceived(error=ev.ErrorDetails(code="server_error")))
    assert [e.reason for e in of(effects, fx.Disconnect)] == [""]
    assert of(effects, fx.Connect)
    assert talk.c.voice


def test_ids_of_another_session_mean_something_else():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello.", 300)
    talk.wait(1000)
    talk.give(fx.Lost("gone"))
    reopen(talk)
    talk.speech("u2", "again")
    assert of(talk.reply("r1", "a2", "Hello again.", 300), fx.Play)


def test_voice_that_was_switched_off_ends_the_spoken_reply_in_flight():
    talk = Talk().live()
    talk.speech("u1", "tell me everything")
    talk.give(fx.VoiceEnded())
    effects = talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")))
    assert sent(effects, ev.ResponseCancel)
    assert not of(talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(500))), fx.Play)


def test_voice_switched_on_twice_cuts_nothing():
    talk = Talk().live()
    assert not sent(talk.give(fx.VoiceStarted()), ev.InputClear)
