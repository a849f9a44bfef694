"""A live call's own record: everything goes to its journal first, then into the draft and the metrics."""

import logging

from helpline.actions import Caller
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.clock import Clock
from helpline.records.draft import Draft
from helpline.records.events import (
    Became,
    Began,
    Connected,
    Event,
    Happening,
    Rated,
    Resumed,
    Spoke,
    encode,
    is_kept,
)
from helpline.records.journal import Journal
from helpline.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


class Recording:
    """What a call tells while it lives. Made by `Records.begin`, ended by `Records.close`."""

    def __init__(
        self,
        began: Began,
        journal: Journal | None,
        clock: Clock,
        metrics: Metrics,
        *,
        resumed: Draft | None = None,
        elapsed_ms: int = 0,
    ) -> None:
        """`resumed` is what an earlier desk had written, `elapsed_ms` how long ago the call began."""
        self.draft = resumed or Draft.begin(began)
        self.journal = journal
        """None where it cannot be written: the call goes on, and a kill would lose its record."""
        self._full = False
        self._clock = clock
        self._metrics = metrics
        self._began_ms = clock.now_ms() - elapsed_ms
        self.left = False
        self._written: dict[str, sh.Caption] = {}
        self._write(Event(elapsed_ms, Resumed() if resumed else began))

    def leave(self) -> bool:
        """The desk closes in mid-call: write no more, so that its next start may go on from here.

        False when it could not: nobody can prove that it is theirs, or it is not whole.
        """
        if self.journal is None or self._full or not self.draft.began.holder:
            return False
        self.left = True
        return True

    def connected(self, backend: str) -> None:
        """A session with this backend has begun."""
        self._keep(Connected(backend))

    def became(self, caller: Caller) -> None:
        """Another verified caller is on the line."""
        self._keep(Became(caller))

    def spoke(self, language: str) -> None:
        """The call goes on in another language."""
        self._keep(Spoke(language))

    def shown(self, shown: sh.Shown) -> None:
        """Something is about to be shown."""
        if self.left or not is_kept(shown):
            return
        if not isinstance(shown, sh.Caption):
            self._keep(shown)
            return
        event = Event(self._now_ms(), shown)
        self.draft.take(event)
        # A line that still grows comes again; a finished turn is on the disk before it is on the page.
        if shown.final and self._written.get(shown.line_id) != shown:
            self._written[shown.line_id] = shown
            self._write(event)

    def rated(self, rated: Rated) -> None:
        """The customer says what they think of the call."""
        self._keep(rated)

    def noted(self, fact: fx.Fact) -> None:
        """Something happened that is nobody's line."""
        self._keep(fact)

    def _keep(self, what: Happening) -> None:
        if self.left:
            return
        event = Event(self._now_ms(), what)
        self._write(event)
        self.draft.take(event)
        self._metrics.happened(what)

    def _now_ms(self) -> int:
        return self._clock.now_ms() - self._began_ms

    def _write(self, event: Event) -> None:
        if self.journal is None or self._full:
            return
        try:
            self.journal.write(encode(event))
        except OSError as error:
            log.error(
                "call %s is not kept safe from a crash any more: %s",
                self.draft.began.call_id,
                type(error).__name__,
            )
            self._full = True  # What it holds so far stays, and stays locked, until the call is over.
