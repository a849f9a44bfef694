"""What a sentence means that likeness to phrases alone would get wrong. Pure: words to an intent, or none.

Each rule is about words that turn a request into another: "did you cancel it" asks, "get me a person" after a
"no" still wants one.
"""

import re
from typing import Final

_PERSON: Final = re.compile(
    r"\b(?:get|give|want|need|talk|speak|transfer|connect|put|is there|send|let|just|only)\b.*"
    r"\b(?:person|human|manager|supervisor|agent|representative|someone real|somebody real)\b"
)
_IS_IT_DONE: Final = re.compile(
    r"\b(?:did|have|has) (?:you|i|we|they|it|that|\{order\}|(?:my |the )?order)\b.*\bcancel"
    r"|\b(?:is|was|are|been|it's|that's) (?:it |that |\{order\} |(?:my |the )?order (?:\{order\} )?)?"
    r"(?:really |already |now |actually )*cancell?ed\b"
)
_WHAT_IF: Final = re.compile(r"\b(?:what happens|what would happen|what if|what happened) if\b|\bwhat if\b")
_WHEN_THEY_CALL: Final = re.compile(
    r"\b(?:when|how soon|how long)\b.*\b(?:they|he|she|you|someone|somebody|anyone|person)\b.*"
    r"\b(?:call|ring|phone|contact|get back|write)\b"
)
_AGAIN: Final = re.compile(
    r"^(?:oh |um |uh |sorry |i'm sorry )*(?:huh|what|what was that|pardon|pardon me|come again|say what|eh"
    r"|sorry|excuse me|what did you say)(?: please)?$"
)
_WHEN_OR_WHERE: Final = re.compile(
    r"^(?:and |so |but |okay )*(?:when|where)(?: is that| then| exactly| now)?$"
)
_WAITS_FOR: Final = re.compile(
    r"\b(?:where(?: is| are|'s)|when (?:does|do|will|is|are)|has|have|did) (?:the|my) "
    r"(?P<thing>[a-z][a-z -]{2,40}?)"
    r"(?: (?:arrive|come|get here|ship|coming|arriving|be here|be delivered|arrived|shipped|left|gone"
    r"|i ordered)\b.*|(?: now| please)?$)"
)
_IN_GENERAL: Final = re.compile(
    r"\b(?:orders?|packages?|parcels?|deliver\w*|shipments?|refunds?|stuff|things?|items?|money|cards?|purchase"
    r"|account|returns?|exchange|one|goods|is|my|number|receipt|invoice|shop|store)\b"
)
_HOLDS: Final = re.compile(
    r"\b(?:one|order) (?:with|for|that has|of) (?:the |my |a |an )?(?P<thing>[a-z][a-z -]{2,40})$"
)
_UPSET: Final = re.compile(
    r"\b(?:terrible|awful|ridiculous|unacceptable|angry|furious|worst|useless|upset|fed up|annoy(?:ed|ing)"
    r"|disappoint(?:ed|ing)|disgrace|joke|not good enough|too long|horrible|scandal|outrageous|rubbish)\b"
)
_BUYS: Final = re.compile(
    r"\b(?:like|want|need|can i|could i|let me|i'll|may i|how do i)(?: to)? (?:order|buy|purchase) "
    r"(?:it|one|this|that|them|these|those|two|three|some|the|a|an|another|\{product\})\b"
)
_ASKS_OF_IT: Final = re.compile(r"\b(?:here|how much|what|which|price|costs?|in stock|available)\b")
_BEING_THERE: Final = re.compile(
    r"\b(?:are you|you still|is anyone|anybody|is anybody) (?:still )?(?:there|here)\b|\bhear me\b"
)
_ONLY_FILLERS: Final = re.compile(r"(?:um+|uh+|er+m?|hm+|mm+h?|well|so|ah|oh|let me see|like| )+")
_DOES_NOT_KNOW: Final = re.compile(
    r"\b(?:don't|do not|can't|cannot|didn't) (?:know|remember|recall|have|think|find)\b|\bforg[oe]t(?:ten)?\b"
    r"|\bno (?:e-?mail|idea)\b|\blost\b|\bnot sure\b"
)
_CHANGES: Final = re.compile(r"\b(?:change|update|set|switch|correct|replace|new)\b")


def meant(text: str, masked: str, order: str) -> str:
    """The intent that the words name for sure; empty: likeness decides. `order` is the one talked of."""
    if _AGAIN.match(text):
        return "repeat"
    if order and _WHEN_OR_WHERE.match(text):
        return "order_status"
    if _IS_IT_DONE.search(masked):
        return "order_status"
    if _WHAT_IF.search(text):
        return "policy_question"
    if _WHEN_THEY_CALL.search(text):
        return "callback"
    return "human" if _PERSON.search(text) and "{order}" not in masked else ""


def says_only_when(text: str) -> bool:
    """ "And when?" """
    return _WHEN_OR_WHERE.match(text) is not None


def waits_for(text: str) -> str:
    """What somebody is waiting for: "kettle" in "when does my kettle arrive"; no parcel in general."""
    match = _WAITS_FOR.search(text)
    return "" if match is None or _IN_GENERAL.search(match["thing"]) else match["thing"]


def holds(text: str) -> str:
    """What the order holds that is meant: "lamp" in "the one with the lamp"."""
    match = _HOLDS.search(text)
    return match["thing"] if match else ""


def is_upset(text: str) -> bool:
    """Whether somebody is angry: what they need first is not another question."""
    return _UPSET.search(text) is not None


def buys(masked: str) -> bool:
    """Whether something new is to be ordered, and not asked about."""
    return bool(_BUYS.search(masked)) and "{order}" not in masked and not _ASKS_OF_IT.search(masked)


def asks_if_there(text: str) -> bool:
    """ "Are you there?" """
    return _BEING_THERE.search(text) is not None


def only_thinks(text: str) -> bool:
    """ "Um": somebody who is about to say something."""
    return _ONLY_FILLERS.fullmatch(text) is not None


def does_not_know(text: str) -> bool:
    """Whether somebody has no answer to what they were asked."""
    return _DOES_NOT_KNOW.search(text) is not None


def gives_a_new_one(text: str) -> bool:
    """Whether an address or a number that is named is to become the customer's, and proves nothing."""
    return _CHANGES.search(text) is not None
