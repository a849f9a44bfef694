"""Keeps Python's cycle collector from stopping every call at once."""

import gc

YOUNG = 10_000
"""Objects made between two looks at the young ones; Python's own figure suits a script."""


def spare_calls_the_collector() -> None:
    """Once, when a long-lived process is ready: what was loaded until now is not looked through any more.

    A call's values are frozen and hold no cycles; with hundreds of calls a full collection would find next to
    nothing and stop all of them for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
