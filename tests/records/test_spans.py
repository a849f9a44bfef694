"""A call as OpenTelemetry sees it: its parts in their places, and not a word of it."""

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from helpline.records import archive
from helpline.records.records import Records
from helpline.telemetry.spans import Spans
from tests.records.desks import desk_in, settings_in, talk

ASKED = "where is my order 1004, the flibbertigibbet"
WORDS = ("flibbertigibbet", "Swift Parcel", "maya", "order_id")
"""Of what was said, looked up and answered; a number could stand in a time or an id by chance."""


async def test_one_trace_with_its_parts_and_nothing_that_was_said(tmp_path):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with desk_in(tmp_path) as desk:
        call_id, _ = await talk(desk, ASKED, "cancel order 1005", "yes")
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
    assert not [word for word in WORDS if word in text]


async def test_a_call_that_nobody_answered_has_a_trace_too(tmp_path):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with desk_in(tmp_path) as desk:
        desk.records = Records(settings_in(tmp_path), desk.store, traced=Spans(provider))
        call_id, _ = await talk(desk)
        assert not desk.calls
    (call,) = exporter.get_finished_spans()
    assert call.attributes["gen_ai.conversation.id"] == call_id


async def test_a_trace_that_cannot_be_made_costs_the_trace_and_nothing_else(tmp_path):
    class Broken:
        def ended(self, record):
            raise ValueError("a record of another shape")

    async with desk_in(tmp_path) as desk:
        desk.records = Records(settings_in(tmp_path), desk.store, traced=Broken())
        await talk(desk, "hello")
        assert not desk.calls
        assert list((tmp_path / "live").iterdir()) == []


@pytest.mark.timeout(60)
async def test_traces_reach_a_collector_and_one_that_is_away_holds_up_nobody(tmp_path):
    taken = []

    async def collect(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(
            next(line for line in head.lower().split(b"\r\n") if b"content-length" in line).split(b":")[1]
        )
        taken.append(await reader.readexactly(size))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1/traces"
    async with server:
        async with desk_in(tmp_path, otlp_url=url) as desk:
            await talk(desk, ASKED)
        assert b"invoke_agent" in b"".join(taken)
    assert not [word for word in WORDS if word.encode() in b"".join(taken)]
    async with desk_in(tmp_path, otlp_url=url) as desk:
        await talk(desk, ASKED)
    assert not desk.calls
