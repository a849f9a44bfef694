"""Getting a person: a transfer now, or a ticket for later."""

from typing import Annotated

from msgspec import Meta

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card, Identity, ToolResult
from helpline.policy.rules import Facts, callback_hours, decide
from helpline.store import ChangeRequest
from helpline.store.changes import OpenTicket, Outcome
from helpline.tools.context import CallContext
from helpline.tools.tool import Draft, Tool, tool

Text = Annotated[str, Meta(min_length=1, max_length=1000)]


@tool(identity=Identity.GUEST)
async def transfer_to_person(context: CallContext, summary: Text) -> ToolResult:
    """Hand the call over to a person, when the customer asks for one or when nothing else helps.

    Args:
        summary: What the customer wants and what was done so far, in two sentences.
    """
    # Asking for a person is never refused and needs no yes: it changes nothing of the customer's.
    change = OpenTicket(subject="Transfer to a person", body=wording.plain(summary, 1000), kind="transfer")
    decide(context.policy, change, Facts(context.clock.utcnow()))
    applied = await context.shop.apply(
        ChangeRequest(
            change=change,
            outcome=Outcome(),
            customer_id=context.caller.customer_id,
            call_id=context.call_id,
            key=f"{context.call_id}:transfer",
            at=context.clock.utcnow(),
        )
    )
    there = context.policy.is_open(context.clock.utcnow())
    number = {"number": applied.reference} if applied.reference else {}
    data = {"transferred": there, **number, "summary": change.body}
    shown = {"ticket": applied.reference, "summary": change.body}
    return ToolResult(
        _said(context, there, applied.reference),
        data,
        cards=(Card("ticket", context.words(say.TRANSFER), shown, key="transfer"),),
    )


def _said(context: CallContext, there: bool, reference: str) -> str:
    if not there:
        return context.words(say.NOBODY_THERE(hours=callback_hours(context.policy)))
    # Nobody takes a call over while it goes on: what is true is that somebody has it from now on.
    said = context.words(say.PASSED_ON if context.caller.customer_id else say.PASSED_ON_FOR_NOBODY)
    number = context.words(say.TICKET_NUMBER(number=wording.spelled(reference))) if reference else ""
    return f"{said}{'' if said.endswith('。') else ' '}{number}".strip()


@tool(identity=Identity.KNOWN)
async def open_ticket(
    context: CallContext, subject: Annotated[str, Meta(min_length=1, max_length=200)], details: Text
) -> Draft:
    """Write something down for a person to look at later.

    Args:
        subject: The subject, in a few words.
        details: The details. Everything that the person needs to know.
    """
    change = OpenTicket(subject=wording.plain(subject), body=wording.plain(details, 1000))
    decide(context.policy, change, Facts(context.clock.utcnow()))
    return Draft(
        change=change,
        subject="",
        effect=context.words(say.TICKET),
        effect_words=("ticket", "工单"),
        read_back=context.words(say.TICKET_ASK(subject=change.subject)),
        done=context.words(say.TICKET_OPENED),
    )


def people_tools() -> tuple[Tool, ...]:
    """The tools of this file."""
    return (transfer_to_person, open_ticket)
