"""Log lines: as text or as JSON, each with the call that it is about, none with personal data.

Nothing personal is meant to reach the log; whatever does is taken out here, and of an exception only its
kind and place are written: its text may hold what a customer said.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from helpline.redact import redact, redact_json

_call_id: ContextVar[str] = ContextVar("helpline_call", default="")
_TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def in_call(call_id: str) -> None:
    """From here on, log lines of this task and of those that it starts are about this call."""
    _call_id.set(call_id)


def set_up(log_format: str) -> None:
    """Send the log to stderr, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text(_TEXT))
    handler.addFilter(_of_ours)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _of_ours(record: logging.LogRecord) -> bool:
    """Our lines as they are, other people's only when something is wrong.

    Database drivers and HTTP clients log what they carry; behind the first line of theirs stand exceptions.
    """
    if record.name.partition(".")[0] == "helpline":
        return True
    if record.levelno < logging.WARNING:
        return False
    record.msg, record.args = record.getMessage().partition("\n")[0], None
    return True


class _Text(logging.Formatter):
    """One line for a person."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = redact(record.message)
        line = super().formatMessage(record)
        call_id = _call_id.get()
        return f"{line} [{call_id}]" if call_id and call_id not in line else line

    def formatException(self, ei: Any) -> str:
        return without_words(ei[1])


class _Json(logging.Formatter):
    """One JSON object, written by structlog."""

    def __init__(self) -> None:
        super().__init__()
        # Here and not above: a command that logs text does not load it.
        import structlog

        self._formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.ExtraAdder(),
                _with_call,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_exception,
                _without_personal,
                structlog.processors.JSONRenderer(),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._formatter.format(record)


def _with_call(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if call_id := _call_id.get():
        line["call_id"] = call_id
    return line


def _without_exception(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = line.pop("exc_info", None)
    if error:
        line["error"] = without_words(error[1] if isinstance(error, tuple) else sys.exception())
    return line


def _without_personal(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    kept: dict[str, Any] = redact_json(
        {name: value for name, value in line.items() if not name.startswith("pii")}
    )
    return kept | {"event": redact(str(line.get("event", "")))}


def without_words(error: BaseException | None) -> str:
    """An exception's kind and where it was raised, or those of a group's; its text may be personal."""
    if error is None:
        return ""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(without_words(each) for each in error.exceptions)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"
