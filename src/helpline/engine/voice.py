"""The engine's voice: text in, 24 kHz speech out."""

from collections.abc import Iterator
from typing import Protocol

from helpline.audio.pcm import RATE
from helpline.audio.resample import resample
from helpline.engine.espeak import RATE_HZ, load_espeak
from helpline.engine.spoken import sentences, speakable
from helpline.errors import MissingPartError, SettingsError

_WORDS_PER_MINUTE = 170


class Voice(Protocol):
    """Speaks. Called from worker threads, one utterance at a time."""

    def speak(self, text: str, *, speed: float = 1.0) -> bytes:
        """The text as pcm24k, mono s16le; `speed` 0.25 to 1.5."""


class Synthesiser:
    """espeak-ng: robotic, clear, and ready in a millisecond.

    `variant` is an espeak voice: a language, perhaps with a variant (`en-us`, `en-gb`, `en-us+f3`). Raises
    MissingPartError, with what to install, when the voice's package is not there.
    """

    def __init__(self, variant: str = "en-us", words_per_minute: int = _WORDS_PER_MINUTE) -> None:
        self._espeak = load_espeak()
        if not self._espeak.knows(variant):
            raise MissingPartError(f"There is no espeak voice {variant!r}: see HELPLINE_ENGINE_VOICE")
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
        self._espeak.synthesise(speakable(text), self.variant, rate, take)
        return resample(b"".join(chunks), RATE_HZ, RATE)

    def stream(self, text: str, *, speed: float = 1.0) -> Iterator[tuple[str, bytes]]:
        """The text sentence by sentence, each with its pcm24k: what a reply sends first is ready first."""
        for sentence in sentences(text):
            yield sentence, self.speak(sentence, speed=speed)


def make_voice(spec: str) -> Voice | None:
    """The voice that HELPLINE_ENGINE_VOICE names: `espeak:VARIANT`; `none` is no voice: transcripts alone.

    Raises MissingPartError when its package or model is not there, SettingsError when there is no such voice.
    """
    kind, _, name = spec.partition(":")
    if kind == "none":
        return None
    if kind == "espeak":
        return Synthesiser(name or "en-us")
    raise SettingsError(f"HELPLINE_ENGINE_VOICE: there is no voice {kind!r}; use espeak:VARIANT or none.")
