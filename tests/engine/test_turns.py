"""What a client is told of speech: which events, in which order, of which item, at which time."""

import base64

import pytest

from helpline.engine.server import Engine
from helpline.engine.voice import Synthesiser
from tests.engine.talk import Json, Talker, talking

BEFORE_MS = 2000
"""Silence before the speech: more than any prefix here."""
FRAME_MS = 32


@pytest.fixture(scope="module")
def speech() -> bytes:
    """The same each time: the voice is not."""
    return Synthesiser().speak("thank you")


async def hear(talker: Talker, speech: bytes, **detection: int) -> list[Json]:
    """The events of one utterance, of which the first begins it."""
    turns = {"type": "server_vad", "create_response": False, **detection}
    await talker.configure(audio={"input": {"turn_detection": turns}})
    await talker.hear(bytes(48 * (BEFORE_MS - 200)) + speech, silence_ms=1500)
    await talker.until("conversation.item.done")
    names = [event["type"] for event in talker.events]
    return talker.events[names.index("input_audio_buffer.speech_started") :]


async def test_an_utterance_is_told_in_its_order(talker: Talker, speech: bytes) -> None:
    part = {"type": "input_text", "text": "hello"}
    before = {"id": "item_before", "type": "message", "role": "user", "content": [part]}
    await talker.send("conversation.item.create", item=before)
    await talker.until("conversation.item.done")
    started, stopped, committed, added, done = await hear(talker, speech)
    assert [event["type"] for event in (started, stopped, committed, added, done)] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert {event["item_id"] for event in (started, stopped, committed)} == {added["item"]["id"]}
    assert {event["previous_item_id"] for event in (committed, added, done)} == {"item_before"}
    assert added["item"] == done["item"]


async def test_speech_is_told_at_its_time_with_its_prefix_and_its_silence(
    talker: Talker, speech: bytes
) -> None:
    started, stopped, *_ = await hear(talker, speech, prefix_padding_ms=320, silence_duration_ms=480)
    starts_ms = started["audio_start_ms"]
    ends_ms = BEFORE_MS + len(speech) // 48
    assert BEFORE_MS - 320 - 3 * FRAME_MS <= starts_ms <= BEFORE_MS
    assert ends_ms <= stopped["audio_end_ms"] <= ends_ms + 480 + 8 * FRAME_MS


@pytest.mark.parametrize(("prefix_ms", "silence_ms"), [(0, 480), (960, 480), (320, 800)])
async def test_a_prefix_moves_the_start_and_a_silence_the_end(
    engine: Engine, speech: bytes, prefix_ms: int, silence_ms: int
) -> None:
    async with talking(engine) as usual, talking(engine) as other:
        started, stopped, *_ = await hear(usual, speech, prefix_padding_ms=320, silence_duration_ms=480)
        moved, ended, *_ = await hear(
            other, speech, prefix_padding_ms=prefix_ms, silence_duration_ms=silence_ms
        )
    assert started["audio_start_ms"] - moved["audio_start_ms"] == prefix_ms - 320
    assert ended["audio_end_ms"] - stopped["audio_end_ms"] == silence_ms - 480


async def test_a_commit_takes_all_that_waits(talker: Talker) -> None:
    await talker.configure(audio={"input": {"turn_detection": None}})
    await talker.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * 1000)).decode())
    await talker.send("input_audio_buffer.commit")
    committed = await talker.until("input_audio_buffer.committed")
    added = await talker.until("conversation.item.added")
    assert added["item"]["id"] == committed["item_id"]
    await talker.send("input_audio_buffer.commit")
    error = (await talker.until("error"))["error"]
    assert error["code"] == "input_audio_buffer_commit_empty"
