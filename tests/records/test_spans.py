"""A call as OpenTelemetry sees it: its parts in their places, and not a word of it."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from helpline.records import archive
from helpline.telemetry.spans import Spans
from tests.records.desks import desk_in, talk


async def test_one_trace_with_its_parts_and_nothing_that_was_said(tmp_path):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with desk_in(tmp_path) as desk:
        call_id, _ = await talk(desk, "where is my order 1004", "cancel order 1005", "yes")
        async with desk.store.database.read() as connection:
            record = await archive.find(connection, call_id)
    Spans(provider).ended(record)
    provider.shutdown()
    spans = exporter.get_finished_spans()
    (call,) = [span for span in spans if span.parent is None]
    assert call.attributes["gen_ai.conversation.id"] == call_id
    assert call.attributes["gen_ai.usage.input_tokens"] > 0
    assert (call.end_time - call.start_time) // 1_000_000 == record["duration_ms"]
    parts = [span for span in spans if span is not call]
    assert {span.parent.span_id for span in parts} == {call.context.span_id}
    names = sorted(span.name for span in parts)
    assert (
        names
        == ["chat engine", "execute_tool cancel_order", "execute_tool check_order_status"]
        + ["helpline.turn"] * 3
    )
    assert all(call.start_time <= span.start_time <= span.end_time <= call.end_time for span in parts)
    text = "".join(span.to_json() for span in spans)
    assert "1004" not in text
    assert "maya" not in text
