"""A change that waits for the customer's yes, and what they say instead: "just the shirt", "make it four".

Pure. What differs from the offer is proposed anew, with what stays as it was.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helpline.engine.language import Entities
from helpline.engine.meaning import Tool
from helpline.engine.slots import kind_of
from helpline.times import When

_ABOUT = re.compile(r"^(?:and |it's |it is |that's |um |uh )*(?:about|regarding|concerning|because of)\b")


def tells_the_topic(tool: Tool, said: Entities) -> bool:
    """ "About my refund" says what an offered call is about; it asks for no refund."""
    return "topic" in tool.properties and _ABOUT.match(said.text) is not None


def changed(
    tool: Tool, before: Mapping[str, Any], fresh: Mapping[str, Any], said: Entities
) -> dict[str, Any]:
    """The arguments of an offer with what was said instead; empty when nothing differs."""
    differing = {name: value for name, value in fresh.items() if value != before.get(name)}
    for name, value in differing.items():
        if kind_of(name, tool.properties[name]) == "when" and said.when is not None:
            differing[name] = _moved(str(before.get(name, "")), str(value), said.when)
    return {**before, **differing} if differing else {}


def _moved(before: str, now: str, when: When) -> str:
    """ "Make it four" is on the day that was offered, "make it Friday" at the time that was."""
    try:
        offered = datetime.fromisoformat(before)
    except ValueError:
        return now
    if when.has_time and not when.has_day:
        return offered.replace(hour=when.at.hour, minute=when.at.minute).isoformat(timespec="minutes")
    if when.has_day and not when.has_time:
        return when.at.replace(hour=offered.hour, minute=offered.minute).isoformat(timespec="minutes")
    return now
