"""Writes the traces of `tests/traces` that a scripted server made: `python -m tests.call.traced [NAME…]`.

A trace is a call as it was lived through, so these take their time (the rollover half a minute).
"""

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation
from helpline.call.driver import Driver
from helpline.cli import main
from helpline.clock import SystemClock
from helpline.realtime.dialects import GA, VOICE_LIVE, Dialect
from helpline.realtime.trace import open_trace

from .servers import Peer, ScriptedBackend
from .talk import proposal
from .test_driver import Host, driving

TRACES = Path(__file__).parents[1] / "traces"
READ_BACK = proposal().read_back

USAGE = {
    "total_tokens": 380,
    "input_tokens": 300,
    "output_tokens": 80,
    "input_token_details": {
        "text_tokens": 220,
        "audio_tokens": 80,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0},
    },
    "output_token_details": {"text_tokens": 20, "audio_tokens": 60},
}
SESSION = {
    "type": "realtime",
    "id": "sess_1",
    "model": "gpt-realtime-2.1",
    "audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}},
}
FLAT = {
    "id": "sess_2",
    "model": "gpt-realtime",
    "modalities": ["text", "audio"],
    "input_audio_transcription": {"model": "azure-speech"},
}


class Clerk(Host):
    """Looks orders up, and changes one when the customer says yes."""

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        self.tools.append(tool)
        if tool.name == "cancel_order":
            return ToolResult(READ_BACK, proposal=proposal())
        order = json.loads(tool.arguments).get("order_id", "1004")
        return ToolResult(f"Order {order} is on its way.", {"order_id": order, "status": "shipped"})

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        if settle.answer == "no":
            return fx.Settled(settle.proposal.id, declined=True)
        receipt = Receipt(
            "R-4821",
            settle.proposal.id,
            "cancel_order",
            "Order 1005 is cancelled.",
            "2026-11-26T12:00:00+00:00",
        )
        return fx.Settled(settle.proposal.id, receipt)


class Server:
    """The server's end of one session, in one dialect, with usage."""

    def __init__(self, peer: Peer, dialect: Dialect = GA) -> None:
        self.peer = peer
        self._flat = dialect.flat
        self._session = FLAT if dialect.flat else SESSION

    async def greet(self, **more: Any) -> None:
        await self.peer.send("session.created", session=self._session | more)
        await self.peer.expect("session.update")
        await self.peer.send("session.updated", session=self._session | more)

    async def hears(self, item: str, text: str, *, ms: int = 900) -> None:
        send = self.peer.send
        await send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)
        await asyncio.sleep(ms / 1000)
        await send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=ms + 800)
        await send("input_audio_buffer.committed", item_id=item)
        await send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item,
            content_index=0,
            transcript=text,
            usage={"type": "duration", "seconds": ms / 1000},
        )
        await self.peer.expect("response.create")

    async def says(self, response: str, text: str, ms: int) -> None:
        sound, words = (
            ("response.audio", "response.audio_transcript")
            if self._flat
            else ("response.output_audio", "response.output_audio_transcript")
        )
        item = f"item_{response}"
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        send = self.peer.send
        await send("response.created", response={"id": response, "conversation_id": "conv"})
        message = {"id": item, "type": "message", "role": "assistant", "content": []}
        await send("response.output_item.added", response_id=response, output_index=0, item=message)
        await send(f"{words}.delta", **at, delta=text)
        for _ in range(0, ms, 200):
            await send(f"{sound}.delta", **at, delta=base64.b64encode(b"\x00\x01" * 4800).decode())
        await send(f"{sound}.done", **at)
        await send(f"{words}.done", **at, transcript=text)
        await self._done(response)

    async def calls(self, response: str, *calls: tuple[str, str, str]) -> None:
        """(call_id, tool, arguments) of each; then waits for the answers and the one response.create."""
        send = self.peer.send
        await send("response.created", response={"id": response, "conversation_id": "conv"})
        for index, (call_id, name, arguments) in enumerate(calls):
            item = {"id": f"item_{call_id}", "type": "function_call", "call_id": call_id, "name": name}
            at = {"response_id": response, "output_index": index}
            await send("response.output_item.added", **at, item=item | {"arguments": ""})
            await send(
                "response.function_call_arguments.done",
                **at,
                item_id=item["id"],
                call_id=call_id,
                arguments=arguments,
            )
            await send("response.output_item.done", **at, item=item | {"arguments": arguments})
        await self._done(response)
        await self.peer.expect("response.create")

    async def _done(self, response: str) -> None:
        body = {"id": response, "status": "completed", "output": [], "usage": USAGE}
        await self.peer.send("response.done", response=body)


Calls = Callable[[Path], Awaitable[None]]


async def live_through(
    path: Path, *backends: ScriptedBackend, over: Callable[[Conversation], bool], typed: str = ""
) -> None:
    with open_trace(path, clock=SystemClock()) as trace:
        async with driving(Clerk(), *backends, trace=trace) as driver:
            driver.post(fx.VoiceStarted())
            await driver.until(lambda c: c.may_listen)
            if typed:
                driver.post(fx.Typed(typed))
            await asyncio.wait_for(driver.until(over), 60)
            await _hear_out(driver)


async def _hear_out(driver: Driver) -> None:
    await driver.until(lambda c: c.playout.silent and not c.wants_reply and c.reply.phase == "none")


def heard(text: str) -> Callable[[Conversation], bool]:
    return lambda c: any(line.final and line.heard.endswith(text) for line in c.transcript.lines)


async def parallel_tools(path: Path) -> None:
    async def script(peer: Peer) -> None:
        server = Server(peer)
        await server.greet()
        await server.hears("u1", "Where are orders 1004 and 1002?")
        await server.calls(
            "r1",
            ("c1", "check_order_status", '{"order_id":"1004"}'),
            ("c2", "check_order_status", '{"order_id":"1002"}'),
        )
        await server.says("r2", "Both orders are on their way.", 1000)
        await peer.expect("never")

    await live_through(path, ScriptedBackend(script), over=heard("on their way."))


async def refused_yes(path: Path) -> None:
    async def script(peer: Peer) -> None:
        server = Server(peer)
        await server.greet()
        await server.hears("u1", "Cancel order 1005.")
        await server.calls("r1", ("c1", "cancel_order", '{"order_id":"1005"}'))
        await server.says("r2", READ_BACK, 2400)
        await asyncio.sleep(2.6)
        await server.hears("u2", "Yes, but can I get a voucher?")
        await server.says("r3", "I cannot give vouchers. Shall I cancel it?", 1200)
        await asyncio.sleep(1.4)
        await server.hears("u3", "No, leave it.")
        await server.says("r4", "Nothing was changed.", 800)
        await peer.expect("never")

    await live_through(path, ScriptedBackend(script), over=heard("Nothing was changed."))


async def failover(path: Path) -> None:
    async def dies(peer: Peer) -> None:
        server = Server(peer)
        await server.greet()
        await server.hears("u1", "Where is order 1004?")
        await server.calls("r1", ("c1", "check_order_status", '{"order_id":"1004"}'))
        error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "quota"}
        await peer.send("error", error=error)
        await peer.expect("never")

    async def goes_on(peer: Peer) -> None:
        server = Server(peer, VOICE_LIVE)
        await server.greet()
        await peer.expect("response.create")
        await server.says("r2", "Order 1004 is on its way.", 1000)
        await peer.expect("never")

    await live_through(
        path,
        ScriptedBackend(dies, name="openai"),
        ScriptedBackend(goes_on, name="voice_live", dialect=VOICE_LIVE),
        over=heard("on its way."),
    )


async def rollover(path: Path) -> None:
    async def ends_soon(peer: Peer) -> None:
        server = Server(peer)
        await server.greet(expires_at=int(SystemClock().utcnow().timestamp()) + 32)
        await server.hears("u1", "My favourite colour is teal.")
        await server.says("r1", "Teal it is.", 800)
        await peer.expect("never")

    async def goes_on(peer: Peer) -> None:
        server = Server(peer)
        await server.greet()
        await server.hears("u2", "Which colour was it?")
        await server.says("r2", "Your favourite colour is teal.", 1000)
        await peer.expect("never")

    await live_through(
        path, ScriptedBackend(ends_soon, goes_on), over=heard("Your favourite colour is teal.")
    )


async def voice_live_turn(path: Path) -> None:
    async def script(peer: Peer) -> None:
        server = Server(peer, VOICE_LIVE)
        await server.greet()
        await server.hears("u1", "Where is order 1004?")
        await server.calls("r1", ("c1", "check_order_status", '{"order_id":"1004"}'))
        await server.says("r2", "Order 1004 is on its way.", 1000)
        await peer.expect("never")

    backend = ScriptedBackend(script, name="voice_live", dialect=VOICE_LIVE)
    await live_through(path, backend, over=heard("on its way."))


async def typed_and_spoken_to(path: Path) -> None:
    """A line typed while voice is on is answered aloud."""

    async def script(peer: Peer) -> None:
        server = Server(peer)
        await server.greet()
        await peer.expect("response.create")
        await server.says("r1", "Hello! How can I help?", 800)
        await peer.expect("never")

    await live_through(path, ScriptedBackend(script), over=heard("How can I help?"), typed="Hello")


ALL: dict[str, Calls] = {
    one.__name__: one
    for one in (parallel_tools, refused_yes, failover, rollover, voice_live_turn, typed_and_spoken_to)
}


def write(name: str) -> None:
    path = TRACES / f"{name}.jsonl"
    asyncio.run(ALL[name](path))  # type: ignore[arg-type]
    lines = [line for line in path.read_text().splitlines() if '"way":"sent"' not in line]
    path.write_text("\n".join(lines) + "\n")
    said = CliRunner().invoke(main, ["replay", "--no-effects", str(path)])
    path.with_suffix(".json").write_text(said.stdout)
    print(name, said.exit_code)


if __name__ == "__main__":
    for each in sys.argv[1:] or ALL:
        write(each)
