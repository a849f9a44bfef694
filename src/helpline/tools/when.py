"""A time as it is said on the phone: "tomorrow at 3 pm", "December 3rd at ten", or ISO 8601. Pure.

What is not understood for sure is asked about: a time in another week than the customer's is no help.
"""

import re
from datetime import datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty-five": 45}
_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:[a-z]*)\.?"
_ORDINALS = {
    word: number
    for number, word in enumerate(
        (
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
            "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ).split(),
        start=1,
    )
} | {"thirtieth": 30}
_DATES = (
    re.compile(rf"\b{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)"),
    re.compile(rf"\b(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?= |,|$)"),
    re.compile(r"\bthe (\d{1,2})(?:st|nd|rd|th)\b"),
)
_NEAR = {"day before yesterday": -2, "yesterday": -1, "day after tomorrow": 2, "tomorrow": 1, "today": 0}
_UNSURE = re.compile(r"\b(weeks?|months?|years?|ago|last|past week|before|weekend|fortnight)\b|\d/\d")
"""What would mean another day than the one that is left when it is overheard."""
_PARTS = {"morning": 10, "noon": 12, "midday": 12, "afternoon": 15, "evening": 17}
_OPENING_HOUR = 8
"""Between 1 and 7 without AM or PM people mean the afternoon."""

_CLOCK = re.compile(
    r"(?:\bat )?\b(\d{1,2})(?:[:.](\d{2}))?\s*(o'?clock)?\s*([ap])?\.?(?:m\b\.?)?", re.IGNORECASE
)


def parse_when(said: str, now: datetime) -> datetime | None:
    """The time meant, in `now`'s zone; None when it cannot be told for sure."""
    text = " ".join(said.lower().split())
    exact = _iso(said.strip(), now)
    if exact is not None:
        return exact
    later = _in_a_while(text, now)
    if later is not None:
        return later
    try:
        day, rest = _day(_in_figures(text), now)
    except ValueError:
        return None  # no such day
    hour = None if _UNSURE.search(rest) else _hour(rest)
    if hour is None:
        return None
    at = (day or now).replace(hour=hour[0], minute=hour[1], second=0, microsecond=0)
    if day is None and at <= now:
        at += timedelta(days=1)
    return at


def _iso(said: str, now: datetime) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", said):
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)


def _in_a_while(text: str, now: datetime) -> datetime | None:
    found = re.search(r"\bin (half an|[\w-]+) (minute|hour|day)s?\b", text)
    if not found:
        return None
    if found[1] == "half an":
        return now + timedelta(minutes=30)
    number = int(found[1]) if found[1].isdigit() else _NUMBERS.get(found[1])
    if number is None or number > 1000:
        return None
    return now + timedelta(**{f"{found[2]}s": number})


def _in_figures(text: str) -> str:
    """Days of a month as "3rd": "the third", "twenty first"."""
    text = re.sub(r"\b(twenty|thirty)[ -](\w+)", _joined, text)
    return re.sub(
        r"\b\w+\b", lambda word: f"{_ORDINALS[word[0]]}th" if word[0] in _ORDINALS else word[0], text
    )


def _joined(words: re.Match[str]) -> str:
    unit = _ORDINALS.get(words[2], 10)
    return f"{_NUMBERS[words[1]] + unit}th" if unit < 10 else words[0]


def _day(text: str, now: datetime) -> tuple[datetime | None, str]:
    """The day that is named, or None, and the words without it. Raises ValueError for a day that is none."""
    for words, days in _NEAR.items():
        if words in text:
            return now + timedelta(days=days), text.replace(words, "|")
    for pattern in _DATES:
        if found := pattern.search(text):
            return _date(found, now), text[: found.start()] + "|" + text[found.end() :]
    named = next((index for index, name in enumerate(_DAYS) if name in text), None)
    if named is not None:
        ahead = (named - now.weekday() - 1) % 7 + 1
        return now + timedelta(days=ahead), text.replace(_DAYS[named], "|")
    return (now if re.search(r"\bthis (morning|afternoon|evening)\b", text) else None), text


def _date(found: re.Match[str], now: datetime) -> datetime:
    """The next day of that date."""
    parts = found.groups()
    day = int(next(part for part in parts if part.isdecimal()))
    month = next((_MONTHS[part] for part in parts if part in _MONTHS), None)
    if month is not None:
        at = now.replace(month=month, day=day)
        return at if at.date() >= now.date() else at.replace(year=now.year + 1)
    if day >= now.day:
        return now.replace(day=day)
    first = now.replace(day=1) + timedelta(days=32)
    return first.replace(day=day)


def _hour(text: str) -> tuple[int, int] | None:
    for word, number in _NUMBERS.items():
        if len(word) > 2:
            text = re.sub(rf"\b{word}\b", str(number), text)
    text, extra = _half(re.sub(r"\b(\d{1,2}) (15|20|30|45)\b", r"\1:\2", text))
    for found in _CLOCK.finditer(text):
        hour, minute = int(found[1]), int(found[2] or extra)
        marked = found[2] or found[3] or found[4] or found[0].startswith("at ") or extra
        if not marked or hour > 23 or minute > 59:
            continue
        half = found[4] or (
            "p" if "afternoon" in text or "evening" in text else "a" if "morning" in text else ""
        )
        return _on_the_clock(hour, half), minute
    part = next((hour for word, hour in _PARTS.items() if word in text), None)
    return (part, 0) if part is not None else None


def _half(text: str) -> tuple[str, int]:
    for phrase, minutes in (("half past ", 30), ("quarter past ", 15)):
        if phrase in text:
            return text.replace(phrase, "at "), minutes
    return text, 0


def _on_the_clock(hour: int, half: str) -> int:
    if half == "p":
        return hour if hour >= 12 else hour + 12
    if half == "a":
        return 0 if hour == 12 else hour
    return hour + 12 if 0 < hour < _OPENING_HOUR else hour
