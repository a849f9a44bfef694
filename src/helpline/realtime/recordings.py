"""Recordings of real sessions in YAML, as the tests of client libraries keep them, read like traces.

`interactions` is a list of `{kind: message, direction: sent|received, data: {…}}`. They hold no times: each
message is taken to follow the one before it by STEP_MS.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from helpline.errors import MissingPartError
from helpline.realtime import wire
from helpline.realtime.dialects import GA, VOICE_LIVE, Dialect
from helpline.realtime.trace import BadTrace, Entry

STEP_MS = 20


def read_recording(path: str | Path) -> Iterator[Entry]:
    """The entries of a recording. Raises BadTrace; MissingPartError without PyYAML."""
    messages = _messages(path)
    dialect = _dialect(messages)
    yield Entry(0, "opened", backend="recording", dialect=dialect)
    for number, message in enumerate(messages, start=1):
        try:
            yield _entry(number * STEP_MS, message, dialect)
        except (KeyError, TypeError, ValueError, AttributeError, wire.BadFrame):
            raise BadTrace(f"{path}: message {number} is none of the Realtime protocol.") from None


def _entry(at_ms: int, message: dict[str, Any], dialect: Dialect) -> Entry:
    data: dict[str, Any] = message["data"]
    if message["direction"] == "received":
        return Entry(at_ms, "received", event=wire.read(data, dialect), dialect=dialect)
    return Entry(at_ms, "sent", wire.decode_client(msgspec.json.encode(data), dialect), dialect=dialect)


def _messages(path: str | Path) -> list[dict[str, Any]]:
    try:
        import yaml  # type: ignore[import-untyped]  # For replays and tests: the desk has no use for it.
    except ImportError:
        raise MissingPartError("Reading a recording needs PyYAML: pip install pyyaml.") from None
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return [one for one in document["interactions"] if one["kind"] == "message"]
    except OSError as error:
        raise BadTrace(f"{path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeError, KeyError, TypeError):
        raise BadTrace(f"{path} is no recording of a Realtime session.") from None


def _dialect(messages: list[dict[str, Any]]) -> Dialect:
    """Flat when the server's first session is."""
    sessions = (one["data"].get("session") for one in messages if isinstance(one.get("data"), dict))
    first = next((session for session in sessions if isinstance(session, dict)), {})
    return VOICE_LIVE if "modalities" in first else GA
