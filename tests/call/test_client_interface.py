"""Each name of `RealtimeClient`, as the app that moves over to it uses it."""

import asyncio
import base64
import json
from typing import Any

import pytest

from helpline import Caller, Identity, RealtimeClient
from helpline.errors import BackendError
from helpline.tools import tools

from .servers import Peer
from .test_client import scripted

pytestmark = pytest.mark.usefixtures("_desk")

MAYA = Caller("maya", "Maya Lindqvist", Identity.PROVEN, "sign_in")


@pytest.fixture
def _desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPLINE_DATA_DIR", str(tmp_path))


class Watch:
    """Keeps a client's events, and lets the test wait for one."""

    def __init__(self, client: RealtimeClient, *names: str) -> None:
        self.seen: list[tuple[str, Any]] = []
        self._news = asyncio.Condition()
        for name in names or (
            "conversation.updated",
            "conversation.item.appended",
            "conversation.item.completed",
            "conversation.item.input_audio_transcription.completed",
            "conversation.interrupted",
            "error",
        ):
            client.on(name, self._handler(name))

    def _handler(self, name: str) -> Any:
        async def handler(event: Any) -> None:
            async with self._news:
                self.seen.append((name, event))
                self._news.notify_all()

        return handler

    async def until(self, name: str, holds: Any = lambda event: True) -> Any:
        def found() -> list[Any]:
            return [event for seen, event in self.seen if seen == name and holds(event)]

        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(found)
        return found()[0]


async def quiet(peer: Peer) -> None:
    await peer.greet()
    await peer.expect("never")


async def test_handlers_run_in_the_order_in_which_they_were_given_plain_or_async():
    order: list[str] = []
    done = asyncio.Event()

    async def slow(event: Any) -> None:
        await asyncio.sleep(0)
        order.append("first")

    def fails(event: Any) -> None:
        order.append("second")
        raise ValueError("mine")

    def last(event: Any) -> None:
        order.append("third")
        done.set()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.say("r1", "a1", "Hello.", 100)
        await peer.expect("never")

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        watch = Watch(client, "error")
        for handler in (slow, fails, last):
            client.on("conversation.item.appended", handler)
        await client.connect()
        await client.create_response()
        await asyncio.wait_for(done.wait(), 60)
        error = await watch.until("error")
        await client.disconnect()
    assert order[:3] == ["first", "second", "third"]
    assert "conversation.item.appended" in error["message"]
    assert isinstance(error["exception"], ValueError)


async def test_a_handler_may_hang_up_and_nobody_waits_in_vain():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.say("r1", "a1", "Goodbye.", 100)
        await peer.expect("never")

    gone = asyncio.Event()

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)

        async def hang_up(event: Any) -> None:
            await client.disconnect()
            gone.set()

        client.on("conversation.item.completed", hang_up)
        await client.connect()
        waiting = [asyncio.create_task(client.wait_for_next_completed_item()) for _ in range(2)]
        await client.create_response()
        await asyncio.wait_for(gone.wait(), 60)
        assert not client.is_connected()
        for task in waiting:
            assert (await task)["item"]["formatted"]["transcript"] == "Goodbye."
        await client.connect()
        left = asyncio.create_task(client.wait_for_next_item())
        await asyncio.sleep(0)
        await client.disconnect()
        with pytest.raises(BackendError, match="has ended"):
            await left


async def test_two_that_connect_at_once_share_one_call():
    async with scripted(quiet) as (url, peers):
        client = RealtimeClient(url=url)
        assert await asyncio.gather(client.connect(), client.connect()) == [True, True]
        await client.disconnect()
    assert len(peers) == 1


async def test_an_app_is_told_that_the_call_has_ended_by_itself(monkeypatch: pytest.MonkeyPatch):
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        for number in range(2):
            await peer.call_tool(f"r{number}", f"c{number}", "again")
            await peer.expect("response.create")
        await peer.say("r9", "a9", "I have to end this call here.", 100)
        await peer.expect("never")

    monkeypatch.setenv("HELPLINE_MAX_TOOL_CALLS", "1")
    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        watch = Watch(client)
        await client.add_tool({"name": "again"}, lambda: "once more")
        await client.connect()
        await client.create_response()
        error = await watch.until("error", lambda event: "has ended" in event["message"])
        assert "tool limit" in error["message"]
        assert not client.is_connected()
        await client.disconnect()


async def test_a_tool_call_is_an_item_and_so_is_its_answer():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "add", '{"a": 1, "b": 2}')
        await peer.expect("never")

    async def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        watch = Watch(client)
        await client.add_tool({"name": "add"}, add)
        await client.connect()
        await client.create_response()
        called = await watch.until(
            "conversation.item.completed", lambda event: event["item"]["type"] == "function_call"
        )
        output = await watch.until(
            "conversation.item.completed", lambda event: event["item"]["type"] == "function_call_output"
        )
        await client.disconnect()
    assert json.loads(called["item"]["arguments"]) == {"a": 1, "b": 2}
    assert (called["item"]["status"], output["item"]["call_id"]) == ("completed", "c1")
    assert json.loads(output["item"]["output"]) == {"sum": 3}


async def test_a_tool_that_was_removed_is_offered_no_more_and_update_session_says_what_changes():
    updates: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def script(peer: Peer) -> None:
        updates.put_nowait((await peer.greet())["session"])
        while True:
            updates.put_nowait((await peer.expect("session.update"))["session"])

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        await client.add_tool({"name": "one"}, lambda: "1")
        await client.add_tool({"name": "two"}, lambda: "2")
        with pytest.raises(ValueError, match="name of its own"):
            await client.add_tool({"name": "two"}, lambda: "2")
        await client.connect()
        first = await updates.get()
        await client.remove_tool("one")
        second = await updates.get()
        await client.update_session(instructions="Be loud.", audio={"output": {"speed": 0.9}})
        third = await updates.get()
        with pytest.raises(ValueError, match="turn_detection"):
            await client.update_session(audio={"input": {"turn_detection": {"type": "mind_reading"}}})
        await client.disconnect()
    assert [[tool["name"] for tool in update["tools"]] for update in (first, second)] == [
        ["one", "two"],
        ["two"],
    ]
    assert third["instructions"] == "Be loud."
    assert third["audio"]["output"]["speed"] == 0.9
    assert "voice" not in third["audio"]["output"], "the voice is said once"


async def test_items_of_the_apps_own_outlive_the_session_and_deleted_ones_do_not():
    async def dies(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("conversation.item.delete")
        await peer.cut(1011)

    configured = asyncio.Event()

    async def goes_on(peer: Peer) -> None:
        await peer.greet()
        configured.set()
        await peer.expect("never")

    scripts = [dies, goes_on]

    async def script(peer: Peer) -> None:
        await scripts.pop(0)(peer)

    def note(text: str, role: str = "system", **more: str) -> dict[str, Any]:
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}], **more}

    async with scripted(script) as (url, peers):
        client = RealtimeClient(url=url)
        await client.connect()
        await client.create_conversation_item(note("The customer is on the page of the yoga mat."))
        await client.create_conversation_item(note("I like blue.", "user", id="mine"))
        await client.create_conversation_item(note("I like red.", "user", id="wrong"))
        with pytest.raises(ValueError, match="item"):
            await client.create_conversation_item({"type": "message", "content": "text"})
        await client.delete_item("wrong")
        await asyncio.wait_for(configured.wait(), 60)
        assert await client.wait_for_session_created()
        await client.disconnect()
    told = [
        [
            event["item"]["content"][0]["text"]
            for event in peer.seen
            if event["type"] == "conversation.item.create"
        ]
        for peer in peers
    ]
    assert told[0] == ["The customer is on the page of the yoga mat.", "I like blue.", "I like red."]
    assert told[1] == ["The customer is on the page of the yoga mat.", "I like blue."]


async def test_push_to_talk_commits_when_a_reply_is_asked_for():
    pcm = bytes(range(240)) * 8

    async def script(peer: Peer) -> None:
        asked = await peer.greet()
        assert asked["session"]["audio"]["input"]["turn_detection"] is None
        await peer.expect("input_audio_buffer.commit")
        await peer.send("input_audio_buffer.committed", item_id="u1")
        await peer.expect("response.create")
        await peer.say("r1", "a1", "Hello.", 100)
        await peer.expect("response.create")
        await peer.say("r2", "a2", "Again.", 100)
        await peer.expect("never")

    async with scripted(script) as (url, peers):
        client = RealtimeClient(url=url)
        watch = Watch(client)
        await client.update_session(audio={"input": {"turn_detection": None}})
        await client.connect()
        content = {"type": "input_audio", "audio": base64.b64encode(pcm).decode()}
        await client.send_user_message_content([content])
        await client.create_response()
        await watch.until(
            "conversation.item.completed", lambda event: event["item"]["formatted"]["transcript"] == "Hello."
        )
        await client.create_response()  # nothing was said since: another reply
        await watch.until(
            "conversation.item.completed", lambda event: event["item"]["formatted"]["transcript"] == "Again."
        )
        await client.disconnect()
    kinds = [event["type"] for event in peers[0].seen]
    assert kinds.count("input_audio_buffer.commit") == 1
    assert kinds.count("response.create") == 2
    assert kinds.index("input_audio_buffer.append") < kinds.index("input_audio_buffer.commit")


async def test_cancel_response_truncates_at_what_was_heard():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.begin("r1", "a1", "Your order is on its way and will be there soon.", 4000)
        truncated = await peer.expect("conversation.item.truncate")
        assert truncated["audio_end_ms"] <= 400
        done.set()
        await peer.expect("never")

    done = asyncio.Event()
    async with scripted(script) as (url, peers):
        client = RealtimeClient(url=url)
        watch = Watch(client)
        await client.connect()
        await client.create_response()
        await watch.until("conversation.updated", lambda event: "audio" in event["delta"])
        cancelled = await client.cancel_response("a1", 9600)
        await asyncio.wait_for(done.wait(), 60)
        await watch.until("conversation.interrupted")
        await client.disconnect()
    assert cancelled["item"]["id"] == "a1"
    assert "response.cancel" in [event["type"] for event in peers[0].seen]


# --- whom it may serve -----------------------------------------------------------------------------------


async def with_shop(url: str) -> RealtimeClient:
    client = RealtimeClient(url=url)
    for definition, handler in tools:
        await client.add_tool(definition, handler)
    return client


async def test_without_a_verified_customer_a_model_that_tries_gets_nothing():
    answers: dict[str, str] = {}

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        tried = {"check_order_status": '{"order_id": "1004"}', "cancel_order": '{"order_id": "1005"}'}
        for name, arguments in tried.items():
            await peer.call_tool(f"r_{name}", f"c_{name}", name, arguments)
            output = await peer.expect("conversation.item.create")
            answers[name] = output["item"]["output"]
            await peer.expect("response.create")
        done.set()
        await peer.expect("never")

    done = asyncio.Event()
    async with scripted(script) as (url, _):
        client = await with_shop(url)
        await client.connect(voice=False)
        await client.send_user_message_content([{"type": "input_text", "text": "cancel order 1005"}])
        await asyncio.wait_for(done.wait(), 60)
        await client.disconnect()
    assert all("1004" not in answer and "1005" not in answer for answer in answers.values()), answers
    assert all(json.loads(answer)["status"] != "ok" for answer in answers.values()), answers


async def test_a_change_is_proposed_and_made_once_after_a_yes():
    outputs: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "cancel_order", '{"order_id": "1005"}')
        outputs.append((await peer.expect("conversation.item.create"))["item"]["output"])
        await peer.expect("response.create")
        read_back = json.loads(outputs[0])["say"]
        at = {"response_id": "r2", "item_id": "a2", "output_index": 0, "content_index": 0}
        await peer.send("response.created", response={"id": "r2", "conversation_id": "conv"})
        await peer.send("response.output_text.delta", **at, delta=read_back)
        await peer.send("response.output_text.done", **at, text=read_back)
        await peer.send("response.done", response={"id": "r2", "status": "completed", "output": []})
        await peer.expect("never")

    async with scripted(script) as (url, _):
        client = await with_shop(url)
        watch = Watch(client)
        client.identify(MAYA)
        await client.connect(voice=False)
        await client.send_user_message_content([{"type": "input_text", "text": "cancel order 1005"}])
        await watch.until(
            "conversation.item.completed", lambda event: event["item"].get("role") == "assistant"
        )
        for _ in range(2):
            await client.send_user_message_content([{"type": "input_text", "text": "yes"}])

        await watch.until("conversation.item.completed", lambda event: event["item"]["type"] == "receipt")
        await client.disconnect()
    assert json.loads(outputs[0])["status"] == "not_done_yet"
    receipts = {
        event["item"]["receipt"].reference
        for name, event in watch.seen
        if name == "conversation.item.completed" and event["item"]["type"] == "receipt"
    }
    assert len(receipts) == 1


async def test_nothing_of_one_customers_call_is_known_in_the_next():
    asked: asyncio.Queue[Peer] = asyncio.Queue()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        asked.put_nowait(peer)
        await peer.expect("never")

    async def says(client: RealtimeClient, text: str) -> str:
        """What the session is told by the time it is asked for a reply."""
        await client.send_user_message_content([{"type": "input_text", "text": text}])
        peer = await asyncio.wait_for(asked.get(), 60)
        return json.dumps(peer.seen)

    async with scripted(script) as (url, _):
        client = await with_shop(url)
        client.identify(MAYA)
        await client.connect(voice=False)
        assert "my secret is blue" in await says(client, "my secret is blue")
        client.identify(Caller("cus_omar", "Omar", Identity.PROVEN, "sign_in"))
        second = await says(client, "hello")
        await client.disconnect()
        client.identify(Caller("cus_third", "Third", Identity.PROVEN, "sign_in"))
        await client.connect(voice=False)
        third = await says(client, "goodbye")
        await client.disconnect()
    assert "hello" in second
    assert "goodbye" in third
    assert not any(word in second + third for word in ("secret", "Maya"))
    assert "hello" not in third


async def test_every_visitors_client_has_the_same_engine_until_the_last_has_gone(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HELPLINE_BACKENDS", "engine")
    first, second = RealtimeClient(), RealtimeClient()
    (engine,) = first._engines
    await first.connect(voice=False)
    await second.connect(voice=False)
    assert [users for _, users in engine._running.values()] == [2]
    await first.disconnect()
    assert [users for _, users in engine._running.values()] == [1]
    await second.disconnect()
    assert not engine._running
