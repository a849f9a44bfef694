"""A trace of each call for OpenTelemetry: one for the call, with spans for sessions, turns and tools.

The names are those of the gen_ai conventions, which are still in development: they stand here and nowhere
else. A trace is written from a call's record when the call has ended, so it costs a live call nothing, and a
call that broke off has one too. No words, no arguments and no customers stand in it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from helpline.errors import MissingPartError
from helpline.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
TOOL: Final = "gen_ai.tool.name"
ERROR: Final = "error.type"

TIMEOUT_S: Final = 3
"""A collector that is away holds up a desk that closes for no longer."""

PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "voice_live": "azure.ai.openai",
    "openai": "openai",
    "engine": "helpline",
}


class Spans:
    """Writes finished records as traces."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._tracer: Tracer = provider.get_tracer("helpline")

    def ended(self, record: Mapping[str, Any]) -> None:
        """A call's record was written."""
        from opentelemetry.trace import set_span_in_context

        tokens: Mapping[str, int] = record["usage"]["tokens"]
        call = self._tracer.start_span(
            "invoke_agent helpline",
            start_time=_ns(record, 0),
            attributes={
                OPERATION: "invoke_agent",
                AGENT: "helpline",
                CONVERSATION: record["id"],
                INPUT_TOKENS: sum(count for name, count in tokens.items() if not name.endswith("_out")),
                OUTPUT_TOKENS: sum(count for name, count in tokens.items() if name.endswith("_out")),
                "helpline.channel": record["channel"],
                "helpline.outcome": record["outcome"],
            },
        )
        inside = set_span_in_context(call)
        for name, begins_ms, ends_ms, attributes in _parts(record):
            part = self._tracer.start_span(
                name, context=inside, start_time=_ns(record, begins_ms), attributes=attributes
            )
            part.end(_ns(record, ends_ms))
        for incident in record["incidents"]:
            call.add_event(f"helpline.{incident['kind']}", timestamp=_ns(record, incident["at_ms"]))
        call.end(_ns(record, record["duration_ms"]))


def _parts(record: Mapping[str, Any]) -> Iterator[tuple[str, int, int, dict[str, str | bool | int]]]:
    """What goes into a call's trace: name, begin and end in ms of the call, attributes."""
    sessions = record["sessions"]
    ends = [session["at_ms"] for session in sessions[1:]] + [record["duration_ms"]]
    for session, end_ms in zip(sessions, ends, strict=False):  # a call that nobody answered has none
        backend = session["backend"]
        attributes: dict[str, str | bool | int] = {
            OPERATION: "chat",
            PROVIDER: PROVIDERS.get(backend, backend),
        }
        yield f"chat {backend}", session["at_ms"], end_ms, attributes
    for turn in record["turns"]:
        begins_ms = turn["at_ms"] - turn["latency_ms"]
        yield "helpline.turn", begins_ms, turn["at_ms"], {"helpline.spoken": turn["spoken"]}
    for tool in record["tools"]:
        name = "unknown" if tool["reason"] == "unknown_tool" else tool["name"]
        attributes = {OPERATION: "execute_tool", TOOL: name}
        if not tool["ok"]:
            attributes[ERROR] = tool["reason"]
        yield f"execute_tool {name}", tool["at_ms"] - tool["took_ms"], tool["at_ms"], attributes


def _ns(record: Mapping[str, Any], at_ms: int) -> int:
    began = datetime.fromisoformat(record["started_at"]).timestamp()
    return int(began * 1e9) + at_ms * 1_000_000


@contextmanager
def exported(settings: Settings) -> Iterator[Spans | None]:
    """Traces that are sent to HELPLINE_OTLP_URL; None when it is not set.

    Raises MissingPartError when OpenTelemetry is not installed.
    """
    if not settings.otlp_url:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise MissingPartError(
            'HELPLINE_OTLP_URL needs OpenTelemetry: pip install "helpline[traces]".'
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "helpline"}))
    exporter = OTLPSpanExporter(endpoint=settings.otlp_url, timeout=TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Spans(provider)
    finally:
        provider.shutdown()
