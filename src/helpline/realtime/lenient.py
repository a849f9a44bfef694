"""Reads an object into a typed value although it holds fields that the type does not know.

The fast path decodes strictly and never comes here. This one sets the unknown fields apart (they are kept
beside the value), drops nulls where a default will do, and reads 3.0 as 3 where a whole number is due.
"""

import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

Json: typing.TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Field:
    struct: type[msgspec.Struct] | None
    """The struct it holds, or holds many of."""
    nullable: bool
    required: bool
    whole: bool
    """Whole numbers only."""


def sift(data: Json, struct: type[msgspec.Struct], path: str = "") -> tuple[Json, Json]:
    """Parts an object into what `struct` knows and what it does not (by JSON pointer)."""
    unknown: Json = {}
    return _sift(data, struct, path, unknown), unknown


def _sift(data: Json, struct: type[msgspec.Struct], path: str, unknown: Json) -> Json:
    fields, known = _fields(struct), {}
    for key, value in data.items():
        field = fields.get(key)
        if field is not None:
            if value is not None or field.nullable or field.required:
                known[key] = _value(value, field, f"{path}/{_escape(key)}", unknown)
        elif key == struct.__struct_config__.tag_field:
            known[key] = value
        else:
            unknown[f"{path}/{_escape(key)}"] = value
    return known


def _value(value: Any, field: _Field, path: str, unknown: Json) -> Any:
    if field.struct is not None and isinstance(value, dict):
        return _sift(value, field.struct, path, unknown)
    if field.struct is not None and isinstance(value, list):
        return [_value(one, field, f"{path}/{index}", unknown) for index, one in enumerate(value)]
    if field.whole and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def restore(data: Json, unknown: Json) -> None:
    """Puts fields that `sift` set apart back in their places."""
    for pointer, value in unknown.items():
        *parents, last = [_unescape(step) for step in pointer.split("/")[1:]]
        place: Any = data
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        place[last] = value


def as_json(value: Any) -> Any:
    """A typed value as plain JSON objects: lists, not tuples, and audio in base64."""
    return msgspec.json.decode(msgspec.json.encode(value))


def kind(pointer: str) -> str:
    """A pointer with the positions in lists left out, for counting: "/item/content/*/phase"."""
    return "/".join("*" if step.isdecimal() else step for step in pointer.split("/"))


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, _Field]:
    return {field.encode_name: _field(field) for field in msgspec.structs.fields(struct)}


def _field(field: msgspec.structs.FieldInfo) -> _Field:
    kinds = list(_kinds(field.type))
    return _Field(
        struct=next((k for k in kinds if isinstance(k, type) and issubclass(k, msgspec.Struct)), None),
        nullable=type(None) in kinds or Any in kinds,
        required=field.required,
        whole=int in kinds and float not in kinds,
    )


def _kinds(annotation: Any) -> typing.Iterator[Any]:
    """The types that an annotation allows, those inside a tuple included."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, tuple):
        for inner in typing.get_args(annotation):
            yield from _kinds(inner)
    else:
        yield annotation
