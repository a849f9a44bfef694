"""The small change of the protocol's server side: ids, refusals, and checks of what a client sent.

Codes and wording are those of the real service where they are known (`error` events, GA).
"""

import secrets
import string
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

Json = dict[str, Any]

MOST_TEXT = 1_000_000
"""Characters in one text: an item's part, the instructions, a tool's result."""
MOST_DEPTH = 64
"""Levels of objects and lists in what is kept as it is: schemas of tools, tracing and the like."""

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 21) -> str:
    """An id in the service's shape: `item_` and 21 letters or digits."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


def fault_of(failure: BaseException) -> str:
    """What broke and where, fit for a log: an exception's own text may be what somebody said."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    frames = traceback.extract_tb(failure.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(failure).__name__}{place}"


class Refusal(Exception):
    """What a client asked cannot be done: it becomes an `error` event, and the session stays."""

    def __init__(
        self, message: str, *, code: str | None, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind

    def event(self, client_event_id: str | None) -> Json:
        """The `error` object."""
        return {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": client_event_id,
        }


def missing(param: str) -> Refusal:
    return Refusal(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)


def unknown(param: str) -> Refusal:
    return Refusal(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)


def wrong_type(param: str, expected: str, value: Any) -> Refusal:
    message = f"Invalid type for '{param}': expected {expected}, but got {_article(value)} instead."
    return Refusal(message, code="invalid_type", param=param)


def wrong_value(param: str, message: str) -> Refusal:
    return Refusal(f"Invalid value for '{param}': {message}", code="invalid_value", param=param)


_NAMES = {
    str: "a string", bool: "a boolean", int: "an integer", float: "a decimal number", dict: "an object",
    list: "an array",
}  # fmt: skip


def _article(value: Any) -> str:
    return _NAMES.get(type(value), "null")


Check = Callable[[Any, str], Any]
"""Takes a value and its path, returns what to keep, raises Refusal."""


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    return value


def bounded(most: int) -> Check:
    """A string of at most so many characters."""

    def check(value: Any, path: str) -> str:
        if len(text(value, path)) > most:
            raise wrong_value(path, f"expected at most {most} characters.")
        return str(value)

    return check


def boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)
    return value


def anything(value: Any, path: str) -> Any:
    """Whatever it is, unless it is nested so deeply that the session could not be copied or echoed."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            raise wrong_value(path, f"expected at most {MOST_DEPTH} levels of nesting.")
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return value


def integer(low: int, high: int) -> Check:
    def check(value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(path, "an integer", value)
        if not low <= value <= high:
            raise wrong_value(path, f"expected a value between {low} and {high}, but got {value}.")
        return value

    return check


def number(low: float, high: float) -> Check:
    def check(value: Any, path: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong_type(path, "a decimal number", value)
        if not low <= value <= high:  # also refuses what is not a number
            raise wrong_value(path, f"expected a value between {low} and {high}, but got {value}.")
        return value

    return check


def one_of(*values: str) -> Check:
    def check(value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if value not in values:
            listed = ", ".join(f"'{one}'" for one in values)
            message = f"Invalid value: '{value[:80]}'. Supported values are: {listed}."
            raise Refusal(message, code="invalid_value", param=path)
        return value

    return check


def nullable(check: Check) -> Check:
    return lambda value, path: None if value is None else check(value, path)


def either(*checks: Check) -> Check:
    """The first check that accepts; the last one's refusal when none does."""

    def check(value: Any, path: str) -> Any:
        for attempt in checks[:-1]:
            try:
                return attempt(value, path)
            except Refusal:
                continue
        return checks[-1](value, path)

    return check


def listed(check: Check, most: int) -> Check:
    def check_all(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        if len(value) > most:
            raise wrong_value(path, f"expected at most {most} entries, but got {len(value)}.")
        return [check(one, f"{path}[{at}]") for at, one in enumerate(value)]

    return check_all


def fields(known: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object with these fields and no others; only the fields that are present are kept."""

    def check(value: Any, path: str) -> Json:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise missing(f"{prefix}{name}")
        kept = {}
        for name, field in value.items():
            if name not in known:
                raise unknown(f"{prefix}{name[:80]}")
            kept[name] = known[name](field, f"{prefix}{name}")
        return kept

    return check
