"""Which languages the engine's parts have, as far as it is known without loading them."""

import re

from helpline.engine.ears import heard_in
from helpline.engine.voice import spoken_in
from helpline.wording import named

TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
"""A language's tag: ISO 639, a region perhaps behind it."""


def primary(tag: str) -> str:
    """The language without its region: `zh` of `zh-CN`."""
    return tag.partition("-")[0].lower()


def lacking(ears: str, voice: str, *, model: bool, language: str) -> str:
    """One sentence about the parts that do not have the language of the calls; empty when all may have it.

    `ears` and `voice` as in HELPLINE_ENGINE_EARS and _VOICE; `model`: a chat model thinks.
    """
    asked = primary(language)
    lacks = []
    if (heard := heard_in(ears)) and asked not in heard:
        lacks.append(f"its ears hear {_all(heard)} (HELPLINE_ENGINE_EARS)")
    if not model and asked != "en":
        little = ", and a little typed Chinese" if asked == "zh" else ""
        lacks.append(f"its own brain knows English{little} (HELPLINE_CHAT_URL)")
    if (spoken := spoken_in(voice)) and asked not in spoken:
        lacks.append(f"its voice speaks {_all(spoken)} (HELPLINE_ENGINE_VOICE)")
    if not lacks:
        return ""
    return f"Calls are in {named(asked)}, but of the engine's parts {'; '.join(lacks)}."


def _all(languages: tuple[str, ...]) -> str:
    return " and ".join(named(language) for language in languages)
