"""Turn-taking and barge-in: what interrupts, what does not, and what upstream is told of it."""

from helpline.call import effects as fx
from helpline.call.conversation import Rules, state_of
from helpline.call.playout import sounds_until_ms
from helpline.realtime import events as ev

from .talk import Talk, captions, of, played_ms, sent, sound


def test_an_utterance_asks_for_exactly_one_reply():
    talk = Talk().live()
    effects = talk.speech("u1", "where is my order")
    assert len(sent(effects, ev.ResponseCreate)) == 1
    assert sent(effects, ev.ResponseCreate)[0].response.output_modalities == ("audio",)
    effects = talk.reply("r1", "a1", "It is on its way.", 2000)
    assert not sent(effects, ev.ResponseCreate)


def test_sound_is_sent_at_most_a_second_ahead_of_what_is_heard():
    talk = Talk().live()
    talk.speech("u1", "hello")
    effects = talk.reply("r1", "a1", "word " * 20, 6000)
    assert played_ms(effects) == 1000
    effects = talk.wait(2000)
    assert 1500 <= played_ms(effects) <= 2000
    talk.wait(6000)
    assert played_ms(talk.effects) == 6000
    assert state_of(talk.c)[0] == "listening"


def test_words_commit_an_interruption():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000)
    talk.wait(2150)
    talk.effects.clear()
    effects = talk.give(ev.SpeechStarted(item_id="u2", audio_start_ms=0))
    assert of(effects, fx.ClearPlayback), "playback is silenced at once"
    assert not sent(effects, ev.ItemTruncate), "but nothing is cut before words are known"
    talk.wait(400)
    effects = talk.give(ev.TranscriptionDelta(item_id="u2", delta="wait a moment"))
    (truncate,) = sent(effects, ev.ItemTruncate)
    assert truncate.item_id == "a1"
    assert 1500 <= truncate.audio_end_ms <= 2150
    assert not sent(effects, ev.ResponseCancel), "the response was done long ago"
    assert not of(talk.wait(5000), fx.Play)
    line = talk.c.transcript.line("a1")
    assert line is not None
    assert line.final
    assert 0 < len(line.heard) < len(line.text)


def test_mhm_lets_the_reply_go_on_as_a_new_track_without_losing_a_sample():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 4000)
    talk.wait(1500)
    before = of(talk.effects, fx.Play)
    effects = talk.speech("u2", "mhm", ms=300)
    assert [e.item_id for e in sent(effects, ev.ItemDelete)] == ["u2"]
    assert not sent(effects, ev.ResponseCreate)
    assert not sent(effects, ev.ItemTruncate)
    tracks = {e.track for e in of(effects, fx.Play)}
    assert tracks
    assert not tracks & {e.track for e in before}
    talk.wait(6000)
    line = talk.c.transcript.line("a1")
    assert line is not None
    assert line.final
    assert line.heard == line.text


def test_a_cough_with_no_words_lets_the_reply_go_on():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 4000)
    talk.wait(1000)
    effects = talk.speech("u2", "", ms=200)
    assert of(effects, fx.Play)
    assert not sent(effects, ev.ResponseCreate)


def test_long_speech_interrupts_before_its_words_are_known():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000)
    talk.wait(1000)
    talk.give(ev.SpeechStarted(item_id="u2", audio_start_ms=0))
    effects = talk.wait(2000)
    assert sent(effects, ev.ItemTruncate)


def test_words_whose_sound_has_not_come_are_taken_back_by_an_interruption():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")),
        ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta="Your order "),
    )
    effects = talk.give(fx.Typed("stop"))
    assert [e.item_id for e in sent(effects, ev.ItemDelete)] == ["a1"]
    line = talk.c.transcript.line("a1")
    assert line is not None
    assert line.final
    assert line.heard == ""


def test_without_transcription_length_decides():
    for ms, cut in ((300, False), (700, True)):
        talk = Talk().live(transcribes=False)
        talk.speech("u1", None)
        talk.reply("r1", "a1", "word " * 20, 6000)
        talk.wait(1000)
        effects = talk.speech("u2", None, ms=ms)
        assert bool(sent(effects, ev.ItemTruncate)) is cut


def test_an_interruption_while_still_generating_cancels_and_late_deltas_die():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 3000, done=False)
    talk.wait(800)
    effects = talk.speech("u2", "stop please")
    assert [e.response_id for e in sent(effects, ev.ResponseCancel)] == ["r1"]
    assert not sent(effects, ev.ResponseCreate), "not before the cancelled response is done"
    effects = talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(1000)))
    assert not of(effects, fx.Play)
    effects = talk.give(ev.ResponseDone(response=ev.Response(id="r1", status="cancelled")))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_reply_that_was_not_heard_at_all_is_deleted_rather_than_truncated_at_zero():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 3000)
    effects = talk.speech("u2", "no wait")
    assert [e.item_id for e in sent(effects, ev.ItemDelete)] == ["a1"]
    assert not sent(effects, ev.ItemTruncate)


def test_a_fully_heard_reply_is_left_alone():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "All right.", 1000)
    talk.wait(3000)
    effects = talk.speech("u2", "and another thing")
    assert not sent(effects, ev.ItemTruncate)
    assert not sent(effects, ev.ItemDelete)
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_reply_asked_for_but_not_yet_named_is_cancelled_when_it_is():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.speech("u2", "no forget that")
    effects = talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")))
    assert [e.response_id for e in sent(effects, ev.ResponseCancel)] == ["r1"]
    effects = talk.give(ev.ResponseDone(response=ev.Response(id="r1", status="cancelled")))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_lines_stand_in_the_order_of_speech_whatever_order_their_words_arrive_in():
    talk = Talk().live()
    talk.speech("u1", None)
    talk.reply("r1", "a1", "Let me see.", 1000)
    talk.give(ev.TranscriptionCompleted(item_id="u1", transcript="where is my order"))
    assert [line.text for line in talk.c.transcript.lines] == ["where is my order", "Let me see."]


def test_the_channels_report_moves_what_counts_as_heard_and_cannot_exceed_what_was_sent():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000)
    track = of(talk.effects, fx.Play)[0].track
    talk.give(fx.Played(track, 999_999))
    assert talk.c.playout.heard <= talk.c.playout.sent <= talk.c.playout.received
    talk.give(fx.Played(track, -5), fx.Played("nonsense", 100))
    assert talk.c.playout.heard <= talk.c.playout.sent


def test_typed_text_interrupts_and_is_answered_in_sound_while_voice_is_on():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000)
    talk.wait(1000)
    effects = talk.give(fx.Typed("where is order 1004"))
    assert of(effects, fx.ClearPlayback)
    assert sent(effects, ev.ItemTruncate)
    assert sent(effects, ev.ResponseCreate)[0].response.output_modalities == ("audio",)


def test_typed_text_without_voice_connects_by_itself_and_is_answered_in_text():
    talk = Talk()
    effects = talk.give(fx.Typed("where is order 1004"))
    assert of(effects, fx.Connect)
    effects = talk.give(fx.Opened("test", ev.SessionSettings()))
    assert not sent(effects, ev.ItemCreate), "nothing before the session is configured"
    effects = talk.give(ev.SessionUpdated())
    assert sent(effects, ev.ItemCreate)[0].item.content[0].text == "where is order 1004"
    assert sent(effects, ev.ResponseCreate)[0].response.output_modalities == ("text",)
    talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputTextDelta(item_id="a1", response_id="r1", delta="On its way."),
    )
    effects = talk.give(ev.ResponseDone(response=ev.Response(id="r1", status="completed")))
    assert captions(effects)[-1].final
    assert captions(effects)[-1].heard == "On its way."


def test_stop_silences_the_reply_and_asks_for_no_other():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000, done=False)
    talk.wait(1000)
    effects = talk.give(fx.Stopped())
    assert of(effects, fx.ClearPlayback)
    assert sent(effects, ev.ResponseCancel)
    effects = talk.give(ev.ResponseDone(response=ev.Response(id="r1", status="cancelled")))
    assert not sent(effects, ev.ResponseCreate)
    assert not of(talk.wait(9000), fx.Play)


def test_an_idle_connection_is_closed_after_voice_has_ended_and_opened_again_when_needed():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello.", 500)
    talk.wait(2000)
    talk.give(fx.VoiceEnded())
    assert of(talk.wait(1500), fx.Disconnect)
    assert of(talk.give(fx.Typed("still there?")), fx.Connect)
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    said = [e.item.content[0].text for e in sent(effects, ev.ItemCreate)]
    assert said == ["hello", "Hello.", "still there?"]


def texts(effects: list[fx.Effect]) -> list[str]:
    return [e.item.content[0].text for e in sent(effects, ev.ItemCreate)]


def test_a_lost_connection_is_asked_for_again_and_told_what_was_heard_once_it_was():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "one two three four five six seven eight nine ten", 4000, done=False)
    talk.wait(1000)
    effects = talk.give(fx.Lost("gone"))
    assert of(effects, fx.Connect)
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert texts(effects) == ["hello"]
    assert not sent(effects, ev.ResponseCreate), "what has been received still sounds"
    effects = talk.wait(4000)
    assert texts(effects) == ["one two three four five six seven eight nine ten"]
    assert len(sent(effects, ev.ResponseCreate)) == 1, "then the reply that was cut is asked for again"


def test_words_ahead_of_the_sound_of_a_reply_that_broke_off_do_not_count_as_heard():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "I can cancel order 1005 and refund 84 dollars, shall I?", 1000, done=False)
    talk.give(fx.Lost("gone"), fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    (heard,) = texts(talk.wait(3000))
    assert heard.startswith("I can")
    assert "1005" not in heard


def test_an_interruption_of_what_the_session_before_said_is_told_in_words():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "one two three four five six seven eight nine ten", 6000)
    talk.wait(1500)
    talk.give(fx.Lost("gone"), fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    talk.wait(500)
    effects = talk.give(fx.Typed("stop"))
    assert not sent(effects, ev.ItemTruncate), "this session has no such item"
    heard, typed = texts(effects)
    assert "one two".startswith(heard[:7])
    assert "ten" not in heard
    assert typed == "stop"


def test_no_backend_at_all_is_said_once_and_tried_no_more():
    talk = Talk()
    talk.give(fx.VoiceStarted())
    effects = talk.give(fx.Lost("No backend answers.", hopeless=True))
    assert not of(effects, fx.Connect)
    (asked,) = of(effects, fx.Pronounce)
    assert not of(talk.give(fx.Pronounced(asked.line_id, "", b"")), fx.Connect)
    assert not talk.c.voice
    assert state_of(talk.c)[0] == "idle"


def test_a_server_that_never_stops_talking_is_not_kept_whole():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello.", 1000, done=False)
    for _ in range(30):
        talk.give(ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(30_000)))
    kept = sum(len(chunk.pcm) for chunk in talk.c.playout.unsent)
    assert kept <= 631_000 * 48
    effects = talk.give(fx.Stopped())
    assert sent(effects, ev.ResponseCancel)


def test_a_server_that_reports_speech_without_end_is_not_kept_whole_and_the_customer_still_heard():
    talk = Talk().live()
    for number in range(500):
        talk.give(ev.SpeechStarted(item_id=f"noise_{number}", audio_start_ms=number))
    assert len(talk.c.utterances) <= 40
    assert len(talk.c.wordless) <= 40
    assert len(talk.c.transcript.entries) <= 40
    talk.speech("u1", "where is my order")
    talk.wait(70_000)
    assert sent(talk.effects, ev.ResponseCreate)


def test_after_hang_up_nothing_happens():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "word " * 20, 6000)
    effects = talk.give(fx.HungUp("bye"))
    assert of(effects, fx.HangUp)
    assert of(effects, fx.ClearPlayback)
    assert talk.reply("r2", "a2", "more", 500) == []
    assert talk.wait(10_000) == []


def test_vendor_turn_taking_leaves_asking_to_the_vendor():
    talk = Talk(Rules(vendor_turns=True)).live()
    assert not sent(talk.speech("u1", "hello"), ev.ResponseCreate)
    talk.reply("r1", "a1", "word " * 20, 6000)
    talk.wait(1000)
    effects = talk.give(ev.SpeechStarted(item_id="u2", audio_start_ms=0))
    assert of(effects, fx.ClearPlayback)
    assert sent(effects, ev.ItemTruncate)


def test_a_turn_is_timed_from_the_end_of_speech_to_the_first_sound():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.wait(120)
    talk.reply("r1", "a1", "Hello.", 500)
    (timed,) = [e.fact for e in of(talk.effects, fx.Record) if isinstance(e.fact, fx.TurnTimed)]
    assert timed == fx.TurnTimed(620, True)


def test_sound_lasts_until_all_that_was_sent_has_been_heard():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello, how can I help?", 600)
    ends = sounds_until_ms(talk.c.playout)
    assert ends >= talk.now + 600
    talk.wait(400)
    assert sounds_until_ms(talk.c.playout) == ends
