"""Text and data as every database and every wire can carry them. PURE.

A browser can send half a surrogate pair, a model a NUL or a value nested a thousand deep: the one has no
UTF-8, Postgres takes no other, and whoever walks through the third runs out of stack.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

MOST_DEEP: Final = 40
"""So many lists and objects may stand within each other; what is deeper is left out."""
_NO_CHARACTER: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The same text, with U+FFFD in the places of what is no character."""
    return _NO_CHARACTER.sub("\ufffd", text)


def storable_json(value: Any, deep: int = MOST_DEEP) -> Any:
    """The same JSON value of storable texts, names too; `…` stands for what lies deeper than `deep`."""
    match value:
        case str():
            return storable(value)
        case Mapping():
            if not deep:
                return "…"
            return {storable(str(name)): storable_json(part, deep - 1) for name, part in value.items()}
        case list() | tuple():
            return [storable_json(part, deep - 1) for part in value] if deep else "…"
        case _:
            return value
