"""Dates and times as people say them: "tomorrow at half past three", "in 45 minutes", "the twelfth". Pure.

`find_when` finds what a sentence names, `parse_when` reads words that are to be a time and nothing else: what
it cannot tell for sure is asked about, since a time in another week than the customer's is no help. An hour
without am or pm means the one within a shop's day, 8 to 19.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpline.chinese_times import read_chinese_time
from helpline.numbers import ORDINALS, cardinal, normalise, ordinal_day

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_PARTS_OF_DAY = {
    "morning": 10,
    "noon": 12,
    "midday": 12,
    "lunchtime": 12,
    "afternoon": 15,
    "evening": 17,
    "tonight": 19,
}
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS).replace("sep(?:", "sept?(?:")
_MINUTES = {"minute": 1, "hour": 60}
_DAYS = {"day": 1, "week": 7}
_OPENING_HOUR = 8
_SMALL = "one|two|three|four|five|six|seven|eight|nine"

_N = rf"(?:\d{{1,4}}|{_SMALL}|an?|half an|a couple of)"
_IN = re.compile(rf"\b(?:in|within) (?:about )?({_N}) (minute|hour)s?(?: (?:and a half|and (\d+) minutes))?")
_FROM_NOW = re.compile(rf"\b({_N}) (minute|hour)s?(?: (?:and a half|and (\d+) minutes))? from now\b")
_IN_DAYS = re.compile(rf"\b(?:in|within) (?:about )?({_N}) (day|week)s?\b(?: time\b)?")
_HOUR = rf"(?:1[0-2]|[1-9]|{_SMALL})"
_HALF = r"am|pm|a m|p m|a\.m|p\.m"
_PAST = re.compile(
    rf"\b(half|quarter|\d{{1,2}}|{_SMALL})(?: minutes)? (past|to|after) ({_HOUR})\b(?: ({_HALF})\b)?"
)
_CLOCK = re.compile(
    rf"\b(?:(at|around|about|by|before|after|until) )?(\d{{1,2}}:\d{{2}}|\d{{3,4}}|{_HOUR}|1\d|2[0-3])"
    rf"(?: (o'clock|{_HALF}))?(?: in the (morning|afternoon|evening))?(?: sharp)?(?!\S)"
)
_REFERENCE_CUE = re.compile(r"\b(?:order|number)$")
_COMPACT = re.compile(r"\b(\d{1,2})(am|pm)\b")
_DAY = re.compile(
    r"\b(?:(day after tomorrow|tomorrow|today|tonight|day before yesterday|yesterday)"
    rf"|(?:(this|next|on|coming) )?({'|'.join(_WEEKDAYS)}))\b"
)
_DAY_OF_MONTH = (
    rf"(?:(?:[23]0 )?(?:{'|'.join(ORDINALS)})|\d{{1,2}}(?:st|nd|rd|th)?)"  # "20 first" is normalised
)
_DATE = re.compile(rf"\b({_MONTH}) (?:the )?({_DAY_OF_MONTH})\b(?!:)")
_DATE_OF = re.compile(rf"\b(?:the )?({_DAY_OF_MONTH}(?: of|(?<=\d)|(?<=\d[snrt][tdh]))) ({_MONTH})\b")
_THE_DAY = re.compile(rf"\b(?:on )?the ({_DAY_OF_MONTH})\b")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{2}):(\d{2}))?")
_PART = re.compile(rf"\b(?<!good )(?:in the |this |at )?({'|'.join(_PARTS_OF_DAY)})\b")
_UNSURE = re.compile(r"\b(weeks?|months?|years?|ago|last|before|weekend|fortnight)\b|\d/\d")
"""What would mean another day than the one that is left when it is overheard."""


@dataclass(frozen=True, slots=True)
class When:
    """A moment that was named, and the words that named it."""

    at: datetime
    words: str
    has_time: bool
    has_day: bool


def parse_when(said: str, now: datetime) -> datetime | None:
    """The time meant, in `now`'s zone; None when it cannot be told for sure. ISO 8601 is taken as it is."""
    if (exact := _exact(said.strip(), now)) is not None:
        return exact
    if re.search("[\u4e00-\u9fff]", said):
        return read_chinese_time(said, now)
    when = find_when(normalise(said), now)
    if when is None or not when.has_time:
        return None
    beside = said.lower().replace("day before yesterday", "")
    return None if _UNSURE.search(_IN_DAYS.sub("", normalise(beside))) or "/" in said else when.at


def find_when(text: str, now: datetime) -> When | None:
    """The first moment named in normalised text, or None. `now` decides what tomorrow is."""
    if match := _IN.search(text) or _FROM_NOW.search(text):
        return _relative(match, now)
    if match := _ISO.search(text):
        return _iso(match, now)
    try:
        day, day_span = _named_day(text, now)
    except ValueError:
        return None  # no such day
    rest = (
        text
        if day_span is None
        else text[: day_span[0]] + "|" * (day_span[1] - day_span[0]) + text[day_span[1] :]
    )
    clock, clock_span = _named_time(rest, wants_cue=day is None)
    if day is None and clock is None:
        return None
    spans = [span for span in (day_span, clock_span) if span]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    hour, minute = clock if clock else (9, 0)
    moment = (day or now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    if day is None and moment <= now:
        moment += timedelta(days=1)
    return When(moment, text[start:end].strip(), clock is not None, day is not None)


def _exact(said: str, now: datetime) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", said):
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)


def _relative(match: re.Match[str], now: datetime) -> When:
    minutes = _amount(match[1]) * _MINUTES[match[2]]
    if "and a half" in match[0]:
        minutes += _MINUTES[match[2]] / 2
    if match[3]:
        minutes += int(match[3])
    moment = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    return When(moment, match[0], True, True)


def _amount(words: str) -> float:
    count = {"a": 1.0, "an": 1.0, "half an": 0.5, "a couple of": 2.0}.get(words)
    return count if count is not None else cardinal(words) or 1


def _iso(match: re.Match[str], now: datetime) -> When | None:
    try:
        year, month, day, hour, minute = (int(match[n] or 0) for n in range(1, 6))
        moment = datetime(year, month, day, hour, minute, tzinfo=now.tzinfo)
    except ValueError:
        return None
    has_time = match[4] is not None
    return When(moment if has_time else moment.replace(hour=9), match[0], has_time, True)


def _named_day(text: str, now: datetime) -> tuple[datetime | None, tuple[int, int] | None]:
    """The day that is named and where; raises ValueError for a day that no calendar has."""
    if match := _DAY.search(text):
        end = match.start() if match[1] == "tonight" else match.end()  # "tonight" names its hour as well
        return _weekday_or_near(match, now), (match.start(), end)
    if match := _IN_DAYS.search(text):
        return now + timedelta(days=round(_amount(match[1]) * _DAYS[match[2]])), match.span()
    if match := _DATE_OF.search(text):
        return _date(match[2], match[1], now), match.span()
    if match := _DATE.search(text):
        return _date(match[1], match[2], now), match.span()
    if (
        (match := _THE_DAY.search(text))
        and (day := ordinal_day(match[1]))
        and (day > 3 or match[1][0].isdecimal())
    ):
        this_month = _on(now, now.month, day, roll_year=False)
        next_month = _on(now, now.month % 12 + 1, day)
        return (this_month if this_month and this_month.date() >= now.date() else next_month), match.span()
    return None, None


def _date(month: str, day: str, now: datetime) -> datetime:
    number = next(at for at, name in enumerate(_MONTHS, start=1) if month.startswith(name[:3]))
    moment = _on(now, number, ordinal_day(day) or cardinal(day))
    if moment is None:
        raise ValueError(f"{month} has no {day}")
    return moment


def _weekday_or_near(match: re.Match[str], now: datetime) -> datetime:
    near = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}
    near |= {"yesterday": -1, "day before yesterday": -2}
    if match[1]:
        return now + timedelta(days=near[match[1]])
    ahead = (_WEEKDAYS.index(match[3]) - now.weekday()) % 7 or 7
    return now + timedelta(days=ahead)


def _on(now: datetime, month: int, day: int | None, *, roll_year: bool = True) -> datetime | None:
    for year in (now.year, now.year + 1) if roll_year else (now.year,):
        try:
            moment = now.replace(year=year, month=month, day=day or 0)
        except ValueError:
            continue
        if moment.date() >= now.date() or not roll_year:
            return moment
    return None


def _named_time(text: str, *, wants_cue: bool) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    if match := _PAST.search(text):
        return _past(match, text), match.span()
    if match := _COMPACT.search(text):
        return (_of_half(int(match[1]), match[2]), 0), match.span()
    for match in _CLOCK.finditer(text):
        cue, number, half, part = match.groups()
        if not (half or part or cue or ":" in number) and (wants_cue or not _beside_day(text, match)):
            continue
        if (time := _clock(number, (half or "").replace(" ", "").replace(".", ""), part or "")) is not None:
            return time, match.span()
    if match := _PART.search(text):
        return (_PARTS_OF_DAY[match[1]], 0), match.span()
    return None, None


def _beside_day(text: str, match: re.Match[str]) -> bool:
    """A bare number is an hour only next to the day: "ten thirty tomorrow", not "order 1028 … today"."""
    if _REFERENCE_CUE.search(text[: match.start()].rstrip()):
        return False
    return text[: match.start()].rstrip().endswith("|") or text[match.end() :].lstrip().startswith("|")


def _past(match: re.Match[str], text: str) -> tuple[int, int]:
    minutes = {"half": 30, "quarter": 15}.get(match[1]) or cardinal(match[1]) or 0
    named, half = cardinal(match[3]) or 12, (match[4] or "").replace(" ", "").replace(".", "")
    hour = _of_half(named, half) if half else _in_shop_hours(named, text)
    return (hour, minutes) if match[2] in ("past", "after") else ((hour - 1) % 24, 60 - minutes)


def _clock(number: str, half: str, part: str) -> tuple[int, int] | None:
    if ":" in number:
        hour, minute = map(int, number.split(":"))
    elif number.isdecimal() and len(number) >= 3:
        hour, minute = int(number[:-2]), int(number[-2:])
    else:
        hour, minute = cardinal(number) or 0, 0
    if hour > 23 or minute > 59:
        return None
    if half in ("am", "pm"):
        return _of_half(hour, half), minute
    return (_in_shop_hours(hour, part), minute) if 1 <= hour <= 12 else (hour, minute)


def _of_half(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "pm" else 0)


def _in_shop_hours(hour: int, words: str) -> int:
    if "morning" in words:
        return hour % 12
    if "afternoon" in words or "evening" in words:
        return hour % 12 + 12
    return hour if _OPENING_HOUR <= hour <= 12 else hour + 12
