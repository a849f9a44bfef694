"""No backend is left, or none finishes the last answer: the desk says the end in a voice of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from helpline.actions import Receipt, ToolResult
from helpline.audio.pcm import samples
from helpline.call import effects as fx
from helpline.call.conversation import Rules, state_of
from helpline.call.farewell import NOBODY
from helpline.call.replay import replay
from helpline.call.shown import Caption, Notice, ReceiptShown, StateShown
from helpline.channels.wav import WavChannel, line_to
from helpline.desk import open_desk
from helpline.errors import Trouble
from helpline.realtime import events as ev
from helpline.realtime import faults
from helpline.realtime.backends import UrlBackend
from helpline.realtime.cost import prices
from helpline.realtime.trace import open_trace, read_trace
from helpline.sentences import NOBODY_ANSWERS
from helpline.settings import load_settings
from helpline.settings_text import Secret

from .servers import Peer, Script, ScriptedBackend
from .talk import Talk, of, played_ms, sent, sound
from .test_driver import Host, driving

GONE = fx.Lost("The server refused the key (401): check KEY.", hopeless=True)


def pronounced(talk: Talk, ms: int = 2000) -> list[fx.Effect]:
    """The desk's own voice has done what it was asked."""
    (asked,) = of(talk.effects, fx.Pronounce)
    return talk.give(fx.Pronounced(asked.line_id, asked.ways[0], sound(ms)))


def ends(effects: list[fx.Effect]) -> list[str]:
    return [effect.reason for effect in of(effects, fx.HangUp)]


def test_the_last_sentence_is_heard_out_and_then_the_call_ends_with_the_reason():
    talk = Talk().live()
    effects = talk.give(GONE)
    (asked,) = of(effects, fx.Pronounce)
    assert "Goodbye" in asked.ways[0]
    assert [e.shown.kind for e in of(effects, fx.Show) if isinstance(e.shown, Notice)] == ["error"]
    assert not of(effects, fx.Connect)
    assert played_ms(pronounced(talk)) > 0
    assert not ends(talk.wait(1500)), "it is heard to its end"
    effects = talk.wait(3000)
    assert ends(effects) == [NOBODY]
    assert played_ms(talk.effects) == 2000
    (line,) = talk.c.transcript.lines
    assert (line.speaker, line.heard, line.final) == ("desk", asked.ways[0], True)
    assert [e.shown.detail for e in of(effects, fx.Show) if isinstance(e.shown, StateShown)][-1] == NOBODY
    facts = [e.fact for e in of(talk.effects, fx.Record) if isinstance(e.fact, fx.Incident)]
    assert fx.Incident("desk_voice", NOBODY) in facts


def test_what_was_received_before_is_heard_first():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello, how can I help you today?", 1500)
    assert not of(talk.give(GONE), fx.Pronounce)
    talk.wait(2500)
    pronounced(talk)
    talk.wait(4000)
    assert next(line for line in talk.c.transcript.lines if line.id == "a1").heard.startswith("Hello")
    assert talk.c.closed
    assert played_ms(talk.effects) == 3500


@pytest.mark.parametrize("trouble", ["away", "busy", "out_of_order"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_customer_is_told_the_desks_own_sentence_and_who_runs_it_the_reason(
    trouble: Trouble, language: str
):
    talk = Talk()
    lost = fx.Lost("Azure refused the key (401): check KEY.", hopeless=True, trouble=trouble)
    effects = talk.give(fx.LanguageChosen(language), fx.VoiceStarted(), lost)
    (notice,) = [e.shown for e in of(effects, fx.Show) if isinstance(e.shown, Notice)]
    assert notice.text == NOBODY_ANSWERS[trouble].in_(language)
    assert notice.reason == lost.reason


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (faults.of_status(401), "out_of_order"),
        (faults.of_status(429), "busy"),
        (faults.of_status(503), "away"),
        (faults.of_error("insufficient_quota"), "out_of_order"),
        (faults.of_error("rate_limit_exceeded"), "busy"),
        (faults.of_close(1006), "away"),
        (faults.of_close(1013), "busy"),
    ],
)
def test_what_a_fault_is_to_a_customer(fault: faults.Fault, trouble: str):
    assert fault.trouble == trouble


def test_a_language_of_its_own_comes_first_and_english_after_it():
    talk = Talk()
    talk.give(fx.LanguageChosen("zh-CN"), fx.VoiceStarted(), GONE)
    (asked,) = of(talk.effects, fx.Pronounce)
    assert asked.ways[0].endswith("再见。")
    assert asked.ways[1].endswith("Goodbye.")


def test_without_a_voice_the_notice_stays_and_the_call_goes_on_in_writing():
    talk = Talk().live()
    talk.give(GONE)
    (asked,) = of(talk.effects, fx.Pronounce)
    effects = talk.give(fx.Pronounced(asked.line_id, "", b""))
    assert not ends(effects)
    assert not talk.c.voice
    assert state_of(talk.c)[0] == "idle"
    assert of(talk.give(fx.Typed("are you there")), fx.Connect), "and is tried again"


def test_a_voice_that_never_comes_is_none():
    talk = Talk().live()
    talk.give(GONE)
    talk.wait(11_000)
    assert not talk.c.voice
    assert not talk.c.closed
    (asked,) = of(talk.effects, fx.Pronounce)
    assert not talk.give(fx.Pronounced(asked.line_id, asked.ways[0], sound(500))), "too late"


def test_a_typed_conversation_is_told_and_stays_open():
    talk = Talk().live(voice=False)
    talk.give(fx.Typed("where is my order"))
    effects = talk.give(GONE)
    assert not of(effects, fx.Pronounce)
    assert [e.shown.text for e in of(effects, fx.Show) if isinstance(e.shown, Notice)]
    assert not talk.c.closed


def test_a_limit_that_is_reached_while_nobody_answers_ends_with_its_own_sentence():
    talk = Talk(Rules(max_call_ms=60_000)).live()
    talk.give(fx.Lost("gone"))
    talk.wait(60_000)
    effects = talk.give(GONE)
    (asked,) = of(effects, fx.Pronounce)
    assert "time limit" in asked.ways[0]
    pronounced(talk)
    assert ends(talk.wait(4000)) == ["time limit"]


@pytest.mark.parametrize("own_voice", [True, False])
def test_a_limit_whose_sentence_the_model_fails_to_speak_is_spoken_by_the_desk(own_voice: bool):
    talk = Talk().live()
    talk.give(fx.LimitReached("time limit"))
    for tries in range(4):
        assert talk.c.reply.phase == "asked"
        response = ev.Response(id=f"f{tries}", status="failed")
        talk.give(ev.ResponseDone(response=response))
        talk.wait(9000)
    (asked,) = of(talk.effects, fx.Pronounce)
    if own_voice:
        assert "time limit" in asked.ways[0]
        pronounced(talk)
        talk.wait(3000)
        assert not sent(talk.effects, ev.ItemTruncate)
    else:
        talk.wait(11_000)
    assert ends(talk.effects) == ["time limit"]


def test_a_session_is_told_what_was_heard_of_a_goodbye_that_it_has_not_spoken():
    talk = Talk().live()
    talk.give(fx.LimitReached("time limit"))
    for tries in range(4):
        talk.give(ev.ResponseDone(response=ev.Response(id=f"f{tries}", status="failed")))
        talk.wait(9000)
    pronounced(talk, 8000)
    talk.wait(3000)
    effects = talk.give(fx.Stopped())
    assert not sent(effects, ev.ItemTruncate)
    (told,) = [event.item for event in sent(effects, ev.ItemCreate)]
    assert told.role == "assistant"


def test_a_limit_whose_sentence_was_spoken_is_not_spoken_twice():
    talk = Talk().live()
    talk.give(fx.LimitReached("money limit"))
    talk.reply("r1", "a1", "I have to end this call here.", 1000)
    talk.wait(3000)
    assert ends(talk.effects) == ["money limit"]
    assert not of(talk.effects, fx.Pronounce)


def test_a_change_that_was_confirmed_is_carried_out_and_told_before_the_goodbye():
    talk = Talk().live()
    talk.propose()
    talk.give(fx.Pressed("prop_1", "yes"))
    assert not of(talk.give(GONE), fx.Pronounce)
    receipt = Receipt("R-1", "prop_1", "cancel_order", "Order 1005 is cancelled.", "now")
    effects = talk.give(fx.Settled("prop_1", receipt=receipt))
    (asked,) = of(effects, fx.Pronounce)
    assert asked.ways[0].startswith("Order 1005 is cancelled. ")
    assert [e for e in of(effects, fx.Show) if isinstance(e.shown, ReceiptShown)]


def test_nothing_the_customer_does_keeps_the_call_from_ending():
    talk = Talk(Rules(push_to_talk=True)).live()
    talk.give(fx.Pushed(), GONE)
    pronounced(talk)
    talk.effects.clear()
    talk.give(fx.Released(), fx.Pushed(), fx.Typed("hello?"), fx.ReplyAsked())
    talk.give(fx.ToolFinished("c9", ToolResult("late")))
    assert not of(talk.effects, fx.Connect)
    talk.wait(4000)
    assert talk.c.closed


def test_stopping_the_goodbye_ends_the_call():
    talk = Talk().live()
    talk.give(GONE)
    pronounced(talk, 8000)
    talk.wait(500)
    assert ends(talk.give(fx.Stopped())) == [NOBODY]


# --- over real frames -------------------------------------------------------------------------------------


async def refuses_by_an_event(peer: Peer) -> None:
    await peer.greet()
    await peer.send("error", error={"type": "error", "code": "insufficient_quota", "message": "No quota."})
    await peer.expect("never")


async def fails_its_answer(peer: Peer) -> None:
    await peer.greet()
    await peer.hear("u1", "where is my order")
    await peer.expect("response.create")
    error = {"type": "insufficient_quota", "code": "insufficient_quota"}
    details = {"type": "failed", "error": error}
    await peer.send("response.done", response={"id": "r1", "status": "failed", "status_details": details})
    await peer.expect("never")


def closes_with(code: int) -> Script:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("u1", "where is my order")
        await peer.expect("response.create")
        await peer.begin("r1", "a1", "Your order is", 300)
        await peer.cut(code)

    return script


DEATHS: dict[str, Script] = {
    "quota, by an event": refuses_by_an_event,
    "quota, by a failed answer": fails_its_answer,
    "its policy": closes_with(1008),
    "the key": closes_with(3000),
    "the preview is retired": closes_with(4000),
}


@pytest.mark.parametrize("death", DEATHS)
async def test_a_last_backend_that_dies_in_mid_call_ends_it_with_a_spoken_sentence(death: str):
    host, backend = Host(), ScriptedBackend(DEATHS[death])
    host.own_voice = sound(300)
    async with driving(host, backend) as driver:
        driver.post(fx.VoiceStarted())
        await asyncio.wait_for(driver.ended.wait(), 60)
        assert host.played >= 300 * 48
        lines = [shown for shown in host.shown if isinstance(shown, Caption) and shown.line_id[:5] == "desk_"]
        assert lines[-1].final
        assert lines[-1].heard.endswith("Goodbye.")
        assert [s.detail for s in host.shown if isinstance(s, StateShown)][-1] == NOBODY


@asynccontextmanager
async def refusing(status: HTTPStatus) -> AsyncIterator[UrlBackend]:
    """A server that answers every handshake with an HTTP status."""

    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(status, "no\n")

    async def never(socket: ServerConnection) -> None:
        raise AssertionError("nobody gets here")

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        yield UrlBackend(f"ws://127.0.0.1:{port}/v1/realtime", Secret(), "scripted")


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
async def test_backends_that_refuse_the_call_end_it_with_a_spoken_sentence(status: HTTPStatus):
    host = Host()
    host.own_voice = sound(300)
    async with refusing(status) as first, refusing(status) as second, driving(host, first, second) as driver:
        driver.post(fx.VoiceStarted())
        await asyncio.wait_for(driver.ended.wait(), 60)
        assert host.played == 300 * 48
        assert len(host.notices()) == 1


async def test_a_customer_hears_that_nobody_can_answer(tmp_path: Path):
    """A whole desk, with the voice that is installed here."""
    settings = load_settings({"data_dir": tmp_path}, {}, tmp_path / "none", tmp_path / "none")
    no = HTTPStatus.UNAUTHORIZED
    async with refusing(no) as first, refusing(HTTPStatus.NOT_FOUND) as second:
        channel = WavChannel()
        async with open_desk(settings, backends=[first, second]) as desk, line_to(desk, channel) as call:
            assert await call.start_voice(), "the line is open: there is something to be heard on it"
            await asyncio.wait_for(call.ended(), 40)
    assert abs(samples(bytes(channel.heard)).astype(int)).max() > 1000, "it is no silence"
    assert channel.state == "ended"
    said = [line for line in channel.document.lines if line.speaker == "desk"]
    assert said[-1].heard.endswith("Goodbye.")


async def test_a_trace_of_it_is_lived_through_again_to_the_same_end(tmp_path: Path):
    host = Host()
    host.own_voice = sound(300)
    with open_trace(tmp_path / "call.jsonl") as trace:
        async with driving(host, ScriptedBackend(refuses_by_an_event), trace=trace) as driver:
            driver.post(fx.VoiceStarted())
            await asyncio.wait_for(driver.ended.wait(), 60)
    path = tmp_path / "call.jsonl"
    assert path.stat().st_size < 20_000, "the sound itself is not in it"
    again = replay(read_trace(path), prices())
    assert again.conversation.ends == NOBODY
    assert again.conversation.closed
    assert [line.heard for line in again.lines] == [
        line.heard for line in driver.conversation.transcript.lines
    ]
    assert sum(len(e.pcm24k) for _, e in again.effects if isinstance(e, fx.Play)) == host.played
