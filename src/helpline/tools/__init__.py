"""The desk's tools. To add one of your own, write a typed function and decorate it with `@tool`."""

from helpline.actions import Identity, ToolResult
from helpline.tools.context import CallContext
from helpline.tools.registry import Toolbox
from helpline.tools.tool import Draft, Tool, tool

__all__ = ["CallContext", "Draft", "Identity", "Tool", "ToolResult", "Toolbox", "tool"]
