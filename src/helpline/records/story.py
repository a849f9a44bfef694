"""A call's record told to a person: its heading, and what happened in the order of time. PURE."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any, Final, Literal

Manner = Literal["customer", "desk", "tool", "change", "trouble", "aside"]
"""How an event is drawn."""

INCIDENTS: Final = {
    "arguments_too_long": "a tool was called with more than anybody could mean; it was not run",
    "answer_not_readable": "the answer could not be read; the desk asked for the button",
    "claim_slipped": "claimed what was not done; corrected aloud in the next reply",
    "claim_stopped": "was about to claim what was not done; stopped before it sounded",
    "connection_lost": "the connection was lost",
    "desk_voice": "nobody upstream could speak: the desk said the last sentence in a voice of its own",
    "desk_restarted": "the desk was started anew, and the call went on",
    "error": "the backend reported an error",
    "limit": "a limit was reached",
    "no_session_updated": "the backend did not say that the session is set up",
    "not_an_interruption": "a cough or an “mhm”: the reply went on",
    "not_done": "the customer said yes, and it could not be done",
    "outcome_unknown": "the line was lost while it was being done: nobody knows whether it was",
    "reply_too_long": "the backend’s reply had no end; it was cut off",
    "response_failed": "the backend could not finish its reply",
    "rollover": "moved to a fresh session before this one’s time was up",
    "session_refused": "the backend refused the session",
    "transcription_failed": "words could not be written down",
    "too_many_utterances": "the backend reported more speech than anybody can utter; the rest was ignored",
    "transcript_full": "the call became so long that its beginning is no longer kept in mind",
    "utterance_too_long": "the backend’s transcript had no end; its beginning was kept",
    "yes_to_something_else": "a yes to another question, which was taken for none to the offer",
    "yes_before_read_back": "a yes before the read-back was heard: asked again",
}
_PROPOSALS: Final = {
    "confirmed": "the customer said yes",
    "declined": "the customer said no",
    "expired": "nobody answered in time",
    "failed": "it could not be done",
    "left open": "left open",
    "replaced": "another took its place",
    "unknown": "nobody knows whether it was done",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing in a call."""

    at_ms: int
    who: str
    text: str
    manner: Manner
    detail: str = ""
    """What a reader may skip."""


def heading(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the call came to, as (name, text)."""
    record = as_now(record)
    keys = ", ".join(key[:8] for key in record["customers"])
    began = datetime.fromisoformat(record["started_at"])
    rows = [
        ("when", f"{began:%a %d %b %Y %H:%M} UTC, {span(record['duration_ms'])}"),
        ("who", f"customer {keys}, {record['identity']}" if keys else "a guest"),
        (
            "where",
            f"{record['channel']}, in {record['language']}, answered by "
            f"{', '.join(record['backends']) or 'nobody'}",
        ),
        ("outcome", f"{record['outcome']} ({record['ended']})"),
        ("reason", record["reason"]),
        ("summary", f"{record['summary']} (by {_by(record['summarised_by'])})"),
        ("next step", record["next_step"]),
        ("promised", "; ".join(record["promises"])),
        ("rating", _rating(record.get("rating"))),
        ("answers", _answers(record)),
        ("barge-in", _barge_in(record)),
        ("links", _links(record)),
        ("cost", _cost(record["usage"])),
    ]
    return [(name, text) for name, text in rows if text]


def _rating(rating: Mapping[str, Any] | None) -> str:
    if rating is None:
        return ""
    word = "helpful" if rating["good"] else "not helpful"
    return f"{word}: “{rating['comment']}”" if rating["comment"] else word


def events(record: Mapping[str, Any]) -> list[Happened]:
    """What happened, the first first."""
    record = as_now(record)
    found = [
        *_sessions(record["sessions"]),
        *map(_line, record["lines"]),
        *(_tool(tool, record["lines"]) for tool in record["tools"]),
        *map(_proposal, record["proposals"]),
        *map(_receipt, record["receipts"]),
        *map(_incident, record["incidents"]),
        *map(_interruption, record["interruptions"]),
    ]
    for turn in record["turns"]:
        if turn["dead_air_ms"]:
            found.append(
                Happened(turn["at_ms"], "silence", f"{span(turn['latency_ms'])} of waiting", "trouble")
            )
    for notice in record["notices"]:
        found.append(Happened(notice["at_ms"], "notice", notice["text"], "aside"))
    for change in record["identities"][1:]:
        who = "another customer is on the line" if change.get("another") else "the caller"
        manner: Manner = "trouble" if change.get("another") else "aside"
        text = (
            f"{who}, {change['identity']}" if change.get("another") else f"{who} is {change['identity']} now"
        )
        found.append(Happened(change["at_ms"], "identity", text, manner))
    found.append(Happened(record["duration_ms"], "end", record["ended"], "aside"))
    return sorted(found, key=lambda event: event.at_ms)


def as_now(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with what those of earlier versions lack."""
    return {
        **_LACKING,
        **record,
        "usage": {"money_by_modality": {}, **record["usage"]},
        "turns": [{"tool_ms": 0, "dead_air_ms": 0, **turn} for turn in record["turns"]],
        "notices": [
            {"at_ms": record["duration_ms"], "text": notice} if isinstance(notice, str) else notice
            for notice in record["notices"]
        ],
    }


_LACKING: Final[Mapping[str, Any]] = {"identities": [], "silences": [], "unanswered_ms": 0}


def clock(at_ms: int) -> str:
    """A time of the call: 1:02.5."""
    minutes, ms = divmod(max(0, at_ms), 60_000)
    return f"{minutes}:{ms // 1000:02}.{ms % 1000 // 100}"


def span(ms: int | float) -> str:
    """How long: 45 ms, 1.2 s, 2 min 5 s."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


# --- the heading -----------------------------------------------------------------------------------------


def _by(summarised_by: str) -> str:
    return "rules" if summarised_by == "rules" else "the chat model"


def _answers(record: Mapping[str, Any]) -> str:
    turns = record["turns"]
    parts = []
    if turns:
        waits = [turn["latency_ms"] for turn in turns]
        parts.append(f"{len(turns)}, median {span(median(waits))}, longest {span(max(waits))}")
    if worked := sum(turn["tool_ms"] for turn in turns):
        parts.append(f"{span(worked)} of it in tools")
    if turns:
        dead = record["dead_air_ms"]
        parts.append(f"{span(dead)} of dead air" if dead else "no dead air")
    if record["unanswered_ms"]:
        parts.append(f"the last words waited {span(record['unanswered_ms'] + 2000)} for an answer")
    return "; ".join(parts)


def _barge_in(record: Mapping[str, Any]) -> str:
    silences = [silence["after_ms"] for silence in record["silences"]]
    if not silences:
        return ""
    return (
        f"{len(silences)} times spoken over, {len(record['interruptions'])} replies cut; silent after"
        f" {span(median(silences))} (median), {span(max(silences))} (longest)"
    )


def _links(record: Mapping[str, Any]) -> str:
    kinds = [incident["kind"] for incident in record["incidents"]]
    names = [session["backend"] for session in record["sessions"]]
    counts = (
        ("lost", kinds.count("connection_lost")),
        ("rolled over", kinds.count("rollover")),
        ("failed over", sum(before != after for before, after in pairwise(names))),
    )
    told = [f"{count} {what}" for what, count in counts if count]
    return f"{len(names)} sessions: {', '.join(told)}" if told else ""


def _cost(usage: Mapping[str, Any]) -> str:
    currency = usage["currency"]
    parts = ["unknown"]
    if usage["money"] is not None:
        least = "at least " if usage["unpriced_models"] else ""
        parts = [f"{least}{Decimal(usage['money']).normalize():f} {currency}"]
    if shares := usage["money_by_modality"]:
        parts[0] += f" ({', '.join(f'{name} {Decimal(each):.4f}' for name, each in shares.items())})"
    if tokens := usage["tokens"]:
        by_kind = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in tokens.items())
        parts.append(f"{sum(tokens.values()):,} tokens ({by_kind})")
    if usage["transcribed_s"]:
        parts.append(f"{usage['transcribed_s']:.0f} s transcribed")
    if usage["unpriced_models"]:
        parts.append(f"no price is known of {', '.join(usage['unpriced_models'])}")
    return "; ".join(parts)


# --- the events ------------------------------------------------------------------------------------------


def _sessions(sessions: list[Mapping[str, Any]]) -> list[Happened]:
    found = []
    before = ""
    for session in sessions:
        backend = session["backend"]
        if not before:
            text = f"{backend} answers"
        else:
            text = (
                f"{backend} answers again" if backend == before else f"{backend} answers instead of {before}"
            )
        manner: Manner = "trouble" if before and backend != before else "aside"
        found.append(Happened(session["at_ms"], "session", text, manner))
        before = backend
    return found


def _line(line: Mapping[str, Any]) -> Happened:
    text, heard = line["text"].strip(), line["heard"].strip()
    speaker: Manner = "customer" if line["speaker"] == "customer" else "desk"
    detail = ""
    if heard != text:
        rest = text[len(heard) :].strip() if text.startswith(heard) else text
        text, detail = heard or "…", f"not heard: {rest}"
    elif not text:
        text = "(no words)"
    return Happened(line["start_ms"], speaker, text, speaker, detail)


def _tool(tool: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Happened:
    """What it answered is told only when the desk did not say it."""
    arguments = tool["arguments"]
    told = json.dumps(arguments, ensure_ascii=False) if arguments else ""
    refused = "" if tool["ok"] else f", refused: {tool['reason'].replace('_', ' ')}"
    return Happened(
        tool["at_ms"] - tool["took_ms"],
        "tool",
        f"{tool['name']} {told}".rstrip() + f" ({span(tool['took_ms'])}{refused})",
        "tool",
        "" if any(tool["say"] in line["text"] for line in lines) else tool["say"],
    )


def _proposal(proposal: Mapping[str, Any]) -> Happened:
    outcome = _PROPOSALS.get(proposal["outcome"], proposal["outcome"])
    means = {"voice": " aloud", "typed": " in writing", "button": " with the button"}
    if proposal["outcome"] in ("confirmed", "declined"):
        outcome += means.get(proposal.get("means", ""), "")
    return Happened(proposal["at_ms"], "asked", f"{proposal['effect']}: {outcome}", "change")


def _receipt(receipt: Mapping[str, Any]) -> Happened:
    action = receipt["action"].replace("_", " ")
    return Happened(receipt["at_ms"], "done", f"{action}, receipt {receipt['reference']}", "change")


def _incident(incident: Mapping[str, Any]) -> Happened:
    kind = incident["kind"]
    harmless = kind in ("not_an_interruption", "rollover")
    return Happened(
        incident["at_ms"],
        "incident",
        INCIDENTS.get(kind, kind.replace("_", " ")),
        "aside" if harmless else "trouble",
        incident["detail"],
    )


def _interruption(cut: Mapping[str, Any]) -> Happened:
    return Happened(
        cut["at_ms"],
        "barge-in",
        f"the customer cut the reply: {span(cut['heard_ms'])} of it was heard",
        "aside",
    )
