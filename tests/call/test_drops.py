"""The line breaks at every phase of a call, in every way: the call goes on, and nothing runs twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation
from helpline.call.driver import Driver
from helpline.call.shown import Caption, Shown
from helpline.realtime import events as ev
from helpline.realtime.connection import Backend

from .servers import Peer, on_a_socket
from .talk import Talk, proposal, sent, sound
from .test_driver import Host

QUESTION = "where is my order"
READ_BACK = proposal().read_back
CHUNK = b"\x01\x00" * 960

Phase = Callable[[Peer, "Clerk"], Awaitable[None]]


class Clerk(Host):
    """Its tool waits for the gate; a cancellation is proposed, and carried out once."""

    def __init__(self) -> None:
        super().__init__()
        self.running = asyncio.Event()
        self.read_back_heard = asyncio.Event()

    async def show(self, shown: Shown) -> None:
        await super().show(shown)
        if isinstance(shown, Caption) and shown.heard == READ_BACK:
            self.read_back_heard.set()

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        self.running.set()
        await super().run_tool(tool)
        if tool.name == "cancel_order":
            return ToolResult(READ_BACK, proposal=proposal())
        return ToolResult("It is on its way.")

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        self.settled.append(settle)
        receipt = Receipt("R-1", settle.proposal.id, "cancel_order", "Done.", "now")
        return fx.Settled(settle.proposal.id, receipt=receipt)


async def ask(peer: Peer) -> None:
    await peer.greet()
    await peer.hear("u1", QUESTION)
    await peer.expect("response.create")


# Each phase plays the first session up to the moment at which the line breaks.


async def before_it_is_configured(peer: Peer, clerk: Clerk) -> None:
    await peer.send("session.created", session={})
    await peer.expect("session.update")


async def before_created(peer: Peer, clerk: Clerk) -> None:
    await ask(peer)


async def while_the_customer_speaks(peer: Peer, clerk: Clerk) -> None:
    await peer.greet()
    for _ in range(5):
        await peer.expect("input_audio_buffer.append")
    await peer.send("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
    await peer.expect("input_audio_buffer.append")


async def in_a_reply(peer: Peer, clerk: Clerk) -> None:
    await ask(peer)
    await peer.begin("r1", "a1", "Your order is", 600)


async def while_a_tool_runs(peer: Peer, clerk: Clerk) -> None:
    clerk.tool_gate.clear()
    await ask(peer)
    await peer.call_tool("r1", "c1", "check_order_status")
    await clerk.running.wait()


async def after_the_result(peer: Peer, clerk: Clerk) -> None:
    await ask(peer)
    await peer.call_tool("r1", "c1", "check_order_status")
    await peer.expect("conversation.item.create")
    await peer.expect("response.create")


async def while_a_proposal_waits(peer: Peer, clerk: Clerk) -> None:
    await ask(peer)
    await peer.call_tool("r1", "c1", "cancel_order")
    await peer.expect("response.create")
    await peer.say("r2", "a2", READ_BACK, 400)
    await clerk.read_back_heard.wait()


TOOL = ["function_call", "function_call_output"]
PHASES: dict[str, tuple[Phase, list[str]]] = {
    "before it is configured": (before_it_is_configured, []),
    "before created": (before_created, [QUESTION]),
    "while the customer speaks": (while_the_customer_speaks, []),
    "in a reply": (in_a_reply, [QUESTION, "Your order"]),
    "while a tool runs": (while_a_tool_runs, [QUESTION, *TOOL]),
    "after the result": (after_the_result, [QUESTION, *TOOL]),
    "while a proposal waits": (while_a_proposal_waits, [QUESTION, *TOOL, READ_BACK]),
}


def told(peer: Peer) -> list[str]:
    """The context that a session was given, and what it was told since."""
    items = [event["item"] for event in peer.seen if event["type"] == "conversation.item.create"]
    return [item["content"][0]["text"] if item["type"] == "message" else item["type"] for item in items]


def answered(conversation: Conversation) -> bool:
    line = conversation.transcript.line("the_end")
    return line is not None and line.final


@pytest.mark.parametrize("code", [1001, 1006, 1011, 4000])
@pytest.mark.parametrize("name", PHASES)
async def test_the_call_goes_on(name: str, code: int):
    phase, context = PHASES[name]
    clerk = Clerk()
    second: list[Peer] = []

    async def first_session(peer: Peer) -> None:
        await phase(peer, clerk)
        await peer.cut(code)

    async def second_session(peer: Peer) -> None:
        second.append(peer)
        await peer.greet()
        if name == "while a tool runs":
            clerk.tool_gate.set()
        if not context:  # it hears the customer, from the beginning of what they said
            await peer.expect("input_audio_buffer.append")
            await peer.hear("u2", QUESTION)
        elif name == "while a proposal waits":
            await peer.hear("u2", "yes")
        await peer.expect("response.create")
        await peer.say("r9", "the_end", "That is all.", 200)
        await peer.expect("never")

    async with AsyncExitStack() as stack:
        backends: list[Backend] = [
            await stack.enter_async_context(on_a_socket(first_session, second_session))
        ]
        if code == 4000:  # this server will not talk to us again: the next one answers
            backends = [
                await stack.enter_async_context(on_a_socket(first_session)),
                await stack.enter_async_context(on_a_socket(second_session)),
            ]
        driver = Driver(clerk, backends)
        running = asyncio.create_task(driver.run())
        driver.post(fx.VoiceStarted())
        await driver.until(lambda c: c.voice)
        speaking = asyncio.create_task(speak(driver))
        assert await driver.until(answered)
        speaking.cancel()
        driver.post(fx.HungUp("the test is over"))
        await running

    (peer,) = second
    given = told(peer)
    assert given[: len(context)] == context or name == "in a reply"
    if name == "in a reply":
        assert given[0] == QUESTION
        assert given[1].startswith("Your")
    assert len(clerk.tools) == (1 if "function_call" in context else 0), "no tool runs twice"
    if name == "while a proposal waits":
        assert len(clerk.settled) == 1
        assert any("R-1" in text for text in given)
    if name == "while the customer speaks":
        assert peer.audio_bytes >= 6 * len(CHUNK), "it was given what had been said before the drop"


async def speak(driver: Driver) -> None:
    """A microphone that never stops."""
    while True:
        driver.hear(CHUNK)
        await asyncio.sleep(0.01)


# --- a server that says nothing for a while ---------------------------------------------------------------


@pytest.mark.parametrize("after", range(5))
def test_a_stall_of_two_seconds_loses_nothing(after: int):
    """The steps of a spoken turn, with two seconds of silence on the line behind one of them."""
    steps: list[list[Any]] = [
        [ev.SpeechStarted(item_id="u1"), ev.SpeechStopped(item_id="u1", audio_end_ms=1800)],
        [ev.InputCommitted(item_id="u1"), ev.TranscriptionCompleted(item_id="u1", transcript=QUESTION)],
        [ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c"))],
        [
            ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta="It is on its way to you."),
            ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(600)),
        ],
        [
            ev.OutputAudioDelta(item_id="a1", response_id="r1", delta=sound(400)),
            ev.ResponseDone(response=ev.Response(id="r1", status="completed")),
        ],
    ]
    talk = Talk().live()
    for number, events in enumerate(steps):
        talk.give(*events)
        if number == after:
            talk.wait(2000)
    talk.wait(3000)
    assert [line.heard for line in talk.c.transcript.lines] == [QUESTION, "It is on its way to you."]
    assert len(sent(talk.effects, ev.ResponseCreate)) == 1
    assert sum(len(e.pcm24k) for e in talk.effects if isinstance(e, fx.Play)) == 1000 * 48
