"""Several requests in one sentence: "cancel 1004 and tell me where 1005 is". Pure.

A sentence is cut only where both sides are requests by themselves: most of what "and" joins is one request
("it is broken and I want my money back").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_JOINT = re.compile(r"\s+(?:and then|and also|and|then|also|plus|after that)\s+(?:then |also |please )*")
_WISH = (
    r"please |could you |can you |would you |will you |i(?:'d| would)? (?:want|like|need)(?: you)? to "
    r"|let me |also "
)
_VERB = (
    "cancel|stop|return|refund|exchange|send|tell|say|check|track|find|look|call|phone|ring|give|book|schedule"
    "|arrange|change|update|set|know|read|list|show"
)
_ASKS = "where|where's|when|what|what's|how|is|are|do|does|has|have|did"
_LEAD = re.compile(rf"(?:{_WISH})*(?:please )?(?:{_VERB}|{_ASKS})\b")
_BEFORE = re.compile(r"\b(?:because|since|reason)\b|\bgo ahead$|\b(?:between|both|hundred|thousand)\b")
_MOST = 4
_NUMBER = r"(?:order )?(?:number )?[a-z]{0,2}\d{3,10}"
_NUMBERS = re.compile(rf"\b{_NUMBER}(?:(?: and(?: also)?| plus)? {_NUMBER})+\b")
_OF_BOTH = re.compile(r"\b(?:between|compare|difference|or|not|instead|other|no)\b")


@dataclass(frozen=True, slots=True)
class Request:
    """What one part of a sentence asks by itself."""

    tool: str
    arguments: Mapping[str, Any]
    complete: bool
    """Nothing need be asked, or the part before says what it is about."""


def split_requests(text: str, wants: Callable[[str], Request | None]) -> list[str]:
    """The sentence in as many parts as it has requests; `wants` says what a part asks, None for nothing."""
    parts = [text]
    for joint in _JOINT.finditer(text):
        before = parts[-1][: len(parts[-1]) - len(text[joint.start() :])]
        after = text[joint.end() :]
        if len(parts) < _MOST and _are_two(before, after, wants):
            parts[-1:] = [before, after]
    return parts


def for_each(text: str, references: Sequence[str]) -> list[str]:
    """The same request for each of its numbers: "cancel 1004 and 1005"."""
    joint = _NUMBERS.search(text)
    if joint is None or _OF_BOTH.search(text):
        return [text]
    named = [one for one in re.findall(r"\w*\d\w*", joint[0]) if one in references][:_MOST]
    return [text.replace(joint[0], one, 1) for one in named] if len(named) > 1 else [text]


def _are_two(before: str, after: str, wants: Callable[[str], Request | None]) -> bool:
    if not before or _BEFORE.search(before) or not _LEAD.match(after):
        return False
    one, other = wants(before), wants(after)
    if one is None or other is None or not other.complete or not (one.complete or one.tool != other.tool):
        return False
    if not _LEAD.search(before):
        return False
    return one.tool != other.tool or one.arguments != other.arguments
