"""Resampling as a stream: same sound, right length, no clicks at the seams."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.audio import pcm
from helpline.audio.resample import Resampler, resample
from tests.audio.test_pcm import tone

RATES = [(24000, 16000), (16000, 24000), (22050, 24000), (24000, 8000), (8000, 24000), (24000, 24000)]


def loudest_hz(sound: bytes, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.samples(sound) * np.hanning(len(sound) // 2)))
    return float(np.argmax(spectrum)) * rate / (len(sound) // 2)


@pytest.mark.parametrize(("in_rate", "out_rate"), RATES)
def test_a_tone_keeps_its_pitch_level_and_length(in_rate: int, out_rate: int) -> None:
    sound, stream = tone(440, 2000, rate=in_rate), Resampler(in_rate, out_rate)
    out = b"".join(map(stream.feed, pcm.chunks(sound, 20, in_rate))) + stream.finish()
    assert abs(len(out) // 2 - len(sound) // 2 * out_rate / in_rate) <= 1
    assert loudest_hz(out, out_rate) == pytest.approx(440, abs=1)
    inner = out[pcm.size_of(100, out_rate) : -pcm.size_of(100, out_rate)]
    assert pcm.level_dbfs(inner) == pytest.approx(pcm.level_dbfs(sound), abs=0.1)


@pytest.mark.parametrize(("in_rate", "out_rate"), RATES)
@given(cuts=st.lists(st.integers(0, 999), max_size=12))
@settings(max_examples=25, deadline=None)
def test_where_the_chunks_are_cut_makes_no_difference(in_rate: int, out_rate: int, cuts: list[int]) -> None:
    sound = tone(300, 100, rate=in_rate)
    places = sorted({0, len(sound), *(cut * len(sound) // 1000 for cut in cuts)})
    stream, whole = Resampler(in_rate, out_rate), Resampler(in_rate, out_rate)
    cut = b"".join(stream.feed(sound[a:b]) for a, b in itertools.pairwise(places))
    assert cut + stream.finish() == whole.feed(sound) + whole.finish()


def test_speech_band_above_the_new_limit_is_removed_not_folded() -> None:
    inner = resample(tone(7000, 500), 24000, 8000)[pcm.size_of(50, 8000) : -pcm.size_of(50, 8000)]
    assert pcm.level_dbfs(inner) < -80


def test_reset_forgets_what_was_held_back() -> None:
    stream = Resampler(24000, 16000)
    stream.feed(tone(440, 200) + b"\1")
    stream.reset()
    assert pcm.level_dbfs(stream.feed(pcm.silence(500)) + stream.finish()) == pcm.QUIETEST_DBFS


def test_a_finished_stream_serves_the_next_one() -> None:
    stream, sound = Resampler(16000, 24000), tone(440, 100, rate=16000)
    first = stream.feed(sound) + stream.finish()
    assert stream.feed(sound) + stream.finish() == first


def test_it_says_how_much_it_holds_back() -> None:
    stream = Resampler(24000, 16000)
    stream.feed(tone(440, 100))
    assert 0 < stream.delay_ms < 100
    assert Resampler(24000, 24000).delay_ms == 0


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Resampler(0, 24000)


@pytest.mark.parametrize("tiny", [b"", b"\0"])
def test_next_to_nothing_is_no_trouble(tiny: bytes) -> None:
    assert resample(tiny, 16000, 24000) == tiny
    stream = Resampler(16000, 24000)
    assert stream.feed(tiny) + stream.finish() == b""
