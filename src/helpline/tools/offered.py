"""The shop's tools as (definition, handler) pairs, for a `RealtimeClient` in an app of your own.

Without a verified customer they return public data only; a change is proposed and confirmed there too.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from helpline.actions import Caller, ToolResult
from helpline.call.effects import Settle, Settled
from helpline.policy import Policy
from helpline.settings import Settings
from helpline.store import Store
from helpline.time_zone import with_zone
from helpline.tools.context import CallContext
from helpline.tools.keywords import keywords_of
from helpline.tools.registry import Toolbox
from helpline.tools.settling import carry_out
from helpline.tools.shop import shop_tools
from helpline.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class ShopHandler:
    """Stands for one of the shop's tools; the client runs it for its verified customer."""

    tool: Tool


def offered() -> list[tuple[dict[str, Any], ShopHandler]]:
    """(definition, handler) of every shop tool."""
    return [
        (
            {
                "type": "function",
                "name": each.name,
                "description": each.description,
                "parameters": dict(each.parameters),
            },
            ShopHandler(each),
        )
        for each in shop_tools()
    ]


class ShopTools:
    """One client's door to the shop: opened when the first tool runs, closed with the call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._call_id = f"client_{secrets.token_hex(8)}"
        self._policy = Policy.load(settings.policy_file)
        self._store: Store | None = None
        self._toolbox: Toolbox | None = None
        self._lock = asyncio.Lock()

    def in_its_zone(self, instructions: str) -> str:
        """The instructions of a session with these tools: they tell where the shop is, for "tomorrow"."""
        return with_zone(instructions, self._policy.time_zone)

    def may_use(self, handler: ShopHandler, caller: Caller) -> bool:
        """Is the tool offered to this caller?"""
        return caller.identity >= self._policy.needs(handler.tool.name, handler.tool.identity)

    async def run(self, handler: ShopHandler, caller: Caller, arguments: str, call_id: str) -> ToolResult:
        """Raises ToolError."""
        toolbox = await self._open()
        return await toolbox.run(self._context(toolbox, caller), handler.tool.name, arguments, call_id)

    async def settle(self, caller: Caller, settle: Settle) -> Settled:
        """Carry out what the customer answered; never raises."""
        toolbox = await self._open()
        return await carry_out(toolbox, self._context(toolbox, caller), settle)

    async def keywords(self, caller: Caller) -> tuple[str, ...]:
        """What the ears should expect to hear."""
        return await keywords_of(self._context(await self._open(), caller))

    def _context(self, toolbox: Toolbox, caller: Caller) -> CallContext:
        return toolbox.context(call_id=self._call_id, caller=caller, channel="library")

    async def _open(self) -> Toolbox:
        async with self._lock:
            if self._toolbox is None:
                demo = self._settings.shop == "demo"
                self._store = await Store.open(
                    self._settings.database_url, data_dir=self._settings.data_dir, demo=demo
                )
                self._toolbox = Toolbox(shop_tools(), store=self._store, policy=self._policy)
            return self._toolbox

    async def close(self) -> None:
        async with self._lock:
            if self._store is not None:
                await self._store.close()
            self._store = self._toolbox = None
