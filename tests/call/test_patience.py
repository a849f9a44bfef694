"""Silence, dead air, limits, and sessions about to expire."""

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Rules, state_of
from helpline.realtime import events as ev

from .talk import Talk, notes, of, sent


def prompted(talk: Talk, n: int) -> None:
    """The model speaks what the desk asked it to."""
    talk.reply(f"p{n}", f"ap{n}", "Are you still there?", 1000)
    talk.wait(1500)


def test_a_silent_caller_is_asked_twice_then_hung_up_after_a_goodbye():
    talk = Talk().live()
    for n in range(2):
        effects = talk.wait(31_000)
        assert "still there" in notes(effects)
        assert len(sent(effects, ev.ResponseCreate)) == 1
        prompted(talk, n)
    effects = talk.wait(31_000)
    assert "hang up" in notes(effects)
    assert not of(effects, fx.HangUp), "not before the goodbye was heard"
    prompted(talk, 9)
    assert talk.c.closed


def test_any_word_of_the_caller_starts_the_patience_anew():
    talk = Talk().live()
    for n in range(6):
        talk.wait(25_000)
        talk.speech(f"u{n}", "let me think")
        talk.reply(f"r{n}", f"a{n}", "Take your time.", 500)
    assert not notes(talk.effects)


def test_on_a_noisy_line_words_decide_not_speech():
    talk = Talk().live()
    effects = talk.give(ev.SpeechStarted(item_id="noise", audio_start_ms=0)) + talk.wait(40_000)
    assert not notes(effects), "somebody may be speaking"
    effects = talk.wait(30_000)
    assert "still there" in notes(effects)
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_typed_conversation_is_never_hung_up_for_silence():
    talk = Talk()
    talk.give(fx.Typed("hello"))
    talk.live(voice=False)
    talk.reply("r1", "a1", "Hello.", 100)
    talk.wait(600_000)
    assert not talk.c.closed


def test_dead_air_while_a_tool_runs_is_bridged_once_and_the_answer_follows():
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    talk.call_tool("r1", "c1", "slow")
    assert not sent(talk.wait(3000), ev.ResponseCreate)
    (bridge,) = sent(talk.wait(2000), ev.ResponseCreate)
    assert bridge.response.tool_choice == "none"
    assert "One moment" in bridge.response.instructions
    talk.reply("r2", "a2", "One moment, please.", 1000)
    assert not sent(talk.wait(30_000), ev.ResponseCreate), "once"
    effects = talk.tool_done("c1", ToolResult("On its way."))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_quick_tool_is_not_bridged():
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    talk.call_tool("r1", "c1", "quick")
    talk.wait(500)
    talk.tool_done("c1", ToolResult("On its way."))
    talk.reply("r2", "a2", "On its way.", 1000)
    assert len(sent(talk.effects, ev.ResponseCreate)) == 2


def expiring(talk: Talk, in_s: int) -> Talk:
    talk.give(
        fx.VoiceStarted(),
        fx.Opened("test", ev.SessionSettings(), wall_s=1_000_000.0),
        ev.SessionCreated(session=ev.Session(expires_at=1_000_000 + in_s)),
        ev.SessionUpdated(),
    )
    return talk


def test_a_session_is_replaced_before_it_expires_at_a_quiet_moment():
    talk = expiring(Talk(Rules(idle_ms=10**9)), 3600)
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello.", 500)
    effects = talk.wait(3_400_000)
    assert not of(effects, fx.Disconnect)
    effects = talk.wait(100_000)
    assert len(of(effects, fx.Disconnect)) == 1
    assert of(effects, fx.Connect)
    effects = expiring(talk, 3600).effects
    assert [e.item.content[0].text for e in sent(effects[-8:], ev.ItemCreate)] == ["hello", "Hello."]


def test_a_session_is_not_replaced_in_the_middle_of_a_reply():
    talk = expiring(Talk(Rules(idle_ms=10**9)), 60)
    talk.wait(44_000)
    talk.speech("u1", "tell me everything")
    talk.reply("r1", "a1", "word " * 60, 20_000)
    assert not of(talk.wait(12_000), fx.Disconnect)


def test_a_call_ends_at_its_time_limit_with_a_sentence():
    talk = Talk(Rules(max_call_ms=60_000, idle_ms=10**9)).live()
    effects = talk.wait(61_000)
    assert "time limit" in notes(effects)
    talk.reply("r1", "a1", "Goodbye.", 500)
    talk.wait(2000)
    assert state_of(talk.c)[0] == "ended"


def test_a_model_that_calls_tools_for_ever_is_ended():
    talk = Talk(Rules(max_tool_calls=5)).live()
    talk.speech("u1", "hello")
    for n in range(7):
        talk.call_tool(f"r{n}", f"c{n}", "f")
        talk.tool_done(f"c{n}", ToolResult("again"))
        talk.give(fx.Ticked())
    assert talk.c.ends == "tool limit"
