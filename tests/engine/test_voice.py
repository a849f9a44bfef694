"""The voice: what it says, how it says references, and what it answers when it is not installed."""

import sys

import numpy as np
import pytest

from helpline.engine import espeak
from helpline.engine.spoken import sentences, speakable
from helpline.engine.voice import Synthesiser
from helpline.errors import MissingPartError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("where is my order 1004", "where is my order 1 0 0 4"),
        ("Order #1005.", "Order 1 0 0 5."),
        ("Your receipt is R-4821.", "Your receipt is R 4 8 2 1."),
        ("It costs $24.50.", "It costs 24 dollars and 50 cents."),
        ("It costs $1,024.", "It costs 1,024 dollars."),
        ("£0.01 or €2", "1 penny or 2 euros"),
        ("on 2026-11-24T10:00:00Z", "on November 24th at 10 a m"),
        ("at 3:05 pm", "at 3 oh 5 p m"),
        ("You have 12 items.", "You have 12 items."),
        ("since June 3, 2025 or in 2024", "since June 3, 2025 or in 2024"),
        ("call 555-0142", "call 5 5 5, 0 1 4 2"),
        ("ann.lee@x.com", "ann dot lee at x dot com"),
        ("**bold** <b>", " bold   b "),
    ],
)
def test_numbers_are_written_as_they_are_said(text: str, said: str) -> None:
    assert speakable(text) == said


def test_sentences_joined_are_the_text() -> None:
    text = 'Hello there. It is $4.50! "Really?" Yes\nand so on'
    assert "".join(sentences(text)) == text
    assert len(sentences(text)) == 5
    assert sentences("") == []


def test_speech_is_24_khz_and_loud_enough_to_hear() -> None:
    pcm = np.frombuffer(Synthesiser().speak("Where is my order 1004?"), dtype="<i2")
    assert 1.2 < len(pcm) / 24_000 < 4
    assert np.sqrt(np.mean(pcm.astype(float) ** 2)) > 500


def test_speech_lasts_as_long_as_it_did_at_the_rate_of_the_library() -> None:
    made: list[bytes] = []
    espeak.load_espeak().synthesise("hello there", "en-us", 170, lambda pcm: not made.append(pcm))
    seconds = sum(map(len, made)) / 2 / espeak.RATE_HZ
    assert len(Synthesiser().speak("hello there")) / 48_000 == pytest.approx(seconds, rel=0.01)


def test_speed_shortens_speech() -> None:
    voice = Synthesiser()
    assert len(voice.speak("hello and welcome", speed=1.5)) < len(voice.speak("hello and welcome"))


def test_a_stream_is_the_text_sentence_by_sentence() -> None:
    parts = list(Synthesiser("en-us+f3").stream("One moment. Here it is."))
    assert [text for text, _ in parts] == ["One moment. ", "Here it is."]
    assert all(pcm for _, pcm in parts)


def test_voices_differ_and_an_unknown_one_is_named() -> None:
    assert Synthesiser("en-us").speak("hello") != Synthesiser("en-gb").speak("hello")
    with pytest.raises(MissingPartError, match="zz-nope"):
        Synthesiser("zz-nope")


def test_nothing_to_say_is_silence() -> None:
    assert Synthesiser().speak("") == b""


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(espeak, "_loaded", None)
    with pytest.raises(MissingPartError, match=r'pip install "helpline\[espeak\]"'):
        Synthesiser()
