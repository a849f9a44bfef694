"""When people are there: the hours of a week, in the shop's own time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from helpline import sentences as say
from helpline import wording
from helpline.wording import Saying, later

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = f"({'|'.join(_DAYS)})"
_HOURS: Final = re.compile(rf"{_DAY}(?:\s*-\s*{_DAY})?\s+(\d{{1,2}}:\d\d)\s*-\s*(\d{{1,2}}:\d\d)")


@dataclass(frozen=True, slots=True)
class OpenHours:
    """The same hours on some days. Monday is 1."""

    days: tuple[int, ...]
    opens: time
    closes: time
    """Later than `opens`."""

    def holds(self, at: datetime) -> bool:
        """Whether a moment, in the shop's time, lies in them."""
        return at.isoweekday() in self.days and self.opens <= at.time() < self.closes

    def spoken(self) -> Saying:
        """In words: "Monday to Friday, from 9 AM to 6 PM"."""
        days = sorted(self.days)
        names = [later(wording.weekday, day) for day in days]
        in_row = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
        spoken: Saying = (
            say.FROM_TO(first=names[0], last=names[-1]) if in_row else later(wording.listed, names)
        )
        opens, closes = (later(wording.clock_time, at) for at in (self.opens, self.closes))
        return say.HOURS(days=spoken, opens=opens, closes=closes)


OFFICE_HOURS: Final = (OpenHours((1, 2, 3, 4, 5), time(9), time(18)),)


def spoken(hours: Sequence[OpenHours]) -> Saying:
    """All of them in words."""
    return later(wording.listed, [each.spoken() for each in hours])


def read_hours(text: str) -> tuple[OpenHours, ...]:
    """Hours from a list with commas, such as `Mon-Fri 9:00-18:00, Sat 10:00-14:00`.

    Raises ValueError with what the text must be.
    """
    return tuple(_one(part.strip().lower()) for part in text.split(",") if part.strip())


def _one(text: str) -> OpenHours:
    found = _HOURS.fullmatch(text)
    must = "a list of hours such as Mon-Fri 9:00-18:00, each from an earlier to a later time of the day"
    if found is None:
        raise ValueError(must)
    first = _DAYS.index(found[1])
    last = _DAYS.index(found[2] or found[1])
    days = tuple(sorted((first + number) % 7 + 1 for number in range((last - first) % 7 + 1)))
    try:
        opens, closes = _time(found[3]), _time(found[4])
    except ValueError:
        raise ValueError(must) from None
    if opens >= closes:
        raise ValueError(must)
    return OpenHours(days, opens, closes)


def _time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
