"""The desk's tools. To add one of your own, write a typed function and decorate it with `@tool`."""

from typing import TYPE_CHECKING, Any

from helpline.actions import Identity, ToolResult
from helpline.tools.context import CallContext
from helpline.tools.registry import Toolbox
from helpline.tools.tool import Draft, Tool, tool

if TYPE_CHECKING:
    from helpline.tools.offered import ShopHandler

    tools: list[tuple[dict[str, Any], ShopHandler]]
    """The shop's tools as (definition, handler) pairs, for `RealtimeClient.add_tool`."""

__all__ = ["CallContext", "Draft", "Identity", "Tool", "ToolResult", "Toolbox", "tool"]


def __getattr__(name: str) -> object:
    """`tools`: the shop's tools as (definition, handler) pairs for a `RealtimeClient`."""
    if name == "tools":
        from helpline.tools.offered import offered  # built when asked for: a list of one's own each time

        return offered()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
