"""`response.create` as a client asks for it, checked."""

from dataclasses import dataclass
from typing import Any

from helpline.engine.configuration import (
    MODALITIES,
    MOST_TOKENS,
    OUTPUT,
    TOOL_CHOICE,
    TOOLS,
    check_modalities,
    check_rate,
)
from helpline.engine.history import Item, read_item
from helpline.engine.protocol import (
    MOST_TEXT,
    Json,
    anything,
    boolean,
    bounded,
    fields,
    one_of,
    text,
    wrong_type,
    wrong_value,
)

_MOST_METADATA = 16
_MOST_INPUT = 500


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """What one response differs in from the session; None: as the session."""

    conversation: str = "auto"
    instructions: str | None = None
    tools: list[Json] | None = None
    tool_choice: Any = None
    output_modalities: list[str] | None = None
    max_output_tokens: int | str | None = None
    metadata: Json | None = None
    output: Json | None = None
    input: tuple[Item | str, ...] | None = None
    """Items, or ids of items of the conversation."""


def _metadata(value: Any, path: str) -> Json:
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    if len(value) > _MOST_METADATA:
        raise wrong_value(path, f"expected at most {_MOST_METADATA} entries.")
    for key, entry in value.items():
        if len(key) > 64 or len(text(entry, f"{path}.{key[:64]}")) > 512:
            raise wrong_value(path, "expected keys of at most 64 and values of at most 512 characters.")
    return value


def _input(value: Any, path: str) -> tuple[Item | str, ...]:
    if not isinstance(value, list):
        raise wrong_type(path, "an array", value)
    if len(value) > _MOST_INPUT:
        raise wrong_value(path, f"expected at most {_MOST_INPUT} entries.")
    return tuple(_input_item(one, f"{path}[{at}]") for at, one in enumerate(value))


def _input_item(value: Any, path: str) -> Item | str:
    if isinstance(value, dict) and value.get("type") == "item_reference":
        return text(value.get("id"), f"{path}.id")
    return read_item(value, path)


_REQUEST = fields(
    {
        "conversation": one_of("auto", "none"),
        "instructions": bounded(MOST_TEXT),
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "reasoning": anything,
        "prompt": anything,
        "output_modalities": MODALITIES,
        "max_output_tokens": MOST_TOKENS,
        "metadata": _metadata,
        "audio": fields({"output": OUTPUT}),
        "input": _input,
    }
)


def read_request(value: Any) -> ResponseRequest:
    """The `response` field of a `response.create`; raises Refusal."""
    if value is None:
        return ResponseRequest()
    if isinstance(value, dict):  # some clients send every field that they know
        value = {key: field for key, field in value.items() if field is not None}
    checked: Json = _REQUEST(value, "response")
    if "output_modalities" in checked:
        check_modalities(checked["output_modalities"], "response.output_modalities")
    output = checked.pop("audio", {}).get("output")
    check_rate((output or {}).get("format"), "response.audio.output.format")
    for ignored in ("parallel_tool_calls", "reasoning", "prompt"):
        checked.pop(ignored, None)
    return ResponseRequest(**checked, output=output)
