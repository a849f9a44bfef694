"""G.711 against the standard's own values and, where Python still has it, against `audioop`."""

import importlib
import warnings
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.audio import g711, pcm
from tests.audio.test_pcm import tone

EVERY_SAMPLE = np.arange(65536, dtype=np.uint16).view(np.int16)
EVERY_CODE = bytes(range(256))
Codec = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]
CODECS: dict[str, Codec] = {
    "mu-law": (g711.mulaw_encode, g711.mulaw_decode),
    "A-law": (g711.alaw_encode, g711.alaw_decode),
}


def value(decode: Callable[[bytes], bytes], code: int) -> int:
    return int(pcm.samples(decode(bytes([code])))[0])


def test_values_of_the_standard() -> None:
    """ITU-T G.711, tables 1 and 2, on the 16-bit scale."""
    assert [value(g711.mulaw_decode, c) for c in (0xFF, 0x7F, 0x80, 0x00, 0xF0)] == [
        0, 0, 32124, -32124, 120,
    ]  # fmt: skip
    assert [value(g711.alaw_decode, c) for c in (0xD5, 0x55, 0xAA, 0x2A, 0x80)] == [
        8, -8, 32256, -32256, 5504,
    ]  # fmt: skip


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_decoded_byte_encodes_to_itself(codec: Codec) -> None:
    encode, decode = codec
    again = decode(encode(decode(EVERY_CODE)))
    assert again == decode(EVERY_CODE)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_the_error_is_within_one_step_of_the_sample(codec: Codec) -> None:
    encode, decode = codec
    back = pcm.samples(decode(encode(EVERY_SAMPLE.tobytes()))).astype(int)
    error, size = np.abs(back - EVERY_SAMPLE), np.abs(EVERY_SAMPLE.astype(int))
    assert (error <= np.maximum(size / 16, 8) + 4)[size <= 32124].all()


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_louder_stays_louder(codec: Codec) -> None:
    encode, decode = codec
    rising = np.sort(EVERY_SAMPLE)
    assert (np.diff(pcm.samples(decode(encode(rising.tobytes()))).astype(int)) >= 0).all()


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_speech_survives_the_telephone(codec: Codec) -> None:
    encode, decode = codec
    sound = tone(440, 500, 0.3, rate=8000)
    noise = pcm.samples(sound).astype(int) - pcm.samples(decode(encode(sound))).astype(int)
    assert pcm.level_dbfs(sound) - pcm.level_dbfs(pcm.from_samples(noise)) > 35
    assert len(encode(sound)) == len(sound) // 2


@given(st.binary(max_size=300))
def test_any_bytes_decode(data: bytes) -> None:
    assert len(g711.mulaw_decode(data)) == len(g711.alaw_decode(data)) == 2 * len(data)


def audioop() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return importlib.import_module("audioop")
        except ImportError:
            pytest.skip("this Python has no audioop (removed in 3.13)")


def test_every_byte_and_sample_agrees_with_audioop() -> None:
    oracle, sound = audioop(), EVERY_SAMPLE.tobytes()
    assert g711.mulaw_decode(EVERY_CODE) == oracle.ulaw2lin(EVERY_CODE, 2)
    assert g711.alaw_decode(EVERY_CODE) == oracle.alaw2lin(EVERY_CODE, 2)
    assert g711.alaw_encode(sound) == oracle.lin2alaw(sound, 2)
    ours = np.frombuffer(g711.mulaw_encode(sound), np.uint8).astype(int)
    theirs = np.frombuffer(oracle.lin2ulaw(sound, 2), np.uint8).astype(int)
    # It rounds negative samples to 14 bits before it encodes them: they may fall one code lower.
    assert (ours == theirs)[EVERY_SAMPLE >= 0].all()
    assert (np.abs(ours - theirs) <= 1).all()
