"""Measures and makes PCM: `bytes` of mono s16le samples, 24 kHz unless a rate is given."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

RATE = 24_000
"""Samples per second on the Realtime protocol's wire, and everywhere in the desk."""
BYTES_PER_SAMPLE = 2
BYTES_PER_MS = RATE * BYTES_PER_SAMPLE // 1000
QUIETEST_DBFS = -100.0
"""What silence measures; one bit of 16 is -90."""

Samples = npt.NDArray[np.int16]
_S16LE = np.dtype("<i2")


def samples(pcm: bytes) -> Samples:
    """The samples of s16le bytes; half a sample at the end is left out."""
    return np.frombuffer(pcm, dtype=_S16LE, count=len(pcm) // BYTES_PER_SAMPLE)


def from_samples(values: npt.NDArray[np.generic]) -> bytes:
    """Samples as s16le bytes, clipped to 16 bits; floats are in the range of 16 bits too."""
    whole = np.rint(values) if values.dtype.kind == "f" else values
    return bytes(np.clip(whole, -32768, 32767).astype(_S16LE))


def duration_ms(pcm: bytes | int, rate: int = RATE) -> int:
    """How long the sound (or so many bytes of it) plays, rounded down."""
    size = pcm if isinstance(pcm, int) else len(pcm)
    return size // BYTES_PER_SAMPLE * 1000 // rate


def size_of(ms: int, rate: int = RATE) -> int:
    """Bytes of so many milliseconds; always whole samples."""
    return ms * rate // 1000 * BYTES_PER_SAMPLE


def silence(ms: int, rate: int = RATE) -> bytes:
    """So many milliseconds of nothing."""
    return bytes(size_of(ms, rate))


def chunks(pcm: bytes, ms: int, rate: int = RATE) -> Iterator[bytes]:
    """The sound in pieces of `ms`; the last may be shorter."""
    size = max(size_of(ms, rate), BYTES_PER_SAMPLE)
    return (pcm[start : start + size] for start in range(0, len(pcm), size))


def level_dbfs(pcm: bytes) -> float:
    """How loud it is: RMS against a full-scale square wave, in dB; QUIETEST_DBFS for silence or nothing."""
    values = samples(pcm)
    if not values.size:
        return QUIETEST_DBFS
    rms = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    return QUIETEST_DBFS if rms == 0 else 20 * float(np.log10(rms / 32768))


def gained(pcm: bytes, gain_db: float) -> bytes:
    """The sound louder or softer, clipped."""
    return from_samples(samples(pcm) * np.float64(10 ** (gain_db / 20)))


def mix(one: bytes, other: bytes, *, other_gain_db: float = 0.0, at_ms: int = 0, rate: int = RATE) -> bytes:
    """Both at once, `other` from `at_ms` on and at its gain; as long as the longer, clipped."""
    start = size_of(at_ms, rate) // BYTES_PER_SAMPLE
    first, second = samples(one), samples(other)
    out = np.zeros(max(first.size, start + second.size), dtype=np.float64)
    out[: first.size] += first
    out[start : start + second.size] += second * 10 ** (other_gain_db / 20)
    return from_samples(out)
