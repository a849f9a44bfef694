"""A Kokoro voice (`pip install "helpline[kokoro]"`): a folder with its model (.onnx) and voices (.bin)."""

import logging
from pathlib import Path

import numpy as np

from helpline.audio.pcm import RATE, from_samples
from helpline.audio.resample import resample
from helpline.engine.parts import folder_with, load_package, need_package
from helpline.engine.spoken import speakable
from helpline.errors import BackendError, MissingPartError

_SETTING = "HELPLINE_ENGINE_VOICE"
_FIRST_CHOICE = "af_heart"
_PAUSE_MS = 150
"""The library cuts the silence off a sentence's end."""
_LANGUAGES = {"b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""By the first letter of a voice's name; else American English."""


def languages_of(name: str) -> tuple[str, ...]:
    """The language of a voice, by its name."""
    return (_LANGUAGES.get((name or _FIRST_CHOICE)[0], "en").partition("-")[0],)


def check(folder: str) -> tuple[Path, Path]:
    """The package, and the model and the voices; raises MissingPartError."""
    need_package("kokoro_onnx", f"{_SETTING}: kokoro", "kokoro")
    where = folder_with(folder, (), _SETTING, "a Kokoro model")
    models, voices = sorted(where.glob("*.onnx")), sorted((*where.glob("*.bin"), *where.glob("*.npz")))
    if not models or not voices:
        lacks = "its model, an .onnx file" if not models else "its voices, a .bin file"
        raise MissingPartError(f"{_SETTING}: {folder} lacks {lacks}.")
    return models[0], voices[0]


class KokoroVoice:
    """One voice, loaded once; `what` is the folder, with `#NAME` after it for a voice by name."""

    slow = True
    chinese = False
    """Its Chinese voices need another spelling than the one it is given here."""

    def __init__(self, what: str) -> None:
        folder, _, name = what.partition("#")
        model, voices = check(folder)
        library = load_package("kokoro_onnx", f"{_SETTING}: kokoro", "kokoro")
        for logger in ("kokoro_onnx", "phonemizer"):
            logging.getLogger(logger).setLevel(logging.WARNING)  # below that they write what is said
        try:
            self._kokoro = library.Kokoro(str(model), str(voices))
            known = self._kokoro.get_voices()
            self._name = name or (_FIRST_CHOICE if _FIRST_CHOICE in known else next(iter(known), ""))
            self._style = self._kokoro.get_voice_style(self._name) if self._name in known else None
            self._kokoro.voices.close()  # an open file, which is read anew for each sentence
        except Exception as broken:
            raise MissingPartError(
                f"{_SETTING}: the model in {folder} cannot be loaded ({type(broken).__name__})."
            ) from broken
        if self._style is None:
            there = ", ".join(known) or "none"
            raise MissingPartError(f"{_SETTING}: {folder} has no voice {name}; it has {there}.")

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le; not slower than half."""
        said = speakable(text, *languages_of(self._name))
        if not any(map(str.isalnum, said)):
            return b""
        language = _LANGUAGES.get(self._name[0], "en-us")
        try:
            sound, rate = self._kokoro.create(said, self._style, min(max(speed, 0.5), 1.5), language)
        except Exception as failed:  # noqa: BLE001 - whatever it was, there is no sound
            raise BackendError(
                f"The engine's voice failed ({type(failed).__name__}): check {_SETTING}.", setting=_SETTING
            ) from None  # its text may hold what was to be said
        pcm = from_samples(np.asarray(sound, dtype=np.float32) * 32767)
        return resample(pcm, rate, RATE) + bytes(RATE * 2 * _PAUSE_MS // 1000)
