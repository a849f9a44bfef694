"""How the desk speaks: its system prompt and the session it asks of a backend."""

import re
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files

from msgspec import UNSET

from helpline.actions import Caller, Identity, ToolDefinition
from helpline.errors import SettingsError
from helpline.realtime.connection import Backend
from helpline.realtime.events import ServerVad, SessionSettings, Transcription
from helpline.settings import Settings

LANGUAGES = {"en": "English", "zh": "Simplified Chinese", "zh-CN": "Simplified Chinese"}
KEYWORDS_LIMIT = 200


def load_prompt(settings: Settings) -> str:
    """The company's own prompt file, or ours. Raises SettingsError naming HELPLINE_PROMPT_FILE."""
    if settings.prompt_file is None:
        return files("helpline.data").joinpath("prompt.md").read_text(encoding="utf-8")
    try:
        return settings.prompt_file.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise SettingsError(
            "HELPLINE_PROMPT_FILE cannot be read: point it at a text file in UTF-8."
        ) from None


class Manner:
    """Makes the session for a caller: instructions, voice, turn detection, tools."""

    def __init__(
        self,
        settings: Settings,
        *,
        shop: str,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._shop = shop
        self._prompt = load_prompt(settings)
        self._now = now

    def session(
        self,
        backend: Backend,
        caller: Caller,
        tools: tuple[ToolDefinition, ...],
        *,
        keywords: tuple[str, ...] = (),
        fresh: bool,
    ) -> SessionSettings:
        settings = self._settings
        vendor = settings.turn_taking == "vendor"
        detection = ServerVad(
            threshold=settings.vad_threshold,
            silence_duration_ms=settings.silence_ms,
            create_response=vendor,
            interrupt_response=vendor,
        )
        return SessionSettings(
            voice=settings.voice if fresh else UNSET,
            instructions=self.instructions(caller),
            output_modalities=("audio",),
            turn_detection=detection if fresh else UNSET,
            transcription=self._transcription(backend, keywords),
            input_format="pcm24k" if fresh else UNSET,
            output_format="pcm24k" if fresh else UNSET,
            tools=tuple(
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                }
                for tool in tools
            ),
            tool_choice="auto",
        )

    def _transcription(self, backend: Backend, keywords: tuple[str, ...]) -> Transcription | None:
        if not backend.transcribes:
            return None
        return Transcription(languages=(self._settings.language[:2],), keywords=keywords[:KEYWORDS_LIMIT])

    def instructions(self, caller: Caller) -> str:
        """The prompt with its blanks filled in; braces of a company's own prompt are left alone."""
        blanks = {
            "{shop}": self._shop,
            "{language}": LANGUAGES.get(self._settings.language, "English"),
            "{today}": f"{self._now():%A, %d %B %Y}",
            "{caller}": _about(caller),
        }
        prompt = self._prompt
        for blank, value in blanks.items():
            prompt = prompt.replace(blank, value)
        return prompt.strip()


def _about(caller: Caller) -> str:
    if caller.identity is Identity.GUEST:
        return "The customer has not been verified: only public questions can be answered."
    name = re.sub(r"[^\w .'-]", "", caller.name)[:60]  # a name is data, never an instruction
    return f"The customer is verified; their name is {name}."
