"""What a customer means who corrects the last request: "no, the other one", "I meant 1005", "the blue one".

Pure. What is meant is looked for among what was named in this call and what the last results listed; what
cannot be told from them is asked about, never guessed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

CORRECTS = re.compile(
    r"(?:oh |well |wait |um |uh )*"
    r"(?:no|nope|not (?:that|this|it|the)|wrong|sorry|i (?:said|meant|mean)|actually"
    r"|that's (?:wrong|not (?:it|right|the one|what i))|that is (?:wrong|not (?:it|right))|rather"
    r"|make (?:it|that)|the other|i was (?:talking|asking) about)\b"
)
_OTHER = re.compile(r"\b(?:the |my )?other (?:one|order|number|item|product)?")
_WHICH = re.compile(r"\bthe (?P<which>(?!other\b|first\b|last\b|wrong\b)[a-z]+(?: [a-z]+)?) (?:one|order)\b")
_REFERENCE = re.compile(r"[A-Za-z]{0,3}-?\d{2,12}")
_MOST_LISTED = 200


def means_another(text: str) -> bool:
    """Whether a correction names the other one, not which."""
    return _OTHER.search(text) is not None


def other_of(now: str, named: Sequence[str], known: Sequence[str]) -> str:
    """The other one of two: of those named in the call, else of the caller's own; empty when not one is."""
    for some in (named, known):
        others = {one.upper() for one in some} - {now.upper()}
        if len(others) == 1:
            return others.pop()
    return ""


def described(text: str) -> str:
    """The word or two that tell it from the others: "blue" of "not that, the blue one"."""
    match = _WHICH.search(text)
    return match["which"] if match else ""


def reference_of(which: str, listed: Iterable[tuple[str, str]], not_this: str) -> str:
    """The reference whose row has these words; empty when not exactly one has them."""
    fitting = {
        reference.upper()
        for reference, words in listed
        if reference.upper() != not_this.upper() and all(word in words for word in which.split())
    }
    return fitting.pop() if len(fitting) == 1 else ""


def thing_of(which: str, before: str, things: Sequence[str]) -> str:
    """The thing of the same kind with these words: of the catalogue, else "blue kettle" in words."""
    kind = before.split()[-1:] or [""]
    fitting = [
        name
        for name in things
        if kind[0] and kind[0] in name.lower() and all(word in name.lower() for word in which.split())
    ]
    return fitting[0] if fitting else f"{which} {kind[0]}".strip()


def rows_in(output: str) -> tuple[tuple[str, str], ...]:
    """References that a function's output lists, each with the words of its row, in lower case."""
    try:
        value = msgspec.json.decode(output)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    rows: list[tuple[str, str]] = []
    _collect(value, rows)
    return tuple(rows)


def _collect(value: Any, rows: list[tuple[str, str]]) -> None:
    if len(rows) >= _MOST_LISTED:
        return
    if isinstance(value, Mapping):
        reference = next((str(v) for k, v in value.items() if _names_one(str(k), v)), "")
        if reference:
            rows.append((reference, " ".join(_strings(value)).lower()))
        for inner in value.values():
            _collect(inner, rows)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, rows)


def _names_one(key: str, value: Any) -> bool:
    return (
        re.search(r"order|number|reference|(?:^|_)id$", key.lower()) is not None
        and isinstance(value, str | int)
        and not isinstance(value, bool)
        and _REFERENCE.fullmatch(str(value)) is not None
    )


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
