"""Ears by a streaming model of sherpa-onnx (`pip install "helpline[sherpa-onnx]"`).

PATH is a folder as the project publishes them: `tokens.txt` beside an encoder, a decoder and a joiner
(a transducer), or beside one model (CTC: NeMo or zipformer2). Words come while somebody speaks. The library
ends its process over a model that it does not understand, so what can be known of one is looked at first.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from helpline.audio.pcm import samples
from helpline.engine.ears.port import Ears, MakeEars, plain
from helpline.engine.parts import folder_with, load_package, need_package
from helpline.errors import MissingPartError

_PART, _EXTRA = "HELPLINE_ENGINE_EARS: sherpa-onnx", "sherpa-onnx"
_RATE = 16_000
_TAIL = np.zeros(int(_RATE * 0.66), dtype=np.float32)
"""Silence after the end: a chunk that is not full would not be decoded."""
_STREAMING = frozenset({"decode_chunk_len", "chunk_shift"})
_PROPERTIES = 14
"""`metadata_props` in ONNX's ModelProto."""

Kind = Literal["transducer", "nemo_ctc", "zipformer2_ctc"]


def check(folder: str) -> None:
    """The package and a model that can be used; raises MissingPartError."""
    need_package("sherpa_onnx", _PART, _EXTRA)
    find_model(folder)


def find_model(folder: str) -> tuple[Kind, dict[str, str]]:
    """What kind of model the folder holds, and its files by the names that the library gives them."""
    where = folder_with(folder, ("tokens.txt",), "HELPLINE_ENGINE_EARS", "a model of sherpa-onnx")
    found = {name: _smallest(where, name) for name in ("encoder", "decoder", "joiner")}
    if all(found.values()):
        kind: Kind = "transducer"
        files = {name: str(path) for name, path in found.items()}
        asked = found["encoder"]
    else:
        asked = _smallest(where, "")
        if asked is None or any(found.values()):
            raise MissingPartError(
                f"HELPLINE_ENGINE_EARS: {folder} holds no model: expected an encoder, a decoder and a joiner,"
                " or one model, as .onnx files."
            )
        kind = "zipformer2_ctc"
        files = {"model": str(asked)}
    properties = _properties(asked) if asked is not None else {}
    if not properties.keys() & _STREAMING:
        raise MissingPartError(
            f"HELPLINE_ENGINE_EARS: the model in {folder} does not stream: take one whose name says so."
        )
    if kind != "transducer" and "cache_last_channel_dim1" in properties:
        kind = "nemo_ctc"
    return kind, {**files, "tokens": str(where / "tokens.txt")}


def _smallest(folder: Path, name: str) -> Path | None:
    """Models come in several precisions: the smallest is the fastest."""
    found = [path for path in folder.glob("*.onnx") if name in path.name]
    return min(found, key=lambda path: path.stat().st_size, default=None)


def _properties(model: Path) -> dict[str, str]:
    """The model's own description of itself; {} for a file that is none."""
    try:
        with model.open("rb") as file:
            size = model.stat().st_size
            return dict(_pairs(field) for number, field in _fields(file, size) if number == _PROPERTIES)
    except (OSError, ValueError):
        return {}


def _fields(file: Any, size: int) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message, long ones (the graph, the weights) skipped."""
    while file.tell() < size:
        key = _varint(file)
        if key & 7 == 0:
            _varint(file)
        elif key & 7 == 2:
            length = _varint(file)
            if length > size - file.tell():
                raise ValueError("cut short")
            if length > 100_000:
                file.seek(length, 1)
            else:
                yield key >> 3, file.read(length)
        else:
            raise ValueError("no ONNX model")


def _pairs(entry: bytes) -> tuple[str, str]:
    fields = dict(_fields(BytesIO(entry), len(entry)))
    return fields.get(1, b"").decode("utf-8", "replace"), fields.get(2, b"").decode("utf-8", "replace")


def _varint(file: Any) -> int:
    value = shift = 0
    while byte := file.read(1):
        value |= (byte[0] & 127) << shift
        shift += 7
        if byte[0] < 128:
            return int(value)
        if shift > 63:
            break
    raise ValueError("no ONNX model")


def load(folder: str) -> MakeEars:
    """The model, once for this process."""
    kind, files = find_model(folder)
    library = load_package("sherpa_onnx", _PART, _EXTRA)
    streaming = library.OnlineRecognizer
    make = {
        "transducer": streaming.from_transducer,
        "nemo_ctc": streaming.from_nemo_ctc,
        "zipformer2_ctc": streaming.from_zipformer2_ctc,
    }[kind]
    try:
        recogniser = make(**files, num_threads=1)
    except Exception as broken:
        raise MissingPartError(
            f"HELPLINE_ENGINE_EARS: the model in {folder} cannot be loaded ({type(broken).__name__})."
        ) from broken
    return lambda: SherpaEars(recogniser)


class SherpaEars(Ears):
    """One session's utterances, each a stream of its own."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._stream: Any = None

    def begin(self) -> None:
        self._stream = self._recogniser.create_stream()

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if self._stream is None:
            return ""
        if pcm16k:
            self._stream.accept_waveform(_RATE, samples(pcm16k).astype(np.float32) / 32768)
        return self._words()

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        if self._stream is None:
            return ()
        self._stream.accept_waveform(_RATE, _TAIL)
        self._stream.input_finished()
        words, self._stream = self._words(), None
        return (words,)

    def cancel(self) -> None:
        self._stream = None

    def _words(self) -> str:
        while self._recogniser.is_ready(self._stream):
            self._recogniser.decode_stream(self._stream)
        return plain(self._recogniser.get_result(self._stream))
