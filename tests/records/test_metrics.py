"""Metrics against the raw records, counted another way; and what they may not say."""

import asyncio
import re
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.realtime.cost import prices
from helpline.realtime.events import Usage
from helpline.records import archive
from helpline.records.archive import Filter
from helpline.redact import KINDS
from helpline.telemetry.metrics import Metrics
from tests.records.desks import desk_in, talk

CALLS = (
    ("where is my order 1004", "cancel order 1005", "yes"),
    ("call me back tomorrow at 3 pm", "yes"),
    ("cancel order 1001",),
    ("how much are the trail running shoes",),
    (),
)


async def troubled_call(desk):
    """One in which everything happens that a good call does not have."""
    recording = desk.records.begin("call_troubled", channel="test", language="en")
    for backend in ("azure", "engine"):
        recording.connected(backend)
    usage = Usage(input_tokens=100, output_tokens=50)
    for fact in (
        fx.Incident("connection_lost"), fx.Incident("claim_stopped"), fx.Incident("claim_stopped"),
        fx.Silenced(180), fx.Silenced(420), fx.Interrupted("a", 100, 900), fx.TurnTimed(3500, True),
        fx.UsageCounted(usage, "response", "azure"),
    ):  # fmt: skip
        recording.noted(fact)
    said = "4242 4242 4242 4242, maya@example.com"
    recording.shown(sh.Caption("l", "customer", said, said, True))
    await asyncio.sleep(0.002)
    recording.shown(sh.StateShown("ended", "the customer hung up"))
    await desk.records.close(recording)


async def test_metrics_equal_what_the_records_say(tmp_path):
    async with desk_in(tmp_path) as desk:
        for said in CALLS:
            await talk(desk, *said)
        await troubled_call(desk)
        await desk.records.work_off()
        text = desk.records.metrics.exposition().decode()
        async with desk.records.store.database.read() as connection:
            records = await archive.exported(connection, Filter(limit=1000))
    got = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }

    def counted(name, values):
        expected = Counter(values)
        found = {key[1:]: value for key, value in got.items() if key[0] == f"helpline_{name}"}
        assert found == dict(expected), name

    counted("calls_total", [tuple(sorted((each["channel"], each["outcome"]))) for each in records])
    tools = [tool for each in records for tool in each["tools"]]
    counted("tool_seconds_count", [tuple(sorted((t["name"], "yes" if t["ok"] else "no"))) for t in tools])
    turns = [turn for each in records for turn in each["turns"]]
    counted("turn_seconds_count", [("yes" if turn["spoken"] else "no",) for turn in turns])
    counted("receipts_total", [(each["action"],) for record in records for each in record["receipts"]])
    for spoken in (True, False):
        total = sum(turn["latency_ms"] for turn in turns if turn["spoken"] is spoken) / 1000
        assert got["helpline_turn_seconds_sum", "yes" if spoken else "no"] == pytest.approx(total)
    tokens = Counter()
    for each in records:
        tokens.update(each["usage"]["tokens"])
    counts = Counter()
    for key, value in got.items():
        if key[0] == "helpline_tokens_total":
            (modality,) = set(key[1:]) - {"engine", "azure"}
            counts[modality] += value
    assert counts == tokens
    incidents = [each for record in records for each in record["incidents"]]
    counted("incidents_total", [(each["kind"],) for each in incidents])
    counted("sessions_total", [(each["backend"],) for record in records for each in record["sessions"]])
    silences = [each["after_ms"] for record in records for each in record["silences"]]
    assert got["helpline_silence_seconds_count",] == len(silences) == 2
    assert got["helpline_interruptions_total",] == sum(len(each["interruptions"]) for each in records) == 1
    for name, total in (
        ("silence_seconds_sum", sum(silences) / 1000),
        ("dead_air_seconds_total", sum(each["dead_air_ms"] for each in records) / 1000),
        ("call_seconds_sum", sum(each["duration_ms"] for each in records) / 1000),
        ("call_seconds_count", len(records)),
    ):
        assert got[f"helpline_{name}",] == pytest.approx(total, abs=1e-6), name
        assert total > 0, name
    money = sum(value for key, value in got.items() if key[0] == "helpline_money_total")
    assert money == pytest.approx(sum(float(each["usage"]["money"] or 0) for each in records))
    marks = Counter(re.findall(rf"\[({'|'.join(KINDS)})\]", repr(records)))
    assert {key[1]: value for key, value in got.items() if key[0] == "helpline_redactions_total"} == marks
    assert got["helpline_calls_active",] == 0
    assert "maya" not in text.lower()


async def test_a_tool_that_a_model_made_up_is_no_label(tmp_path):
    from helpline.actions import ToolResult
    from helpline.call.shown import ToolEnded

    async with desk_in(tmp_path) as desk:
        result = ToolResult("no", ok=False, reason="unknown_tool")
        desk.records.metrics.happened(ToolEnded("1", "steal_everything", "{}", result, 1))
        text = desk.records.metrics.exposition().decode()
    assert "steal_everything" not in text
    assert 'tool="unknown"' in text


def test_what_a_model_without_a_price_uses_is_counted_as_such_and_is_no_money():
    metrics = Metrics(prices(), lambda backend, kind: {"known": "gpt-realtime"}.get(backend, "nobodys-model"))
    for backend in ("known", "own", "own"):
        metrics.happened(fx.UsageCounted(Usage(input_tokens=10, output_tokens=5), "response", backend))
    text = metrics.exposition().decode()
    assert 'helpline_unpriced_uses_total{backend="own"} 2.0' in text
    assert 'helpline_money_total{backend="own"}' not in text
    assert 'helpline_unpriced_uses_total{backend="known"}' not in text
    assert 'helpline_money_total{backend="known"}' in text
    unpriced = [line for line in text.splitlines() if line.startswith("helpline_unpriced_tokens_total")]
    assert sum(float(line.split()[-1]) for line in unpriced) == 30
