"""How things are said aloud, in each of the desk's languages: money, days, times, references, lists. Pure.

A sentence is written once in each language, side by side (`Sentence`); what stands in its blanks may itself
depend on the language. Nothing is worded before it is known in which language it will be heard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, Protocol

Language = Literal["en", "zh"]
"""The languages in which the desk has sentences of its own."""


def language_of(tag: str) -> Language:
    """Which of our languages a tag such as `zh-CN` or `en-GB` asks for; English when we lack it."""
    return "zh" if tag.strip().lower().startswith("zh") else "en"


_NAMES = {"en": "English", "zh": "Simplified Chinese", "fr": "French", "de": "German", "es": "Spanish",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "pt": "Portuguese", "nl": "Dutch"}  # fmt: skip


def named(tag: str) -> str:
    """A language by its English name, as a model is told it; one that has none here by its tag."""
    return _NAMES.get(tag.strip().lower().partition("-")[0], tag)


class Saying(Protocol):
    """Something that can be said in each language."""

    def in_(self, language: str) -> str:
        """Its words, for a language tag such as `zh-CN`."""


Value = str | int | Saying


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in each language; `{…}` are its blanks, the same ones in all of them."""

    en: str
    zh: str

    def in_(self, language: str) -> str:
        return self.zh if language_of(language) == "zh" else self.en

    def __call__(self, **values: Value) -> "Said":
        return Said(self, tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with its blanks filled in."""

    sentence: Sentence
    values: tuple[tuple[str, Value], ...]

    def in_(self, language: str) -> str:
        filled = {name: said(value, language) for name, value in self.values}
        return self.sentence.in_(language).format(**filled)


@dataclass(frozen=True, slots=True)
class later:
    """A function of this module with its arguments, worded when the language is known."""

    function: Callable[..., str]
    arguments: tuple[object, ...]

    def __init__(self, function: Callable[..., str], *arguments: object) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "arguments", arguments)

    def in_(self, language: str) -> str:
        return self.function(*self.arguments, language=language)


def said(value: Value, language: str) -> str:
    """A value's words: text and numbers are what they are."""
    return str(value) if isinstance(value, str | int) else value.in_(language)


_UNITS = {"USD": ("dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "pence")}
_CHINESE_UNITS = {
    "USD": ("美元", "美分"),
    "EUR": ("欧元", "欧分"),
    "GBP": ("英镑", "便士"),
    "CNY": ("元", ""),
}
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥"}
_CHINESE_COUNTS = {"item": "件商品", "order": "个订单"}
_WEEKDAYS = "一二三四五六日"


def money(cents: int, currency: str = "USD", language: str = "en") -> str:
    """An amount in words that a voice reads well: "84 dollars and 50 cents", "84.50美元"."""
    whole, part = divmod(abs(cents), 100)
    if language_of(language) == "zh":
        unit = _CHINESE_UNITS.get(currency, (currency, ""))[0]
        return f"{whole}.{part:02d}{unit}" if part else f"{whole}{unit}"
    whole_unit, part_unit = _UNITS.get(currency, (currency, "cent"))
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


def count(number: int, thing: str, language: str = "en") -> str:
    """ "1 item", "2 items", "2件商品"."""
    if language_of(language) == "zh":
        return f"{number}{_CHINESE_COUNTS.get(thing, thing)}"
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(things: Sequence[Value], last: Literal["and", "or"] = "and", language: str = "en") -> str:
    """ "a", "a and b", "a, b and c", "a、b或c"."""
    chinese = language_of(language) == "zh"
    words = [said(thing, language) for thing in things]
    if len(words) < 2:
        return "".join(words)
    if chinese:
        return "、".join(words[:-1]) + ("和" if last == "and" else "或") + words[-1]
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def spelled(reference: str) -> str:
    """A reference character by character: "R-4821" -> "R 4 8 2 1"."""
    return " ".join(character for character in reference if character.isalnum())


def day(when: date, today: date, language: str = "en") -> str:
    """A day near today by its name, any other by its date: "tomorrow", "on Friday", "on March 3", "周五"."""
    away = (when - today).days
    if language_of(language) == "zh":
        near = {0: "今天", 1: "明天", 2: "后天", -1: "昨天"}.get(away)
        if near:
            return near
        if 1 < away < 7:
            return f"周{_WEEKDAYS[when.weekday()]}"
        return ("" if when.year == today.year else f"{when.year}年") + f"{when.month}月{when.day}日"
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away)
    if near:
        return near
    if 1 < away < 7:
        return f"on {when:%A}"
    return f"on {when:%B} {when.day}" + ("" if when.year == today.year else f", {when.year}")


def date_text(when: date, language: str = "en") -> str:
    """A date as it stands on a card: "Tuesday, March 3", "3月3日 周二"."""
    if language_of(language) == "zh":
        return f"{when.month}月{when.day}日 周{_WEEKDAYS[when.weekday()]}"
    return f"{when:%A, %B} {when.day}"


def weekday(number: int, language: str = "en") -> str:
    """A day of the week by its ISO number: "Monday", "周一"."""
    if language_of(language) == "zh":
        return f"周{_WEEKDAYS[number - 1]}"
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[number - 1]


def clock_time(when: datetime | time, language: str = "en") -> str:
    """A time of day: "3 PM", "10:30 AM", "下午3点", "上午10点30分"."""
    hour = when.hour % 12 or 12
    if language_of(language) == "zh":
        half = "凌晨" if when.hour < 6 else "上午" if when.hour < 12 else "中午" if when.hour == 12 else ""
        half = half or ("下午" if when.hour < 18 else "晚上")
        return f"{half}{hour}点" + (f"{when.minute:02d}分" if when.minute else "")
    half = "AM" if when.hour < 12 else "PM"
    return f"{hour} {half}" if when.minute == 0 else f"{hour}:{when.minute:02d} {half}"


def plain(text: str, limit: int = 200) -> str:
    """Data made safe to stand inside a sentence: one line, no control characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
