"""Slower speech, asked for in the middle of anything."""

import re

from helpline.engine.dialogue import Act, Situation

_PACE = re.compile(
    r"\b(?:(?P<slower>slower|more slowly|slow down|too fast)|(?P<faster>faster|more quickly|too slow(?:ly)?)"
    r"|(?P<normal>(?:usual|normal) (?:pace|speed)))\b"
)
PACING = re.compile(r"(?:speak|speech|talk|voice)\w*_(?:pace|speed|rate)")
_OF_SPEECH = re.compile(
    r"\b(?:repeat|again|speak|talk|speech|voice|slow down|slower please|please slower)|^slower$"
)
_MOST_WORDS = 12
"""Who says more wants more than that."""


def paced(text: str, turn: Situation) -> Act | None:
    """Slower speech is no request of a shop's: it is served by its own words, if a tool can."""
    found = _PACE.search(text) if _OF_SPEECH.search(text) else None
    tool = next((tool for tool in turn.tools if PACING.search(tool.name)), None)
    if found is None or tool is None or turn.tool_choice == "none" or len(text.split()) > _MOST_WORDS:
        return None
    argument = next(
        (name for name, schema in tool.properties.items() if "slower" in schema.get("enum", ())), ""
    )
    return Act(calls=((tool.name, {argument: found.lastgroup} if argument else {}),), kind="call")
