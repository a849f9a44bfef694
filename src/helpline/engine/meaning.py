"""What a sentence wants: the nearest phrases of the pack, and the tool of the session that serves it.

How near a sentence comes to phrases (`nearest.py`), the cues of the pack and what the classifier
(`intents.py`) says are added up. A session's own tools that the pack does not know are found by the words of
their names and descriptions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from helpline.engine.intents import load_classifier
from helpline.engine.language import find_entities
from helpline.engine.nearest import Nearest, load_nearest
from helpline.engine.phrases import Pack, load_pack

_CLASSIFIED = 0.3
_SURER = 0.06
"""The classifier chooses; it makes what is like no phrase only a little surer."""
_STOP = frozenset(
    "a an the of to for in on at by is are be it its this that and or with from my your our i you we he she"
    " they please can could would will do does did have has get give me us not no any some all as if when use"
    " used want need like about what which who how tool function call customer customers user users"
    " returns".split()
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """An intent of the pack and how sure it is, about 0 to 1 (cues may add to it)."""

    intent: str
    score: float
    weight: float = 0.0
    """What the order goes by."""


@lru_cache(maxsize=1)
def load_meanings() -> "Meanings":
    """What ships with the engine."""
    return Meanings(load_pack(), load_nearest())


@lru_cache(maxsize=1)
def common_things() -> tuple[str, ...]:
    """Names of products that the pack knows, where an app sends none of its own."""
    return tuple(" ".join(map(str, template.parts)) for template in load_pack().slots["product"])


class Meanings:
    """What sentences mean: by the nearest phrases of a pack, its cues and the classifier."""

    def __init__(self, pack: Pack, nearest: Nearest) -> None:
        self._nearest = nearest
        self._cues = [
            (intent.name, pattern, bonus) for intent in pack.intents for pattern, bonus in intent.cues
        ]

    def rank(self, masked: str) -> list[Meaning]:
        """Intents for a masked sentence, the surest first."""
        scores = self._nearest.near(masked)
        for intent, pattern, bonus in self._cues:
            if pattern.search(masked):
                scores[intent] = scores.get(intent, 0.0) + bonus
        probable = load_classifier().likely(masked)
        found = [
            Meaning(
                intent,
                score + _SURER * probable.get(intent, 0.0),
                score + _CLASSIFIED * probable.get(intent, 0.0),
            )
            for intent, score in scores.items()
        ]
        return sorted(found, key=lambda meaning: -meaning.weight)


_STRANGE = 0.25
_CLEAR = 0.6
_ANY_DAY = datetime(2026, 1, 5)  # noqa: DTZ001 - only whether a moment is named matters here


@lru_cache(maxsize=16)
def likeliness(words: str, things: tuple[str, ...] = (), known_ids: tuple[str, ...] = ()) -> float:
    """How much recognised words are like something that customers say, about 0 to 1.

    Asked of the same few opinions again and again while a speaker pauses, and once more at the end.
    """
    found = find_entities(words, _ANY_DAY, things or common_things())
    ranked = load_meanings().rank(found.masked)
    strange = sum(reference not in known_ids for reference in found.references) if known_ids else 0
    return (ranked[0].weight if ranked else 0.0) - _STRANGE * strange


def says_else(words: str, things: Sequence[str] = ()) -> bool:
    """Whether recognised words are clearly no answer to a question for a reference."""
    found = find_entities(words, _ANY_DAY, things or common_things())
    ranked = load_meanings().rank(found.masked)
    clear = bool(ranked) and ranked[0].score >= _CLEAR and ranked[0].intent not in ("inform", "generic")
    return clear and not re.search(r"\d", found.text)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function tool of the session, as far as it matters here."""

    name: str
    description: str
    parameters: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        found = self.parameters.get("properties")
        return (
            {k: v for k, v in found.items() if isinstance(v, Mapping)} if isinstance(found, Mapping) else {}
        )

    @property
    def required(self) -> tuple[str, ...]:
        names = self.parameters.get("required")
        known = self.properties
        return tuple(name for name in names if name in known) if isinstance(names, list) else ()


def read_tools(tools: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    """The function tools of a session."""
    return tuple(
        Tool(str(tool["name"]), str(tool.get("description") or ""), tool.get("parameters") or {})
        for tool in tools
        if tool.get("type") == "function" and tool.get("name")
    )


def tool_for(intent: str, tools: Sequence[Tool]) -> Tool | None:
    """The tool that serves an intent, by its name."""
    pattern = next((one.tools for one in load_pack().intents if one.name == intent), "")
    if not pattern:
        return None
    serving = [tool for tool in tools if re.search(pattern, tool.name.lower())]
    exact = [tool for tool in serving if intent_of(tool) == intent]
    return next(iter(exact or serving), None)


def intent_of(tool: Tool) -> str:
    """The pack's intent that a tool serves; empty for a tool that the pack does not know."""
    name = tool.name.lower()
    fits = [
        (len(match[0]), intent.name)
        for intent in load_pack().intents
        if intent.tools and (match := re.search(intent.tools, name))
    ]
    if re.search(r"cancel", name):
        return "cancel_order"
    return max(fits, default=(0, ""))[1]


def nearest_tool(text: str, tools: Sequence[Tool]) -> tuple[Tool | None, float]:
    """The tool whose name and description share most with what was said, 0 to 1."""
    said = {_stem(word) for word in re.findall(r"[a-z]+", text) if word not in _STOP}
    best: tuple[Tool | None, float] = (None, 0.0)
    for tool in tools:
        score = _shared(said, tool)
        if score > best[1]:
            best = (tool, score)
    return best


def _shared(said: set[str], tool: Tool) -> float:
    name = _stems(tool.name.replace("_", " "))
    words = _stems(tool.description) | _stems(" ".join(tool.properties).replace("_", " "))
    if not said or not name:
        return 0.0
    in_name, in_words = len(said & name), len(said & (words - name))
    return min(1.0, (2 * in_name + in_words) / (len(name) + 1.5))


def _stems(text: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {
        _stem(word) for word in re.findall(r"[a-z]+", spaced.lower()) if word not in _STOP and len(word) > 2
    }


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "es", "ed", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
