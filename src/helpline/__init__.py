"""Helpline: an open-source voice desk for customer service."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpline.actions import Caller as Caller
    from helpline.actions import Identity as Identity
    from helpline.channels.web.mounting import mount as mount
    from helpline.client import RealtimeClient as RealtimeClient
    from helpline.tools.tool import tool as tool

__version__ = "0.1.0"
__all__ = ["Caller", "Identity", "RealtimeClient", "__version__", "mount", "tool"]

_HOMES = {
    "Caller": "helpline.actions",
    "Identity": "helpline.actions",
    "RealtimeClient": "helpline.client",
    "mount": "helpline.channels.web.mounting",
    "tool": "helpline.tools",
}


def __getattr__(name: str) -> object:
    """The public names are imported when first used, so that `import helpline` costs nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
