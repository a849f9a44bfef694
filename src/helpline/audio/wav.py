"""Wav files in and out: any rate, width and number of channels in; mono s16le out."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from helpline.audio.pcm import RATE, from_samples
from helpline.audio.resample import resample
from helpline.errors import LocalError

MAX_SECONDS = 3600
"""Longer recordings than the longest session are a mistake."""


_Floats = npt.NDArray[np.float64]


class WavError(LocalError):
    """A wav file cannot be read or written; the message says why."""


def read_wav(path: str | Path, rate: int = RATE) -> bytes:
    """A wav file's sound as mono s16le at `rate`. Raises WavError."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, in_rate, frames = file.getparams()[:4]
            if in_rate <= 0 or frames > MAX_SECONDS * in_rate:
                raise WavError(f"{path} is longer than an hour or has no rate: use a shorter recording.")
            data = file.readframes(frames)
    except FileNotFoundError:
        raise WavError(f"{path} does not exist.") from None
    except IsADirectoryError:
        raise WavError(f"{path} is a folder, not a wav file.") from None
    except OSError as error:
        raise WavError(f"{path} cannot be read: {error.strerror or 'the disk failed'}.") from None
    except (wave.Error, EOFError):
        raise WavError(f"{path} is not a PCM wav file: convert it to 16-bit PCM first.") from None
    return resample(from_samples(_mono(data, channels, width)), in_rate, rate)


def write_wav(path: str | Path, pcm: bytes, rate: int = RATE) -> None:
    """Writes mono s16le to a wav file. Raises WavError."""
    try:
        with Path(path).open("wb") as place, wave.open(place, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(pcm[: len(pcm) // 2 * 2])
    except OSError as error:
        raise WavError(f"{path} cannot be written: {error.strerror or 'the disk failed'}.") from None


def _mono(data: bytes, channels: int, width: int) -> _Floats:
    """The mean of the channels, in the range of 16 bits."""
    whole = len(data) // (channels * width) * channels * width
    mean: _Floats = _wide(data[:whole], width).reshape(-1, channels).mean(axis=1)
    return mean


def _wide(data: bytes, width: int) -> _Floats:
    if width == 1:  # Eight bits are unsigned, the others signed.
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, width = padded.tobytes(), 4
    values: _Floats = np.frombuffer(data, f"<i{width}").astype(np.float64)
    return values / float(2 ** (8 * width - 16))
