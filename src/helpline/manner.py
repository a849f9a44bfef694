"""How the desk speaks: its system prompt and the session it asks of a backend."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files

from msgspec.structs import replace

from helpline.actions import Caller, Identity, Pace, ToolDefinition
from helpline.call.conversation import Rules
from helpline.engine.desk_voice import DeskVoice
from helpline.errors import SettingsError
from helpline.hours import spoken
from helpline.policy import Policy
from helpline.realtime.asked import choice_asked, session_asked, transcription_asked
from helpline.realtime.connection import Backend
from helpline.realtime.events import SessionSettings, Transcription
from helpline.settings import Settings
from helpline.time_zone import with_zone
from helpline.wording import named

_PACES: dict[Pace, float] = {"slower": 0.8, "normal": 1.0, "faster": 1.2}
LEAST_SPEED, MOST_SPEED = 0.25, 1.5
_ASKED_FOR = {
    "slower": "The customer has asked you to speak slowly: leave pauses, and say numbers one by one.",
    "faster": "The customer has asked you to speak briskly.",
}


def rules_of(settings: Settings) -> Rules:
    """How the desk takes turns, by its settings."""
    return Rules(
        barge_in_ms=settings.barge_in_ms,
        silence_ms=settings.silence_ms,
        prefix_ms=settings.vad_prefix_ms,
        idle_ms=settings.idle_s * 1000,
        noise_ms=settings.idle_s * 2000,
        dead_air_ms=settings.dead_air_ms,
        vendor_turns=settings.turn_taking == "vendor",
        push_to_talk=settings.turn_detection == "push_to_talk",
        speaks=settings.output_modality == "audio",
        max_call_ms=settings.max_call_minutes * 60_000,
        max_tool_calls=settings.max_tool_calls,
    )


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
        policy: Policy,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._prompt = load_prompt(settings)
        self._now = now
        self._voice = DeskVoice(settings.engine_voice)

    def session(
        self,
        backend: Backend,
        caller: Caller,
        tools: tuple[ToolDefinition, ...],
        *,
        language: str,
        keywords: tuple[str, ...] = (),
        pace: Pace | None = None,
        fresh: bool,
    ) -> SessionSettings:
        asked = session_asked(self._settings) if fresh else SessionSettings()
        if pace is not None:
            asked = replace(asked, speed=self._speed(pace))
        return replace(
            asked,
            instructions=self.instructions(caller, language, pace),
            transcription=self._transcription(backend, language, keywords),
            tools=tuple(
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                }
                for tool in tools
            ),
            tool_choice=choice_asked(self._settings.tool_choice, [tool.name for tool in tools]),
        )

    async def pronounce(self, ways: Sequence[str], *, pace: Pace | None = None) -> tuple[str, bytes]:
        """The desk's own voice: the first of these wordings that it can say, and its pcm24k."""
        return await self._voice.pronounce(ways, speed=self._speed(pace or "normal"))

    def _speed(self, pace: Pace) -> float:
        usual = self._settings.speed or 1.0
        return min(MOST_SPEED, max(LEAST_SPEED, usual * _PACES[pace]))

    def _transcription(
        self, backend: Backend, language: str, keywords: tuple[str, ...]
    ) -> Transcription | None:
        if not backend.transcribes:
            return None
        return transcription_asked(self._settings, language, keywords)

    def instructions(self, caller: Caller, language: str, pace: Pace | None = None) -> str:
        """The prompt with its blanks filled in; braces of a company's own prompt are left alone."""
        blanks = {
            "{shop}": self._settings.name,
            "{language}": named(language),
            "{today}": f"{self._now().astimezone(self._policy.zone):%A, %d %B %Y}",
            "{caller}": _about(caller),
            "{hours}": self._hours(),
        }
        prompt = self._prompt
        for blank, value in blanks.items():
            prompt = prompt.replace(blank, value)
        parts = (prompt.strip(), _ASKED_FOR.get(pace or "normal", ""))
        return with_zone("\n".join(part for part in parts if part), self._policy.time_zone)

    def _hours(self) -> str:
        policy = self._policy
        if not policy.hours:
            return ""
        now = (
            "they are there now"
            if policy.is_open(self._now())
            else "just now nobody is there: offer a callback"
        )
        return f"Your colleagues, people, are there {spoken(policy.hours).in_('en')}; {now}."


def _about(caller: Caller) -> str:
    if caller.identity is Identity.GUEST:
        return "The customer has not been verified: only public questions can be answered."
    name = re.sub(r"[^\w .'-]", "", caller.name)[:60]  # a name is data, never an instruction
    return f"The customer is verified; their name is {name}."
