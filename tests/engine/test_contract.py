"""One contract for the engine and for real services. Each event is the vendor's: `talk.py` sees to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engine.contract import CHECKS, Check, in_ga_names
from tests.engine.talk import SHOP_TOOLS, Talker

Json = dict[str, Any]
RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"


def _recordings() -> list[Path]:
    return sorted(RECORDINGS.glob("*/*.yaml"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", _recordings(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_session_keeps_the_contract(path: Path, check: Check) -> None:
    yaml = pytest.importorskip("yaml")
    document = yaml.safe_load(path.read_text("utf-8"))
    received = [one["data"] for one in document["interactions"] if one["direction"] == "received"]
    check(in_ga_names(received))


def test_the_recordings_are_there() -> None:
    if not RECORDINGS.exists():
        pytest.skip("no recordings: ../shared is not here")
    assert len(_recordings()) >= 15


async def _spoken_call(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    await talker.speak("where is my order 1004")
    reply = await talker.reply()
    await talker.answer(reply.items("function_call")[0], {"say": "Order 1004 is on its way."})
    await talker.reply()


async def _typed_call(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS, output_modalities=["text"])
    await talker.type("please cancel order 1005")
    reply = await talker.reply()
    await talker.answer(reply.items("function_call")[0], {"say": "Shall I cancel order 1005?"})
    await talker.reply()
    await talker.tell('Say to the customer: "Done."')
    await talker.reply()


async def _interrupted_call(talker: Talker) -> None:
    await talker.type("what can you do")
    await talker.until("response.output_audio.delta")
    await talker.send("response.cancel")
    await talker.reply()
    await talker.type("hello")
    await talker.reply()


async def _aside(talker: Talker) -> None:
    await talker.type("hello", respond=False)
    await talker.send("response.create", response={"conversation": "none", "metadata": {"for": "a summary"}})
    await talker.reply()


async def _pushed_call(talker: Talker) -> None:
    await talker.configure(audio={"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}})
    await talker.speak("good morning")
    await talker.send("input_audio_buffer.commit")
    await talker.send("response.create")
    await talker.reply()


CALLS = (_spoken_call, _typed_call, _interrupted_call, _aside, _pushed_call)


@pytest.fixture(params=CALLS, ids=lambda call: call.__name__.strip("_"))
async def events(request: pytest.FixtureRequest, talker: Talker) -> Sequence[Json]:
    """What the engine sent in one call."""
    await request.param(talker)
    return talker.events


async def test_an_engine_session_keeps_the_contract(events: Sequence[Json]) -> None:
    for check in CHECKS:
        check(events)
