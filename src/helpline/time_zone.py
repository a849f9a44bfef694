"""The shop's time zone, as a session's instructions tell it: one sentence, written and read here.

Any model reads it; the embedded engine counts "tomorrow" and "in an hour" by it. The zone is told and not the
moment, which would be an old one by the end of a long call.
"""

import re
from typing import Final
from zoneinfo import ZoneInfo

_PART: Final = r"[A-Za-z0-9][A-Za-z0-9_+-]{0,31}"
_TOLD: Final = re.compile(rf"\btime zone is ({_PART}(?:/{_PART}){{0,2}})")


def zone_named(name: str) -> ZoneInfo | None:
    """A zone by its name in the tz database, such as `Europe/Berlin`; None when it has none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def with_zone(instructions: str, name: str) -> str:
    """The instructions with the sentence, at their end: what is put into them before it moves no clock."""
    return f"{instructions}\nThe time zone is {name}: days and hours are meant there.".lstrip()


def zone_in(instructions: str) -> ZoneInfo | None:
    """The zone that instructions told last; None when they tell none, or one that does not exist."""
    told = ""
    for match in _TOLD.finditer(instructions):
        told = match[1]
    return zone_named(told) if told else None
