"""Carrying out what the customer answered: the one way from a yes to the ledger."""

from helpline.call.effects import Settle, Settled
from helpline.errors import ToolError
from helpline.tools.confirming import DOUBT, WAITS
from helpline.tools.context import CallContext
from helpline.tools.registry import Toolbox


async def carry_out(toolbox: Toolbox, context: CallContext, settle: Settle) -> Settled:
    """Execute (yes) or close (no) a proposal; never raises, a refusal is a sentence."""
    proposal_id = settle.proposal.id
    try:
        if settle.answer == "no":
            await toolbox.decline(context, proposal_id)
            return Settled(proposal_id, declined=True)
        receipt = await toolbox.confirm(
            context, proposal_id, heard=settle.heard, answer=settle.said, means=settle.means
        )
    except ToolError as refusal:
        return Settled(
            proposal_id,
            say=refusal.say_in(context.language),
            waits=refusal.reason in WAITS,
            unsure=refusal.reason in DOUBT and toolbox.makes_elsewhere(settle.proposal.action),
        )
    return Settled(proposal_id, receipt=receipt)
