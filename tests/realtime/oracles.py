"""The vendors' own types as judges of what we send: every field known to them, every value of their type.

`openai` models accept any extra field and `azure-ai-voicelive` models accept anything at all, so both are
walked: a field that the vendor does not declare is a fault, as a server refuses a whole update over one.
"""

import enum
import functools
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

import azure.ai.voicelive._unions as azure_unions
import azure.ai.voicelive.models as azure
import pydantic
from azure.ai.voicelive.models import _enums as azure_enums
from azure.ai.voicelive.models import _models as azure_models
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

Json = dict[str, Any]


def openai_client_faults(frame: bytes) -> list[str]:
    """What OpenAI's types have against a client's frame."""
    return _openai_faults(_adapter(RealtimeClientEvent), frame)


def openai_server_faults(frame: bytes) -> list[str]:
    """What OpenAI's types have against a server's frame."""
    return _openai_faults(_adapter(RealtimeServerEvent), frame)


@functools.cache
def _adapter(union: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(union)


def _openai_faults(adapter: pydantic.TypeAdapter[Any], frame: bytes) -> list[str]:
    try:
        return list(_extras(adapter.validate_json(frame, strict=False), "$"))
    except pydantic.ValidationError as error:
        return [f"{fault['loc']}: {fault['msg']}" for fault in error.errors()]


def _extras(value: Any, path: str) -> Iterator[str]:
    """The fields of parsed models that their types do not declare."""
    if isinstance(value, pydantic.BaseModel):
        yield from (f"{path}.{name} is not declared" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from _extras(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _extras(one, f"{path}[{index}]")


# --- azure-ai-voicelive: models over plain dicts, declared by annotations --------------------------------

_NAMES = {
    **vars(azure_models),
    **vars(azure_enums),
    "_models": azure,
    "_unions": azure_unions,
}


def azure_client_faults(event: Json) -> list[str]:
    """What Voice Live's types have against a client's event."""
    model = azure.ClientEvent.__mapping__.get(event.get("type"))
    if model is None:
        return [f"unknown event {event.get('type')}"]
    return list(_azure_faults(event, model, "$"))


def _azure_faults(value: Any, hint: Any, path: str) -> Iterator[str]:
    origin = typing.get_origin(hint)
    if hint is Any:
        return
    if origin in (typing.Union, types.UnionType):
        found = [list(_azure_faults(value, one, path)) for one in typing.get_args(hint)]
        if all(found):
            yield from min(found, key=len)
    elif origin is Literal:
        if value not in [getattr(one, "value", one) for one in typing.get_args(hint)]:
            yield f"{path}: {value!r} is none of {typing.get_args(hint)}"
    elif origin is list:
        yield from _azure_list(value, typing.get_args(hint)[0], path)
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{path}: no object"
    elif isinstance(hint, type) and issubclass(hint, azure_models._Model):
        yield from _azure_object(value, hint, path)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in [one.value for one in hint]:
            yield f"{path}: {value!r} is no {hint.__name__}"
    else:
        yield from _azure_plain(value, hint, path)


def _azure_plain(value: Any, hint: Any, path: str) -> Iterator[str]:
    hint = (int, float) if hint is float else hint
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        yield f"{path}: {value!r} is no {hint}"


def _azure_list(value: Any, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: no list"
        return
    for index, one in enumerate(value):
        yield from _azure_faults(one, hint, f"{path}[{index}]")


def _azure_object(value: Any, model: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: no object"
        return
    model = _told_apart(value, model)
    hints = _hints(model)
    declared = {name: hints[attribute] for attribute, name in _fields(model).items()}
    for key, one in value.items():
        if key not in declared:
            yield f"{path}.{key} is not declared by {model.__name__}"
        else:
            yield from _azure_faults(one, declared[key], f"{path}.{key}")
    optional = {name for name, hint in declared.items() if type(None) in typing.get_args(hint)}
    yield from (f"{path}.{name} is missing" for name in declared.keys() - optional - value.keys())


def _told_apart(value: Json, model: Any) -> Any:
    """The subtype that the discriminators (`type`, then `role`, then `model`) name, one after the other."""
    while mapping := model.__dict__.get("__mapping__"):
        for key in ("type", "role", "model"):
            if value.get(key) in mapping:
                model = mapping[value[key]]
                break
        else:
            return model
    return model


@functools.cache
def _fields(model: Any) -> dict[str, str]:
    model({})  # Its fields are worked out with its first instance.
    return {name: field._rest_name for name, field in model._attr_to_rest_field.items()}


@functools.cache
def _hints(model: Any) -> dict[str, Any]:
    return typing.get_type_hints(model, globalns=_NAMES)
