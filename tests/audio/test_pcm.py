"""Measures of sound against sounds whose measures are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.audio import pcm


def tone(hz: float, ms: int, level: float = 0.5, rate: int = pcm.RATE) -> bytes:
    at = np.arange(ms * rate // 1000) / rate
    return pcm.from_samples(np.sin(2 * np.pi * hz * at) * level * 32767)


def test_durations_and_sizes_are_whole_samples() -> None:
    assert pcm.duration_ms(pcm.silence(1234)) == 1234
    assert pcm.duration_ms(b"\0" * 49) == 1
    assert pcm.size_of(20) == 960
    assert pcm.size_of(20, 8000) == 320
    assert pcm.size_of(1, 22050) % 2 == 0


def test_level_of_a_full_sine_is_three_below_full_scale() -> None:
    assert pcm.level_dbfs(tone(440, 1000, 1.0)) == pytest.approx(-3.01, abs=0.02)
    assert pcm.level_dbfs(tone(440, 1000, 0.1)) == pytest.approx(-23.01, abs=0.02)


@pytest.mark.parametrize("quiet", [b"", b"\0", bytes(960)])
def test_level_of_nothing_is_the_quietest(quiet: bytes) -> None:
    assert pcm.level_dbfs(quiet) == pcm.QUIETEST_DBFS


def test_gain_changes_the_level_and_clips_instead_of_wrapping() -> None:
    soft = tone(440, 100, 0.1)
    assert pcm.level_dbfs(pcm.gained(soft, 6)) == pytest.approx(pcm.level_dbfs(soft) + 6, abs=0.01)
    loud = pcm.samples(pcm.gained(tone(440, 100, 0.9), 40))
    assert (loud.max(), loud.min()) == (32767, -32768)


def test_mix_places_the_other_sound_in_time_and_level() -> None:
    mixed = pcm.mix(pcm.silence(300), tone(440, 100), other_gain_db=-20, at_ms=150)
    assert pcm.duration_ms(mixed) == 300
    assert pcm.level_dbfs(mixed[: pcm.size_of(150)]) == pcm.QUIETEST_DBFS
    heard = mixed[pcm.size_of(150) : pcm.size_of(250)]
    assert pcm.level_dbfs(heard) == pytest.approx(pcm.level_dbfs(tone(440, 100)) - 20, abs=0.05)


def test_mix_is_as_long_as_the_longer() -> None:
    assert pcm.duration_ms(pcm.mix(pcm.silence(100), pcm.silence(100), at_ms=50)) == 150
    assert pcm.mix(b"", b"") == b""


@given(st.binary(max_size=500), st.integers(1, 60))
def test_chunks_put_together_are_the_sound(sound: bytes, ms: int) -> None:
    pieces = list(pcm.chunks(sound, ms, 1000))
    assert b"".join(pieces) == sound
    assert all(len(piece) == pcm.size_of(ms, 1000) for piece in pieces[:-1])


@given(st.binary(max_size=400).filter(lambda b: len(b) % 2 == 0))
def test_samples_and_bytes_are_the_same_thing(sound: bytes) -> None:
    assert pcm.from_samples(pcm.samples(sound)) == sound
