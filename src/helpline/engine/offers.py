"""A change that waits for the customer's yes, and what they say instead: "just the shirt", "make it four".

Pure. What differs from the offer is proposed anew, with what stays as it was. A call that is booked is not
moved: no tool does that. Another one is offered, and it is said that the first one stays.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from helpline.engine.arguments import read_arguments
from helpline.engine.corrections import CORRECTS
from helpline.engine.dialogue import Act, Situation
from helpline.engine.language import Entities, find_entities
from helpline.engine.meaning import Tool, common_things, intent_of
from helpline.engine.slots import kind_of
from helpline.times import When

STAYS = "The call that you have stays as it is, and this would be another one."
"""Not in words that claim that something is booked: the desk lets no model say so of an offer."""
_HOUR = r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine)"
_TO_AN_HOUR = re.compile(
    r"\b((?:make|move|change|put) (?:it|that|the call(?: ?back)?) )(?:to )?"
    rf"(?={_HOUR}(?: (?:please|instead|then))*$)"
)
_MOVES = re.compile(
    r"\b(?:instead|rather|reschedule|better|(?:make|move|change|put) (?:it|that|the call(?: ?back)?))\b"
)
_MOVES_CALLS = re.compile(r"(?:reschedul|move|change|update)\w*call|call\w*(?:reschedul|move|change|update)")
_CANCELS_A_CALL = re.compile(r"\bcancel (?:(?:the|my|that|this|our) )?(?:phone call|call ?back|call)\b")
_ABOUT = re.compile(r"^(?:and |it's |it is |that's |um |uh )*(?:about|regarding|concerning|because of)\b")


def tells_the_topic(tool: Tool, said: Entities) -> bool:
    """ "About my refund" says what an offered call is about; it asks for no refund."""
    return "topic" in tool.properties and _ABOUT.match(said.text) is not None


def changed(
    tool: Tool, before: Mapping[str, Any], fresh: Mapping[str, Any], said: Entities
) -> dict[str, Any]:
    """The arguments of an offer with what was said instead; empty when nothing differs."""
    differing = {name: value for name, value in fresh.items() if value != before.get(name)}
    for name, value in differing.items():
        if kind_of(name, tool.properties[name]) == "when" and said.when is not None:
            differing[name] = _moved(str(before.get(name, "")), str(value), said.when)
    return {**before, **differing} if differing else {}


def at_its_hour(said: Entities, tool: Tool, turn: Situation) -> Entities:
    """ "Make it four" of a call: at four. Where a tool counts something, it may be how many."""
    kinds = {kind_of(name, schema) for name, schema in tool.properties.items()}
    counts = any(schema.get("type") in ("integer", "number") for schema in tool.properties.values())
    if said.when is not None or counts or "when" not in kinds:
        return said
    text = _TO_AN_HOUR.sub(r"\1at ", said.text)
    return said if text == said.text else find_entities(text, turn.now, turn.known.things or common_things())


def moves_what_is_done(said: Entities, turn: Situation) -> tuple[Tool, Mapping[str, Any]] | None:
    """The call back that was booked in this call, when it is to be at another time; None when it is not."""
    booked = next(((name, given) for name, given in reversed(turn.topic.done) if _books(name, turn)), None)
    if (
        booked is None
        or turn.tool_choice == "none"
        or not (CORRECTS.match(said.text) or _MOVES.search(said.text))
    ):
        return None
    tool = next(tool for tool in turn.tools if tool.name == booked[0])
    return tool, read_arguments(booked[1])


def cancels_a_call(said: Entities, turn: Situation) -> bool:
    """Whether a call back is to be cancelled, where tools book one and none cancels anything but orders."""
    names = [tool.name.lower() for tool in turn.tools]
    served = any("cancel" in name and "order" not in name for name in names)
    books = any(intent_of(tool) == "callback" for tool in turn.tools)
    return books and not served and _CANCELS_A_CALL.search(said.text) is not None


def stays(act: Act, turn: Situation) -> Act:
    """What is said before a call back is booked beside another: nobody shall think that it was moved."""
    offered = turn.topic.offered[0] if turn.topic.offer else ""  # of that one it was said with the offer
    beside = {name for name, _ in turn.topic.done if name != offered and _books(name, turn)}
    if not any(name in beside for name, _ in act.calls):
        return act
    return replace(act, say=f"{STAYS} {act.say}".strip())


def _books(name: str, turn: Situation) -> bool:
    """Whether a tool books a call back, and none of the session moves one."""
    if any(_MOVES_CALLS.search(tool.name.lower()) for tool in turn.tools):
        return False
    return any(tool.name == name and intent_of(tool) == "callback" for tool in turn.tools)


def _moved(before: str, now: str, when: When) -> str:
    """ "Make it four" is on the day that was offered, "make it Friday" at the time that was."""
    try:
        offered = datetime.fromisoformat(before)
    except ValueError:
        return now
    if when.has_time and not when.has_day:
        return offered.replace(hour=when.at.hour, minute=when.at.minute).isoformat(timespec="minutes")
    if when.has_day and not when.has_time:
        return when.at.replace(hour=offered.hour, minute=offered.minute).isoformat(timespec="minutes")
    return now
