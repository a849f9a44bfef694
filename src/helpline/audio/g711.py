"""G.711, the telephone's two codecs: 8 bits a sample for 16, by table (ITU-T G.711, mu-law and A-law).

The rate stays as it is: telephones use 8 kHz, so resample before encoding and after decoding.
"""

import numpy as np
import numpy.typing as npt

from helpline.audio.pcm import from_samples, samples

_Words = npt.NDArray[np.int16]
_Codes = npt.NDArray[np.uint8]
_BIAS = 132
"""Mu-law adds it before the logarithm, so that every segment begins at a power of two."""
_CLIP = 32635


def mulaw_decode(data: bytes) -> bytes:
    """Mu-law bytes as s16le."""
    return from_samples(_MULAW_TO_PCM[np.frombuffer(data, np.uint8)])


def mulaw_encode(pcm: bytes) -> bytes:
    """S16le as mu-law bytes."""
    return _PCM_TO_MULAW[samples(pcm).view(np.uint16)].tobytes()


def alaw_decode(data: bytes) -> bytes:
    """A-law bytes as s16le."""
    return from_samples(_ALAW_TO_PCM[np.frombuffer(data, np.uint8)])


def alaw_encode(pcm: bytes) -> bytes:
    """S16le as A-law bytes."""
    return _PCM_TO_ALAW[samples(pcm).view(np.uint16)].tobytes()


def _mulaw_values() -> _Words:
    """What each mu-law byte means: sign, three bits of segment, four of step, all inverted."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = ((step << 3) + _BIAS << segment) - _BIAS
    value: _Words = np.where(code & 128, -size, size).astype(np.int16)
    return value


def _mulaw_codes() -> _Codes:
    """The mu-law byte of each 16-bit sample."""
    value = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(value), _CLIP) + _BIAS
    segment = np.log2(size).astype(np.int32) - 7
    code: _Codes = (np.where(value < 0, 128, 0) | segment << 4 | size >> segment + 3 & 15).astype(np.uint8)
    return ~code


def _alaw_values() -> _Words:
    """What each A-law byte means: as mu-law without the bias, every other bit inverted, sign reversed."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(segment == 0, (step << 4) + 8, (step << 4) + 264 << np.maximum(segment - 1, 0))
    value: _Words = np.where(code & 128, size, -size).astype(np.int16)
    return value


def _alaw_codes() -> _Codes:
    """The A-law byte of each 16-bit sample."""
    value = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 3
    size = np.where(value < 0, -value - 1, value)
    segment = np.maximum(np.log2(np.maximum(size, 1)).astype(np.int32) - 4, 0)
    step = size >> np.maximum(segment, 1) & 15
    code: _Codes = (np.where(value < 0, 0, 128) | segment << 4 | step).astype(np.uint8)
    return code ^ np.uint8(0x55)


_MULAW_TO_PCM, _PCM_TO_MULAW = _mulaw_values(), _mulaw_codes()
_ALAW_TO_PCM, _PCM_TO_ALAW = _alaw_values(), _alaw_codes()
