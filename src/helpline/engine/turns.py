"""What a response is made from: the session's items as the brain reads them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from helpline.engine.brain import Answered, Called, Entry, Said, Turn
from helpline.engine.configuration import Configuration
from helpline.engine.dialogue import Known
from helpline.engine.history import History, Item
from helpline.engine.meaning import read_tools
from helpline.engine.protocol import wrong_value
from helpline.engine.requests import ResponseRequest
from helpline.time_zone import zone_in


def items_of(request: ResponseRequest, history: History) -> list[Item]:
    """The items a response reads: the conversation, or those that its request names."""
    if request.input is None:
        return list(history)
    return [given if isinstance(given, Item) else _referenced(given, history) for given in request.input]


def turn_of(
    request: ResponseRequest, configuration: Configuration, items: Iterable[Item], known: Known, now: datetime
) -> Turn:
    """The turn, with what the request changes of the session for this once."""
    body = configuration.body
    return Turn(
        entries=tuple(entry for item in items if (entry := entry_of(item)) is not None),
        tools=read_tools(body["tools"] if request.tools is None else request.tools),
        now=_where_the_client_is(now, request.instructions or "", body["instructions"]),
        tool_choice=_choice(request.tool_choice or body["tool_choice"]),
        instructions=body["instructions"] if request.instructions is None else request.instructions,
        asked_for=request.instructions or "",
        known=known,
        aside=request.conversation == "none",
    )


def _where_the_client_is(now: datetime, *instructions: str) -> datetime:
    """The local time in the zone that instructions tell, the first that do; else the engine's own."""
    zone = next((zone for text in instructions if (zone := zone_in(text)) is not None), None)
    return now if zone is None else now.astimezone(zone).replace(tzinfo=None)


def entry_of(item: Item) -> Entry | None:
    """An item as the brain reads it; None for what it does not."""
    body = item.body
    match body["type"]:
        case "message":
            return Said(body["role"], item.words, spoken=item.spoken)
        case "function_call":
            return Called(body.get("call_id", ""), body["name"], body["arguments"])
        case "function_call_output":
            return Answered(body["call_id"], body["output"])
    return None


def _referenced(item_id: str, history: History) -> Item:
    found = history.find(item_id)
    if found is None:
        raise wrong_value("response.input", f"no item with ID '{item_id[:64]}'.")
    return found


def _choice(tool_choice: Any) -> str:
    return str(tool_choice["name"]) if isinstance(tool_choice, dict) else str(tool_choice)
