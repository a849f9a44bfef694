"""Helpline: an open-source voice desk for customer service.

- `tool` makes a tool of a typed function of yours; `helpline run desk.py` serves a desk with it.
- `mount` puts the desk's page into your own FastAPI or Starlette application.
- `RealtimeClient` is a conversation for an app of your own; `identify` tells it who the `Caller` is and how
  sure you are of that (`Identity`).
"""

from importlib import import_module
from importlib.util import find_spec
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
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "mount" and not _has_page():
        from helpline.errors import MissingPartError

        raise MissingPartError('The page is not installed: pip install "helpline[web]".')
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What can be had here: without the page there is nothing to mount."""
    public = (name for name in __all__ if name != "mount" or _has_page())
    return sorted({*public, *(name for name in globals() if name.startswith("__"))})


def _has_page() -> bool:
    try:
        return find_spec("starlette") is not None
    except ValueError:  # it is barred from being imported
        return False
