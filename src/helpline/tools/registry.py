"""The desk's tools: which of them a caller may use, running one, confirming what one proposed.

The toolbox is the last door before the shop. It raises nothing but `ToolError`: what else goes wrong in a
tool is logged by its kind alone (its text may hold personal data) and apologised for.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from helpline import sentences as say
from helpline.actions import Caller, Means, Receipt, ToolDefinition, ToolResult
from helpline.clock import Clock, SystemClock
from helpline.errors import ToolError
from helpline.policy import Policy
from helpline.policy.rules import refusal
from helpline.store import Shop, SqlShop, Store
from helpline.store.changes import RunTool
from helpline.tools.confirming import Confirming, unknown_outcome
from helpline.tools.context import CallContext
from helpline.tools.tool import Draft, Tool, to_result

log = logging.getLogger(__name__)


class Toolbox:
    """All tools of a desk over one store. One is shared by all calls; it keeps no state of any."""

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        store: Store,
        policy: Policy,
        shop: Shop | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`shop` is the company's own order system; without one it is the store's.

        Raises:
            ValueError: two tools have the same name.
        """
        self._tools: dict[str, Tool] = {}
        for each in tools:
            if each.name in self._tools:
                raise ValueError(f"two tools are called {each.name}")
            self._tools[each.name] = each
        self._policy = policy
        self._shop: Shop = shop if shop is not None else store.shop
        self._clock = clock or SystemClock()
        self._confirming = Confirming(store, self._require, self._run_after_yes)

    @property
    def policy(self) -> Policy:
        return self._policy

    @property
    def shop(self) -> Shop:
        """Where this desk's customers and orders are."""
        return self._shop

    @property
    def names(self) -> tuple[str, ...]:
        """Of all tools, whoever may use them."""
        return tuple(self._tools)

    def makes_elsewhere(self, action: str) -> bool:
        """Is that change made outside our own database, where a line can be lost meanwhile?"""
        each = self._tools.get(action)
        own = each is not None and each.changes and not each.drafts
        return own or not isinstance(self._shop, SqlShop)

    def context(
        self, *, call_id: str, caller: Caller, language: str = "en", channel: str = "web", address: str = ""
    ) -> CallContext:
        """What tools may know of a call."""
        return CallContext(
            call_id=call_id,
            caller=caller,
            shop=self._shop,
            policy=self._policy,
            language=language,
            channel=channel,
            address=address,
            clock=self._clock,
        )

    def definitions(self, context: CallContext) -> tuple[ToolDefinition, ...]:
        """The tools that this caller may use: the others are not even offered."""
        return tuple(
            ToolDefinition(each.name, each.description, self._parameters(each))
            for each in self._tools.values()
            if self._may_use(context, each) and (each.below is None or context.caller.identity < each.below)
        )

    def _may_use(self, context: CallContext, each: Tool) -> bool:
        return context.caller.identity >= self._policy.needs(each.name, each.identity)

    def _parameters(self, each: Tool) -> Mapping[str, Any]:
        if not each.choices:
            return each.parameters
        properties = dict(each.parameters["properties"])
        for argument, path in each.choices.items():
            value: Any = self._policy
            for part in path.split("."):
                value = getattr(value, part)
            properties[argument] = {
                "type": "string",
                "description": properties[argument].get("description", ""),
                "enum": list(value),
            }
        return {**each.parameters, "properties": properties}

    async def run(
        self, context: CallContext, name: str, arguments_json: str, tool_call_id: str = ""
    ) -> ToolResult:
        """Run a tool as a model called it. A change comes back as a proposal, not done yet.

        Raises:
            ToolError: the tool refused or failed; with a sentence to speak.
        """
        self._require(context, name)
        each = self._tools[name]
        try:
            arguments = each.decode(arguments_json)
            if each.changes and not each.drafts:
                return await self._propose(context, each, _draft_of(each, arguments, context.language))
            answer = await each.run(context, arguments)
            if isinstance(answer, Draft):
                return await self._propose(context, each, answer)
            return to_result(answer, context.language)
        except ToolError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: a tool's failure is apologised for
            _apologise(name, error)

    def _require(self, context: CallContext, name: str) -> None:
        each = self._tools.get(name)
        if each is None:
            raise refusal("unknown_tool", say.UNKNOWN_TOOL)
        if not self._may_use(context, each):
            raise refusal("identity", say.WHO_ARE_YOU)

    async def _propose(self, context: CallContext, each: Tool, draft: Draft) -> ToolResult:
        proposal = await self._confirming.propose(context, each, draft)
        return ToolResult(
            say=proposal.read_back,
            data={"status": "not_done_yet", "effect": proposal.effect, "say": proposal.read_back},
            cards=(proposal.card,) if proposal.card else (),
            proposal=proposal,
        )

    async def confirm(
        self, context: CallContext, proposal_id: str, *, heard: str, answer: str, means: Means
    ) -> Receipt:
        """Carry out a proposal that was heard and agreed to, once; a repeat gets the first receipt.

        Raises:
            ToolError: it was not done, and why.
        """
        try:
            return await self._confirming.confirm(
                context, proposal_id, heard=heard, answer=answer, means=means
            )
        except ToolError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing was committed, and that is said
            _apologise("confirm", error)

    async def decline(self, context: CallContext, proposal_id: str) -> None:
        """Write that the customer said no to a proposal.

        Raises:
            ToolError: there is no such proposal, or it was done already.
        """
        try:
            await self._confirming.decline(context, proposal_id)
        except ToolError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge
            _apologise("decline", error)

    async def _run_after_yes(self, context: CallContext, change: RunTool) -> ToolResult:
        # Checked by `_require` just before, within the same confirmation.
        each = self._tools[change.name]
        try:
            return to_result(await each.run(context, change.arguments), context.language)
        except ToolError as refused:
            if each.keyed or refused.reason != "timeout":
                raise
            raise unknown_outcome() from refused
        except Exception as error:
            if each.keyed:
                raise
            log.error("tool %s: it is not known whether it was done: %s", each.name, type(error).__name__)
            raise unknown_outcome() from error


def _apologise(what: str, error: Exception) -> NoReturn:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else "?"
    log.error("tool %s failed: %s at %s", what, type(error).__name__, place)
    raise ToolError(say.APOLOGY, reason="unreachable") from error


def _draft_of(each: Tool, arguments: dict[str, Any], language: str) -> Draft:
    """The draft of a tool that changes something elsewhere, out of its own words."""
    spoken = {name: _spoken(value) for name, value in arguments.items()}
    doing = each.name.replace("_", " ")
    details = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in spoken.items() if value)
    read_back = each.read_back.format(**spoken) if each.read_back else ""
    effect = f"{doing}: {details}" if details else doing
    return Draft(
        change=RunTool(name=each.name, arguments=arguments, keyed=each.keyed),
        subject="",
        effect=effect,
        effect_words=each.effect_words or tuple(word for word in doing.split() if len(word) > 2),
        read_back=read_back or say.CAN_DO(effect=effect).in_(language),
        done=say.DONE.in_(language),
    )


def _spoken(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_spoken(part) for part in value)
    return "" if value is None else str(value)
