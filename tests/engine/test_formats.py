"""Telephone audio is the same sound. A recogniser understands it in the wrong coding too: people do not."""

import base64
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pytest

from helpline.audio.g711 import alaw_decode, alaw_encode, mulaw_decode, mulaw_encode
from helpline.audio.resample import resample
from helpline.engine.ears.port import Ears
from helpline.engine.listening import Listener, LocalHearing
from helpline.engine.server import Engine
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser
from tests.engine.talk import FAST, Talker, talking

Coding = Callable[[bytes], bytes]


def likeness(one: bytes, other: bytes) -> float:
    """How much two sounds are one, wherever each begins: 1 is the same, 0 nothing of it."""
    first, second = (np.frombuffer(pcm, dtype="<i2").astype(float) for pcm in (one, other))
    size = len(first) + len(second)
    shifted = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
    return float(np.max(shifted) / (np.linalg.norm(first) * np.linalg.norm(second)))


class Recording(Ears):
    """Ears that keep what they hear."""

    def __init__(self) -> None:
        self.pcm16k = b""

    def begin(self) -> None:
        self.pcm16k = b""

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        self.pcm16k += pcm16k
        return ""

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        return ("thank you",)

    def cancel(self) -> None:
        pass


@asynccontextmanager
async def recorded(ears: Recording) -> AsyncIterator[Talker]:
    """A session with these ears."""
    with ThreadPoolExecutor(1) as threads:
        engine = Engine(
            FAST, make_hearing=lambda: LocalHearing(lambda: Listener(ears, VoiceDetector()), threads)
        )
        async with talking(engine) as talker:
            yield talker
        engine.close()


async def say(talker: Talker, codec: str, audio: bytes) -> None:
    detection = {"type": "server_vad", "create_response": False}
    await talker.configure(audio={"input": {"format": {"type": codec}, "turn_detection": detection}})
    for at in range(0, len(audio), 4800):
        await talker.send("input_audio_buffer.append", audio=base64.b64encode(audio[at : at + 4800]).decode())
    await talker.until("input_audio_buffer.committed")


@pytest.mark.parametrize(("codec", "encode"), [("audio/pcmu", mulaw_encode), ("audio/pcma", alaw_encode)])
async def test_what_is_heard_by_telephone_is_what_was_said(codec: str, encode: Coding) -> None:
    ears = Recording()
    pcm24k = bytes(48 * 500) + Synthesiser().speak("thank you") + bytes(48 * 1000)
    async with recorded(ears) as talker:
        pcm8k = resample(pcm24k, 24_000, 8_000)
        await say(talker, codec, encode(pcm8k))
        by_telephone = ears.pcm16k
        await say(talker, "audio/pcm", resample(pcm8k, 8_000, 24_000))
    assert likeness(by_telephone, ears.pcm16k) > 0.98


class Steady:
    """A voice that says the same sound each time."""

    slow = chinese = False

    def __init__(self) -> None:
        self._pcm24k = Synthesiser().speak("it is on its way")

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        return self._pcm24k


@pytest.mark.parametrize(("codec", "decode"), [("audio/pcmu", mulaw_decode), ("audio/pcma", alaw_decode)])
async def test_what_is_said_by_telephone_is_the_reply(codec: str, decode: Coding) -> None:
    engine = Engine(FAST, voice_of=lambda _: Steady())
    said = []
    for kind in ("audio/pcm", codec):
        async with talking(engine) as talker:
            await talker.configure(audio={"output": {"format": {"type": kind}}})
            await talker.tell('Say to the customer: "It is on its way."')
            said.append((await talker.reply()).pcm24k)
    engine.close()
    pcm24k, telephone = said
    assert likeness(decode(telephone), resample(pcm24k, 24_000, 8_000)) > 0.98
    assert abs(len(telephone) - len(pcm24k) // 6) <= 8, "the end of it is missing"


@pytest.mark.parametrize("codec", ["audio/pcmu", "audio/pcma"])
async def test_a_reply_by_telephone_is_cut_where_it_was_heard(talker: Talker, codec: str) -> None:
    await talker.configure(audio={"output": {"format": {"type": codec}}})
    await talker.tell('Say to the customer: "It is on its way."')
    reply = await talker.reply()
    heard_ms = len(reply.pcm24k) // 8
    item_id = reply.items("message")[0]["id"]
    await talker.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)
    assert (await talker.until("conversation.item.truncated"))["audio_end_ms"] == heard_ms
