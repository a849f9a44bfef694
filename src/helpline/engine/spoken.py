"""Text as a voice should say it: references digit by digit, money and dates in words."""

import re

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_MONEY = re.compile(r"(?P<sign>-?)(?P<currency>[$€£])\s?(?P<whole>\d[\d,]*)(?:\.(?P<cents>\d{2}))?(?!\d)")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_ISO_TIME = re.compile(r"(?<=\d)T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b(\s*[ap]\.?m\b\.?)?", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_REFERENCE = re.compile(r"\b([A-Z]{1,4})-?(\d{2,})\b")
_PHONE = re.compile(r"(?<![\w-])\+?\(?\d{1,4}\)?(?:[ -]\(?\d{2,5}\)?){1,4}(?![\w-])")
_LONG_NUMBER = re.compile(r"(?<![\w.,$€£])#?(\d{4,}|0\d+)(?![\w,]*\d)(?!\.\d)")
_YEAR = re.compile(
    r"(?:\b(?:in|since|" + "|".join(_MONTHS) + r")\s+|\d{1,2}(?:st|nd|rd|th)?,\s)$", re.IGNORECASE
)
_MARKUP = re.compile(r"[*_`#<>|\\]+")
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}

_CLAUSE = re.compile(r".{30,}?[,;:–—]\s+(?=[^\d\s].{15})", re.DOTALL)
"""Up to a comma, but not within a date; what is left is worth a breath too."""


def speakable(text: str, language: str = "en") -> str:
    """The text with its numbers, dates and addresses written as they are said aloud.

    In another language than English only long numbers and references are, digit by digit: a voice has its own
    words for money and times.
    """
    if language != "en":
        text = _REFERENCE.sub(lambda m: f"{_spaced(m[1])} {_spaced(m[2])}", text)
        return _MARKUP.sub(" ", spaced_numbers(text))
    text = _EMAIL.sub(_say_email, text)
    text = _MONEY.sub(_say_money, text)
    text = _ISO_TIME.sub(r" at \1", text)
    text = _ISO_DATE.sub(_say_date, text)
    text = _CLOCK.sub(_say_time, text)
    text = _REFERENCE.sub(lambda m: f"{_spaced(m[1])} {_spaced(m[2])}", text)
    text = _PHONE.sub(_say_phone, text)
    text = _LONG_NUMBER.sub(_say_digits, text)
    return _MARKUP.sub(" ", text)


def spaced_numbers(text: str) -> str:
    """Long numbers digit by digit: in Chinese, where no blank stands before them."""
    return re.sub(r"\d{4,}(?!\.\d)", lambda found: _spaced(found[0]), text)


def sentences(text: str) -> list[str]:
    """The text in sentences, each with its own ending and the blank after it; joined they are the text."""
    return (
        re.findall(r".+?(?:[.!?](?:[\"')\]]*)(?=\s|$)\s*|[。！？]\s*|\n+|$)", text, re.DOTALL) if text else []
    )


def clauses(sentence: str) -> list[str]:
    """A long sentence in parts that can be spoken one after the other; joined they are the sentence."""
    parts: list[str] = []
    rest = sentence
    while (cut := _CLAUSE.match(rest)) is not None:
        parts.append(cut[0])
        rest = rest[len(cut[0]) :]
    return [*parts, rest]


def _spaced(characters: str) -> str:
    return " ".join(characters)


def _say_digits(match: re.Match[str]) -> str:
    digits = match[1]
    if len(digits) == 4 and digits[:2] in ("19", "20") and _YEAR.search(match.string[: match.start()]):
        return digits
    return _spaced(digits)


def _say_phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    if "-" not in match[0] and sum(map(len, groups)) < 7:
        return match[0]
    return ("plus " if match[0].startswith("+") else "") + ", ".join(map(_spaced, groups))


def _say_money(match: re.Match[str]) -> str:
    major, minor = _CURRENCIES[match["currency"]]
    whole, cents = int(match["whole"].replace(",", "")), int(match["cents"] or 0)
    parts = []
    if whole or not cents:
        parts.append(f"{whole:,} {major}{'' if whole == 1 else 's'}")
    if cents:
        plural = "pence" if minor == "penny" else f"{minor}s"
        parts.append(f"{cents} {minor if cents == 1 else plural}")
    return ("minus " if match["sign"] else "") + " and ".join(parts)


def _say_date(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return _spaced(match[0])
    return f"{_MONTHS[month - 1]} {_ordinal(day)}"


def _ordinal(day: int) -> str:
    suffix = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _say_time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = (match[3] or "").strip().replace(".", "").lower()
    if not half:
        half = "am" if hour < 12 else "pm"
        hour = hour % 12 or 12
    minutes = "" if minute == 0 else f" oh {minute}" if minute < 10 else f" {minute}"
    return f"{hour}{minutes} {half[0]} {half[1]}"


def _say_email(match: re.Match[str]) -> str:
    said = match[0].replace("@", " at ").replace(".", " dot ")
    return said.replace("-", " dash ").replace("_", " underscore ")
