"""The telephone made of sound files: its clock is ours here, frame by frame."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest

from helpline.actions import Card, Proposal, Receipt, ToolResult
from helpline.audio.pcm import BYTES_PER_MS
from helpline.call.shown import Caption, CardShown, Notice, ReceiptShown, StateShown, ToolEnded
from helpline.channels.wav import (
    BREATH_MS,
    FRAME_MS,
    QUIET_MS,
    Microphone,
    Speaker,
    WavChannel,
    audible_end,
)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        return self.ms

    def utcnow(self) -> datetime:
        return datetime.fromtimestamp(self.ms / 1000, UTC)


class Line:
    """A call that only listens: what it heard and what it was told has sounded."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.reports: list[tuple[str, int]] = []
        self.pushed: list[tuple[bool, int]] = []
        """Whether the button was pressed or let go, and after how many frames."""

    def push(self, down: bool) -> None:
        self.pushed.append((down, len(self.frames)))

    def hear(self, pcm24k: bytes) -> None:
        self.frames.append(pcm24k)

    def played(self, track: str, played_ms: int) -> None:
        self.reports.append((track, played_ms))


def tone(ms: int, level: int = 8000) -> bytes:
    return np.full(ms * BYTES_PER_MS // 2, level, dtype="<i2").tobytes()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def channel(clock):
    return WavChannel(clock)


def pass_time(channel: WavChannel, line: Line, ms: int) -> None:
    for _ in range(ms // FRAME_MS):
        channel.clock.ms += FRAME_MS
        channel.advance(line)


def test_who_speaks_holds_the_button_while_speaking(channel):
    line = Line()
    channel.advance(line)
    channel.speak(tone(200))
    pass_time(channel, line, 1000)
    (down, from_frame), (up, to_frame) = line.pushed
    assert (down, up) == (True, False)
    heard = b"".join(line.frames[from_frame:to_frame])
    assert tone(200) in heard
    assert not any(any(frame) for frame in (*line.frames[:from_frame], *line.frames[to_frame:]))


def caption(line_id: str, speaker: str, text: str, *, final: bool = True, start_ms: int = 0) -> Caption:
    return Caption(line_id, speaker, text, text, final, start_ms=start_ms)


def test_the_microphone_gives_speech_then_silence_in_frames_of_one_length():
    microphone = Microphone()
    microphone.speak(tone(50))
    frames = [microphone.take(40) for _ in range(3)]
    assert b"".join(frames) == tone(50) + bytes(70 * BYTES_PER_MS)


def test_the_speaker_sounds_tracks_in_order_and_reports_each_from_its_own_start():
    speaker = Speaker()
    speaker.queue("a", tone(30, 1))
    speaker.queue("a", tone(20, 2))
    speaker.queue("b", tone(100, 3))
    assert speaker.take(80) == tone(30, 1) + tone(20, 2) + tone(30, 3)
    assert speaker.reports() == [("a", 50), ("b", 30)]
    speaker.take(80)
    assert speaker.reports() == [("b", 100)]
    assert speaker.silent
    assert speaker.reports() == []


def test_what_was_queued_is_gone_after_clearing_and_what_sounded_is_still_reported():
    speaker = Speaker()
    speaker.queue("a", tone(100))
    speaker.take(40)
    speaker.clear()
    assert speaker.take(40) == bytes(40 * BYTES_PER_MS)
    assert speaker.reports() == [("a", 40)]


async def test_playback_is_reported_periodically_and_at_its_end(channel):
    line = Line()
    await channel.play("t", tone(400))
    pass_time(channel, line, 480)
    assert line.reports == [("t", 120), ("t", 240), ("t", 360), ("t", 400)]
    assert bytes(channel.heard[: 400 * BYTES_PER_MS]) == tone(400)


async def test_latency_runs_from_the_last_sound_of_the_sentence_to_the_first_of_the_answer(channel, clock):
    line = Line()
    channel.speak(tone(90) + bytes(500 * BYTES_PER_MS))
    pass_time(channel, line, BREATH_MS + 600)
    await channel.play("old", tone(10))
    await channel.show(StateShown("thinking"))
    await channel.play("t", bytes(BYTES_PER_MS))
    clock.ms += 10
    await channel.play("t", tone(10))
    await channel.play("t", tone(10))
    assert channel.document.latency_ms == [610 - 90]
    assert b"".join(line.frames)[BREATH_MS * BYTES_PER_MS :][: 90 * BYTES_PER_MS] == tone(90)


async def test_a_typed_turn_is_timed_to_the_first_word_on_the_page(channel, clock):
    channel.typed()
    clock.ms += 70
    await channel.show(caption("c", "customer", "hello"))
    await channel.show(caption("d", "desk", "H", final=False))
    await channel.show(caption("d", "desk", "Hi"))
    assert channel.document.latency_ms == [70]


async def test_a_turn_is_answered_when_the_reply_was_heard_to_its_end_and_the_desk_rests(channel):
    line = Line()
    channel.speak(tone(40))
    waiting = asyncio.ensure_future(channel.answered(60))

    async def still_waiting() -> bool:
        await channel.show(CardShown(Card("order", "1004")))
        for _ in range(5):
            await asyncio.sleep(0)
        return not waiting.done()

    pass_time(channel, line, BREATH_MS + 600)
    await channel.show(StateShown("thinking"))
    await channel.show(StateShown("listening"))
    pass_time(channel, line, QUIET_MS)
    assert await still_waiting(), "nothing was said yet"
    await channel.show(StateShown("speaking"))
    await channel.play("t", tone(1000))
    await channel.show(caption("d", "desk", "On its way."))
    pass_time(channel, line, 960)
    assert await still_waiting(), "it still sounds"
    pass_time(channel, line, 80)
    await channel.show(StateShown("listening"))
    assert await still_waiting(), "another sentence may come"
    pass_time(channel, line, QUIET_MS)
    await channel.show(CardShown(Card("order", "1004")))
    assert await waiting


async def test_a_call_that_ends_answers_whoever_waits_and_silence_does_not(channel):
    assert not await channel.answered(0.0)
    waiting = asyncio.ensure_future(channel.answered(60))
    await asyncio.sleep(0)
    await channel.show(StateShown("ended", "the desk is closed"))
    assert await waiting


async def test_the_document_holds_lines_by_beginning_tools_receipts_and_latency(channel):
    proposal = Proposal("p1", "cancel_order", "1005", "cancel order 1005", ("cancel",), "Shall I?", 8450)
    result = ToolResult("Shall I?", {"order": "1005"}, proposal=proposal)
    refusal = ToolResult("I cannot.", ok=False, reason="too_late")
    for shown in (
        caption("d", "desk", "Shall I?", start_ms=900),
        caption("c", "customer", "Cancel", final=False, start_ms=100),
        caption("c", "customer", "Cancel it", start_ms=100),
        ToolEnded("t1", "cancel_order", '{"order_number": "1005"}', result, 12),
        ToolEnded("t2", "process_return", "not json", refusal, 3),
        ReceiptShown(Receipt("R-1", "p1", "cancel_order", "Done.", "2026-01-01T00:00:00+00:00")),
        Notice("Reconnected."),
    ):
        await channel.show(shown)
    document = channel.document.as_json()
    assert [(line["speaker"], line["text"]) for line in document["lines"]] == [
        ("customer", "Cancel it"),
        ("desk", "Shall I?"),
    ]
    assert document["tools"][0]["arguments"] == {"order_number": "1005"}
    assert document["tools"][0]["result"]["proposal"]["amount_cents"] == 8450
    assert document["tools"][1]["arguments"] == "not json"
    assert document["tools"][1]["result"]["reason"] == "too_late"
    assert document["receipts"][0]["reference"] == "R-1"
    assert channel.document.failure == ""
    await channel.show(Notice("OPENAI_API_KEY was refused.", "error"))
    assert channel.document.failure == "OPENAI_API_KEY was refused."


def test_silence_has_no_audible_end():
    assert audible_end(bytes(1000)) == 0
    assert audible_end(b"") == 0
