"""Time as an argument: the desk reads it here, tests own it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that only ever moves on, one that people read."""

    def now_ms(self) -> int:
        """Monotonic milliseconds; only differences mean anything."""

    def utcnow(self) -> datetime:
        """The wall clock, aware, UTC."""


class SystemClock:
    """This machine's clocks."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def utcnow(self) -> datetime:
        return datetime.now(UTC)
