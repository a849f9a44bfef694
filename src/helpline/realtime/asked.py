"""What the desk's settings ask of a session, whichever backend it is with.

What a dialect cannot say is left out on the wire (`dialects`), what a backend's model is known to refuse by
the backend (`backends`), what it refuses all the same by the conversation (`call/link`).
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import UNSET, UnsetType

from helpline.realtime.events import (
    AzureSemanticVad,
    EndOfUtterance,
    SemanticVad,
    ServerVad,
    SessionSettings,
    Transcription,
    TurnDetection,
)
from helpline.settings import Settings

KEYWORDS_LIMIT: Final = 200
_CHOICES: Final = ("auto", "none", "required")


def session_asked(settings: Settings) -> SessionSettings:
    """Voice, sound, turns and bounds of a fresh session; not its instructions, tools or transcription."""
    return SessionSettings(
        voice=settings.voice,
        output_modalities=(_modality(settings),),
        turn_detection=turns_asked(settings),
        noise_reduction=_noise(settings.noise_reduction),
        echo_cancellation=UNSET if settings.echo_cancellation == "yes" else False,
        input_format="pcm24k",
        output_format="pcm24k",
        speed=UNSET if settings.speed is None else settings.speed,
        reasoning_effort=settings.reasoning_effort or UNSET,
        max_output_tokens=_tokens(settings.max_output_tokens),
        truncation=_truncation(settings.truncation),
    )


def turns_asked(settings: Settings) -> TurnDetection | None:
    """How the end of a turn is found; None: push to talk. Nothing answers by itself unless the vendor may."""
    vendor = settings.turn_taking == "vendor"
    match settings.turn_detection:
        case "push_to_talk":
            return None
        case "semantic_vad":
            eagerness: Any = settings.eagerness
            return SemanticVad(eagerness=eagerness, create_response=vendor, interrupt_response=vendor)
        case "azure_semantic_vad":
            return AzureSemanticVad(
                threshold=settings.vad_threshold,
                prefix_padding_ms=settings.vad_prefix_ms,
                silence_duration_ms=settings.silence_ms,
                remove_filler_words=settings.remove_filler_words == "yes",
                end_of_utterance_detection=_end_of_utterance(settings),
                create_response=vendor,
                interrupt_response=vendor,
            )
        case _:
            return ServerVad(
                threshold=settings.vad_threshold,
                prefix_padding_ms=settings.vad_prefix_ms,
                silence_duration_ms=settings.silence_ms,
                idle_timeout_ms=settings.vad_idle_ms or None,
                create_response=vendor,
                interrupt_response=vendor,
            )


def _end_of_utterance(settings: Settings) -> EndOfUtterance | None:
    if settings.end_of_utterance == "none":
        return None
    suffix = {"english": "_en", "multilingual": "_multilingual"}.get(settings.end_of_utterance, "")
    return EndOfUtterance(
        model=f"semantic_detection_v1{suffix}",
        threshold_level=settings.end_of_utterance_level or None,
        timeout_ms=settings.end_of_utterance_ms or None,
    )


def transcription_asked(settings: Settings, language: str, keywords: tuple[str, ...] = ()) -> Transcription:
    """How the words of a customer who speaks `language` are written down; the model is the backend's."""
    tags = settings.transcription_languages or (language,)
    languages = tuple(dict.fromkeys(tag.partition("-")[0] for tag in tags))
    return Transcription(languages=languages, keywords=keywords[:KEYWORDS_LIMIT])


def choice_asked(choice: str, offered: Sequence[str]) -> str | dict[str, Any]:
    """One of the protocol's words, or the tool of that name; `auto` while the caller may not use it."""
    if choice in _CHOICES:
        return choice
    return {"type": "function", "name": choice} if choice in offered else "auto"


def _modality(settings: Settings) -> Literal["text", "audio"]:
    return "text" if settings.output_modality == "text" else "audio"


def _noise(kind: str) -> Any:
    if not kind:
        return UNSET
    return None if kind == "none" else kind


def _tokens(most: str) -> int | Literal["inf"] | UnsetType:
    if not most:
        return UNSET
    return "inf" if most == "inf" else int(most)


def _truncation(kept: str) -> str | dict[str, Any] | UnsetType:
    if not kept:
        return UNSET
    return (
        kept if kept in ("auto", "disabled") else {"type": "retention_ratio", "retention_ratio": float(kept)}
    )
