"""What holds of every Realtime session: run on the engine's events and on recordings of real services.

Each check takes the events that a server sent, oldest first, as JSON objects with GA names.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

Json = dict[str, Any]
Check = Callable[[Sequence[Json]], None]

_FLAT = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "conversation.item.created": "conversation.item.added",
}


def in_ga_names(events: Sequence[Json]) -> list[Json]:
    """The same events, whatever vocabulary the server speaks."""
    return [{**event, "type": _FLAT.get(event["type"], event["type"])} for event in events]


def _of(events: Sequence[Json], *types: str) -> list[Json]:
    return [event for event in events if event["type"] in types]


def _places(events: Sequence[Json]) -> dict[int, int]:
    return {id(event): at for at, event in enumerate(events)}


def session_comes_first(events: Sequence[Json]) -> None:
    assert events[0]["type"] == "session.created"
    assert events[0]["session"]["id"].startswith("sess_")


def every_event_has_an_id_of_its_own(events: Sequence[Json]) -> None:
    counted = Counter(event["event_id"] for event in events)
    assert all(event_id.startswith("event_") for event_id in counted)
    assert set(counted.values()) == {1}


def every_response_ends_once(events: Sequence[Json]) -> None:
    created = [event["response"]["id"] for event in _of(events, "response.created")]
    done = [event["response"]["id"] for event in _of(events, "response.done")]
    assert Counter(created) == Counter(done)
    for event in _of(events, "response.created"):
        assert event["response"]["status"] == "in_progress"
        assert event["response"]["output"] == []


def nothing_of_a_response_is_outside_of_it(events: Sequence[Json]) -> None:
    opened: set[str] = set()
    for event in events:
        if event["type"] == "response.created":
            opened.add(event["response"]["id"])
        elif event["type"] == "response.done":
            opened.remove(event["response"]["id"])
        elif event["type"].startswith("response."):
            assert event["response_id"] in opened, event["type"]


def output_items_open_and_close_in_order(events: Sequence[Json]) -> None:
    open_items: dict[str, Json] = {}
    for event in events:
        if event["type"] == "response.output_item.added":
            assert event["item"]["status"] == "in_progress"
            open_items[event["item"]["id"]] = event
        elif event["type"] == "response.output_item.done":
            added = open_items.pop(event["item"]["id"])
            assert added["output_index"] == event["output_index"]
            assert added["item"]["type"] == event["item"]["type"]
            assert event["item"]["status"] in ("completed", "incomplete")
        elif event["type"].startswith("response.") and "item_id" in event:
            assert event["item_id"] in open_items, event["type"]
            assert open_items[event["item_id"]]["output_index"] == event["output_index"]
    assert not open_items


def deltas_add_up_to_what_is_done(events: Sequence[Json]) -> None:
    for kind, field in (
        ("response.output_text", "text"),
        ("response.output_audio_transcript", "transcript"),
        ("response.function_call_arguments", "arguments"),
    ):
        said: dict[str, str] = {}
        for event in events:
            if event["type"] == f"{kind}.delta":
                said[event["item_id"]] = said.get(event["item_id"], "") + event["delta"]
            elif event["type"] == f"{kind}.done":
                assert said.get(event["item_id"], "") == event[field]


def sound_stays_within_its_part(events: Sequence[Json]) -> None:
    speaking: set[str] = set()
    for event in events:
        match event["type"]:
            case "response.content_part.added" if event["part"]["type"] in ("audio", "output_audio"):
                speaking.add(event["item_id"])
            case "response.output_audio.delta" | "response.output_audio_transcript.delta":
                assert event["item_id"] in speaking
            case "response.content_part.done":
                speaking.discard(event["item_id"])


def a_response_holds_its_items_without_sound(events: Sequence[Json]) -> None:
    for event in _of(events, "response.done"):
        response = event["response"]
        finished = [
            other["item"]["id"]
            for other in _of(events, "response.output_item.done")
            if other["response_id"] == response["id"]
        ]
        assert [item["id"] for item in response["output"]] == finished
        assert all(not part.get("audio") for item in response["output"] for part in item.get("content", ()))


def usage_adds_up(events: Sequence[Json]) -> None:
    for event in _of(events, "response.done"):
        usage = event["response"]["usage"]
        if usage is None:
            assert event["response"]["status"] == "failed"
            continue
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        details = usage["input_token_details"]
        assert (
            usage["input_tokens"]
            == details["text_tokens"] + details["audio_tokens"] + details["image_tokens"]
        )
        details = usage["output_token_details"]
        assert usage["output_tokens"] == details["text_tokens"] + details["audio_tokens"]


def speech_starts_stops_and_is_committed_under_one_id(events: Sequence[Json]) -> None:
    started: dict[str, int] = {}
    stopped: set[str] = set()
    for event in events:
        match event["type"]:
            case "input_audio_buffer.speech_started":
                started[event["item_id"]] = event["audio_start_ms"]
            case "input_audio_buffer.speech_stopped":
                assert event["audio_end_ms"] > started[event["item_id"]]
                stopped.add(event["item_id"])
            case "input_audio_buffer.committed" if event["item_id"] in started:
                assert event["item_id"] in stopped
                stopped.discard(event["item_id"])
    assert not stopped


def a_committed_utterance_becomes_an_item(events: Sequence[Json]) -> None:
    for event in _of(events, "input_audio_buffer.committed"):
        added = [
            other
            for other in _of(events, "conversation.item.added")
            if other["item"]["id"] == event["item_id"]
        ]
        assert len(added) == 1
        assert added[0]["item"]["role"] == "user"
        assert added[0]["item"]["content"][0]["type"] == "input_audio"
        assert _places(events)[id(added[0])] > _places(events)[id(event)]


def a_transcript_comes_after_its_item(events: Sequence[Json]) -> None:
    committed: set[str] = set()
    heard: dict[str, str] = {}
    for event in events:
        match event["type"]:
            case "input_audio_buffer.committed":
                committed.add(event["item_id"])
            case "conversation.item.input_audio_transcription.delta":
                heard[event["item_id"]] = heard.get(event["item_id"], "") + event["delta"]
            case "conversation.item.input_audio_transcription.completed":
                assert event["item_id"] in committed
                assert event["usage"]["type"] in ("duration", "tokens") if event.get("usage") else True


def a_function_call_names_itself_throughout(events: Sequence[Json]) -> None:
    for event in _of(events, "response.function_call_arguments.done"):
        added = next(
            other
            for other in _of(events, "response.output_item.added")
            if other["item"]["id"] == event["item_id"]
        )
        assert added["item"]["call_id"] == event["call_id"]
        assert added["item"]["arguments"] == ""
        done = next(
            other
            for other in _of(events, "response.output_item.done")
            if other["item"]["id"] == event["item_id"]
        )
        assert done["item"]["arguments"] == event["arguments"]
        assert done["item"]["name"] == added["item"]["name"]


def items_are_added_once_and_linked(events: Sequence[Json]) -> None:
    added = _of(events, "conversation.item.added")
    assert set(Counter(event["item"]["id"] for event in added).values()) <= {1}
    known = {event["item"]["id"] for event in added}
    assert all(event.get("previous_item_id") in {None, "root"} | known for event in added)


CHECKS: tuple[Check, ...] = (
    session_comes_first,
    every_event_has_an_id_of_its_own,
    every_response_ends_once,
    nothing_of_a_response_is_outside_of_it,
    output_items_open_and_close_in_order,
    deltas_add_up_to_what_is_done,
    sound_stays_within_its_part,
    a_response_holds_its_items_without_sound,
    usage_adds_up,
    speech_starts_stops_and_is_committed_under_one_id,
    a_committed_utterance_becomes_an_item,
    a_transcript_comes_after_its_item,
    a_function_call_names_itself_throughout,
    items_are_added_once_and_linked,
)
