"""The detector asks its network only about what may be speech, and hears the same."""

import numpy as np

from helpline.audio.resample import resample
from helpline.engine.vad import SpeechBegan, SpeechEnded, VoiceDetector
from helpline.engine.voice import Synthesiser


def noise(rms: float, seconds: float) -> "np.ndarray":
    return np.random.default_rng(5).normal(0, rms, int(16_000 * seconds))


def line(rms: float) -> bytes:
    """Ten seconds of a line with that floor, somebody speaking in the middle, ten more."""
    speech = np.frombuffer(resample(Synthesiser().speak("where is my order"), 24_000, 16_000), dtype="<i2")
    values = noise(rms, 20 + len(speech) / 16_000)[: 320_000 + len(speech)]
    values[160_000 : 160_000 + len(speech)] += speech
    return values.clip(-32768, 32767).astype("<i2").tobytes()


class Counting:
    """The network, and how often it was asked."""

    def __init__(self) -> None:
        self._detector = VoiceDetector()._probability
        self.asked = 0

    def __call__(self, samples: "np.ndarray") -> float:
        self.asked += 1
        return self._detector(samples)


def turns(pcm16k: bytes, detector: VoiceDetector) -> list[int]:
    events = list(detector.feed(pcm16k))
    began = [event.start_ms for event in events if isinstance(event, SpeechBegan)]
    return began + [event.end_ms for event in events if isinstance(event, SpeechEnded)]


def test_speech_is_found_at_its_place_on_a_line_with_any_floor() -> None:
    for rms in (0, 3, 30, 120, 400):
        began, ended = turns(line(rms), VoiceDetector())
        assert 9_600 <= began <= 10_150, rms
        assert 11_000 <= ended <= 12_100, rms


def test_the_network_is_not_asked_about_a_silent_line() -> None:
    for rms in (0, 30, 80):
        network = Counting()
        turns(line(rms), VoiceDetector(probability=network))
        assert network.asked < 100, rms  # of some 670 frames


def test_steady_noise_that_is_loud_is_left_to_the_network() -> None:
    network = Counting()
    turns(noise(400, 5).astype("<i2").tobytes(), VoiceDetector(probability=network))
    assert network.asked > 100
