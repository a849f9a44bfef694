"""Arguments of a tool, from what was said: each property's kind is read from its schema.

Works for any tool: names, descriptions, enums, formats and types of the properties decide what is looked
for. A value is checked before it is used; one that does not fit its schema is not used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from helpline.engine.addresses import parse_address
from helpline.engine.language import Entities, spelled_name

Schema = Mapping[str, Any]

_KINDS = (
    (r"order|reference|receipt|tracking|ticket|(?:booking|return|exchange)_(?:id|number)", "reference"),
    (r"e-?mail", "email"),
    (r"phone|mobile|telephone", "phone"),
    (r"address|street", "address"),
    (r"reason|why|cause", "reason"),
    (r"when|date|time|day|slot", "when"),
    (r"(?:^|_)value$|^new_\w+$", "value"),
    (r"product|item|query|search|question|keyword|sku|article", "thing"),
    (r"topic|subject|about|note|message|summary", "topic"),
    (r"city|place|location|town|country|destination", "place"),
    (r"(?:first|given)_?name|forename", "first_name"),
    (r"(?:last|family)_?name|surname", "last_name"),
    (r"name", "name"),
    (r"post_?code|zip", "postcode"),
    (r"^pay_with$|refund_to|payment_method", "method"),
    (r"price|amount|total|money", "amount"),
    (r"quantity|count|number|how_many|people|guests|nights", "number"),
)  # fmt: skip

_SYNONYMS = {
    "email": "e-mail mail", "phone": "telephone mobile cell number", "address": "street moved home",
    "damaged": "broken cracked scratched dented torn",
    "defective": "broken faulty stopped work working works dead never",
    "broken": "damaged cracked", "wrong": "different incorrect",
    "mind": "want need like anymore longer mistake",
    "unwanted": "want need mind", "fit": "small big large tight loose size",
    "size": "small big large tight loose fit",
    "late": "slow delayed long", "described": "expected picture description", "mistake": "accident wrong",
    "other": "",
    "expensive": "cheaper price", "refund": "money", "morning": "am", "afternoon": "pm",
}  # fmt: skip

_LEADS = (
    r"(?:tell me|know|ask|find out|hear|something|information|details|info)"
    r"(?: (?:some|a little|a bit))?(?: more)? (?:about|on|for)",
    r"how much (?:is|are|does|do|for|would|order)",  # "are the" sounds like "order"
    r"what(?:'s| is| are) the (?:price|cost) (?:of|for)",
    r"price (?:of|for)",
    r"(?:do you|you) (?:have|sell|carry|stock|offer)",
    r"have you got",
    r"(?:looking|search|searching|shopping) for",
    r"interested in",
    r"(?:describe|recommend|show me|find me|find|search|buy|get me|order me)",
    r"what (?:does|do) ",
    r"what (?:colors|colours|sizes|kinds) (?:does|do|of|for|are there for)",
    r"what (?:is|are)",
    r"(?:is|are) (?=the|your|a)",
    r"(?:return|send back|exchange|swap|refund|replace)",
    r"cancel",
    r"(?:just|only)(?= (?:the|my|one|a)\b)",
    r"about",
)
_LEAD = re.compile(
    r"\b(?:"
    + "|".join(_LEADS)
    + r")\s+(?:(?:the|a|an|your|any|some|my|one of the|those|these)\s+)?(?P<thing>.+)$"
)
_TRAIL = re.compile(
    r"\s*\b(?:costs?|in stock|available|come in|comes in|made of|please|today|from|in order|of order|to you"
    r"|for me|that i|i ordered|because|for order|\{.*|here|what does|how much|do you have|waterproof|on sale"
    r"|i bought|with order)\b.*$"
)
_PRONOUN = re.compile(
    r"^(?:it|that|this|them|they|those|these|one|that one|this one|something|an item|order|orders?|item)?$"
)
_TOPIC = re.compile(r"\b(?:about|regarding|concerning|on the subject of)\s+(?P<topic>.+)$")
_PLACE = re.compile(
    r"\b(?:in|at|for|to|from|near|of)\s+(?!the\b|my\b|\{|order\b|today|tomorrow)(?P<place>[a-z][a-z' ]+?)"
    r"(?:\s+(?:(?:today|tomorrow|now|please|right now|tonight|this \w+|on|at|for)\b|\{).*)?$"
)
_NAME = re.compile(
    r"\b(?:name is|name's|i am|i'm|this is|called|name to)\s+(?P<name>[a-z' -]{2,60}?)"
    r"(?:\s+(?:(?:and|please|my|post ?code|zip|from|where|what)\b|\d|\{).*)?$"
)

_POSTCODE = re.compile(
    r"\b(?:post ?code|zip(?: ?code)?)(?: is|'s)? (?P<code>[a-z0-9]{2,5}(?: \d[a-z]{2})?)\b"
)
_LONGEST_POSTCODE = 3
"""Words, such as "sw1a 1aa"."""
_ONLY_DIGITS = re.compile(r"(?<!\w)\d{4,6}(?!\w)")
_NO_NAME = re.compile(
    r"\b(?:where|what|when|who|why|how|which|is|order|can|could|you|i|me|don't|not|no|tell|just|cancel|return"
    r"|help|person|please|at|dot|point|mail|email|e-mail)\b|@"
)
_METHOD = re.compile(
    r"\b(gift card|paypal|visa|mastercard|amex|american express|credit card|debit card"
    r"|(?<=to my )card|(?<=with my )card)\b"
)

_ENDS_SWAP = r"(?:\s+(?:instead|please|from (?:that )?order\b.*|in order\b.*|of order\b.*|of that order))*$"
_SWAPS = (
    re.compile(
        r"\b(?:change|switch) the (?:size|colou?r) of (?:the|my) (?P<item>[a-z][a-z -]*?)"
        rf" (?:from order \S+ )?to (?P<new>(?:size )?[a-z0-9]+){_ENDS_SWAP}"
    ),
    re.compile(
        r"\b(?:exchange|swap|need|want|have|get|like) (?:the|my) (?P<item>[a-z][a-z -]*?)"
        rf" (?:from order \S+ )?(?:in|for|to) (?:an? |the )?(?P<new>(?:size )?[a-z0-9]+)(?: one)?{_ENDS_SWAP}"
    ),
)

_SMALL_WORDS = frozenset("a an the it is of to in on at by for my no not too i".split())

# A last digit that was heard as a word.
_HOMOPHONES = {
    "for": "4", "far": "4", "four": "4", "to": "2", "too": "2", "two": "2", "it": "8", "ate": "8",
    "eight": "8",
    "won": "1", "one": "1", "i'd": "9", "nine": "9", "three": "3", "five": "5", "six": "6", "seven": "7",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What values may be taken from besides the sentence."""

    now: datetime
    order: str = ""
    """The order that is being talked about."""
    product: str = ""
    known_ids: tuple[str, ...] = ()
    spoken: bool = True
    wanted: bool = True
    """The call cannot be made without this property."""
    asked: bool = False
    """The sentence answers a question for this very property."""


def unwrapped(schema: Schema) -> Schema:
    """The schema behind "this or null", with the outer one's words."""
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list):
            real = [one for one in options if isinstance(one, Mapping) and one.get("type") != "null"]
            if real:
                return {**unwrapped(real[0]), **{k: v for k, v in schema.items() if k == "description"}}
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {**schema, "type": next((kind for kind in kinds if kind != "null"), "string")}
    return schema


def kind_of(name: str, schema: Schema) -> str:
    """What a property asks for."""
    schema = unwrapped(schema)
    if isinstance(schema.get("enum"), list):
        return "choice"
    if schema.get("type") == "boolean":
        return "boolean"
    formats = {"date": "when", "date-time": "when", "time": "when", "email": "email", "phone": "phone"}
    if schema.get("format") in formats:
        return formats[schema["format"]]
    if schema.get("type") in ("integer", "number") and not re.search(
        r"order|price|amount|reference", name.lower()
    ):
        return "number"
    if schema.get("type") in ("array", "object"):
        return str(schema["type"])
    for pattern, kind in _KINDS:
        if re.search(pattern, name.lower()):
            return kind
    for pattern, kind in _KINDS[:8]:
        if re.search(rf"\b(?:{pattern})\b", str(schema.get("description", "")).lower()):
            return kind
    return "text"


def find_value(name: str, schema: Schema, said: Entities, context: Context, chosen: Mapping[str, Any]) -> Any:
    """A value for one property, or None. `chosen` are the arguments found before it."""
    schema = unwrapped(schema)
    kind = kind_of(name, schema)
    value = _value(kind, schema, said, context, chosen)
    return None if value is None else fit(value, schema)


def fit(value: Any, schema: Schema) -> Any:
    """The value in the property's type, or None when its schema refuses it."""
    wanted = schema.get("type")
    if wanted == "integer" and isinstance(value, str) and re.fullmatch(r"\d{1,15}", value):
        value = int(value)
    if wanted == "number" and isinstance(value, str) and re.fullmatch(r"\d+(?:\.\d+)?", value):
        value = float(value)
    if wanted == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    types = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    if isinstance(wanted, str) and wanted in types and not isinstance(value, types[wanted]):  # type: ignore[arg-type]
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not _bound(schema, "minimum", value) <= value <= _bound(schema, "maximum", value):
        return None
    pattern = schema.get("pattern")
    if isinstance(value, str) and isinstance(pattern, str) and not _matches(pattern, value):
        return value.upper() if _matches(pattern, value.upper()) else None
    return value


def _bound(schema: Schema, name: str, otherwise: float) -> float:
    """A limit of the schema; what is no number limits nothing."""
    bound = schema.get(name)
    return bound if isinstance(bound, int | float) and not isinstance(bound, bool) else otherwise


def _matches(pattern: str, value: str) -> bool:
    if len(pattern) > 100 or len(value) > 100:
        return True  # the app checks it; a long pattern may be slow on purpose
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _value(kind: str, schema: Schema, said: Entities, context: Context, chosen: Mapping[str, Any]) -> Any:
    match kind:
        case "choice":
            return _choice(schema["enum"], said)
        case "reference":
            return _reference(said, context)
        case "email":
            return said.email or None
        case "phone":
            return said.phone or None
        case "address":
            return said.address or (said.text if context.asked else None)
        case "reason":
            return said.reason or (said.text if context.asked else None)
        case "when":
            return _moment(schema, said)
        case "amount":
            return said.amount or None
        case "number":
            return said.number if said.number is not None else None
        case "boolean":
            return _boolean(said.text) if context.asked else None
        case "array":
            return _list(schema, said, context, chosen)
        case "object":
            return _object(schema, said, context)
        case "value":
            return _new_value(said, context, chosen)
        case "first_name" | "last_name":
            return _part_of_name(kind, said, context, chosen)
        case "postcode":
            return _postcode(said, context)
        case "method":
            return match[1] if (match := _METHOD.search(said.text)) else None
        case "thing" | "topic" | "place" | "name" | "text":
            if kind in ("text", "place") and not context.wanted:
                return None  # what nobody asked for is not guessed
            return _words(kind, said, context)
    return None


def _reference(said: Entities, context: Context) -> str | None:
    if said.references:
        return _own(said, context.known_ids) if context.spoken else said.references[0].upper()
    if context.asked and (match := re.search(r"\d{1,8}", said.text.replace(" ", ""))):
        return snap(match[0], context.known_ids) if context.spoken else match[0]
    return None


def _own(said: Entities, known_ids: tuple[str, ...]) -> str:
    """What was heard as the caller's own reference: "order 100 for" is 1004 when that is one of theirs."""
    reference = said.references[0]
    after = said.text.partition(reference)[2].split()[:1]
    completed = reference + _HOMOPHONES.get(after[0], "") if after else reference
    if completed != reference and completed in known_ids and reference not in known_ids:
        return completed.upper()
    return snap(reference, known_ids)


def snap(reference: str, known_ids: tuple[str, ...]) -> str:
    """A misheard reference as the one of the caller's own that it must be: its length is wrong, one fits."""
    lengths = {len(known) for known in known_ids}
    if not known_ids or reference in known_ids or len(reference) in lengths:
        return reference.upper()
    begun = [known for known in known_ids if reference.startswith(known)]
    if len(begun) == 1:
        return begun[0].upper()
    near = [known for known in known_ids if _within_one(reference, known)]
    return near[0].upper() if len(near) == 1 else reference.upper()


def _within_one(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) != 1:
        return False
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _choice(values: list[Any], said: Entities) -> Any:
    words = set(said.text.split())
    best: tuple[float, Any] = (0.0, None)
    for value in values:
        named = [word for word in re.findall(r"[a-z]+", str(value).lower()) if word not in _SMALL_WORDS]
        score = sum(
            1.0
            if word in words or f"{word}s" in words
            else 0.6
            if words & set(_SYNONYMS.get(word, "").split())
            else 0.0
            for word in named
        ) / (len(named) or 1)
        if (
            ("email" in named and said.email)
            or ("phone" in named and said.phone)
            or ("address" in named and said.address)
        ):
            score += 1
        if score > best[0] and not (value == "address" and "email" in words):
            best = (score, value)
    return best[1] if best[0] >= 0.45 else None


def _moment(schema: Schema, said: Entities) -> str | None:
    if said.when is None:
        return None
    described = str(schema.get("description", "")).lower()
    if schema.get("format") == "date" or (
        "yyyy-mm-dd" in described and "hh" not in described and "time" not in described
    ):
        return said.when.at.date().isoformat()
    if schema.get("format") == "time":
        return said.when.at.time().isoformat(timespec="minutes")
    if schema.get("format") == "date-time" or "iso" in described:
        return said.when.at.isoformat(timespec="minutes")
    return said.when.words


def _boolean(text: str) -> bool | None:
    if re.match(r"(?:yes|yeah|yep|sure|okay|ok|please|correct|right|true)\b", text):
        return True
    return False if re.match(r"(?:no|nope|nah|not|don't|false)\b", text) else None


def _list(schema: Schema, said: Entities, context: Context, chosen: Mapping[str, Any]) -> list[Any] | None:
    items = schema.get("items")
    inner = items if isinstance(items, Mapping) else {"type": "string"}
    choices = inner.get("enum")
    if isinstance(choices, list):
        value = _choice(choices, said)
    elif inner.get("type") == "string":
        value = _words("thing", said, replace(context, product=""))
    elif inner.get("type") == "object":
        value = _object(inner, said, replace(context, product=""))
    else:
        return None
    return [value] if value is not None else None


def _object(schema: Schema, said: Entities, context: Context) -> dict[str, Any] | None:
    """An object of its parts, when all that it must have were said."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return None
    address = parse_address(said.text) if "street" in properties else {}
    if {"item", "new_item"} <= set(properties):
        item, new = swap(said.text)
        return {"item": item, "new_item": new} if item else None
    found: dict[str, Any] = {}
    for name, inner in properties.items():
        if not isinstance(inner, Mapping):
            continue
        asked = context.asked and not found and "street" not in properties
        value = address.get(name) or find_value(name, inner, said, replace(context, asked=asked), found)
        if value is not None and not (address and name not in address):
            found[name] = value
    required = schema.get("required")
    complete = all(name in found for name in required) if isinstance(required, list) else bool(found)
    return found if found and complete else None


def _new_value(said: Entities, context: Context, chosen: Mapping[str, Any]) -> str | None:
    field = " ".join(str(value).lower() for value in chosen.values())
    by_field = {
        "email": said.email,
        "mail": said.email,
        "phone": said.phone,
        "number": said.phone,
        "address": said.address,
    }
    for word, value in by_field.items():
        if word in field and not (word == "address" and "email" in field):
            if value:
                return value
            if word == "address" and context.asked:
                return said.text
            if word == "phone" or word == "number":
                digits = re.sub(r"\D", "", said.text)
                return digits if context.asked and len(digits) >= 6 else None
            return None
    if value := said.email or said.phone or said.address:
        return value
    if match := re.search(r"\b(?:to|is|be)\s+(?!change|update|set|my\b)(?P<value>.+)$", said.text):
        return match["value"]
    return said.text if context.asked else None


def _part_of_name(kind: str, said: Entities, context: Context, chosen: Mapping[str, Any]) -> str | None:
    """The first or the last of somebody's names."""
    match = _NAME.search(said.text)
    full = match["name"] if match else ""
    if not full and kind == "last_name":
        first = "|".join(re.escape(value.lower()) for value in chosen.values() if isinstance(value, str))
        match = re.search(rf"\b(?:{first}) (?!and\b|my\b)[a-z'-]+", said.text) if first else None
        full = match[0] if match else ""
    if not full and context.asked and not _NO_NAME.search(said.text):
        answer = re.sub(r"^(?:(?:it's|it is|that's|that is|my|the|well|um|uh|yes|sure)\s+)+", "", said.text)
        full = answer if (found := re.match(r"[a-z' -]+", answer)) is None else found[0]
        full = re.sub(r"\s*\b(?:and|my|post ?code|zip|please)\b.*$", "", full)
    parts = spelled_name(full).title().split()
    if not parts:
        return None
    if kind == "first_name" or (context.asked and len(parts) == 1):
        return parts[0]
    return parts[-1] if len(parts) > 1 else None


def _postcode(said: Entities, context: Context) -> str | None:
    if match := _POSTCODE.search(said.text):
        return match["code"].upper()
    if re.search(r"\border\b", said.text):
        return None
    if match := _ONLY_DIGITS.search(said.text):
        return match[0]
    short = re.search(r"\d", said.text) and len(said.text.split()) <= _LONGEST_POSTCODE
    return said.text.upper() if context.asked and short else None


def _words(kind: str, said: Entities, context: Context) -> str | None:
    found = ""
    if kind == "thing":
        found = thing(said)
        if not found and context.product and not context.asked:
            return context.product
    elif kind == "topic" and (match := _TOPIC.search(said.text)):
        found = match["topic"]
    elif kind in ("place", "text") and (match := _PLACE.search(said.masked)):
        found = match["place"].title() if kind == "place" else match["place"]
    elif kind == "name" and (match := _NAME.search(said.text)):
        found = spelled_name(match["name"]).title()
    if found:
        return found
    if not context.asked:
        return None
    answer = re.sub(
        r"^(?:it is|it's|the|a|an|that's|that is|my|about|in|i think|well|um|uh)\s+", "", said.text
    ).strip()
    return (answer.title() if kind in ("place", "name") else answer) or None


def swap(text: str) -> tuple[str, str]:
    """An item and the option that it is to have: "the shoes in 10 instead"; empty when none is named."""
    match = next((found for pattern in _SWAPS if (found := pattern.search(text))), None)
    return (match["item"], match["new"]) if match else ("", "")


def thing(said: Entities) -> str:
    """What a sentence is about, in its words: "kettle" in "how much is the kettle"."""
    match = _LEAD.search(said.masked.replace("{product}", said.product))
    if match is None:
        return said.product
    found = _TRAIL.sub("", match["thing"]).strip()
    found = re.sub(
        r"^(?:just |only )?(?:(?:the|a|an|your|any|some|my|one)\s+)?(?:of (?:the|my) )?", "", found
    )
    found = re.sub(r"^(it|this|that|them|these|those)(?: in| with| as)\b.*$", r"\1", found)
    known = said.product and said.product not in found  # what is known was named before or after it
    return said.product if known or _PRONOUN.match(found) or "{" in found else found
