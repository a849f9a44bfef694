"""Cards as the page's script draws them, and as text where there is no script.

A card travels as JSON data: a kind, a title and values, cut to sizes that a page can bear. Markup never
travels: `public/cards.js` builds elements and sets their text.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helpline import actions
from helpline.wording import price

_MAX_TEXT: Final = 600
_MAX_ITEMS: Final = 40
_MAX_DEPTH: Final = 4


def card(shown: actions.Card) -> dict[str, Any]:
    """A card that a tool made."""
    return {"kind": shown.kind, "title": _text(shown.title), "data": _trim(dict(shown.data))}


def proposal(proposed: actions.Proposal) -> dict[str, Any]:
    """A change that waits for its yes, with what it would do."""
    detail = proposed.card
    return {
        "kind": "proposal",
        "title": _text(_sentence(proposed.effect)),
        "proposal": proposed.id,
        "lives_ms": proposed.lives_ms,
        "amount": None if proposed.amount_cents is None else price(proposed.amount_cents, proposed.currency),
        "text": _text(proposed.read_back),
        "data": _trim(dict(detail.data)) if detail and detail.kind == "proposal" else {},
        "outcome": "",
    }


def receipt(done: actions.Receipt) -> dict[str, Any]:
    """What was done: the page shows its reference large."""
    return {
        "kind": "receipt",
        "title": done.reference,
        "text": _text(done.say),
        "at": done.at,
        "repeated": done.repeated,
        "data": _trim(dict(done.data)),
    }


def as_text(drawn: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    """A card in one line, for a page without the script, a text channel or a screen reader."""
    parts = [str(drawn.get("title", "")), str(drawn.get("text") or "")]
    parts += [
        f"{(labels or {}).get(name) or _label(name)}: {value}"
        for name, value in _scalars(drawn.get("data") or {})
    ]
    return ". ".join(part.rstrip(".") for part in parts if part)


def _scalars(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = []
    for name, value in data.items():
        if isinstance(value, bool | dict | list) or value in (None, "") or f"{name}_cents" in data:
            continue
        if name.endswith("_cents") and isinstance(value, int):
            shown.append((name.removesuffix("_cents"), price(value, str(data.get("currency", "USD")))))
        elif name not in ("id", "currency") and not name.endswith("_id"):
            shown.append((name, str(value)))
    return shown


def _label(name: str) -> str:
    return _sentence(name.replace("_", " "))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def _trim(value: Any, depth: int = 0) -> Any:
    """`value` with only what JSON holds, no deeper, longer or wider than a card can show."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _MAX_DEPTH:
        return ""
    if isinstance(value, Mapping):
        return {_text(str(key)): _trim(item, depth + 1) for key, item in list(value.items())[:_MAX_ITEMS]}
    if isinstance(value, Sequence):
        return [_trim(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return _text(str(value))
