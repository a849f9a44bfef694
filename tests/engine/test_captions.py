"""Input transcription: deltas join to the transcript, and no number is told before it is complete."""

from typing import Any

import pytest

from helpline.engine.captions import Captions
from helpline.engine.history import Item


class Told:
    """What a session was told."""

    def __init__(self) -> None:
        self.deltas: list[str] = []
        self.completed: list[dict[str, Any]] = []

    async def __call__(self, kind: str, **event: Any) -> None:
        if kind.endswith(".delta"):
            self.deltas.append(event["delta"])
        else:
            self.completed.append(event)


def item(heard: str, audio_ms: int = 1500) -> Item:
    return Item(
        {"id": "item_1", "content": [{"type": "input_audio", "transcript": None}]},
        heard=heard,
        audio_ms=audio_ms,
    )


@pytest.mark.parametrize(
    ("growing", "heard", "deltas"),
    [
        (
            ["where", "where is", "where is my", "where is my order"],
            "Where is my order?",
            ["Where", " is", " my", " order", "?"],
        ),
        (
            ["cancel", "cancel one", "cancel one zero", "cancel one zero zero four", "cancel 1004 please"],
            "Cancel 1004, please.",
            ["Cancel", " 1004 please"],  # begins otherwise than the whole: the whole is right
        ),
        (
            ["order one", "order one zero zero four and"],
            "Order 1004 and go.",
            ["Order 1004 and", " go."],
        ),
        (["thank", "tank you", "thank you"], "Thank you.", ["Thank", " you", "."]),
        ([], "Thank you.", ["Thank you."]),
        ([""], "", []),
        (["good morning"], "", ["Good morning"]),
    ],
)
async def test_deltas_join_to_what_was_heard(growing: list[str], heard: str, deltas: list[str]) -> None:
    told = Told()
    captions = Captions(told)
    captions.begin()
    for words in growing:
        await captions.grow("item_1", words, "en")
    await captions.complete(item(heard))
    assert told.deltas == deltas
    assert [one["transcript"] for one in told.completed] == [heard]
    assert told.completed[0]["usage"] == {"type": "duration", "seconds": 1.5}


async def test_each_utterance_has_captions_of_its_own() -> None:
    told = Told()
    captions = Captions(told)
    await captions.grow("item_1", "where is my order", "en")
    await captions.complete(item("Where is my order?"))
    await captions.complete(item("Where is my order? Hello?"))
    assert told.deltas == ["Where is my order", "?", "Where is my order? Hello?"], (
        "held speech begins nothing"
    )
    await captions.grow("item_3", "good morning", "en")
    captions.begin()
    await captions.grow("item_4", "good evening", "en")
    assert told.deltas[3:] == ["Good morning", "Good evening"]


async def test_the_item_keeps_its_transcript() -> None:
    spoken = item("Hello.")
    await Captions(Told()).complete(spoken)
    assert spoken.body["content"][0]["transcript"] == "Hello."
