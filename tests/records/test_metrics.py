"""Metrics against the raw records, counted another way; and what they may not say."""

from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from helpline.records import archive
from helpline.records.archive import Filter
from tests.records.desks import desk_in, talk

CALLS = (
    ("where is my order 1004", "cancel order 1005", "yes"),
    ("call me back tomorrow at 3 pm", "yes"),
    ("cancel order 1001",),
    ("how much are the trail running shoes",),
    (),
)


async def test_metrics_equal_what_the_records_say(tmp_path):
    async with desk_in(tmp_path) as desk:
        for said in CALLS:
            await talk(desk, *said)
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
    assert abs(got["helpline_turn_seconds_sum", "no"] - sum(t["latency_ms"] for t in turns) / 1000) < 1e-6
    tokens = Counter()
    for each in records:
        tokens.update(each["usage"]["tokens"])
    assert {key[1:]: value for key, value in got.items() if key[0] == "helpline_tokens_total"} == {
        tuple(sorted(("engine", name))): count for name, count in tokens.items()
    }
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
