"""How things are said aloud: money, days, times, references, lists. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time

_UNITS = {"USD": ("dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "pence")}
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def money(cents: int, currency: str = "USD") -> str:
    """An amount in words that a voice reads well: "84 dollars and 50 cents"."""
    whole_unit, part_unit = _UNITS.get(currency, (currency, "cent"))
    whole, part = divmod(abs(cents), 100)
    parts = []
    if whole or not part:
        parts.append(count(whole, whole_unit))
    if part:
        parts.append(f"{part} {part_unit}" if part_unit == "pence" else count(part, part_unit))
    return " and ".join(parts)


def price(cents: int, currency: str = "USD") -> str:
    """An amount as it is written: "$84.50"."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{_SIGNS.get(currency, currency + ' ')}{whole:,}.{part:02d}"


def count(number: int, thing: str) -> str:
    """ "1 item", "2 items"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(things: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {last} {things[-1]}"


def spelled(reference: str) -> str:
    """A reference character by character: "R-4821" -> "R 4 8 2 1"."""
    return " ".join(character for character in reference if character.isalnum())


def day(when: date, today: date) -> str:
    """A day near today by its name, any other by its date: "tomorrow", "on Friday", "on March 3"."""
    away = (when - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away)
    if near:
        return near
    if 1 < away < 7:
        return f"on {when:%A}"
    return f"on {when:%B} {when.day}" + ("" if when.year == today.year else f", {when.year}")


def clock_time(when: datetime | time) -> str:
    """A time of day: "3 PM", "10:30 AM"."""
    hour = when.hour % 12 or 12
    half = "AM" if when.hour < 12 else "PM"
    return f"{hour} {half}" if when.minute == 0 else f"{hour}:{when.minute:02d} {half}"


def plain(text: str, limit: int = 200) -> str:
    """Data made safe to stand inside a sentence: one line, no control characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
