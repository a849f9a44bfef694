"""Changes are two steps, and the second is not the model's. PURE.

While a proposal is pending, the desk reads the customer's next utterance. A yes counts only if the read-back
was heard and is what was asked last; it becomes one `Settle`, answered by `Settled`. Anything that is neither
yes nor no goes on to the model, and the proposal stays.
"""

from msgspec.structs import replace

from helpline import sentences as say
from helpline.actions import Answer, Means, Proposal
from helpline.call import farewell, replies
from helpline.call.claims import done_by
from helpline.call.confirm import asks_for, classify, is_backchannel, read_back_heard
from helpline.call.effects import Answered, CallerChanged, Disconnect, LanguageChosen, Settle, Settled
from helpline.call.shown import CardShown, Notice, ProposalClosed, ProposalShown, ReceiptShown
from helpline.call.state import Pending, Reply, Step
from helpline.call.transcript import Line, Transcript, after, before, quoted
from helpline.wording import named


def propose(s: Step, proposal: Proposal, after_entry: str) -> None:
    """Make a proposal the pending one; the one before it dies, or is first carried out to its end."""
    _put(s, Pending(proposal, s.now_ms, after_entry))


def _put(s: Step, new: Pending) -> None:
    pending = s.c.pending
    if pending is not None and pending.settling:
        s.set(queued=new)
        return
    if pending is not None and pending.proposal.id != new.proposal.id:
        s.show(ProposalClosed(pending.proposal.id, "replaced"))
    s.set(pending=new, offer=new.proposal)
    s.show(ProposalShown(new.proposal))


def heard_read_back(s: Step, pending: Pending) -> str:
    """What the customer heard of the desk since the proposal was made."""
    replies.refresh_heard(s)
    lines = after(s.c.transcript, pending.after_entry)
    return " ".join(line.heard for line in lines if isinstance(line, Line) and line.speaker == "desk")


def awaits_answer(s: Step) -> bool:
    return s.c.pending is not None and not s.c.pending.settling


def asked_last(s: Step, line_id: str) -> str:
    """What the customer heard of the desk in its last turn before this line of theirs."""
    turn: list[str] = []
    for entry in reversed(before(s.c.transcript, line_id)):
        if not isinstance(entry, Line) or not entry.heard or is_backchannel(entry.heard):
            continue
        if entry.speaker == "customer" and turn:
            break
        if entry.speaker == "desk":
            turn.append(entry.heard)
    return " ".join(reversed(turn))


def read_answer(s: Step, line_id: str, text: str, means: Means) -> bool:
    """Read the customer's words as the answer. True when they were one and have been dealt with.

    A yes answers what was asked last: after "anything else?" it is no yes to an offer that was left open.
    """
    pending = s.c.pending
    if pending is None or pending.settling:
        return False
    verdict = classify(text, pending.proposal)
    if verdict == "neither":
        return False
    heard = heard_read_back(s, pending)
    if verdict == "yes" and not read_back_heard(pending.proposal, heard):
        s.incident("yes_before_read_back", pending.proposal.id)
        s.tell(
            "The customer answered before they had heard what would be done, so nothing was done. "
            + quoted(pending.proposal.read_back)
        )
        replies.want_reply(s)
        return True
    if verdict == "yes" and not asks_for(pending.proposal, asked_last(s, line_id)):
        s.incident("yes_to_something_else", pending.proposal.id)
        s.tell(
            f"Something else was asked last, so that was no yes to the offer to {pending.proposal.effect}: "
            "nothing was done. If the customer wants it, make the offer again."
        )
        return False
    _settle(s, pending, verdict, means, heard, text)
    return True


def press(s: Step, proposal_id: str, answer: Answer) -> None:
    """A button of the proposal's card: what the card showed counts as heard."""
    pending = s.c.pending
    if pending is None or pending.proposal.id != proposal_id or pending.settling:
        return
    replies.interrupt(s)
    _settle(s, pending, answer, "button", pending.proposal.read_back, answer)


def _settle(s: Step, pending: Pending, answer: Answer, means: Means, heard: str, said: str) -> None:
    s.set(pending=replace(pending, settling=True))
    if s.c.turn_ms is None:
        s.set(turn_ms=s.now_ms)
    s.record(Answered(pending.proposal.id, answer, means))
    s.emit(Settle(pending.proposal, answer, means, heard, said))


def ask_for_button(s: Step) -> None:
    """The answer could not be read: no transcript came, or there is no transcription."""
    s.incident("answer_not_readable")
    asks = s.words(say.ASK_FOR_BUTTON)
    s.show(Notice(asks, "warning"))
    s.tell("The customer's answer could not be made out, so nothing was done. " + quoted(asks))
    replies.want_reply(s)


def on_settled(s: Step, event: Settled) -> None:
    """The desk has carried the answer out: tell the model and ask for one reply."""
    pending = s.c.pending
    if pending is None or not pending.settling or pending.proposal.id != event.proposal_id:
        return
    s.set(pending=replace(pending, settling=False) if event.waits else None)
    if event.receipt is not None:
        receipt, proposal = event.receipt, pending.proposal
        done = done_by(proposal, receipt)
        s.set(done=(*s.c.done, done), offer=None)
        s.show(ProposalClosed(event.proposal_id, "confirmed"))
        s.show(ReceiptShown(receipt))
        if receipt.card is not None:
            s.show(CardShown(receipt.card))
        said = receipt.say
        s.tell(f"The customer said yes. It is done: receipt {receipt.reference}. {quoted(said)}")
    elif event.declined:
        s.set(offer=None)
        s.show(ProposalClosed(event.proposal_id, "declined"))
        said = s.words(say.LEFT_AS_IT_WAS)
        s.tell("The customer said no. " + quoted(said))
    else:
        if not event.waits:
            s.show(ProposalClosed(event.proposal_id, "unknown" if event.unsure else "failed"))
        s.set(unsure=s.c.unsure or event.unsure)
        s.incident("outcome_unknown" if event.unsure else "not_done", pending.proposal.effect)
        said = event.say or s.words(say.DID_NOT_WORK)
        known = "It is not known whether it was done. " if event.unsure else "It was not done. "
        s.tell(known + quoted(said))
    farewell.on_settled(s, said)
    queued = s.c.queued
    if queued is not None:
        s.set(queued=None)
        _put(s, queued)
    replies.want_reply(s)


def on_caller_changed(s: Step, event: CallerChanged) -> None:
    """What was proposed to the caller before is void; of a stranger's conversation nothing is kept."""
    if s.c.pending is not None and not s.c.pending.settling:
        s.show(ProposalClosed(s.c.pending.proposal.id, "replaced"))
        s.set(pending=None)
    if event.stranger:
        _forget(s)
    else:
        s.tell("The desk has verified the customer; the tools now answer for them and nobody else.")


def on_language_chosen(s: Step, event: LanguageChosen) -> None:
    """What waits for an answer goes on waiting: the offer is known in both languages."""
    if event.language == s.c.language:
        return
    s.set(language=event.language)
    if s.c.transcript.entries:
        s.tell(f"The customer has chosen another language. From now on speak {named(event.language)}.")


def _forget(s: Step) -> None:
    """Another customer at the same page: a fresh session, with nothing to rebuild.

    A change that is being carried out goes on; its receipt is for the record, and no more for this page.
    """
    replies.interrupt(s)
    replies.cancel_tools(s)
    s.set(
        transcript=Transcript(),
        utterances=(),
        wordless=(),
        untold=(),
        pending=None,
        queued=None,
        offer=None,
        done=(),
        unsure=False,
        reported=(),
        wants_reply=False,
        turn_ms=None,
        reply=Reply(),
    )
    if s.c.link.phase != "down":
        s.set(link=replace(s.c.link, phase="down", asked=False, since_ms=s.now_ms))
        s.emit(Disconnect(""))


def expire(s: Step) -> None:
    """Close a proposal whose time is up."""
    pending = s.c.pending
    if pending is None or pending.settling:
        return
    if s.now_ms - pending.since_ms >= pending.proposal.lives_ms:
        s.set(pending=None)
        s.show(ProposalClosed(pending.proposal.id, "expired"))
        s.tell(f"The offer to {pending.proposal.effect} has run out; nothing was done.")
