"""What a record holds of a call in which all sorts of things happened, and how it is told to a person."""

from decimal import Decimal

import msgspec
from click import unstyle

from helpline.actions import Caller, Identity, ToolResult
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.cli.calls import told
from helpline.realtime.cost import prices
from helpline.realtime.events import TokenDetails, Usage
from helpline.records import story
from helpline.records.draft import Draft, document
from helpline.records.events import Became, Began, Connected, Event, decode, encode
from helpline.records.redacting import Kinds, redacted

MAYA = Caller("maya", "Maya", Identity.PROVEN)
USAGE = Usage(
    input_tokens=1000,
    output_tokens=300,
    input_token_details=TokenDetails(text_tokens=400, audio_tokens=600),
    output_token_details=TokenDetails(text_tokens=100, audio_tokens=200),
)
HAPPENED = (
    (0, Began("call_1", "web", "en", "2026-11-26T09:00:00+00:00", Caller())),
    (100, Connected("azure")),
    (2000, sh.Caption("l1", "customer", "where is 1004", "where is 1004", True, False, 900, 1900)),
    (4300, sh.ToolEnded("t1", "check_order_status", '{"order_id":"1004"}', ToolResult("On its way."), 2000)),
    (4800, sh.ToolEnded("t2", "search_help", "{}", ToolResult("Five days."), 1500)),
    (5000, fx.TurnTimed(3000, True)),
    (5900, sh.Caption("l2", "desk", "It is on its way, really.", "It is on its", True, False, 5000, 5900)),
    (5800, fx.Silenced(180)),
    (5900, fx.Interrupted("l2", 900, 2000)),
    (6000, fx.UsageCounted(USAGE, "response", "azure")),
    (7000, fx.Incident("connection_lost")),
    (7100, Connected("openai")),
    (7200, fx.Incident("claim_stopped", "cancelled")),
    (7300, Became(MAYA)),
    (7400, sh.Notice("Voice is back.")),
    (8000, sh.Caption("l3", "customer", "hello?", "hello?", True, False, 7500, 8000)),
    (13000, sh.StateShown("ended", "the customer hung up")),
)  # fmt: skip


def kept():
    events = [decode(encode(Event(at_ms, what))) for at_ms, what in HAPPENED]
    draft = Draft.of(events)
    usage = draft.usage(prices(), lambda backend, kind: "gpt-realtime")
    return msgspec.json.decode(msgspec.json.encode(document(draft, ["k" * 32], usage)))


def test_every_wait_is_in_it():
    record = kept()
    # The tools ran from 2,300 to 4,300 and from 3,300 to 4,800: 2,500 ms of the turn's 3,000.
    assert record["turns"] == [
        {"at_ms": 5000, "latency_ms": 3000, "spoken": True, "tool_ms": 2500, "dead_air_ms": 1000}
    ]
    assert record["dead_air_ms"] == 1000
    assert record["silences"] == [{"at_ms": 5800, "after_ms": 180}]
    assert record["interruptions"] == [{"at_ms": 5900, "item_id": "l2", "heard_ms": 900, "received_ms": 2000}]
    assert record["unanswered_ms"] == 3000
    assert [each["identity"] for each in record["identities"]] == ["guest", "proven"]


def test_money_by_modality_adds_up_to_the_money():
    usage = kept()["usage"]
    shares = {name: Decimal(share) for name, share in usage["money_by_modality"].items()}
    assert set(shares) == {"text", "audio"}
    assert sum(shares.values()) == Decimal(usage["money"]) > 0


def test_what_a_model_of_unknown_price_costs_is_unknown_and_not_nothing():
    record = kept()
    record["usage"] |= {"money": None, "money_by_modality": {}, "unpriced_models": ["our-own"]}
    text = unstyle("\n".join(told(record)))
    assert "unknown" in text
    assert "no price is known of our-own" in text
    draft = Draft.of(Event(at_ms, what) for at_ms, what in HAPPENED)
    assert draft.usage(prices(), lambda backend, kind: "our-own")["money"] is None
    mixed = draft.usage(prices(), lambda backend, kind: "gpt-realtime" if kind == "response" else "our-own")
    assert Decimal(mixed["money"]) > 0


def test_a_person_is_told_what_happened_in_the_order_of_time():
    text = unstyle("\n".join(told(kept())))
    for words in (
        "answers    1, median 3.0 s, longest 3.0 s; 2.5 s of it in tools; 1.0 s of dead air",
        "the last words waited 5.0 s for an answer",
        "1 times spoken over, 1 replies cut; silent after 180 ms",
        "2 sessions: 1 lost, 1 failed over",
        "It is on its",
        "not heard: way, really.",
        "openai answers instead of azure",
        "stopped before it sounded",
        "the caller is proven now",
    ):
        assert " ".join(words.split()) in " ".join(text.split()), words
    order = ("where is 1004", "check_order_status", "3.0 s of waiting", "Voice is back", "hello?")
    assert sorted(map(text.index, order)) == list(map(text.index, order))


def test_a_record_of_an_earlier_version_is_told_too():
    record = kept()
    for name in ("identities", "silences", "unanswered_ms"):
        del record[name]
    del record["usage"]["money_by_modality"]
    record["turns"] = [{"at_ms": 1, "latency_ms": 2, "spoken": True}]
    record["notices"] = ["Voice is back."]
    assert "Voice is back." in "\n".join(told(record))
    assert story.heading(record)


def test_a_tools_name_that_a_model_made_up_is_redacted_as_the_reason_too():
    draft = Draft.of(Event(at_ms, what) for at_ms, what in HAPPENED)
    draft.tools.insert(
        0, (1, sh.ToolEnded("t0", "pay 4242 4242 4242 4242", "{}", ToolResult("No.", ok=False), 1))
    )
    record = document(draft, [], draft.usage(prices(), lambda backend, kind: "gpt-realtime"))
    assert "4242 4242" in repr(record)
    assert "4242 4242" not in repr(redacted(record, Kinds()))


def test_what_was_said_cannot_command_a_terminal():
    record = kept()
    record["lines"][0]["text"] = record["lines"][0]["heard"] = "\x1b]0;owned\x07\x1b[2Jhello\r\nouter: x"
    assert not {"\x1b]", "\x07", "\x1b[2J", "\r"} & {
        mark for mark in ("\x1b]", "\x07", "\x1b[2J", "\r") if mark in "\n".join(told(record))
    }
