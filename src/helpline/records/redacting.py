"""A record without personal data: which kinds go from which part is the desk's settings' to say. PURE."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpline.redact import KINDS, Kind, redact_json, redact_turns
from helpline.settings import Settings
from helpline.storable import storable_json


@dataclass(frozen=True, slots=True)
class Kinds:
    """What is taken out of each part."""

    lines: tuple[Kind, ...] = KINDS
    tools: tuple[Kind, ...] = KINDS
    summary: tuple[Kind, ...] = KINDS

    @classmethod
    def of(cls, settings: Settings) -> "Kinds":
        return cls(
            *(
                tuple(kind for kind in KINDS if not chosen or kind in chosen)
                for chosen in (settings.redact_lines, settings.redact_tools, settings.redact_summary)
            )
        )


_TOOLS = ("tools", "proposals", "receipts")
_SUMMARY = ("reason", "summary", "next_step", "promises", "notices", "incidents", "ended")


def redacted(record: Mapping[str, Any], kinds: Kinds) -> dict[str, Any]:
    """The same record, storable, with `[card]` and the like in the places of what was found."""
    record = storable_json(record)
    lines = record["lines"]
    texts = redact_turns([(line["speaker"], line["text"]) for line in lines], kinds.lines)
    cut = any(line["heard"] != line["text"] for line in lines)
    heard = redact_turns([(line["speaker"], line["heard"]) for line in lines], kinds.lines) if cut else texts
    return {
        **record,
        **{part: redact_json(record[part], kinds.tools) for part in _TOOLS},
        **{part: redact_json(record[part], kinds.summary) for part in _SUMMARY},
        "rating": redact_json(record.get("rating"), kinds.lines),
        "lines": [
            {**line, "text": text, "heard": part}
            for line, text, part in zip(lines, texts, heard, strict=True)
        ],
    }


def counts(record: Mapping[str, Any]) -> Counter[str]:
    """How many finds of each kind stand in a redacted record."""
    text = repr(record)
    return Counter({kind: found for kind in KINDS if (found := text.count(f"[{kind}]"))})


def words_of(record: Mapping[str, Any]) -> str:
    """What a search looks at: what was said, what was done, and the summary."""
    lines = [line["text"] for line in record["lines"]]
    receipts = [f"{receipt['reference']} {receipt['action']}" for receipt in record["receipts"]]
    return "\n".join([record["id"], record["reason"], record["summary"], *lines, *receipts])
