"""Whether JSON fits a JSON schema: the part of the standard that tools' arguments use. Pure.

For tools that come with a schema of their own. What a schema says beyond this part is left to the tool.
"""

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def misfit(
    schema: Mapping[str, Any], value: object, root: Mapping[str, Any] | None = None, at: str = "$"
) -> str:
    """Where the value does not fit, as a sentence like msgspec's; empty when it fits."""
    root = schema if root is None else root
    if "$ref" in schema:
        return misfit(_referenced(root, schema["$ref"]), value, root, at)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices and all(misfit(choice, value, root, at) for choice in choices):
        return f"fits none of the choices - at `{at}`"
    if "enum" in schema and value not in schema["enum"]:
        return f"not one of the choices - at `{at}`"
    if not _is_of(schema.get("type"), value):
        return f"wrong type - at `{at}`"
    if isinstance(value, dict):
        return _misfit_object(schema, value, root, at)
    if isinstance(value, list):
        return _misfit_array(schema, value, root, at)
    return _misfit_bounds(schema, value, at)


def _referenced(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found if isinstance(found, Mapping) else {}


def _is_of(kind: object, value: object) -> bool:
    if kind is None:
        return True
    kinds = kind if isinstance(kind, list) else [kind]
    # In JSON true is no number, in Python it is.
    return any(
        isinstance(value, _TYPES.get(str(each), (object,)))
        and (each == "boolean" or not isinstance(value, bool) or each not in ("integer", "number"))
        for each in kinds
    )


def _misfit_object(schema: Mapping[str, Any], value: dict[str, Any], root: Mapping[str, Any], at: str) -> str:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"missing required field `{name}` - at `{at}`"
    for name, part in value.items():
        if name in properties:
            problem = misfit(properties[name], part, root, f"{at}.{name}")
            if problem:
                return problem
        elif properties and schema.get("additionalProperties", False) is False:
            return f"unknown field `{name}` - at `{at}`"
    return ""


def _misfit_array(schema: Mapping[str, Any], value: list[Any], root: Mapping[str, Any], at: str) -> str:
    if len(value) > schema.get("maxItems", len(value)) or len(value) < schema.get("minItems", 0):
        return f"wrong length - at `{at}`"
    items = schema.get("items")
    problems = (misfit(items, part, root, at) for part in value) if isinstance(items, Mapping) else ()
    return next((problem for problem in problems if problem), "")


def _misfit_bounds(schema: Mapping[str, Any], value: object, at: str) -> str:
    if isinstance(value, str):
        fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10_000)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        fits = schema.get("minimum", value) <= value <= schema.get("maximum", value)
    else:
        fits = True
    return "" if fits else f"out of bounds - at `{at}`"
