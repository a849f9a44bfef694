"""The one table of faults: complete, consistent, and read the same from code, text or number."""

import re

import pytest

from helpline.realtime import faults
from helpline.realtime.backends import AZURE, LIVE, OPENAI, SERVER
from helpline.realtime.faults import CLOSES, CODES, STATUSES, UNREACHABLE, Fault, Verdict

TABLE = {**CODES, **STATUSES, **CLOSES, **UNREACHABLE}


@pytest.mark.parametrize("fault", {id(row): row for row in TABLE.values()}.values(), ids=lambda f: f.says)
@pytest.mark.parametrize("vendor", [AZURE, OPENAI, LIVE, SERVER], ids=lambda vendor: vendor.who)
def test_every_row_is_one_sentence(fault: Fault, vendor: faults.Vendor) -> None:
    said = fault.sentence(vendor)
    assert said.startswith(vendor.who)
    assert re.fullmatch(r"[^.]+(\.\d[^.]*)?\.", said)
    assert ("check" in said) == bool(fault.about)


def test_codes_are_told_in_lower_case_and_read_in_any() -> None:
    assert all(code == code.lower() for code in CODES)
    assert faults.of_error("DeploymentNotFound") is CODES["deploymentnotfound"]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("response_cancel_not_active", Verdict.IGNORE),
        ("input_audio_buffer_commit_empty", Verdict.IGNORE),
        ("item_truncate_invalid_item_id", Verdict.IGNORE),
        ("conversation_already_has_active_response", Verdict.RETRY),
        ("cannot_update_voice", Verdict.TELL),
        ("unknown_parameter", Verdict.TELL),
        ("session_expired", Verdict.RETRY),
        ("inference_rate_limit_exceeded", Verdict.RETRY),
        ("rate_limit_exceeded", Verdict.RETRY),
        ("server_error", Verdict.RETRY),
        ("insufficient_quota", Verdict.FAIL_OVER),
        ("invalid_api_key", Verdict.FAIL_OVER),
        ("account_deactivated", Verdict.FAIL_OVER),
        ("billing_hard_limit_reached", Verdict.FAIL_OVER),
        ("model_not_found", Verdict.FAIL_OVER),
        ("beta_api_shape_disabled", Verdict.FAIL_OVER),
        ("never_heard_of", Verdict.TELL),
        (None, Verdict.TELL),
    ],
)
def test_what_to_do_about_a_code(code: str | None, verdict: Verdict) -> None:
    assert faults.of_error(code).verdict is verdict


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (
            "Conversation already has an active response in progress: resp_1. Wait until the response is "
            "finished before creating a new one.",
            "conversation_already_has_active_response",
        ),
        ("Cancellation failed: no active response found", "response_cancel_not_active"),
        (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but "
            "buffer only has 0.00ms of audio.",
            "input_audio_buffer_commit_empty",
        ),
        ("Your session hit the maximum duration of 60 minutes.", "session_expired"),
        ("You exceeded your current quota, please check your plan.", "insufficient_quota"),
        ("Incorrect API key provided", "invalid_api_key"),
        ("Ephemeral token expired", "token_expired"),
    ],
)
def test_servers_with_codes_of_their_own_are_understood_by_their_words(message: str, code: str) -> None:
    assert faults.of_error("their_own_code", message) is CODES[code]
    assert faults.of_error(None, message) is CODES[code]


def test_the_type_of_an_error_comes_last() -> None:
    assert faults.of_error(None, "Oh", "server_error").verdict is Verdict.RETRY
    assert faults.of_error("invalid_value", "server_error", "server_error").verdict is Verdict.TELL


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (101, Verdict.FAIL_OVER),
        (200, Verdict.FAIL_OVER),
        (302, Verdict.FAIL_OVER),
        (400, Verdict.FAIL_OVER),
        (401, Verdict.FAIL_OVER),
        (403, Verdict.FAIL_OVER),
        (404, Verdict.FAIL_OVER),
        (418, Verdict.FAIL_OVER),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (599, Verdict.RETRY),
    ],
)
def test_what_to_do_about_a_status(status: int, verdict: Verdict) -> None:
    assert faults.of_status(status).verdict is verdict


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1000, Verdict.RETRY),
        (1001, Verdict.RETRY),
        (1006, Verdict.RETRY),
        (1011, Verdict.RETRY),
        (1008, Verdict.FAIL_OVER),
        (4000, Verdict.FAIL_OVER),
        (4999, Verdict.RETRY),
    ],
)
def test_what_to_do_about_a_close(code: int, verdict: Verdict) -> None:
    assert faults.of_close(code).verdict is verdict


def test_with_no_backend_left_the_call_is_ended_and_nothing_else_changes() -> None:
    assert faults.of_status(401).with_no_other() is Verdict.END
    for fault in TABLE.values():
        expected = Verdict.END if fault.verdict is Verdict.FAIL_OVER else fault.verdict
        assert fault.with_no_other() is expected


def test_the_sentence_of_a_wrong_key() -> None:
    said = faults.of_status(401).sentence(AZURE, 401)
    assert said == "Azure OpenAI refused the key (401): check AZURE_OPENAI_API_KEY."
