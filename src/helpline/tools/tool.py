"""Tools out of typed functions: `@tool` reads the schema from the signature and the words from the docstring.

A model's arguments are decoded strictly into the function's types. An unknown, missing, mistyped or huge
argument never reaches the function: it becomes a `ToolError` with a sentence to speak.
"""

import asyncio
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Annotated, Any, get_args, get_origin, overload

import msgspec

from helpline import sentences as say
from helpline.actions import Card, Identity, ToolResult
from helpline.errors import ToolError
from helpline.storable import storable, storable_json
from helpline.store.changes import AnyChange
from helpline.store.records import Order
from helpline.tools.context import CallContext
from helpline.wording import Saying

MAX_ARGUMENTS = 16_000
"""Characters of JSON that a model may pass."""
MAX_STRING = 1_000
MAX_LIST = 50

Decode = Callable[[str], dict[str, Any]]
Invoke = Callable[[CallContext, dict[str, Any]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A change as a tool drafts it: nothing is done before the customer has heard it and said yes.

    `read_back` must say, literally, the subject and either one of `effect_words` or the amount: a yes counts
    only when that much of it was heard.
    """

    change: AnyChange
    subject: str
    effect: str
    effect_words: tuple[str, ...]
    read_back: str
    done: str
    """What to say when it is done: "Order 1005 is cancelled." The receipt is added."""
    amount_cents: int | None = None
    currency: str = "USD"
    order: Order | None = None
    """The order it was drafted on: when that changes, the proposal dies."""
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of an object."""
    decode: Decode
    invoke: Invoke
    identity: Identity = Identity.KNOWN
    """What its author thinks it needs; the policy has the last word."""
    changes: bool = False
    drafts: bool = False
    """It drafts its change itself; otherwise a tool with `changes` runs only after the yes."""
    timeout_s: float = 10.0
    keyed: bool = True
    """It hands `CallContext.key` on with what it changes: it may run again when its end is not known."""
    read_back: str = ""
    """The read-back of a tool that changes something elsewhere: "Shall I water the plants in {room}?"."""
    effect_words: tuple[str, ...] = ()
    below: Identity | None = None
    """Offered only to callers below this level: nobody who is proven is asked to prove it again."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Arguments whose choices the policy lists: the argument's name and the policy's path."""

    async def run(self, context: CallContext, arguments: dict[str, Any]) -> object:
        """Call the function, within its time.

        Raises:
            ToolError: it refused, or took too long.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self.invoke(context, arguments)
        except TimeoutError as error:
            raise ToolError(say.TAKES_TOO_LONG, reason="timeout") from error


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str = "",
    identity: Identity | None = None,
    changes: bool = False,
    timeout_s: float = 10.0,
    read_back: str = "",
    effect_words: tuple[str, ...] = (),
    below: Identity | None = None,
    choices: Mapping[str, str] | None = None,
    keyed: bool | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    identity: Identity | None = None,
    changes: bool = False,
    timeout_s: float = 10.0,
    read_back: str = "",
    effect_words: tuple[str, ...] = (),
    below: Identity | None = None,
    choices: Mapping[str, str] | None = None,
    keyed: bool | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a typed function.

    The docstring's first part is the description, its `Args:` section says what each argument means. A
    parameter of type `CallContext` is the call, not an argument. Sync functions run in a thread.

    With `changes=True` the tool proposes: it runs only after the customer heard `read_back` and said yes. A
    function that returns a `Draft` instead is called to draft the change, and must not change anything.
    `keyed` says whether it may be run again with the same `context.key` when it is not known whether it was
    done; left out: whether it takes the context, without which it cannot know the key.
    """

    def make(function: Callable[..., Any]) -> Tool:
        signature = _Signature.of(function)
        drafts = signature.returns is Draft
        needs = identity or (Identity.PROVEN if changes or drafts else Identity.KNOWN)
        return Tool(
            name=name or function.__name__,
            description=signature.description,
            parameters=signature.parameters(),
            decode=signature.decode,
            invoke=signature.invoke,
            identity=identity if identity is not None else needs,
            changes=changes or drafts,
            drafts=drafts,
            timeout_s=timeout_s,
            keyed=keyed if keyed is not None else signature.takes_context,
            read_back=read_back,
            effect_words=effect_words,
            below=below,
            choices=dict(choices or {}),
        )

    return make if function is None else make(function)


class _Signature:
    """A function's arguments as a strict msgspec type."""

    def __init__(
        self, function: Callable[..., Any], fields: list[Any], context_name: str, returns: object
    ) -> None:
        self._function = function
        self._context_name = context_name
        self.returns = returns
        self.description, _ = _docstring(function)
        self._type = msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True, kw_only=True)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._type)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "_Signature":
        hints = typing.get_type_hints(function, include_extras=True)
        _, documented = _docstring(function)
        fields: list[Any] = []
        context_name = ""
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name not in hints:
                raise TypeError(f"tool {function.__name__}: argument {parameter.name} has no type")
            hint = hints[parameter.name]
            if hint is CallContext:
                context_name = parameter.name
                continue
            if re.sub(r"[^a-z]", "", parameter.name.lower()) == "customerid":
                raise TypeError(
                    f"tool {function.__name__}: a model would fill in {parameter.name}, with any customer's:"
                    " take a CallContext and use its customer_id"
                )
            bounded = _bounded(hint, documented.get(parameter.name, ""))
            if parameter.default is inspect.Parameter.empty:
                fields.append((parameter.name, bounded))
            else:
                fields.append((parameter.name, bounded, parameter.default))
        return cls(function, fields, context_name, hints.get("return"))

    @property
    def takes_context(self) -> bool:
        return bool(self._context_name)

    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON schema, without references: not every model follows them."""
        (reference,), parts = msgspec.json.schema_components([self._type])
        schema: dict[str, Any] = _inline(reference, parts)
        schema.pop("title", None)
        schema.pop("description", None)
        schema["additionalProperties"] = False
        return schema

    def decode(self, text: str) -> dict[str, Any]:
        """The arguments, strictly.

        Raises:
            ToolError: they do not fit.
        """
        try:
            decoded = self._decoder.decode(readable(text) or "{}")
        except (msgspec.DecodeError, RecursionError) as error:
            raise unfitting(str(error)) from error
        return {name: getattr(decoded, name) for name in self._type.__struct_fields__}

    async def invoke(self, context: CallContext, arguments: dict[str, Any]) -> object:
        given = {**arguments, self._context_name: context} if self._context_name else arguments
        if inspect.iscoroutinefunction(self._function):
            return await self._function(**given)
        # A thread cannot be stopped: after the timeout it runs on, and its result is dropped.
        return await asyncio.to_thread(self._function, **given)


def readable(text: str) -> str:
    """The arguments' text, when it is not too long and holds no NUL, which Postgres cannot store."""
    if len(text) > MAX_ARGUMENTS:
        raise ToolError(say.TOO_MUCH_AT_ONCE, reason="too_long")
    if "\0" in text or "\\u0000" in text:
        raise unfitting("a character that is none")
    return text


def unfitting(problem: str) -> ToolError:
    """What to say when the arguments do not fit; `problem` is msgspec's sentence about them."""
    field_named = re.search(r"`(?:\$\.)?(\w+)`?(?:$|\[|\.|`)", problem)
    missing = re.search(r"missing required field `(\w+)`", problem)
    if missing:
        return ToolError(say.STILL_NEEDED(what=_words(missing[1])), reason=f"missing:{missing[1]}")
    where = re.search(r"at `\$\.(\w+)", problem)
    if where:
        name = where[1]
        return ToolError(say.NOT_RIGHT(what=_words(name)), reason=f"bad:{name}")
    unknown = "unknown field" in problem and field_named
    return ToolError(
        say.NOT_GOT,
        reason="unknown_argument" if unknown else "bad_arguments",
    )


def _words(name: str) -> str | Saying:
    return say.ARGUMENTS.get(name, name.replace("_", " "))


def _bounded(hint: Any, description: str) -> Any:
    """The type with a bound on every string and list, and its description."""
    bounded = _bound(hint)
    return Annotated[bounded, msgspec.Meta(description=description)] if description else bounded


def _bound(hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return hint
    if hint is str:
        return Annotated[str, msgspec.Meta(max_length=MAX_STRING)]
    if origin in (list, tuple, set, frozenset):
        bounded_inner = tuple(part if part is ... else _bound(part) for part in inner)
        return Annotated[origin[bounded_inner], msgspec.Meta(max_length=MAX_LIST)]
    if origin in (typing.Union, getattr(__import__("types"), "UnionType", None)):
        return typing.Union[tuple(_bound(part) for part in inner)]  # noqa: UP007 - built at run time
    return hint


def _inline(schema: Any, parts: Mapping[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return {**_inline(parts[name], parts), **rest}
        return {key: _inline(value, parts) for key, value in schema.items()}
    return [_inline(value, parts) for value in schema] if isinstance(schema, list) else schema


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The description, and what the `Args:` section says of each argument."""
    text = inspect.getdoc(function) or ""
    description, _, rest = text.partition("\nArgs:\n")
    arguments: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            break
        found = re.match(r"\s+(\w+)(?: \([^)]*\))?:\s+(.*)", line)
        if found:
            name = found[1]
            arguments[name] = found[2]
        elif name and line.strip():
            arguments[name] += " " + line.strip()
    description = description.partition("\nRaises:\n")[0]
    return " ".join(description.split()), arguments


def to_result(value: object, language: str = "en") -> ToolResult:
    """A function's return value as a tool's result, which every wire can carry."""
    result = value if isinstance(value, ToolResult) else _result_of(value, language)
    return replace(result, say=storable(result.say), data=storable_json(result.data))


def _result_of(value: object, language: str) -> ToolResult:
    if value is None:
        return ToolResult(say.DONE.in_(language))
    if isinstance(value, str):
        return ToolResult(value, {"result": value})
    plain = msgspec.to_builtins(value) if is_dataclass(value) else value
    if isinstance(plain, Mapping):
        spoken = plain.get("say", "")
        return ToolResult(spoken if isinstance(spoken, str) else "", msgspec.to_builtins(dict(plain)))
    return ToolResult("", {"result": msgspec.to_builtins(plain)})
