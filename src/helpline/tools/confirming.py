"""Proposing a change, and carrying it out once after a yes.

Rules:
- A proposal is stored before it is spoken. Another one in the same call replaces it; its time runs out; it
  dies when its order changes.
- Nothing is done unless the read-back was heard and the answer was a yes. The desk checks that before it
  asks; it is checked here again, with the same pure functions, because this is the last door.
- Our own shop's change, the proposal's end and the ledger's row are one transaction.
- A change elsewhere (a shop behind an API, a tool of the desk's owner) is claimed first, made with the
  proposal's id as its idempotency key, and then written down. A crash in between leaves the claim; the next
  yes makes it again with the same key, and so does the same change when it is proposed anew. Where there are
  no such keys, a change whose end is not known is not offered again: a person has to look.
- A repeated yes gets the first receipt.
"""

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card, Means, Proposal, Receipt, ToolResult
from helpline.call.confirm import classify, read_back_heard
from helpline.errors import ToolError
from helpline.policy.rules import Facts, decide, refusal
from helpline.store import ChangeRequest, Shop, SqlShop, Store, ledger
from helpline.store import proposals as stored
from helpline.store.changes import Outcome, RunTool, ShopChange, order_of, to_json
from helpline.store.database import to_its_end
from helpline.store.records import Order
from helpline.tools.context import CallContext
from helpline.tools.tool import Draft, Tool

log = logging.getLogger(__name__)

CLAIM_S = 60
"""How long a claimed change may be under way before another yes may take it up again."""

RunAfterYes = Callable[[CallContext, RunTool], Awaitable[ToolResult]]
Require = Callable[[CallContext, str], None]
"""Refuses when the caller may not use the tool of that name."""

WAITS = ("no_proposal", "other_caller", "not_heard", "not_a_yes", "busy", "timeout", "unreachable")
"""Refusals that leave a proposal open: a better answer, or another attempt, may still come."""

DOUBT = ("timeout", "unreachable", "unknown_outcome")
"""Refusals after which it is not known whether a change elsewhere was made."""

_OVER = {
    "replaced": say.TALKED_ON,
    "expired": say.RAN_OUT,
    "declined": say.SAID_NO,
    "failed": say.FAILED,
}


def unknown_outcome() -> ToolError:
    """A change in a system that cannot tell a repetition from another: it is not tried again."""
    return refusal("unknown_outcome", say.UNKNOWN_OUTCOME)


async def facts_for(shop: Shop, customer_id: str | None, change: ShopChange, now: datetime) -> Facts:
    """What a decision about this change is made on, read from the shop."""
    order_id = order_of(change)
    order: Order | None = None
    if order_id is not None and customer_id is not None:
        order = next(iter(await shop.orders(customer_id, order_id)), None)
    customer = await shop.customer(customer_id) if customer_id is not None else None
    wanted = [swap.new_variant_id for swap in getattr(change, "swaps", ())]
    variants = await shop.variants(wanted) if wanted else {}
    return Facts(now, customer, order, variants)


class Confirming:
    """Proposals of all calls, in one store."""

    def __init__(self, store: Store, require: Require, run_after_yes: RunAfterYes) -> None:
        self._store = store
        self._require = require
        self._run_after_yes = run_after_yes

    # --- propose ---

    async def propose(self, context: CallContext, tool: Tool, draft: Draft) -> Proposal:
        """Store a draft as the call's open proposal; the same draft again is the same proposal."""
        try:
            return await to_its_end(self._propose(context, tool, draft))
        except IntegrityError:
            # Two tools of one call proposed at the same moment: this one comes second, and replaces.
            return await to_its_end(self._propose(context, tool, draft))

    async def _propose(self, context: CallContext, tool: Tool, draft: Draft) -> Proposal:
        now = context.clock.utcnow()
        async with self._store.database.write() as connection:
            before = await stored.open_in(connection, context.call_id)
            if before is not None and _same(before, context, tool, draft, now):
                return before.proposal
            await self._check_limits(connection, context, now, proposing=True)
            if before is not None:
                await stored.move(connection, before.proposal.id, "replaced")
            kept_key = await self._kept_key(connection, context, tool, draft, now)
            proposal = _proposal(context, tool, draft)
            await stored.insert(
                connection,
                stored.Pending(
                    proposal=proposal,
                    call_id=context.call_id,
                    customer_id=context.caller.customer_id,
                    change=draft.change,
                    order_id=order_of(draft.change),
                    order_version=draft.order.version if draft.order else None,
                    done_say=draft.done,
                    state="open",
                    expires_at=now + timedelta(milliseconds=proposal.lives_ms),
                    kept_key=kept_key,
                ),
                now,
            )
        return proposal

    async def _kept_key(
        self, connection: AsyncConnection, context: CallContext, tool: Tool, draft: Draft, now: datetime
    ) -> str:
        """The key of the same change when it was tried within a day and its end is not known; else empty.

        Raises:
            ToolError: it was, and has no key by which it would be known again.
        """
        if not self._is_made_elsewhere(context, draft.change):
            return ""
        customer_id = context.caller.customer_id
        tried = await stored.in_doubt(connection, context.call_id, customer_id, now - timedelta(days=1))
        change = to_json(draft.change)
        for each in tried:
            if each.proposal.action == tool.name and to_json(each.change) == change:
                if isinstance(each.change, RunTool) and not each.change.keyed:
                    raise unknown_outcome()
                return each.key
        return ""

    @staticmethod
    def _is_made_elsewhere(context: CallContext, change: object) -> bool:
        return isinstance(change, RunTool) or not isinstance(context.shop, SqlShop)

    async def _check_limits(
        self, connection: AsyncConnection, context: CallContext, now: datetime, *, proposing: bool = False
    ) -> None:
        limits = context.policy.limits
        tally = await stored.tally(connection, context.call_id, context.caller.customer_id, now)
        if (
            tally.done_in_call >= limits.changes_per_call
            or tally.done_in_day >= limits.changes_per_day
            or (proposing and tally.proposed_in_call >= limits.proposals_per_call)
        ):
            raise refusal("limit", say.ENOUGH_FOR_TODAY)

    # --- decline ---

    async def decline(self, context: CallContext, proposal_id: str) -> None:
        """Write that the customer said no.

        Raises:
            ToolError: there is no such proposal in this call, or it was done already.
        """
        await to_its_end(self._decline(context, proposal_id))

    async def _decline(self, context: CallContext, proposal_id: str) -> None:
        async with self._store.database.write() as connection:
            pending = await self._locked(connection, context, proposal_id)
            if pending.state in ("done", "working"):
                raise refusal("already_done", say.DONE_BEFORE)
            if pending.state == "open":
                await stored.move(connection, proposal_id, "declined")
        if pending.in_doubt:
            raise unknown_outcome()

    # --- confirm ---

    async def confirm(
        self, context: CallContext, proposal_id: str, *, heard: str, answer: str, means: Means
    ) -> Receipt:
        """Carry a proposal out, once. A call that ends meanwhile does not stop it half-way.

        Raises:
            ToolError: it was not done, and why.
        """
        confirmation = _Confirmation(heard, answer, means, secrets.token_hex(16))
        return await to_its_end(self._confirm(context, proposal_id, confirmation))

    async def _confirm(
        self, context: CallContext, proposal_id: str, confirmation: "_Confirmation"
    ) -> Receipt:
        try:
            return await self._carry_out(context, proposal_id, confirmation)
        except ToolError as refused:
            await self._note_refusal(context, proposal_id, refused)
            raise

    async def _carry_out(
        self, context: CallContext, proposal_id: str, confirmation: "_Confirmation"
    ) -> Receipt:
        now = context.clock.utcnow()
        shop = context.shop
        async with self._store.database.write() as connection:
            pending = await self._locked(connection, context, proposal_id)
            if pending.receipt is not None:
                return replace(pending.receipt, repeated=True)
            await self._may_confirm(connection, context, pending, confirmation, now)
            if isinstance(pending.change, RunTool) or not isinstance(shop, SqlShop):
                await stored.move(connection, proposal_id, "working", at=now)
                done = None
            else:
                # In our own shop everything is this one transaction.
                request = await self._request(shop.inside(connection), context, pending, now)
                await shop.inside(connection).apply(request)
                done = await self._write_down(connection, context, pending, confirmation, now)
        if done is None:
            done = await self._carry_out_elsewhere(context, pending, confirmation, now)
        written, receipt = done
        if self._store.anchor is not None:
            self._store.anchor.add(written)
        return receipt

    async def _carry_out_elsewhere(
        self, context: CallContext, pending: stored.Pending, confirmation: "_Confirmation", now: datetime
    ) -> tuple[ledger.Written, Receipt]:
        """Outside our database, what was claimed: made with its key, then written down."""
        begun = False
        try:
            request = await self._decided(context, pending, now)
            begun = True
            said = await self._make(replace(context, key=pending.key), pending, request)
        except Exception as error:
            reason = error.reason if isinstance(error, ToolError) else "unreachable"
            not_made = reason not in DOUBT if begun else not pending.in_doubt
            # In one step: between two, another yes could begin it anew.
            state: stored.State = "open" if reason in WAITS else "failed"
            async with self._store.database.write() as connection:
                await stored.move(connection, pending.proposal.id, state, not_made=not_made)
            raise
        async with self._store.database.write() as connection:
            made = replace(pending, done_say=said or pending.done_say)
            return await self._write_down(connection, context, made, confirmation, now)

    async def _decided(
        self, context: CallContext, pending: stored.Pending, now: datetime
    ) -> ChangeRequest | None:
        """What to ask of the company's shop; None for a tool, which decides by itself."""
        if isinstance(pending.change, RunTool):
            return None
        try:
            return await self._request(context.shop, context, pending, now)
        except ToolError as refused:
            if pending.in_doubt and refused.reason not in DOUBT:
                raise unknown_outcome() from refused  # The order may have changed by our own hand.
            raise

    async def _make(
        self, context: CallContext, pending: stored.Pending, request: ChangeRequest | None
    ) -> str:
        if request is not None:
            await context.shop.apply(request)
            return ""
        if not isinstance(pending.change, RunTool):
            raise TypeError("the shop's own change was not decided on")
        result = await self._run_after_yes(context, pending.change)
        if not result.ok:
            raise refusal(result.reason or "failed", result.say)
        return result.say

    async def _locked(
        self, connection: AsyncConnection, context: CallContext, proposal_id: str
    ) -> stored.Pending:
        return _own(context, await stored.find(connection, context.call_id, proposal_id))

    async def _may_confirm(
        self,
        connection: AsyncConnection,
        context: CallContext,
        pending: stored.Pending,
        confirmation: "_Confirmation",
        now: datetime,
    ) -> None:
        if pending.state == "working" and pending.claimed_at is not None:
            if now - pending.claimed_at < timedelta(seconds=CLAIM_S):
                raise refusal("busy", say.STILL_WORKING)
            if isinstance(pending.change, RunTool) and not pending.change.keyed:
                raise unknown_outcome()
        elif pending.state != "open" or now >= pending.expires_at:
            over = "expired" if pending.state == "open" else pending.state
            raise unknown_outcome() if pending.in_doubt else refusal(over, _OVER[over])
        self._require(context, pending.proposal.action)
        if not read_back_heard(pending.proposal, confirmation.heard):
            raise refusal("not_heard", pending.proposal.read_back)
        if classify(confirmation.answer, pending.proposal) != "yes":
            raise refusal("not_a_yes", pending.proposal.read_back)
        await self._check_limits(connection, context, now)

    async def _request(
        self, shop: Shop, context: CallContext, pending: stored.Pending, now: datetime
    ) -> ChangeRequest:
        """The change once more decided on, on what is true now."""
        change = pending.change
        if isinstance(change, RunTool):
            raise TypeError("a tool's own change is not the shop's")
        facts = await facts_for(shop, pending.customer_id, change, now)
        if facts.order is not None and facts.order.version != pending.order_version:
            raise refusal("stale", say.ORDER_HAS_CHANGED(number=facts.order.number))
        outcome = decide(context.policy, change, facts)
        _same_amount(outcome, pending.proposal)
        return ChangeRequest(
            change=change,
            outcome=outcome,
            customer_id=pending.customer_id,
            call_id=context.call_id,
            key=pending.key,
            at=now,
        )

    async def _write_down(
        self,
        connection: AsyncConnection,
        context: CallContext,
        pending: stored.Pending,
        confirmation: "_Confirmation",
        now: datetime,
    ) -> tuple[ledger.Written, Receipt]:
        at = now.isoformat(timespec="milliseconds")
        written = await ledger.append(
            connection,
            ledger.Entry(
                call_id=context.call_id,
                proposal_id=pending.proposal.id,
                at=at,
                customer_id=pending.customer_id,
                order_id=pending.order_id,
                action=pending.proposal.action,
                amount_cents=pending.proposal.amount_cents,
                currency=pending.proposal.currency,
                means=confirmation.means,
                evidence=confirmation.evidence,
            ),
        )
        receipt = _receipt(pending, written.reference, at, context.language)
        await stored.finish(connection, receipt, confirmation.kept)
        if pending.kept_key:
            await stored.settle_doubt(connection, pending)
        return written, receipt

    async def _note_refusal(self, context: CallContext, proposal_id: str, refusal: ToolError) -> None:
        """A proposal that can never be done is closed; one that only waits for a better answer stays."""
        if refusal.reason in WAITS:
            return
        async with self._store.database.write() as connection:
            pending = await stored.find(connection, context.call_id, proposal_id)
            if pending is not None and pending.state == "open":
                expired = context.clock.utcnow() >= pending.expires_at
                over: stored.State = "expired" if expired else "failed"
                await stored.move(connection, proposal_id, over)


class _Confirmation:
    """What was heard and answered, kept beside the proposal; the ledger holds only its salted digest."""

    def __init__(self, heard: str, answer: str, means: Means, salt: str) -> None:
        self.heard = heard
        self.answer = answer
        self.means = means
        self.kept = {"heard": heard, "answer": answer, "means": means, "salt": salt}
        self.evidence = hashlib.sha256("\0".join((salt, heard, answer)).encode()).hexdigest()


def _own(context: CallContext, pending: stored.Pending | None) -> stored.Pending:
    """The call's proposal, if it was made for the customer who is on the line now."""
    if pending is None:
        raise refusal("no_proposal", say.NOTHING_WAITS)
    if pending.customer_id != context.caller.customer_id:
        raise refusal("other_caller", say.SOMEBODY_ELSES)
    return pending


def _same(before: stored.Pending, context: CallContext, tool: Tool, draft: Draft, now: datetime) -> bool:
    """Whether a draft is what is proposed already: a call that was doubled proposes once."""
    version = draft.order.version if draft.order else None
    return (
        before.proposal.action == tool.name
        and to_json(before.change) == to_json(draft.change)
        and (before.customer_id, before.order_version) == (context.caller.customer_id, version)
        and before.expires_at > now
    )


def _same_amount(outcome: Outcome, proposal: Proposal) -> None:
    now = abs(outcome.amount_cents) if outcome.amount_cents is not None else None
    if now != proposal.amount_cents:
        raise refusal("amount_changed", say.AMOUNT_HAS_CHANGED)


def _proposal(context: CallContext, tool: Tool, draft: Draft) -> Proposal:
    proposal_id = f"prop_{secrets.token_hex(8)}"
    minutes = context.policy.limits.proposal_minutes
    return Proposal(
        id=proposal_id,
        action=tool.name,
        subject=draft.subject,
        effect=draft.effect,
        effect_words=draft.effect_words,
        read_back=draft.read_back,
        amount_cents=abs(draft.amount_cents) if draft.amount_cents is not None else None,
        currency=draft.currency,
        card=draft.card
        or Card(
            "proposal",
            draft.effect[:1].upper() + draft.effect[1:],
            {
                "effect": draft.effect,
                "question": draft.read_back,
                "amount_cents": draft.amount_cents,
                "amount": wording.price(abs(draft.amount_cents), draft.currency)
                if draft.amount_cents is not None
                else "",
            },
            key=proposal_id,
        ),
        lives_ms=minutes * 60_000,
    )


def _receipt(pending: stored.Pending, reference: str, at: str, language: str) -> Receipt:
    proposal = pending.proposal
    amount = proposal.amount_cents
    data = {
        "reference": reference,
        "action": proposal.action,
        "effect": proposal.effect,
        "subject": proposal.subject,
        "amount_cents": amount,
        "amount": wording.price(amount, proposal.currency) if amount is not None else "",
        "at": at,
    }
    return Receipt(
        reference=reference,
        proposal_id=proposal.id,
        action=proposal.action,
        say=say.WITH_RECEIPT(done=pending.done_say, reference=wording.spelled(reference)).in_(language),
        at=at,
        data=data,
        card=Card(
            "receipt", say.RECEIPT(reference=reference).in_(language), data, key=f"receipt-{reference}"
        ),
    )
