"""Wav files of every kind in, one kind out, and a sentence for what is not one."""

import wave
from pathlib import Path

import numpy as np
import pytest

from helpline.audio import pcm
from helpline.audio.wav import WavError, read_wav, write_wav
from tests.audio.test_pcm import tone


def write(path: Path, data: bytes, *, channels: int = 1, width: int = 2, rate: int = 24000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(data)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    sound = tone(440, 250)
    write_wav(tmp_path / "a.wav", sound)
    assert read_wav(tmp_path / "a.wav") == sound


def test_stereo_becomes_the_mean_of_both_ears(tmp_path: Path) -> None:
    both = np.array([[1000, 3000], [-200, 200]], "<i2").tobytes()
    assert list(pcm.samples(read_wav(write(tmp_path / "s.wav", both, channels=2)))) == [2000, 0]


@pytest.mark.parametrize(
    ("width", "data"),
    [
        (1, bytes([128, 192, 64])),
        (2, np.array([0, 16384, -16384], "<i2").tobytes()),
        (3, b"\0\0\0" + b"\0\0\x40" + b"\0\0\xc0"),
        (4, np.array([0, 2**30, -(2**30)], "<i4").tobytes()),
    ],
)
def test_every_width_has_the_same_loudness(tmp_path: Path, width: int, data: bytes) -> None:
    assert list(pcm.samples(read_wav(write(tmp_path / "w.wav", data, width=width)))) == [0, 16384, -16384]


def test_any_rate_becomes_the_one_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "r.wav", tone(440, 1000, rate=44100), rate=44100)
    assert pcm.duration_ms(read_wav(path)) == pytest.approx(1000, abs=1)
    assert pcm.duration_ms(read_wav(path, 8000), 8000) == pytest.approx(1000, abs=1)


def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "c.wav", tone(440, 100))
    path.write_bytes(path.read_bytes()[:-501])
    assert 80 <= pcm.duration_ms(read_wav(path)) < 100


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        (b"", "is not a PCM wav file"),
        (b"ID3 this is an mp3", "is not a PCM wav file"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is not a PCM wav file"),
    ],
)
def test_what_is_no_wav_file_is_said_in_a_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WavError, match=f"x.wav {says}"):
        read_wav(path)


def test_a_folder_is_no_wav_file(tmp_path: Path) -> None:
    with pytest.raises(WavError, match="is a folder"):
        read_wav(tmp_path)
    with pytest.raises(WavError, match="cannot be written"):
        write_wav(tmp_path / "none" / "a.wav", b"")


def test_a_file_that_claims_hours_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path / "h.wav", bytes(7300), width=1, channels=1, rate=1)
    with pytest.raises(WavError, match="longer than an hour"):
        read_wav(path)
