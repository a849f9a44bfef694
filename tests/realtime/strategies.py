"""Random values of what events are made of, derived from the types themselves."""

import functools
import types
import typing
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from helpline.realtime import events as e

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
names = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True)
tools = st.fixed_dictionaries(
    {"type": st.just("function"), "name": names, "parameters": st.just({"type": "object", "properties": {}})},
    optional={"description": words},
)
tool_choices = st.one_of(
    st.sampled_from(["auto", "none", "required"]),
    st.fixed_dictionaries({"type": st.just("function"), "name": names}),
)
_INSTEAD: dict[tuple[type, str], st.SearchStrategy[Any]] = {
    (e.SessionSettings, "voice"): st.sampled_from(
        [
            "marin",
            "cedar",
            "voice_42",
            "en-US-Ava:Dragon",
            e.AzureVoice(name="Contoso", endpoint_id="3f1a", temperature=0.5, style="calm"),
            e.AzureVoice(name="profile", model="DragonLatestNeural"),
        ]
    ),
    (e.AzureSemanticVad, "end_of_utterance_detection"): st.sampled_from(
        [None, e.EndOfUtterance(model="semantic_detection_v1_en", threshold_level="low", timeout_ms=900)]
    ),
    (e.SessionSettings, "output_modalities"): st.sampled_from([("audio",), ("text",)]),
    (e.SessionSettings, "tools"): st.lists(tools, max_size=2).map(tuple),
    (e.SessionSettings, "tool_choice"): tool_choices,
    (e.SessionSettings, "reasoning_effort"): st.sampled_from(["minimal", "low", "medium", "high"]),
    (e.SessionSettings, "truncation"): st.sampled_from(
        ["auto", "disabled", {"type": "retention_ratio", "retention_ratio": 0.5}]
    ),
    (e.SessionSettings, "extra"): st.just(UNSET),
    (e.Transcription, "model"): st.sampled_from(
        ["", "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper", "azure-speech", "my-deployment"]
    ),
    (e.Transcription, "languages"): st.sampled_from([(), ("en",), ("en", "fr")]),
    (e.Transcription, "prompt"): st.sampled_from(["", "order numbers"]),
    (e.ResponseSettings, "output_modalities"): st.sampled_from([None, ("audio",), ("text",)]),
    (e.ResponseSettings, "tools"): st.none() | st.lists(tools, max_size=2).map(tuple),
    (e.ResponseSettings, "tool_choice"): st.none() | tool_choices,
    (e.ResponseSettings, "input"): st.none() | st.deferred(lambda: st.lists(items, max_size=3).map(tuple)),
    (e.ResponseSettings, "extra"): st.none(),
    (e.Session, "vendor"): st.sampled_from([None, {"avatar": {"style": "calm"}}]),
    (e.Response, "vendor"): st.sampled_from([None, {"temperature": 0.5}]),
}


def part(type_: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[e.ContentPart]:
    return st.builds(e.ContentPart, type=st.just(type_), **fields)


ids = st.none() | names
items: st.SearchStrategy[e.Item] = st.one_of(
    st.builds(e.Item, id=ids, role=st.just("system"), content=st.tuples(part("input_text", text=words))),
    st.builds(
        e.Item,
        id=ids,
        role=st.just("user"),
        content=st.lists(
            part("input_text", text=words) | part("input_audio", audio=st.binary(max_size=8)), min_size=1
        ).map(tuple),
    ),
    st.builds(e.Item, id=ids, role=st.just("assistant"), content=st.tuples(part("output_text", text=words))),
    st.builds(
        e.Item,
        type=st.just("function_call"),
        id=ids,
        call_id=names,
        name=names,
        arguments=st.just('{"a": 1}'),
    ),
    st.builds(e.Item, type=st.just("function_call_output"), id=ids, call_id=names, output=words),
)
"""Items that a client may create: what each kind needs, and nothing that belongs to another."""


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of(one) for one in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(of(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(words, of(inner[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return of_struct(hint)
    return _PLAIN[hint]


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    bytes: st.binary(max_size=24),
    bool: st.booleans(),
    int: st.integers(0, 10**6),
    float: st.floats(0, 1e6).map(lambda x: round(x, 3)),
    type(None): st.none(),
    UnsetType: st.just(UNSET),
    Any: st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | words,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
        max_leaves=4,
    ),
}


@functools.cache
def of_struct(struct: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Values of a struct, with every field drawn."""

    def drawn(field: msgspec.structs.FieldInfo) -> st.SearchStrategy[Any]:
        if field.name == "unknown":
            return st.none()
        instead = _INSTEAD.get((struct, field.name))
        if instead is not None:
            return instead | st.just(UNSET) if struct is e.SessionSettings else instead
        return of(field.type)

    def build() -> st.SearchStrategy[Any]:
        return st.builds(struct, **{field.name: drawn(field) for field in msgspec.structs.fields(struct)})

    return st.deferred(build)


session_settings: st.SearchStrategy[e.SessionSettings] = of_struct(e.SessionSettings)
response_settings: st.SearchStrategy[e.ResponseSettings] = of_struct(e.ResponseSettings)
client_events: st.SearchStrategy[e.ClientEvent] = st.one_of(
    st.builds(e.SessionUpdate, session=session_settings, event_id=ids),
    st.builds(e.ResponseCreate, response=st.none() | response_settings, event_id=ids),
    st.builds(e.ItemCreate, item=items, previous_item_id=ids, event_id=ids),
    *[
        of_struct(struct)
        for struct in (
            e.InputAppend,
            e.InputCommit,
            e.InputClear,
            e.ItemDelete,
            e.ItemRetrieve,
            e.ItemTruncate,
            e.ResponseCancel,
            e.OutputBufferClear,
        )
    ],
)
