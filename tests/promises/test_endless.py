"""A server that never ends what it says: the call keeps a bounded part of it, says so once, and goes on."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpline.call import effects as fx
from helpline.call.saying import LONGEST_REPLY
from helpline.call.transcript import MOST_ENTRIES
from helpline.call.turns import LONGEST_UTTERANCE, MOST_AT_ONCE, MOST_STRETCHES
from helpline.client import RealtimeClient
from helpline.realtime import events as ev

from ..call.servers import Peer
from ..call.talk import Talk, captions, of, sent
from ..call.test_client import scripted


def incidents(effects: list[fx.Effect]) -> list[str]:
    return [e.fact.kind for e in of(effects, fx.Record) if isinstance(e.fact, fx.Incident)]


def size(talk: Talk) -> int:
    return len(msgspec.json.encode(talk.c, enc_hook=repr))


def goes_on(talk: Talk) -> bool:
    """The customer speaks, and is answered."""
    if talk.c.reply.phase != "none":  # it has been cancelled, and never ends
        talk.wait(40_000)
    if talk.c.link.phase != "ready":
        talk.give(fx.Opened("test", ev.SessionSettings(), transcribes=True), ev.SessionUpdated())
    effects = talk.speech("u_after", "are you there?")
    effects += talk.reply("r_after", "a_after", "Yes, I am.", 1000)
    effects += talk.wait(3000)
    return any(line.heard == "Yes, I am." for line in captions(effects))


@pytest.mark.parametrize("kind", [ev.OutputTranscriptDelta, ev.OutputTextDelta])
@pytest.mark.parametrize("items", [1, 3000])
def test_a_reply_that_never_ends_is_cut_off_once(kind: type[Any], items: int):
    talk = Talk().live()
    talk.speech("u1", "tell me everything")
    effects = talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")))
    for n in range(3000):
        effects += talk.give(kind(item_id=f"a{n % items}", response_id="r1", delta="on and on and on. "))
    assert incidents(effects).count("reply_too_long") == 1
    assert len(sent(effects, ev.ResponseCancel)) == 1
    assert size(talk) < 4 * LONGEST_REPLY + 100_000
    assert goes_on(talk)


def test_a_reply_that_is_too_long_at_once_is_not_spoken():
    talk = Talk().live()
    talk.speech("u1", "tell me everything")
    effects = talk.reply("r1", "a1", "and so on. " * 10_000, 1000)
    assert incidents(effects).count("reply_too_long") == 1
    assert size(talk) < 100_000
    assert goes_on(talk)


def test_a_transcript_of_the_customer_that_never_ends_is_kept_in_part():
    talk = Talk().live()
    talk.give(ev.SpeechStarted(item_id="u1", audio_start_ms=0))
    effects = []
    for _ in range(2000):
        effects += talk.give(ev.TranscriptionDelta(item_id="u1", delta="and then I said "))
    for _ in range(3):
        effects += talk.give(ev.TranscriptionCompleted(item_id="u1", transcript="and then " * 10_000))
    assert incidents(effects).count("utterance_too_long") == 1
    line = talk.c.transcript.line("u1")
    assert line is not None
    assert len(line.text) == LONGEST_UTTERANCE


def test_items_of_speech_without_end_are_not_kept():
    talk = Talk().live()
    effects = []
    for n in range(MOST_STRETCHES + 100):
        effects += talk.give(ev.InputCommitted(item_id=f"u{n}"))
    assert incidents(effects).count("too_many_utterances") == 1
    assert len(talk.c.transcript.entries) <= 3 * MOST_AT_ONCE
    assert size(talk) < 100_000


def test_a_call_of_endless_lines_forgets_its_beginning():
    talk = Talk().live()
    effects = []
    for n in range(MOST_ENTRIES + 100):
        effects += talk.give(fx.Forwarded(ev.ItemCreate(item=ev.Item(
            type="message", role="user", content=(ev.ContentPart(type="input_text", text=f"line {n}"),)
        ))))  # fmt: skip
    assert incidents(effects).count("transcript_full") == 1
    assert len(talk.c.transcript.entries) == MOST_ENTRIES
    assert talk.c.transcript.lines[-1].text == f"line {MOST_ENTRIES + 99}"
    assert goes_on(talk)


def test_arguments_without_end_are_not_run():
    talk = Talk().live()
    talk.speech("u1", "cancel it")
    talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")))
    arguments = '{"order_id": "' + "1" * 1_000_000 + '"}'
    done = ev.ArgumentsDone(
        item_id="i1", response_id="r1", call_id="c1", name="cancel_order", arguments=arguments
    )
    effects = [*talk.give(done), *talk.give(done)]
    assert not of(effects, fx.RunTool)
    assert incidents(effects).count("arguments_too_long") == 1
    assert size(talk) < 100_000


class Hasty(RealtimeClient):
    MOST_EVENTS = 20
    LONGEST_HANDLER_S = 0.05


async def test_a_handler_that_never_returns_holds_a_bounded_number_of_events(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """One clear error; the call goes on, and hanging up does not wait for ever."""
    monkeypatch.chdir(tmp_path)

    async def script(peer: Peer) -> None:
        await peer.greet()
        for n in range(200):
            await peer.send("x.unknown", number=n)
        await peer.hear("u1", "hello")
        await peer.expect("response.create")
        await peer.expect("never")

    stuck = asyncio.Event()

    async def handler(event: dict[str, Any]) -> None:
        await stuck.wait()

    async with scripted(script) as (url, _):
        client = Hasty(url=url)
        client.on("realtime.event", handler)
        with caplog.at_level(logging.ERROR):
            waiting = asyncio.create_task(client.wait_for_next_completed_item())
            await client.connect()
            item = await asyncio.wait_for(waiting, 60)
            await client.disconnect()
    assert item["item"]["formatted"]["transcript"] == "hello"
    assert caplog.text.count("has not returned: 20 events wait") == 1
    assert caplog.text.count("is cancelled") == 1
    assert "handler" in caplog.text
