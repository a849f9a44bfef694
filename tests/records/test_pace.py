"""Slower speech: asked for aloud or by the page, it is asked of the session and said to the model."""

import json

import pytest

from helpline.manner import LEAST_SPEED, MOST_SPEED
from tests.call.servers import ScriptedBackend
from tests.records.desks import desk_in
from tests.records.test_going_on import Seen
from tests.records.test_in_chinese import result, says


async def asks_for_it(peer) -> None:
    await peer.greet()
    await peer.expect("response.create")
    await peer.call_tool("t1", "c1", "change_speaking_pace", json.dumps({"pace": "slower"}))
    await peer.expect("response.create")
    await says(peer, 1, result(peer))
    await peer.expect("session.update")
    await peer.expect("response.create")


def speeds(backend) -> list[float | None]:
    updates = [event["session"] for event in backend.peers[0].seen if event["type"] == "session.update"]
    return [update.get("audio", {}).get("output", {}).get("speed") for update in updates]


@pytest.mark.parametrize(("usual", "slower"), [(None, 0.8), (1.2, 0.96), (0.25, LEAST_SPEED)])
async def test_a_customer_who_asks_for_it_is_spoken_to_more_slowly(tmp_path, usual, slower):
    backend = ScriptedBackend(asks_for_it)
    async with desk_in(tmp_path, backends=(backend,), speed=usual) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0])
        channel.join(call)
        assert await channel.say("speak slower please")
        assert channel.lines()[-1] == ("desk", "Of course, I will speak more slowly.")
        call.pace("normal")
        call.pace("normal")
        call.type("thank you")
        await backend.tasks[0]
        call.hang_up("the customer hung up")
        await desk.gone(call)
    first, second, third = speeds(backend)
    assert first == usual
    assert second == pytest.approx(slower)
    assert third == pytest.approx(usual or 1.0)
    assert MOST_SPEED == 1.5
    instructions = [
        e["session"]["instructions"] for e in backend.peers[0].seen if e["type"] == "session.update"
    ]
    assert ["speak slowly" in each for each in instructions] == [False, True, False]


@pytest.mark.parametrize("words", ["please speak slower", "can you speak a bit slower", "请说慢一点"])
async def test_the_engine_understands_it(tmp_path, words):
    async with desk_in(tmp_path) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0])
        channel.join(call)
        assert await channel.say(words)
        assert channel.lines()[-1] == ("desk", "Of course, I will speak more slowly.")
        call.hang_up("the customer hung up")
        await desk.gone(call)
