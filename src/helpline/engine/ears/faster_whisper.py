"""Ears by whisper, through CTranslate2 (`pip install "helpline[faster-whisper]"`).

Whisper hears a whole utterance at once: there are no words before its end, and it takes as long as the model
is large. Any vocabulary, punctuation and numbers as it writes them. It is told the session's language, or it
finds out.
"""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from helpline.audio.pcm import samples
from helpline.engine.ears.port import Ears, MakeEars, plain
from helpline.engine.lexicon import Expected
from helpline.engine.parts import folder_with, load_package, need_package
from helpline.errors import MissingPartError

_PART, _EXTRA = "HELPLINE_ENGINE_EARS: faster-whisper", "faster-whisper"
_FILES = ("model.bin", "config.json", "tokenizer.json")
"""Without a tokenizer the library would fetch one, whatever it was told."""
_NAME = re.compile(r"(?:distil-)?(?:tiny|base|small|medium|large|turbo)(?:[.-][a-z0-9.-]+)?")
_RATE = 16_000
_LEAST_SAMPLES = _RATE // 10
_MOST_BYTES = 2 * _RATE * 125
_MOST_KEYWORDS = 40


def check(model: str) -> None:
    """The package and, for a path, the files; raises MissingPartError."""
    need_package("faster_whisper", _PART, _EXTRA)
    if not is_name(model):
        folder_with(model, _FILES, "HELPLINE_ENGINE_EARS", "a whisper model for CTranslate2")


def is_name(model: str) -> bool:
    """Whether this is one of whisper's own names (`tiny.en`, `large-v3`), and no folder on this machine."""
    return _NAME.fullmatch(model) is not None and not os.path.isdir(model)


def languages_of(model: str) -> tuple[str, ...]:
    """English for its English models, by their names; else empty: many."""
    name = Path(model).name
    return ("en",) if re.search(r"\.en$|^distil-", name) else ()


def is_here(model: str) -> bool:
    """Whether a model by name was fetched already: then nothing is."""
    library = load_package("faster_whisper", _PART, _EXTRA)
    try:
        library.download_model(model, local_files_only=True)
    except (OSError, ValueError):
        return False
    return True


def load(model: str) -> MakeEars:
    """The model, once for this process."""
    library = load_package("faster_whisper", _PART, _EXTRA)
    named = is_name(model)
    where = model if named else str(Path(model).expanduser())
    try:
        whisper = library.WhisperModel(where, compute_type="auto", local_files_only=not named)
    except Exception as broken:
        what = "could not be fetched or loaded" if named else "cannot be loaded: its files are damaged"
        raise MissingPartError(
            f"HELPLINE_ENGINE_EARS: the whisper model {model} {what} ({type(broken).__name__})."
        ) from broken
    return lambda: WhisperEars(whisper)


class WhisperEars(Ears):
    """One session's utterances, each given to whisper when it is over."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._heard = bytearray()
        self._words = ""
        self._language: str | None = None

    def expect(self, expected: Expected) -> None:
        """The session's names are what whisper may know least; a language that it lacks is for it to find."""
        self._words = ", ".join(expected.keywords[:_MOST_KEYWORDS])
        known = expected.language in self._model.supported_languages
        self._language = expected.language if known else None

    def begin(self) -> None:
        self._heard.clear()

    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        if len(self._heard) < _MOST_BYTES:
            self._heard += pcm16k
        return ""

    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        heard = samples(bytes(self._heard)).astype(np.float32) / 32768
        self._heard.clear()
        if len(heard) < _LEAST_SAMPLES:
            return ()
        segments, _ = self._model.transcribe(
            heard,
            language=self._language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            hotwords=self._words or None,
        )
        return (plain(" ".join(segment.text for segment in segments)),)

    def cancel(self) -> None:
        self._heard.clear()
