"""Push to talk: heard while the button is held, finished when it is let go, and nothing of it lost."""

import asyncio
import base64

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Rules, state_of
from helpline.call.outbox import Outbox
from helpline.realtime import events as ev
from tests.call.servers import Peer, ScriptedBackend
from tests.call.talk import Talk, of, sent
from tests.call.test_driver import Host, driving

RULES = Rules(push_to_talk=True)


def push(talk: Talk, item: str, text: str | None, *, ms: int = 1000) -> list[fx.Effect]:
    """The customer holds the button for `ms`, says something and lets go; the server makes an item of it."""
    out = talk.give(fx.Pushed()) + talk.wait(ms) + talk.give(fx.Released())
    out += talk.give(ev.InputCommitted(item_id=item))
    if text is not None:
        out += talk.give(ev.TranscriptionCompleted(item_id=item, transcript=text))
    return out


def test_the_microphone_is_heard_only_while_the_button_is_held() -> None:
    talk = Talk(RULES).live()
    assert talk.c.may_listen
    assert not talk.c.hears
    talk.give(fx.Pushed())
    assert talk.c.hears
    talk.give(fx.Released())
    assert not talk.c.hears


def test_letting_go_commits_once_and_one_reply_is_asked_for() -> None:
    talk = Talk(RULES).live()
    effects = push(talk, "item_1", "Where is my order?") + talk.give(fx.Released())
    assert len(sent(effects, ev.InputCommit)) == 1
    assert len(sent(effects, ev.ResponseCreate)) == 1
    line = talk.c.transcript.line("item_1")
    assert line is not None
    assert (line.text, line.final) == ("Where is my order?", True)


def test_pressing_the_button_interrupts_at_once() -> None:
    talk = Talk(RULES).live()
    push(talk, "item_1", "Where is my order?")
    talk.reply("resp_1", "item_2", "Your order is on its way.", 4000)
    talk.wait(500)
    effects = talk.give(fx.Pushed())
    assert of(effects, fx.ClearPlayback)
    assert sent(effects, ev.ItemTruncate)
    talk.wait(3000)
    assert not of(talk.effects[-3:], fx.Play)


def test_no_reply_is_asked_for_while_the_customer_holds_the_button() -> None:
    talk = Talk(RULES).live()
    push(talk, "item_1", "Where is my order?")
    talk.call_tool("resp_1", "call_1", "check_order_status")
    talk.give(fx.Pushed())
    assert not sent(talk.tool_done("call_1", ToolResult("On its way.")), ev.ResponseCreate)
    effects = talk.give(fx.Released(), ev.InputCommitted(item_id="item_2"))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_button_that_was_only_touched_is_forgotten() -> None:
    talk = Talk(RULES).live()
    talk.give(fx.Pushed(), fx.Released())
    refused = ev.ErrorDetails(type="invalid_request_error", code="input_audio_buffer_commit_empty")
    talk.give(ev.ErrorReceived(error=refused))
    assert talk.c.push is None
    talk.give(fx.Pushed(), fx.Released())
    assert not sent(talk.wait(5000), ev.ResponseCreate)
    assert talk.c.push is None, "and so is one of which the server says nothing"


def test_a_button_that_got_stuck_is_let_go() -> None:
    talk = Talk(RULES).live()
    talk.give(fx.Pushed())
    assert sent(talk.wait(RULES.longest_push_ms), ev.InputCommit)
    assert not talk.c.hears


def test_it_is_no_silence_while_the_button_is_held_and_none_after_voice() -> None:
    talk = Talk(RULES).live()
    talk.wait(25_000)
    talk.give(fx.Pushed())
    assert not sent(talk.wait(20_000), ev.ResponseCreate)
    talk.give(fx.VoiceEnded())
    assert talk.c.push is None
    assert not sent(talk.give(fx.Released()), ev.InputCommit)


def test_a_yes_by_the_button_confirms_and_anything_else_does_not() -> None:
    talk = Talk(RULES).live()
    push(talk, "item_1", "Cancel order 1005.")
    talk.propose()
    talk.reply(
        "resp_2",
        "item_2",
        "I can cancel order 1005 and refund 84 dollars and 50 cents. Shall I cancel it?",
        4000,
    )
    talk.wait(4500)
    assert not of(push(talk, "item_3", None), fx.Settle)
    assert of(talk.give(ev.TranscriptionCompleted(item_id="item_3", transcript="Yes, please.")), fx.Settle)


def test_what_was_said_is_heard_again_by_the_next_session() -> None:
    talk = Talk(RULES).live()
    talk.give(fx.Pushed())
    talk.wait(2000)
    (again,) = of(talk.give(fx.Lost("gone")), fx.Rehear)
    assert 2000 <= again.ms <= 2500
    talk.wait(500)
    assert sent(talk.give(fx.Released()), ev.InputCommit), "it waits behind the sound"
    assert not of(talk.give(fx.Lost("and again")), fx.Rehear), "of which no session has had any"
    talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    assert len(sent(talk.give(ev.InputCommitted(item_id="item_9")), ev.ResponseCreate)) == 1


def test_a_session_is_not_renewed_while_the_button_is_held() -> None:
    talk = Talk(RULES)
    talk.give(fx.VoiceStarted(), fx.Opened("test", ev.SessionSettings(), wall_s=1000.0))
    talk.give(ev.SessionUpdated(session=ev.Session(expires_at=1060)))
    talk.give(fx.Pushed())
    assert not of(talk.wait(58_000), fx.Disconnect)


def test_without_push_to_talk_the_button_says_nothing() -> None:
    talk = Talk().live()
    before = talk.c
    talk.give(fx.Pushed())
    assert talk.c.push is None
    assert talk.c.hears
    assert state_of(talk.c) == state_of(before)


async def test_over_the_line_the_commit_stands_behind_the_sound_also_after_a_loss() -> None:
    """40 ms at a time: pressed, the line is cut, let go while it is away; the next session gets all of it."""
    pieces = [bytes([number, 1]) * 960 for number in range(6)]
    cut = asyncio.Event()

    async def dies(peer: Peer) -> None:
        await peer.greet()
        while peer.audio_bytes < 3 * 1920:
            await peer.expect("input_audio_buffer.append")
        await peer.cut(1011)

    async def hears(peer: Peer) -> None:
        await cut.wait()
        await peer.greet()
        await peer.expect("input_audio_buffer.commit")
        await peer.send("input_audio_buffer.committed", item_id="item_1")
        await peer.expect("response.create")

    backend = ScriptedBackend(dies, hears)
    async with driving(Host(), backend, rules=RULES) as driver:
        driver.post(fx.VoiceStarted())
        await driver.until(lambda c: c.may_listen)
        driver.hear(bytes(1920))  # not held: nobody hears it
        driver.post(fx.Pushed())
        await driver.until(lambda c: c.holds)
        for piece in pieces[:3]:
            driver.hear(piece)
        await driver.until(lambda c: not c.may_listen)
        for piece in pieces[3:]:
            driver.hear(piece)
        driver.post(fx.Released())
        await driver.until(lambda c: not c.holds)
        cut.set()
        await driver.until(lambda c: c.reply.phase == "asked")
    events = backend.peers[1].seen
    sound = b"".join(
        base64.b64decode(event["audio"]) for event in events if event["type"] == "input_audio_buffer.append"
    )
    assert sound == b"".join(pieces)
    assert [event["type"] for event in events].count("input_audio_buffer.commit") == 1


def piece(number: int) -> bytes:
    return bytes([number, 1]) * 960


async def test_what_was_answered_is_not_heard_again_with_what_was_not() -> None:
    """Two pushes with time between them; the line drops after the second: that one alone is said again."""
    outbox = Outbox()
    outbox.open_audio(True)
    for number in (1, 2):
        outbox.put_audio(piece(number))
    outbox.put(ev.InputCommit())
    outbox.put_audio(piece(3))
    outbox.put(ev.InputCommit())
    sent_before = [await outbox.get() for _ in range(5)]
    assert [type(event).__name__ for event in sent_before] == [
        "InputAppend", "InputAppend", "InputCommit", "InputAppend", "InputCommit",
    ]  # fmt: skip
    outbox.rehear(9000, pushes=1)
    again = [await outbox.get() for _ in range(2)]
    assert again == [ev.InputAppend(audio=piece(3)), ev.InputCommit()]


async def test_a_push_that_is_still_held_is_heard_again_from_its_beginning() -> None:
    outbox = Outbox()
    outbox.open_audio(True)
    outbox.put_audio(piece(1))
    outbox.put(ev.InputCommit())
    for number in (2, 3):
        outbox.put_audio(piece(number))
    for _ in range(4):
        await outbox.get()
    outbox.rehear(9000, pushes=1)
    assert [await outbox.get() for _ in range(2)] == [ev.InputAppend(audio=piece(n)) for n in (2, 3)]


def test_only_pushes_whose_words_are_not_known_are_heard_again() -> None:
    talk = Talk(RULES).live()
    push(talk, "item_1", "Where is my order?")
    talk.reply("resp_1", "item_2", "On its way.", 500)
    talk.wait(4000)
    push(talk, "item_3", None)
    (again,) = of(talk.give(fx.Lost("gone")), fx.Rehear)
    assert again.pushes == 1
