"""The desk's metrics, for Prometheus: counted as things happen, never labelled by customer.

A label's values are known beforehand (channels, backends, tools, actions, kinds): a tool's name that a model
made up is counted as `unknown`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.realtime.cost import Price, PriceList, Tokens, money_of, seconds_of, tokens_of
from helpline.records.draft import DEAD_AIR_MS, ModelOf
from helpline.records.events import Connected, Happening

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_MODALITIES: Final = tuple(field.name for field in fields(Tokens))
_TURN_BUCKETS_S: Final = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
_SILENCE_BUCKETS_S: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2)
_TOOL_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
_CALL_BUCKETS_S: Final = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600)


class Metrics:
    """One desk's metrics, in a registry of its own."""

    def __init__(self, prices: PriceList, model_of: ModelOf) -> None:
        self._prices = prices
        self._model_of = model_of
        self._price_of: dict[tuple[str, str], Price | None] = {}
        self.registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self._active = gauge("calls_active", "Calls that are live.")
        self._calls = counter("calls", "Calls that have ended.", "channel", "outcome")
        self._call_s = histogram("call_seconds", "How long calls took.", _CALL_BUCKETS_S)
        self._turn_s = histogram(
            "turn_seconds", "End of speech or typing to the first sound or word.", _TURN_BUCKETS_S, "spoken"
        )
        self._tool_s = histogram("tool_seconds", "How long tools took.", _TOOL_BUCKETS_S, "tool", "ok")
        self._dead_air_s = counter("dead_air_seconds", "Silence beyond two seconds before an answer.")
        self._interruptions = counter("interruptions", "Replies that the customer cut.")
        self._silence_s = histogram(
            "silence_seconds", "The customer begins to speak until the desk is silent.", _SILENCE_BUCKETS_S
        )
        self._incidents = counter("incidents", "Stopped claims, lost connections and the like.", "kind")
        self._sessions = counter("sessions", "Sessions with a backend, reconnects too.", "backend")
        self._receipts = counter("receipts", "Changes that were made.", "action")
        self._tokens = counter("tokens", "Tokens by modality.", "backend", "modality")
        self._money = counter("money", "What the models cost, in the price list's currency.", "backend")
        self._unpriced = counter(
            "unpriced_uses", "Replies and transcriptions whose price is not known: not in `money`.", "backend"
        )
        self._unpriced_tokens = counter("unpriced_tokens", "Their tokens by modality.", "backend", "modality")
        self._redacted = counter("redactions", "Personal data taken out of records.", "kind")
        self._work = gauge("work", "Summaries and messages by state.", "kind", "state")
        self._oldest_s = gauge("work_oldest_seconds", "Age of the oldest that waits.")

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, namespace="helpline", registry=self.registry)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, namespace="helpline", registry=self.registry)

    def _histogram(self, name: str, help_: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, help_, labels, namespace="helpline", buckets=buckets, registry=self.registry)

    def began(self) -> None:
        """A call has come in."""
        self._active.inc()

    def happened(self, what: Happening) -> None:
        """Something was shown or noted in a call."""
        match what:
            case fx.TurnTimed():
                self._turn_s.labels("yes" if what.spoken else "no").observe(what.latency_ms / 1000)
                self._dead_air_s.inc(max(0, what.latency_ms - DEAD_AIR_MS) / 1000)
            case sh.ToolEnded():
                name = "unknown" if what.result.reason == "unknown_tool" else what.name
                self._tool_s.labels(name, "yes" if what.result.ok else "no").observe(what.took_ms / 1000)
            case fx.Interrupted():
                self._interruptions.inc()
            case fx.Silenced():
                self._silence_s.observe(what.after_ms / 1000)
            case fx.Incident():
                self._incidents.labels(what.kind).inc()
            case Connected():
                self._sessions.labels(what.backend).inc()
            case fx.UsageCounted():
                self._count_usage(what)
            case _:
                pass

    def _count_usage(self, counted: fx.UsageCounted) -> None:
        tokens, seconds = tokens_of(counted.usage), seconds_of(counted.usage)
        for modality in _MODALITIES:
            if count := getattr(tokens, modality):
                self._tokens.labels(counted.backend, modality).inc(count)
        priced = (counted.backend, counted.kind)
        if priced not in self._price_of:
            self._price_of[priced] = self._prices.of(self._model_of(*priced))
        price = self._price_of[priced]
        money = money_of(tokens, seconds, price) if price else None
        if money is not None:
            self._money.labels(counted.backend).inc(float(money))
            return
        self._unpriced.labels(counted.backend).inc()
        for modality in _MODALITIES:
            if count := getattr(tokens, modality):
                self._unpriced_tokens.labels(counted.backend, modality).inc(count)

    def ended(self, record: Mapping[str, Any], *, live: bool) -> None:
        """A call's record was written; `live` is False for one that another process did not live to end."""
        if live:
            self._active.dec()
        self._calls.labels(record["channel"], record["outcome"]).inc()
        self._call_s.observe(record["duration_ms"] / 1000)
        for receipt in record["receipts"]:
            self._receipts.labels(receipt["action"]).inc()

    def redacted(self, kinds: Mapping[str, int]) -> None:
        """So much was taken out of a record."""
        for kind, count in kinds.items():
            self._redacted.labels(kind).inc(count)

    def work(self, counts: Mapping[tuple[str, str], int], oldest_s: float) -> None:
        """How much is left to do."""
        self._work.clear()
        for (kind, state), count in counts.items():
            self._work.labels(kind, state).set(count)
        self._oldest_s.set(oldest_s)

    def exposition(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)
