"""What a call costs, against sums done by hand."""

from decimal import Decimal

import pytest
from hypothesis import given, settings

from helpline.realtime import events as e
from helpline.realtime.cost import (
    BadPrices,
    Bill,
    PriceList,
    Tokens,
    prices,
    read_prices,
    tokens_of,
    usage_of,
)
from helpline.realtime.trace import Entry
from tests.realtime.strategies import of_struct


def details(text: int = 0, audio: int = 0, image: int = 0, **rest: object) -> e.TokenDetails:
    return e.TokenDetails(text_tokens=text, audio_tokens=audio, image_tokens=image, **rest)


# The usage of a real response (community.openai.com/t/1060242): 313 text and 476 audio in, much of it cached.
TYPICAL = e.Usage(
    total_tokens=821,
    input_tokens=789,
    output_tokens=32,
    input_token_details=details(313, 476, cached_tokens=640, cached_tokens_details=details(256, 384)),
    output_token_details=details(9, 23),
)


def test_cached_tokens_are_a_part_of_the_input() -> None:
    assert tokens_of(TYPICAL) == Tokens(
        text_in=57, text_cached=256, text_out=9, audio_in=92, audio_cached=384, audio_out=23
    )
    assert tokens_of(TYPICAL).total == 821


def test_money_is_exact() -> None:
    bill = Bill().charged(TYPICAL, "gpt-realtime-2.1", prices())
    by_hand = 57 * 4 + 256 * Decimal("0.4") + 9 * 24 + 92 * 32 + 384 * Decimal("0.4") + 23 * 64
    assert bill.money == by_hand / 1_000_000 == Decimal("0.005116")
    assert bill.unpriced == frozenset()


def test_a_bill_grows_by_responses_and_transcriptions() -> None:
    bill = Bill()
    for _ in range(3):
        bill = bill.charged(TYPICAL, "gpt-realtime-2.1", prices())
    bill = bill.charged(e.Usage(type="duration", seconds=90.0), "gpt-live-transcribe", prices())
    assert bill.tokens.total == 3 * 821
    assert (bill.transcribed_s, bill.money) == (Decimal(90), 3 * Decimal("0.005116") + Decimal("0.0255"))


def test_a_transcription_by_tokens_gives_text() -> None:
    """As Azure reports it: no details of the output."""
    usage = e.Usage(type="tokens", total_tokens=35, input_tokens=26, output_tokens=9,
                    input_token_details=details(0, 26))  # fmt: skip
    assert tokens_of(usage) == Tokens(audio_in=26, text_out=9)
    money = Bill().charged(usage, "gpt-4o-transcribe", prices()).money
    assert money == (26 * 6 + 9 * 10) / Decimal(1_000_000)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (e.Usage(), Tokens()),
        (e.Usage(input_tokens=10, output_tokens=4), Tokens(audio_in=10, audio_out=4)),
        (
            e.Usage(output_tokens=50, output_token_details=details(10, 30)),
            Tokens(text_out=20, audio_out=30),
        ),
        (
            e.Usage(input_token_details=details(10, 20, cached_tokens=15)),
            Tokens(text_cached=10, audio_in=15, audio_cached=5),
        ),
        (
            e.Usage(input_token_details=details(1, cached_tokens_details=details(99, 99, 99))),
            Tokens(text_cached=1),
        ),
        (e.Usage(input_tokens=-5, input_token_details=details(-7, -8)), Tokens()),
        (e.Usage(input_token_details=details(0, 0, 12), output_tokens=None), Tokens(image_in=12)),
    ],
    ids=["nothing", "no details", "reasoning", "cached unsaid", "cached beyond", "negative", "images"],
)
def test_what_a_usage_leaves_open_is_the_dearer_case(usage: e.Usage, tokens: Tokens) -> None:
    assert tokens_of(usage) == tokens


@settings(max_examples=200, deadline=None)
@given(of_struct(e.Usage))
def test_no_usage_gives_less_than_nothing_or_loses_tokens(usage: e.Usage) -> None:
    tokens = tokens_of(usage)
    assert all(getattr(tokens, name) >= 0 for name in Tokens.__slots__)
    assert tokens.total >= (usage.input_tokens or 0) + (usage.output_tokens or 0)
    assert Bill().charged(usage, "gpt-realtime-2.1", prices()).money >= 0


def test_an_unknown_model_is_said_to_be_unpriced() -> None:
    bill = Bill().charged(TYPICAL, "gpt-realtime-9", prices())
    assert (bill.money, bill.unpriced, bill.tokens.total) == (0, frozenset({"gpt-realtime-9"}), 821)
    assert bill.total is None, "unknown is not nothing"
    again = bill.charged(e.Usage(seconds=3.0), "gpt-realtime-2.1", prices())
    assert again.unpriced == {"gpt-realtime-9", "gpt-realtime-2.1"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gpt-realtime-2.1", True),
        ("GPT-Realtime-2.1-mini", True),
        ("gpt-realtime-2025-08-28", True),
        ("gpt-realtime-global-standard", True),
        ("gpt-realtime-3", False),
        ("my-deployment", False),
        ("", False),
    ],
)
def test_a_model_is_known_by_its_snapshots_but_not_by_its_relatives(name: str, known: bool) -> None:
    assert (prices().of(name) is not None) is known


def test_usage_stands_in_the_response_or_beside_it() -> None:
    usage = e.Usage(total_tokens=1)
    assert usage_of(e.ResponseDone(response=e.Response(usage=usage))) == usage
    assert usage_of(e.ResponseDone(usage=usage)) == usage
    assert usage_of(e.ResponseDone(response=e.Response(status="failed"))) is None


def test_the_engine_costs_nothing() -> None:
    assert Bill().charged(TYPICAL, "helpline-engine", prices()) == Bill(tokens=tokens_of(TYPICAL))


def test_a_recorded_call_by_hand(recordings: dict[str, list[Entry]]) -> None:
    name = "azure_ws/test_spoken_turn_transcribed_drives_a_tool_and_answers_in_audio"
    bill = Bill()
    for entry in recordings[name]:
        if isinstance(entry.event, e.ResponseDone):
            bill = bill.charged(usage_of(entry.event), "gpt-realtime", prices())
        if isinstance(entry.event, e.TranscriptionCompleted):
            bill = bill.charged(entry.event.usage, "gpt-4o-transcribe", prices())
    assert bill.tokens == Tokens(text_in=101, text_cached=64, text_out=52 + 9, audio_in=52 + 26, audio_out=69)
    spoken = 101 * 4 + 64 * Decimal("0.4") + 52 * 16 + 52 * 32 + 69 * 64
    assert bill.money == (spoken + 26 * 6 + 9 * 10) / Decimal(1_000_000)


def test_the_list_says_of_when_it_is() -> None:
    listed: PriceList = prices()
    assert listed.currency == "USD"
    assert listed.as_of.year >= 2026
    assert {"gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-live-transcribe"} <= set(listed.models)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("as_of =", "no valid TOML"),
        ('currency = "USD"\nas_of = 2026-11-22', "lacks 'models'"),
        ('currency = "USD"\nas_of = "today"\n[models]', "as_of must be a day"),
        ('currency="USD"\nas_of=2026-11-22\n[models.m]\ntext={in=-1}', "amounts of zero or more"),
        ('currency="USD"\nas_of=2026-11-22\n[models.m]\nimage={out=1}', "no out for images"),
        ('currency="USD"\nas_of=2026-11-22\n[models.m]\nper_minute="x"', "amounts of zero or more"),
        ('currency="USD"\nas_of=2026-11-22\nmodels=5', "lacks"),
    ],
)
def test_a_list_that_makes_no_sense_is_told(text: str, says: str) -> None:
    with pytest.raises(BadPrices, match=says):
        read_prices(text)
