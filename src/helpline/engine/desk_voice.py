"""The engine's voice as the desk's own: for what has to be said when no backend is left to say it."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from helpline.call.chinese import CHINESE
from helpline.engine.voice import Voice, make_voice
from helpline.errors import HelplineError

_log = logging.getLogger(__name__)


class DeskVoice:
    """The voice that HELPLINE_ENGINE_VOICE names, loaded when it is first needed; none is no error."""

    def __init__(self, spec: str, voice_of: Callable[[str], Voice | None] = make_voice) -> None:
        self._spec = spec
        self._voice_of = voice_of
        self._voice: Voice | None = None
        self._loading = asyncio.Lock()
        self._loaded = False

    async def pronounce(self, ways: Sequence[str], *, speed: float = 1.0) -> tuple[str, bytes]:
        """The first of these wordings that the voice can say, and its pcm24k; ("", b"") when there is none.

        Never raises: what went wrong with the voice is logged.
        """
        try:
            async with self._loading:
                if not self._loaded:
                    self._loaded = True
                    self._voice = await asyncio.to_thread(self._voice_of, self._spec)
            voice = self._voice
            text = next((way for way in ways if voice and (voice.chinese or not CHINESE.search(way))), "")
            if voice is None or not text:
                return "", b""
            return text, await asyncio.to_thread(voice.speak, text, speed=speed)
        except HelplineError as missing:
            _log.warning("The end of a call could not be spoken: %s", missing)
            return "", b""
