"""The espeak-ng library, loaded from the `espeakng-loader` package (GPLv3, a package of its own).

The library keeps one voice and one synthesiser per process, so every use takes one lock. API: espeak-ng
`speak_lib.h` (1.52).
"""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path

from helpline.errors import MissingPartError

RATE_HZ = 22_050

_SYNCHRONOUS = 2
_UTF8 = 1
_BY_CHARACTER = 1
_SPEED = 1
_ASCII_PHONEMES = 0
_CHUNK_MS = 60

_ALIASES = {"en-gb": "en"}  # British English goes by the language's bare name

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

_lock = threading.Lock()
_loaded: "Espeak | None" = None


def load_espeak() -> "Espeak":
    """This process's espeak-ng; raises MissingPartError with what to install."""
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = Espeak(_open_library())
        return _loaded


def espeak_is_there() -> bool:
    """Whether the library can be used on this machine."""
    try:
        load_espeak()
    except MissingPartError:
        return False
    return True


def _open_library() -> tuple[ctypes.CDLL, str]:
    try:
        import espeakng_loader
    except ImportError as missing:
        raise MissingPartError('The voice is not installed: pip install "helpline[espeak]".') from missing
    try:
        return ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path()
    except (OSError, RuntimeError) as broken:
        raise MissingPartError(
            "The voice cannot be loaded on this machine: reinstall espeakng-loader, or choose another voice"
            " with HELPLINE_ENGINE_VOICE."
        ) from broken


def no_such_voice(name: str) -> MissingPartError:
    """The error for a voice that espeak does not have."""
    return MissingPartError(
        f"HELPLINE_ENGINE_VOICE: espeak has no voice {name!r}; take one such as en-us, en-gb or en-us+f3."
    )


class Espeak:
    """Speaks text to 22.05 kHz mono s16le and spells words in phonemes."""

    def __init__(self, library: tuple[ctypes.CDLL, str]) -> None:
        self._lib, data_path = library
        self._variants = Path(data_path, "voices", "!v")
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        rate = self._lib.espeak_Initialize(_SYNCHRONOUS, _CHUNK_MS, data_path.encode(), 0)
        if rate != RATE_HZ:
            raise MissingPartError("The voice's data cannot be read: reinstall espeakng-loader.")
        self._sink: Callable[[bytes], bool] = lambda pcm: True
        self._callback = _CALLBACK(self._on_samples)  # kept: the library holds a bare pointer to it
        self._lib.espeak_SetSynthCallback(self._callback)
        self._voice = ""
        self._use("en-us")

    def synthesise(self, text: str, voice: str, words_per_minute: int, sink: Callable[[bytes], bool]) -> None:
        """Give `sink` the speech in chunks of about 60 ms; it returns False to stop."""
        with _lock:
            self._use(voice)
            self._lib.espeak_SetParameter(_SPEED, words_per_minute, 0)
            self._sink = sink
            encoded = text.replace("\0", " ").encode("utf-8", "replace")
            self._lib.espeak_Synth(encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)

    def knows(self, voice: str) -> bool:
        """Whether the voice (language, perhaps `+variant`) exists; the library itself takes any variant."""
        variant = voice.partition("+")[2]
        if "+" in voice and not (variant.isalnum() and (self._variants / variant).is_file()):
            return False
        with _lock:
            try:
                self._use(voice)
            except MissingPartError:
                return False
            return True

    def phonemes(self, word: str) -> str:
        """A word's American English phonemes in espeak's ASCII mnemonics, one string without stress marks."""
        with _lock:
            self._use("en-us")
            text = ctypes.c_char_p(word.encode("utf-8", "replace"))
            # Bits 8-23 of the mode hold the separator: an underscore between phonemes.
            mode = _ASCII_PHONEMES | (ord("_") << 8)
            spelled = self._lib.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, mode)
            return bytes(spelled or b"").decode("ascii", "ignore")

    def _use(self, voice: str) -> None:
        if voice == self._voice:
            return
        language, plus, variant = voice.partition("+")
        name = _ALIASES.get(language, language) + plus + variant
        if self._lib.espeak_SetVoiceByName(name.encode("ascii", "replace")) != 0:
            self._voice = ""
            raise no_such_voice(voice)
        self._voice = voice

    def _on_samples(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if count <= 0 or not samples:
            return 0
        return 0 if self._sink(ctypes.string_at(samples, count * 2)) else 1
