"""A tool's result in words: its own `say`, else its fields."""

import re
from typing import Any

import msgspec

_MOST_FIELDS = 6
_MOST_ROWS = 3
_LONGEST = 600
_HIDDEN = re.compile(r"(?:^|_)id$|url|link|image|token|status_code|^ok$|^success$|^error_code$")
_PRICES = ("total", "total_price", "price", "amount", "cost")


def say_result(output: str, tool: str = "") -> str:
    """A sentence for a function's output: `say`, or text as it is, or the fields in words."""
    value = _decoded(output)
    if isinstance(value, str):
        return value.strip()[:_LONGEST]
    if isinstance(value, dict):
        for key in ("say", "message", "answer", "error"):
            if isinstance(value.get(key), str) and value[key].strip():
                return str(value[key]).strip()[:_LONGEST]
    said = _in_words(value)
    return said[:_LONGEST] or f"{tool.replace('_', ' ').capitalize() or 'That'} is done."


def last_price(output: str) -> str:
    """A price in a function's output, fit to be spoken; empty when there is none."""
    value = _decoded(output)
    for fields in (value, value.get("data") if isinstance(value, dict) else None):
        for key in _PRICES if isinstance(fields, dict) else ():
            amount = fields.get(key) if isinstance(fields, dict) else None
            if isinstance(amount, int | float) and not isinstance(amount, bool):
                return _money(amount, fields.get("currency") if isinstance(fields, dict) else None)
            if isinstance(amount, str) and re.search(r"\d", amount) and len(amount) < 20:
                return amount
    return ""


def waits(output: str) -> bool:
    """Whether a result is not the end of its request: the app says so by its `status`, not an order's."""
    value = _decoded(output)
    state = value.get("status") if isinstance(value, dict) else None
    return state in ("not_done_yet", "refused", "needs_input", "pending") and "number" not in value


_HOW_MUCH = re.compile(
    r"\bhow much (?:was|is|did|does|were)\b|\btotal\b|\bwhat did (?:it|i|that|they) (?:cost|pay)\b"
)
_WHAT_IS_IN = re.compile(
    r"\bwhat(?:'s| is| was| were| are)? (?:in|inside)\b|\bwhat did i (?:order|buy|get)\b|\bcontents?\b"
    r"|\bwhich (?:items|products|things)\b|\bwhat does (?:it|order \S+) (?:have|hold|contain)\b"
)


def answer_in(output: str, question: str) -> str:
    """What a result's fields answer that its sentence does not: what is in an order, what it comes to."""
    value = _decoded(output)
    fields = value.get("data", value) if isinstance(value, dict) else {}
    if not isinstance(fields, dict):
        return ""
    lines = fields.get("lines")
    total = fields.get("total")
    if _HOW_MUCH.search(question) and isinstance(total, str) and re.search(r"\d", total):
        return f"It comes to {total}."
    if not _WHAT_IS_IN.search(question) or not isinstance(lines, list):
        return ""
    names = [str(line["name"]) for line in lines if isinstance(line, dict) and line.get("name")][
        :_MOST_FIELDS
    ]
    return f"It holds {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}." if names else ""


_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥"}


def _money(amount: float, currency: Any) -> str:
    """In the currency that the output names; without one it is a number, not dollars."""
    if not isinstance(currency, str) or not re.fullmatch("[A-Za-z]{3}", currency):
        return f"{amount:,.2f}"
    code = currency.upper()
    return f"{_SIGNS[code]}{amount:,.2f}" if code in _SIGNS else f"{amount:,.2f} {code}"


def question_in(output: str) -> str | None:
    """The reason code of a refusal that asks something ("missing:reason"); None when it asks nothing."""
    value = _decoded(output)
    if not isinstance(value, dict) or value.get("status") not in ("refused", "needs_input", "error"):
        return None
    if not str(value.get("say", "")).rstrip().endswith(("?", "？")):
        return None
    return str(value.get("reason") or "")


def _decoded(output: str) -> Any:
    try:
        return msgspec.json.decode(output)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return output


def _in_words(value: Any) -> str:
    match value:
        case bool():
            return "Yes." if value else "No."
        case None:
            return ""
        case int() | float():
            return f"It is {value:g}."
        case str():
            return value.strip()
        case list():
            return _rows(value)
        case dict():
            return _fields(value)
    return ""


def _rows(rows: list[Any]) -> str:
    if not rows:
        return "I found nothing."
    said = [_in_words(row).rstrip(".") for row in rows[:_MOST_ROWS]]
    more = f" And {len(rows) - _MOST_ROWS} more." if len(rows) > _MOST_ROWS else ""
    return f"{'; '.join(said)}.{more}"


def _fields(fields: dict[str, Any]) -> str:
    said = []
    for name, value in fields.items():
        if value is None or value == "" or _HIDDEN.search(name.lower()):
            continue
        words = _short(value)
        if words:
            said.append(f"{_humanised(name)}: {words}")
        if len(said) == _MOST_FIELDS:
            break
    return (
        (". ".join(said) + ".").capitalize()
        if said and len(said) == 1
        else ". ".join(one[0].upper() + one[1:] for one in said) + ("." if said else "")
    )


def _short(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:g}"
        case str():
            return value.strip().rstrip(".").replace("_", " ")
        case list() if all(isinstance(one, str | int | float) for one in value):
            return ", ".join(_short(one) for one in value[:_MOST_ROWS])
        case list() | dict():
            return _in_words(value).rstrip(".")
    return ""


def _humanised(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return spaced.replace("_", " ").lower()
