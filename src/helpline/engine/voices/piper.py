"""A Piper voice (`pip install "helpline[piper]"`, GPLv3): PATH.onnx with PATH.onnx.json beside it."""

import logging
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from helpline.audio.pcm import RATE, from_samples
from helpline.audio.resample import resample
from helpline.engine.parts import existing_file, load_package, need_package
from helpline.engine.spoken import speakable
from helpline.errors import BackendError, MissingPartError

_SETTING = "HELPLINE_ENGINE_VOICE"
_ALPHABETS = ("espeak", "text")
"""How a voice may be spelled: for the others the library fetches models by itself."""
_ESPEAK = {"cmn": "zh", "yue": "zh"}
"""Languages as espeak names them, where that is another name than ours."""


def check(path: str) -> Path:
    """The package and the voice's two files; raises MissingPartError."""
    need_package("piper", f"{_SETTING}: piper", "piper")
    model = existing_file(path, _SETTING, "a Piper voice, an .onnx file")
    about = existing_file(f"{model}.json", _SETTING, "the description that comes with a Piper voice")
    try:
        alphabet = msgspec.json.decode(about.read_bytes()).get("phoneme_type", "espeak")
    except (msgspec.DecodeError, AttributeError, OSError) as broken:
        raise MissingPartError(f"{_SETTING}: {about} is no description of a Piper voice.") from broken
    if alphabet not in _ALPHABETS:
        raise MissingPartError(
            f"{_SETTING}: {path} needs more models than it brings: take one whose phoneme_type is espeak."
        )
    return model


def languages_of(path: str) -> tuple[str, ...]:
    """The one language of a voice, as its description says; empty when it does not."""
    try:
        about = msgspec.json.decode(Path(f"{Path(path).expanduser()}.json").read_bytes())
        return (_language(about["espeak"]["voice"]),)
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError, OSError):
        return ()


def _language(espeak_voice: str) -> str:
    name = espeak_voice.partition("-")[0].lower()
    return _ESPEAK.get(name, name)


class PiperVoice:
    """One voice, loaded once; `what` is its path, for a voice of many speakers with `#NUMBER` after it."""

    slow = True

    def __init__(self, what: str) -> None:
        path, _, speaker = what.partition("#")
        model = check(path)
        self._library = load_package("piper", f"{_SETTING}: piper", "piper")
        logging.getLogger("piper").setLevel(logging.ERROR)  # below that it writes some of what is said
        try:
            self._model: Any = self._library.PiperVoice.load(model)
            self._speaker = int(speaker) if speaker else None
            self._language = _language(self._model.config.espeak_voice)
        except Exception as broken:
            raise MissingPartError(
                f"{_SETTING}: the voice {what} cannot be loaded ({type(broken).__name__})."
            ) from broken
        if self._speaker is not None and not 0 <= self._speaker < self._model.config.num_speakers:
            raise MissingPartError(
                f"{_SETTING}: {path} has {self._model.config.num_speakers} speakers, from #0 on."
            )

    @property
    def chinese(self) -> bool:
        return self._language == "zh"

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le."""
        said = speakable(text, self._language).replace("[[", " ")
        if not any(map(str.isalnum, said)):
            return b""
        slower = self._model.config.length_scale / min(max(speed, 0.25), 1.5)
        how = self._library.SynthesisConfig(speaker_id=self._speaker, length_scale=slower, volume=0.8)
        try:
            parts = [chunk.audio_float_array * 32767 for chunk in self._model.synthesize(said, how)]
        except Exception as failed:  # noqa: BLE001 - whatever it was, there is no sound
            raise BackendError(
                f"The engine's voice failed ({type(failed).__name__}): check {_SETTING}.", setting=_SETTING
            ) from None  # its text may hold what was to be said
        pcm = from_samples(np.concatenate(parts)) if parts else b""
        return resample(pcm, self._model.config.sample_rate, RATE)
