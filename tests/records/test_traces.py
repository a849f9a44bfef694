"""A call's trace is redacted when the call is over: words that came in pieces, over turns, and in data."""

import json

import pytest

from helpline.call.replay import replay
from helpline.realtime.cost import prices
from helpline.realtime.trace import read_trace
from helpline.records.redacting import Kinds
from helpline.records.tracing import redact_trace
from tests.records.desks import desk_in, settings_in, talk

CARD = "4242 4242 4242 4242"


async def test_a_traced_call_keeps_no_card_and_still_replays(tmp_path):
    async with desk_in(tmp_path, trace_calls="yes") as desk:
        call_id, shown = await talk(
            desk, "where is my order 1004", f"my card is {CARD}", "four two four two", "four two four two",
            "four two four two", "four two four two", "write to maya@example.com",
        )  # fmt: skip
    path = tmp_path / "traces" / f"{call_id}.jsonl"
    text = path.read_text()
    assert CARD not in text
    assert "four two four two" not in text
    assert "maya@example.com" not in text
    assert "where is my order 1004" in text
    assert path.stat().st_mode & 0o777 == 0o600
    replayed = replay(read_trace(path), prices())
    assert len(replayed.lines) == len(shown.lines)


def line(kind, key, text, **event):
    return json.dumps({"at_ms": 0, "way": "received", "event": {"type": kind, **event}, f"pii./{key}": text})


def redacted(folder, *lines):
    traces = folder / "traces"
    traces.mkdir(exist_ok=True)
    path = traces / "call_1.jsonl"
    path.write_text("\n".join(lines))
    redact_trace(settings_in(folder), "call_1", Kinds())
    return path


def test_pieces_of_one_line_are_read_as_one(tmp_path):
    pieces = ("my card is 42", "42 4242 42", "42 4242", ", thanks")
    lines = [line("response.output_audio_transcript.delta", "delta", piece, item_id="a") for piece in pieces]
    other = line("response.output_audio_transcript.delta", "delta", "order 1004", item_id="b")
    path = redacted(tmp_path, *lines[:2], other, *lines[2:])
    kept = [json.loads(each)["pii./delta"] for each in path.read_text().splitlines()]
    assert kept == ["my card is [card]", "", "order 1004", "", ", thanks"]


def test_what_was_asked_for_is_known_from_the_line_before_and_data_by_its_names(tmp_path):
    path = redacted(
        tmp_path,
        line("response.output_audio_transcript.done", "transcript", "What is the security code?"),
        line("conversation.item.input_audio_transcription.completed", "transcript", "one two three"),
        line("response.function_call_arguments.done", "arguments", '{"email": "x", "order_id": "1004"}'),
    )
    kept = [list(json.loads(each).values())[-1] for each in path.read_text().splitlines()]
    assert kept[1] == "[cvv]"
    assert json.loads(kept[2]) == {"email": "[email]", "order_id": "1004"}


@pytest.mark.parametrize(
    ("tail", "left"),
    [('{"at_ms": 1, "way": "rece', True), ("\n{]}", False), ("\nnonsense}", False)],
)
def test_a_trace_that_a_kill_cut_short_is_redacted_and_one_that_cannot_be_read_is_removed(
    tmp_path, tail, left
):
    path = redacted(tmp_path, line("Typed", "text", CARD), tail.lstrip("\n"))
    assert path.exists() == left
    assert not left or (CARD not in path.read_text() and "rece" not in path.read_text().splitlines()[-1][-6:])
    assert [each.name for each in path.parent.iterdir()] == (["call_1.jsonl"] if left else [])
