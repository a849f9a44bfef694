"""A session that refuses what it is asked for is asked for less, and never spoken to as it is by default."""

import pytest

from helpline.call import effects as fx
from helpline.call.conversation import Rules
from helpline.realtime import events as ev
from tests.call.talk import Talk, of, sent

ASKED = ev.SessionSettings(
    voice="marin",
    instructions="Be kind.",
    turn_detection=ev.SemanticVad(eagerness="low"),
    transcription=ev.Transcription(model="whisper", keywords=("1004",)),
    noise_reduction="near_field",
    speed=0.8,
    reasoning_effort="low",
    truncation="auto",
    tools=({"type": "function", "name": "check_order_status"},),
)


def opened() -> Talk:
    talk = Talk()
    talk.give(fx.VoiceStarted(), fx.Opened("test", ASKED))
    return talk


def refused(param: str | None, message: str = "", code: str = "unknown_parameter") -> ev.ErrorReceived:
    return ev.ErrorReceived(
        error=ev.ErrorDetails(type="invalid_request_error", code=code, param=param, message=message)
    )


@pytest.mark.parametrize(
    ("param", "name"),
    [
        ("session.reasoning", "reasoning_effort"),
        ("session.reasoning_effort", "reasoning_effort"),
        ("session.audio.output.speed", "speed"),
        ("session.truncation", "truncation"),
        ("session.audio.input.noise_reduction.type", "noise_reduction"),
        ("session.input_audio_noise_reduction", "noise_reduction"),
        ("session.audio.output.voice", "voice"),
        ("session.voice", "voice"),
    ],
)
def test_what_is_refused_is_left_out_and_the_rest_asked_again(param: str, name: str) -> None:
    talk = opened()
    effects = talk.give(refused(param))
    (update,) = sent(effects, ev.SessionUpdate)
    left_out = [
        field for field in ASKED.__struct_fields__ if getattr(update.session, field) != getattr(ASKED, field)
    ]
    assert left_out == [name]
    assert [one.fact.kind for one in of(effects, fx.Record)] == ["error", "setting_refused"]
    assert not of(effects, fx.Disconnect)
    assert not talk.c.may_listen
    talk.give(ev.SessionUpdated())
    assert talk.c.may_listen


def test_a_server_that_names_the_field_in_its_message_alone() -> None:
    effects = opened().give(refused(None, "Unknown parameter: 'session.reasoning'.", "invalid_request_error"))
    assert sent(effects, ev.SessionUpdate)


def test_one_refusal_after_the_other() -> None:
    talk = opened()
    for param in ("session.reasoning", "session.audio.output.speed", "session.truncation"):
        assert sent(talk.give(refused(param)), ev.SessionUpdate)
    assert sent(talk.effects, ev.SessionUpdate)[-1].session.tools == ASKED.tools
    assert of(talk.give(refused("session.truncation")), fx.Disconnect), "it was not even asked"


def test_turns_and_words_are_asked_for_in_their_plainest_form() -> None:
    talk = opened()
    talk.give(refused("session.audio.input.turn_detection.eagerness"))
    talk.give(refused("session.audio.input.transcription.keywords"))
    asked = sent(talk.effects, ev.SessionUpdate)[-1].session
    assert asked.turn_detection == ev.ServerVad()
    assert asked.transcription == ev.Transcription(model="whisper")


@pytest.mark.parametrize("param", ["session.tools", "session.instructions", "session.type", None])
def test_what_a_call_cannot_do_without_makes_the_next_backend_answer(param: str | None) -> None:
    effects = opened().give(refused(param))
    assert of(effects, fx.Disconnect)
    assert not sent(effects, ev.SessionUpdate)


def test_the_next_session_is_asked_for_everything_again() -> None:
    talk = opened()
    talk.give(refused("session.reasoning"), ev.SessionUpdated(), fx.Lost("gone"))
    effects = talk.give(fx.Opened("other", ASKED))
    assert sent(effects, ev.SessionUpdate)[0].session == ASKED


# --- a model that has to call a tool ---------------------------------------------------------------------


def test_a_model_that_must_call_a_tool_may_speak_once_it_has() -> None:
    talk = Talk()
    must = ev.SessionSettings(tool_choice="required")
    talk.give(fx.VoiceStarted(), fx.Opened("test", must), ev.SessionUpdated())
    (first,) = sent(talk.speech("item_1", "Where is my order?"), ev.ResponseCreate)
    assert first.response.tool_choice is None
    talk.call_tool("resp_1", "call_1", "check_order_status")
    (second,) = sent(talk.give(fx.ToolFinished("call_1", fx.ToolResult("On its way."))), ev.ResponseCreate)
    assert second.response.tool_choice == "auto"
    talk.reply("resp_2", "item_2", "It is on its way.", 1000)
    talk.wait(1500)
    asked = sent(talk.wait(35_000), ev.ResponseCreate)
    assert asked[0].response.tool_choice == "auto", "the desk asks whether they are still there"


def test_in_text_alone_spoken_questions_are_answered_in_text() -> None:
    talk = Talk(Rules(speaks=False)).live()
    (asked,) = sent(talk.speech("item_1", "Where is my order?"), ev.ResponseCreate)
    assert asked.response.output_modalities == ("text",)
