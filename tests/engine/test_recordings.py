"""Speech of another synthesiser, in 16 kHz and as a telephone line carries it, through a whole session."""

import base64
import wave
from pathlib import Path

import pytest

from helpline.audio.resample import Resampler
from tests.engine.talk import SHOP_TOOLS, Heard, Talker

SPEECH = Path(__file__).parents[3] / "shared" / "data" / "speech"

pytestmark = pytest.mark.skipif(not SPEECH.is_dir(), reason="../shared/data/speech is not here")


@pytest.fixture(params=["wav", "ulaw"])
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def reply_to(talker: Talker, name: str, line: str) -> Heard:
    """What the engine makes of one recording, in a session that has heard nothing before it."""
    kind = "audio/pcm" if line == "wav" else "audio/pcmu"
    rate = {"rate": 24_000} if line == "wav" else {}
    audio = {"input": {"format": {"type": kind, **rate}, "transcription": {"model": "helpline"}}}
    await talker.configure(tools=SHOP_TOOLS, audio=audio, output_modalities=["text"])
    for at in range(0, len(sound := _with_silence(SPEECH / f"{name}.{line}")), _A_TENTH[line]):
        chunk = base64.b64encode(sound[at : at + _A_TENTH[line]]).decode()
        await talker.send("input_audio_buffer.append", audio=chunk)
    await talker.until("input_audio_buffer.speech_stopped")
    heard = await talker.until("conversation.item.input_audio_transcription.completed")
    if not any(event["type"] == "response.done" for event in talker.events):
        await talker.until("response.done")
    done = next(event for event in talker.events if event["type"] == "response.done")
    return Heard([heard], done["response"])


_A_TENTH = {"wav": 4800, "ulaw": 800}


def _with_silence(path: Path) -> bytes:
    if path.suffix == ".ulaw":
        return b"\xff" * 1600 + path.read_bytes() + b"\xff" * 7200
    with wave.open(str(path)) as recording:
        pcm16k = recording.readframes(recording.getnframes())
    stream = Resampler(recording.getframerate(), 24_000, quality="HQ")
    return bytes(48 * 200) + stream.feed(pcm16k) + stream.finish() + bytes(48 * 900)


@pytest.mark.parametrize(
    ("name", "transcript", "answer"),
    [
        ("hello", "Hello.", "How can I help you?"),
        ("hi_how_are_you", "", "How can I help you?"),
        ("thank_you", "Thank you very much.", "You are welcome."),
        ("yes", "Yes.", "What would you like me to do?"),
        ("no", "No.", "Is there anything else?"),
        ("help_me", "", "I can look up your account"),
        ("order_status", "", "What is the order number?"),
    ],
)
async def test_plain_speech_is_understood(
    talker: Talker, line: str, name: str, transcript: str, answer: str
) -> None:
    reply = await reply_to(talker, name, line)
    assert answer in reply.text
    assert not transcript or reply.transcript == transcript


async def test_an_order_number_of_five_digits_is_understood(talker: Talker, line: str) -> None:
    reply = await reply_to(talker, "check_order_12345", line)
    assert reply.calls == [("check_order_status", {"order_id": "12345"})]
