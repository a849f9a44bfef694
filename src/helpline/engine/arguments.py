"""The arguments of a call: those that were said, those that are talked about, the one that is missing."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from helpline.engine.asking import humanised
from helpline.engine.dialogue import Pending
from helpline.engine.language import Entities
from helpline.engine.meaning import Tool, intent_of
from helpline.engine.readings import says_only_when
from helpline.engine.slots import Context, find_value, kind_of

PRONOUN = re.compile(r"\b(?:it|that|this|that one|this one|them|that order|this order|the order|my order)\b")


def what_is_missing(tool: Tool, reason: str) -> str:
    """The property that a refusal asks for, by its reason code; empty when it names none."""
    words = set(re.findall(r"[a-z]+", reason.lower()))
    for name in tool.properties:
        parts = set(name.lower().split("_")) - {"id"}
        named = parts | {part.rstrip("s") for part in parts} | {kind_of(name, tool.properties[name])}
        if reason.partition(":")[2] == name or words & named:
            return name
    return ""


def read_arguments(arguments: str) -> dict[str, Any]:
    """The arguments of a call, from their JSON text."""
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def what_is_named(tool: Tool, said: Entities) -> str:
    """For a tool that takes one thing of several: the one named without its value, else the first."""
    if intent_of(tool) != "update_account":
        return ""
    for name in tool.properties:
        if _NAMES.get(name, re.compile(re.escape(humanised(name)))).search(said.text):
            return name
    return next(iter(tool.properties), "")


_NAMES = {
    "email": re.compile(r"\be-?mail|\bmail\b"),
    "phone": re.compile(r"\bphone|\bmobile|\bcell|\bnumber\b"),
    "address": re.compile(r"\b(?:address|street|moved|house|home|apartment)\b"),
}
"""How a customer names what is to change, in the order in which properties are looked for."""


def is_no_longer_asked(pending: Pending, tools: tuple[Tool, ...]) -> bool:
    """Whether the app has given the tool another schema since."""
    return any(tool.name == pending.tool and pending.asking not in tool.properties for tool in tools)


def collect(
    tool: Tool, said: Entities, context: Context, given: Mapping[str, Any], asked: str = ""
) -> dict[str, Any]:
    """The arguments of a call that are known by now, in the schema's order; `asked` is answered first."""
    arguments = dict(given)
    names = [asked] if asked else []
    names += [name for name in tool.required if name != asked]
    names += [name for name in tool.properties if name not in names]
    for name in names:
        if name in arguments and name != asked:
            continue
        schema = tool.properties[name]
        answering = replace(context, asked=name == asked, wanted=name in tool.required or name == asked)
        value = find_value(name, schema, said, answering, arguments)
        if value is None and name in tool.required and not asked:
            value = _from_context(name, schema, said, context)
        if value is not None:
            arguments[name] = value
    return {name: arguments[name] for name in tool.properties if name in arguments}


def _from_context(name: str, schema: Mapping[str, Any], said: Entities, context: Context) -> Any:
    """ "Cancel it": the order that is being talked about."""
    about = PRONOUN.search(said.text) or says_only_when(said.text)
    if kind_of(name, schema) == "reference" and context.order and about:
        return (
            int(context.order)
            if schema.get("type") == "integer" and context.order.isdecimal()
            else context.order
        )
    return None
