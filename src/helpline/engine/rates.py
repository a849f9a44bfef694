"""How many responses a session may ask for in a minute, and what `rate_limits.updated` says of it."""

from collections import deque
from collections.abc import Callable

from helpline.engine.protocol import Json

_WINDOW_S = 60.0


class Rate:
    """A sliding minute."""

    def __init__(self, most_requests: int, most_tokens: int, clock_s: Callable[[], float]) -> None:
        self._most_requests = most_requests
        self._most_tokens = most_tokens
        self._clock_s = clock_s
        self._spent: deque[tuple[float, int]] = deque()

    def take(self, tokens: int) -> bool:
        """Count one more response; False when the minute is full: of responses, or of what they read."""
        now = self._clock_s()
        while self._spent and now - self._spent[0][0] >= _WINDOW_S:
            self._spent.popleft()
        if len(self._spent) >= self._most_requests or self._tokens() >= self._most_tokens:
            return False
        self._spent.append((now, tokens))
        return True

    def body(self) -> list[Json]:
        """The `rate_limits` list."""
        now = self._clock_s()
        reset_s = round(max(_WINDOW_S - (now - self._spent[0][0]), 0.0), 3) if self._spent else 0.0
        return [
            {
                "name": "requests",
                "limit": self._most_requests,
                "remaining": max(self._most_requests - len(self._spent), 0),
                "reset_seconds": reset_s,
            },
            {
                "name": "tokens",
                "limit": self._most_tokens,
                "remaining": max(self._most_tokens - self._tokens(), 0),
                "reset_seconds": reset_s,
            },
        ]

    def _tokens(self) -> int:
        return sum(count for _, count in self._spent)
