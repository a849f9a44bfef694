"""The desk's own voice in the microphone is silenced; the customer's is not."""

import numpy as np
import pytest

from helpline.audio.echo import EchoGate

FRAME_MS = 40
RNG = np.random.default_rng(7)


def voice(seconds: float, pitch: float, seed: int) -> np.ndarray:
    """Something like speech at 24 kHz: harmonics under a changing envelope, with pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(24000 * seconds)) / 24000
    wander = np.cumsum(rng.normal(0, 0.02, len(t)))
    tone = sum(np.sin(2 * np.pi * pitch * k * t + wander * k) / k for k in range(1, 25))
    syllables = np.repeat(rng.random(int(seconds * 8) + 1) > 0.25, 3000)[: len(t)]
    return tone * syllables * 2500


def frames(samples: np.ndarray) -> list[bytes]:
    size = 24 * FRAME_MS
    pcm = np.clip(samples, -32768, 32767).astype("<i2")
    return [pcm[at : at + size].tobytes() for at in range(0, len(pcm) - size + 1, size)]


def delayed(samples: np.ndarray, ms: int, db: float) -> np.ndarray:
    return np.concatenate((np.zeros(24 * ms), samples))[: len(samples)] * 10 ** (db / 20)


def run(desk: np.ndarray, microphone: np.ndarray) -> list[tuple[bytes, bytes]]:
    """(frame in, frame out) with the desk's voice sent in pieces of 200 ms, at most a second ahead."""
    gate = EchoGate()
    whole = np.clip(desk, -32768, 32767).astype("<i2").tobytes()
    piece = 2 * 1177  # no whole number of milliseconds, nor of samples at another rate
    sent, out = 0, []
    for n, frame in enumerate(frames(microphone)):
        now_ms = 10_000 + n * FRAME_MS
        while sent < len(whole) and sent // 48 < n * FRAME_MS + 1000:
            gate.played(whole[sent : sent + piece], now_ms)
            sent += piece
        out.append((frame, gate.filter(frame, now_ms + FRAME_MS)))
    return out


def loud(frame: bytes) -> bool:
    samples = np.frombuffer(frame, dtype="<i2").astype(float)
    return float(np.sqrt((samples**2).mean())) > 60


@pytest.mark.parametrize("delay_ms", [61, 150, 403, 800])
@pytest.mark.parametrize("db", [-30, -20, -6])
def test_an_echo_alone_is_silenced(delay_ms: int, db: float):
    desk = voice(6, 110, 1)
    passed = [after for before, after in run(desk, delayed(desk, delay_ms, db)) if loud(before)]
    assert len(passed) > 80
    assert sum(map(loud, passed)) <= 0.04 * len(passed), "a stray frame starts no speech"


def late(desk: np.ndarray, *, reports: bool) -> float:
    """The share of the echo that passes when the page runs dry for 1.3 s and then plays on."""
    gate = EchoGate()
    pcm = np.clip(desk, -32768, 32767).astype("<i2").tobytes()
    dry_from, dry_ms, size = 2000, 1320, 48 * FRAME_MS
    sounding = pcm[: 48 * dry_from] + bytes(48 * dry_ms) + pcm[48 * dry_from :]
    sent, played, loud_in, loud_out = 0, 0, 0, 0
    for n in range(len(sounding) // size):
        now_ms = 10_000 + n * FRAME_MS
        while sent < len(pcm) and sent // 48 < n * FRAME_MS + 400:
            gate.played(pcm[sent : sent + 9600], now_ms)
            sent += 9600
        played = n * FRAME_MS - min(max(0, n * FRAME_MS - dry_from), dry_ms)
        if reports and n % 5 == 0 and sent // 48 > played:
            gate.sounds_until(now_ms + sent // 48 - played, now_ms)
        echo = np.frombuffer(sounding[size * (n - 4) : size * (n - 3)] if n >= 4 else bytes(size), "<i2")
        frame = (echo * 0.1).astype("<i2").tobytes()
        out = gate.filter(frame, now_ms + FRAME_MS)
        if n * FRAME_MS > dry_from + dry_ms + 500 and loud(frame):
            loud_in += 1
            loud_out += loud(out)
    assert loud_in > 40
    return loud_out / loud_in


def test_an_echo_that_comes_late_because_the_page_ran_dry_is_silenced():
    desk = np.random.default_rng(3).normal(0, 3000, 24000 * 7)  # like nothing but itself
    assert late(desk, reports=False) > 0.9, "nobody knows where the page is"
    assert late(desk, reports=True) <= 0.04


def longest_leak(desk: np.ndarray, gaps_ms: list[int]) -> int:
    """How many frames of echo pass in a row, at most, when playback stumbles at these times."""
    played = desk
    for gap in gaps_ms:
        played = np.concatenate((played[: 24 * gap], np.zeros(24 * 30), played[24 * gap :]))
    longest = row = 0
    for before, after in run(desk, delayed(played, 150, -20)):
        row = row + 1 if loud(before) and loud(after) else 0
        longest = max(longest, row)
    return longest


def test_an_echo_of_playback_that_stumbles_is_silenced_within_a_frame():
    rng = np.random.default_rng(5)
    desk = rng.normal(0, 1, 24000 * 12) * np.repeat(3000 * rng.choice([0.3, 0.6, 1.0, 2.0], 120), 2400)
    assert longest_leak(desk, [1000 + 470 * n for n in range(22)]) <= 1


def test_an_echo_in_a_noisy_room_is_silenced():
    desk = voice(6, 110, 1)
    room = delayed(desk, 150, -14) + RNG.normal(0, 60, len(desk))
    passed = [after for before, after in run(desk, room) if loud(before)]
    assert sum(map(loud, passed)) <= 0.1 * len(passed) + 40


def test_speech_on_top_of_the_echo_passes_untouched():
    desk, customer = voice(6, 110, 1), voice(6, 190, 2)
    customer[: 24000 * 3] = 0
    for db in (0, -10):
        speech = customer * 10 ** (db / 20)
        result = run(desk, delayed(desk, 150, -20) + speech)
        speaking = [pair for pair, own in zip(result, frames(speech), strict=True) if loud(own)]
        assert len(speaking) > 40
        assert sum(before == after for before, after in speaking) >= 0.85 * len(speaking)


def test_speech_without_playback_is_never_touched():
    customer = voice(3, 190, 3)
    gate = EchoGate()
    for n, frame in enumerate(frames(customer)):
        assert gate.filter(frame, n * FRAME_MS) is frame


def test_what_was_silenced_before_it_sounded_is_no_reference():
    desk = voice(4, 110, 1)
    gate = EchoGate()
    for piece in frames(desk)[:25]:
        gate.played(piece, 0)
    gate.cleared(200)
    late = frames(desk)[20]
    assert gate.filter(late, 2000) is late
