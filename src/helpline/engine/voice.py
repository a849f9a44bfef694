"""The engine's voice: text in, 24 kHz speech out."""

import re
from collections.abc import Iterator
from typing import Protocol

from helpline.audio.pcm import RATE
from helpline.audio.resample import resample
from helpline.call.chinese import CHINESE
from helpline.engine.espeak import RATE_HZ, espeak_is_there, load_espeak, no_such_voice
from helpline.engine.parts import is_own, made_by, own_part
from helpline.engine.spoken import sentences, spaced_numbers, speakable
from helpline.engine.voices import kokoro, piper
from helpline.engine.voices.kokoro import KokoroVoice
from helpline.engine.voices.piper import PiperVoice
from helpline.errors import BackendError, SettingsError

_WORDS_PER_MINUTE = 170
_MANDARIN = "cmn"
"""The desk's own sentences may be Chinese: whoever speaks English spells them letter by letter."""
_SETTING = "HELPLINE_ENGINE_VOICE"
_KINDS = "espeak:VARIANT, piper:PATH, kokoro:PATH, package.module:function or none"


class Voice(Protocol):
    """Speaks. Called from worker threads, one sentence of a reply at a time; several replies at once."""

    slow: bool
    """Whether a long sentence takes so long to make that it is better made in parts."""

    @property
    def chinese(self) -> bool:
        """Whether it can read Chinese."""

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le; `speed` 0.25 to 1.5."""


class Synthesiser:
    """espeak-ng: robotic, clear, and ready in a millisecond.

    `variant` is an espeak voice: a language, perhaps with a variant (`en-us`, `en-gb`, `en-us+f3`). Raises
    MissingPartError, with what to install, when the voice's package is not there.
    """

    slow = False
    chinese = True

    def __init__(self, variant: str = "en-us", words_per_minute: int = _WORDS_PER_MINUTE) -> None:
        self._espeak = load_espeak()
        if not self._espeak.knows(variant):
            raise no_such_voice(variant)
        self.variant = variant
        self._words_per_minute = words_per_minute

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le."""
        if not text.strip():
            return b""
        chunks: list[bytes] = []

        def take(pcm: bytes) -> bool:
            chunks.append(pcm)
            return True

        rate = round(self._words_per_minute * min(max(speed, 0.25), 1.5))
        words, variant = speakable(text, *_espeak_language(self.variant)), self.variant
        if CHINESE.search(text):
            words, variant = spaced_numbers(text), _MANDARIN
        self._espeak.synthesise(words, variant, rate, take)
        return resample(b"".join(chunks), RATE_HZ, RATE)

    def stream(self, text: str, *, speed: float = 1.0) -> Iterator[tuple[str, bytes]]:
        """The text sentence by sentence, each with its pcm24k: what a reply sends first is ready first."""
        for sentence in sentences(text):
            yield sentence, self.speak(sentence, speed=speed)


class OwnVoice:
    """A voice of the company's own; what goes wrong in it fails the reply, and tells none of its words."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self.slow = voice.slow

    @property
    def chinese(self) -> bool:
        return self._voice.chinese

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le."""
        try:
            pcm = self._voice.speak(text, speed=speed)
        except Exception as failed:  # noqa: BLE001 - whatever it was, there is no sound
            raise BackendError(
                f"The engine's voice failed ({type(failed).__name__}): check {_SETTING}.", setting=_SETTING
            ) from None  # its text may hold what was to be said
        if not isinstance(pcm, bytes) or len(pcm) % 2:
            raise BackendError(f"The engine's voice gave no pcm16: check {_SETTING}.", setting=_SETTING)
        return pcm


def make_voice(spec: str) -> Voice | None:
    """The voice that HELPLINE_ENGINE_VOICE names; `none` is no voice: transcripts alone.

    Raises MissingPartError when its package or model is not there, SettingsError when there is no such voice.
    """
    match spec.partition(":"):
        case "none", _, _:
            return None
        case "espeak", _, variant:
            return Synthesiser(variant or "en-us")
        case "piper", _, path if path:
            return PiperVoice(path)
        case "kokoro", _, folder if folder:
            return KokoroVoice(folder)
        case _ if is_own(spec):
            return OwnVoice(made_by(own_part(spec, _SETTING), spec, _SETTING, Voice))
    raise SettingsError(f"{_SETTING} names no voice: use {_KINDS}.")


def spoken_in(spec: str) -> tuple[str, ...]:
    """The languages of a voice, as far as they are known without loading it; empty: they are not."""
    kind, _, what = spec.partition(":")
    if kind == "piper":
        return piper.languages_of(what.partition("#")[0])
    if kind == "kokoro":
        return kokoro.languages_of(what.partition("#")[2])
    return tuple(dict.fromkeys((*_espeak_language(what), "zh"))) if kind == "espeak" else ()


def _espeak_language(variant: str) -> tuple[str, ...]:
    name = re.split("[-+]", variant or "en-us")[0]
    return ("zh" if name == _MANDARIN else name,)


def check_voice(spec: str) -> None:
    """Whether the voice is there, a model of one's own without loading it; raises MissingPartError.

    espeak may be missing as a whole: then there is no sound, and the desk does without.
    """
    kind, _, what = spec.partition(":")
    if kind == "espeak" and espeak_is_there():
        Synthesiser(what or "en-us")
    elif kind == "piper":
        piper.check(what.partition("#")[0])
    elif kind == "kokoro":
        kokoro.check(what.partition("#")[0])
    elif is_own(spec):
        own_part(spec, _SETTING)
