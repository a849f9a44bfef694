"""A call's own trace: every event of it, in the data folder, when the desk is set to write them."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from helpline.clock import Clock
from helpline.realtime.trace import BadTrace, Trace, open_trace
from helpline.settings import Settings

log = logging.getLogger(__name__)


@contextmanager
def trace_of(settings: Settings, call_id: str, clock: Clock) -> Iterator[Trace | None]:
    """A trace for this call, or None. A folder that cannot be written costs the trace, not the call."""
    folder = settings.data_dir / "traces"
    with ExitStack() as opened:
        trace = None
        if settings.trace_calls != "no":
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                sound = settings.trace_calls == "audio"
                trace = opened.enter_context(
                    open_trace(folder / f"{call_id}.jsonl", audio=sound, clock=clock)
                )
            except (OSError, BadTrace) as error:
                log.error(
                    "call %s is not traced: its file cannot be made (%s)", call_id, type(error).__name__
                )
        yield trace
