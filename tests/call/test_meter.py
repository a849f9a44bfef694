"""What a call costs, and that it ends when its budget is spent."""

from decimal import Decimal
from pathlib import Path

import pytest

from helpline.call import effects as fx
from helpline.call.meter import Meter
from helpline.clock import SystemClock
from helpline.errors import SettingsError
from helpline.realtime import events as ev
from helpline.realtime.cost import read_prices
from helpline.realtime.trace import read_trace
from helpline.records.tracing import trace_of
from helpline.settings import load_settings

from .talk import Talk, notes, of

PRICES = read_prices(
    'as_of = 2026-11-22\ncurrency = "USD"\n[models.dear]\ntext = { in = 1000, out = 1000 }\n'
    "[models.ears]\nper_minute = 60\n"
)


def model_of(backend: str, kind: str) -> str:
    return "ears" if kind == "transcription" else backend


def response(tokens: int, backend: str = "dear") -> fx.UsageCounted:
    details = ev.TokenDetails(text_tokens=tokens)
    usage = ev.Usage(input_tokens=tokens, input_token_details=details)
    return fx.UsageCounted(usage, "response", backend)


def test_responses_and_transcriptions_are_on_one_bill():
    meter = Meter(PRICES, model_of)
    meter.charge(response(500))
    meter.charge(fx.UsageCounted(ev.Usage(type="duration", seconds=2.0), "transcription", "dear"))
    assert meter.bill.money == Decimal("2.5")
    assert meter.bill.tokens.text_in == 500


def test_the_limit_is_reached_once():
    meter = Meter(PRICES, model_of, Decimal(1))
    assert meter.charge(response(900)) is None
    limit = meter.charge(response(100))
    assert limit is not None
    assert limit.reason == "money limit"
    assert meter.charge(response(1000)) is None


def test_no_limit_is_no_limit():
    assert Meter(PRICES, model_of).charge(response(10**9)) is None


def test_a_model_without_a_price_is_named():
    meter = Meter(PRICES, model_of, Decimal(1))
    assert meter.charge(response(10**9, "unheard-of")) is None
    assert meter.bill.unpriced == {"unheard-of"}


def test_a_call_that_has_spent_its_money_says_so_and_hangs_up():
    talk = Talk().live()
    talk.speech("u1", "hello")
    talk.reply("r1", "a1", "Hello.", 500)
    limit = Meter(PRICES, model_of, Decimal(1)).charge(response(1000))
    assert limit is not None
    assert "I have to end this call here" in notes(talk.give(limit))
    talk.reply("r2", "a2", "I have to end this call here. Goodbye.", 1000)
    (end,) = of(talk.wait(3000), fx.HangUp)
    assert end.reason == "money limit"


# --- the settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["-1", "much", "nan", "inf"])
def test_a_budget_that_is_no_amount_is_refused(amount: str):
    with pytest.raises(SettingsError, match="HELPLINE_MAX_CALL_MONEY must be an amount"):
        load_settings(env={"HELPLINE_MAX_CALL_MONEY": amount}, env_file="none", desk_file="none")


def test_calls_are_traced_only_when_asked_for(tmp_path: Path):
    env = {"HELPLINE_DATA_DIR": str(tmp_path)}
    with trace_of(load_settings(env=env, env_file="none", desk_file="none"), "c", SystemClock()) as trace:
        assert trace is None
    asked = load_settings(env={**env, "HELPLINE_TRACE_CALLS": "yes"}, env_file="none", desk_file="none")
    with trace_of(asked, "call_1", SystemClock()) as trace:
        assert trace is not None
        trace.note("Typed", personal={"text": "hello"})
    (entry,) = read_trace(tmp_path / "traces" / "call_1.jsonl")
    assert entry.note["text"] == "hello"
    assert (tmp_path / "traces").stat().st_mode & 0o77 == 0


def test_a_trace_that_cannot_be_written_costs_no_call(tmp_path: Path):
    (tmp_path / "traces").write_text("no folder")
    env = {"HELPLINE_DATA_DIR": str(tmp_path), "HELPLINE_TRACE_CALLS": "yes"}
    with trace_of(load_settings(env=env, env_file="none", desk_file="none"), "c", SystemClock()) as trace:
        assert trace is None
