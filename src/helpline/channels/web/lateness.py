"""Telling late microphone sound from sound that is on time, by comparing two clocks that never agree.

A page stamps each chunk with the time since its microphone opened; the desk knows when it arrived. The least
difference of the two lately seen is the best that this line can do; a chunk that lags behind it by more than
`limit_ms` waited in a buffer (a network that was away: 6.8 s of old sound arrived within 150 ms) and answers
a question that nobody asks any more.
"""

from collections import deque


class Lateness:
    """Feed it each chunk in order of arrival; it says whether the chunk came too late to be heard."""

    def __init__(self, limit_ms: int = 400, window_ms: int = 10_000) -> None:
        self._limit_ms = limit_ms
        self._window_ms = window_ms
        self._least: deque[tuple[int, int]] = deque()
        """(arrived_ms, offset_ms) with rising offsets: the head is the least of the window."""
        self.dropped = 0

    def is_late(self, elapsed_ms: int, arrived_ms: int) -> bool:
        """Whether to drop the chunk that was recorded at `elapsed_ms` and arrived at `arrived_ms`."""
        offset_ms = arrived_ms - elapsed_ms
        self._remember(offset_ms, arrived_ms)
        late = offset_ms - self._least[0][1] > self._limit_ms
        self.dropped += late
        return late

    def restart(self) -> None:
        """The microphone was opened anew, and with it the page's clock."""
        self._least.clear()

    def _remember(self, offset_ms: int, arrived_ms: int) -> None:
        while self._least and self._least[-1][1] >= offset_ms:
            self._least.pop()
        self._least.append((arrived_ms, offset_ms))
        # A line that became slower for good is on time again once its better days are out of the window.
        while self._least[0][0] < arrived_ms - self._window_ms:
            self._least.popleft()
