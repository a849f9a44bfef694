"""Keeps Python's cycle collector from stopping every call at once, and gives memory back behind the calls."""

import ctypes
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


def give_back_memory() -> None:
    """When no call is left, in a process that `spare_calls_the_collector` has set: what calls held goes back.

    glibc keeps what was freed below something that lives on: a hundred megabytes after fifty calls. Other C
    libraries give it back by themselves, or have no way to be asked.
    """
    if not gc.get_freeze_count():
        return
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):
        return
    trim(0)
