"""The desk's own voice: loaded once and when it is needed, and its absence ends no call."""

import asyncio

import pytest

from helpline.engine.desk_voice import DeskVoice
from helpline.engine.voice import Voice
from helpline.errors import BackendError, MissingPartError

ENGLISH, CHINESE = "Nobody can answer for now.", "现在无人接听。"


class Speaker:
    """Says its text as bytes, and the speed behind it."""

    slow = False

    def __init__(self, *, chinese: bool = False) -> None:
        self.chinese = chinese

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        if "fails" in text:
            raise BackendError("The engine's voice failed (OSError): check HELPLINE_ENGINE_VOICE.")
        return f"{text} {speed}".encode()


@pytest.mark.parametrize(
    ("chinese", "ways", "said"),
    [
        (False, [CHINESE, ENGLISH], ENGLISH),
        (True, [CHINESE, ENGLISH], CHINESE),
        (False, [ENGLISH, CHINESE], ENGLISH),
        (False, [CHINESE], ""),
        (True, [], ""),
    ],
)
async def test_it_says_the_first_wording_that_it_can_read(chinese: bool, ways: list[str], said: str) -> None:
    voice = DeskVoice("v", lambda spec: Speaker(chinese=chinese))
    assert await voice.pronounce(ways, speed=0.8) == (said, f"{said} 0.8".encode() if said else b"")


async def test_it_is_loaded_once_for_calls_that_end_together() -> None:
    loaded: list[str] = []

    def load(spec: str) -> Voice:
        loaded.append(spec)
        return Speaker()

    voice = DeskVoice("piper:/voice.onnx", load)
    assert loaded == []
    said = await asyncio.gather(*(voice.pronounce([ENGLISH]) for _ in range(5)))
    assert [text for text, _ in said] == [ENGLISH] * 5
    assert loaded == ["piper:/voice.onnx"]


async def test_no_voice_is_no_error() -> None:
    assert await DeskVoice("none").pronounce([ENGLISH]) == ("", b"")


async def test_a_voice_that_is_missing_or_fails_is_logged_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing(spec: str) -> Voice:
        raise MissingPartError("HELPLINE_ENGINE_VOICE: there is no file /voice.onnx.")

    gone, failing = DeskVoice("v", missing), DeskVoice("v", lambda spec: Speaker())
    for _ in range(2):
        assert await gone.pronounce([ENGLISH]) == ("", b"")
    assert await failing.pronounce(["it fails"]) == ("", b"")
    assert caplog.text.count("there is no file /voice.onnx") == 1
    assert "voice failed (OSError)" in caplog.text
