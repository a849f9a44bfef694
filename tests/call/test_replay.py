"""Calls that were written down, lived through again: recordings of vendors' sessions, and traces of ours."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpline.actions import Proposal, ToolResult
from helpline.call import effects as fx
from helpline.call.replay import Replayed, replay
from helpline.cli import main
from helpline.realtime import events as ev
from helpline.realtime.cost import prices
from helpline.realtime.recordings import read_recording
from helpline.realtime.trace import open_trace, read_trace

from .servers import Peer, ScriptedBackend
from .talk import proposal
from .test_driver import Host, driving

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"
TRACES = Path(__file__).parents[1] / "traces"

ASKS_WEATHER = "What is the weather in London?"
WEATHER = "It is foggy and 12 degrees in London."
HISTORY = (
    "My name is Alice and my favorite color is teal.",
    "Nice to meet you, Alice!",
    "What is my name and favorite color?",
)
MET = "Hi Marcelo, it's great to meet you!"

# name: (what was said, the tools, tokens in and out, money in dollars)
EXPECTED: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[int, int], str]] = {
    "azure_voice_live_ws/test_audio_in_server_vad_turn": (
        ("Cześć, nazywam się Marcelo.", "Hi Marcelo, nice to meet you!"), (), (44, 99), "0.006056"),
    "azure_voice_live_ws/test_message_history_seeding": (
        (*HISTORY, "Your name is Alice, and your favorite color is teal!"), (), (149, 27), "0.0005672"),
    "azure_voice_live_ws/test_text_in_audio_out_turn": (
        ("Say a short greeting.", "Hola, ¿qué tal?"), (), (16, 45), "0.002272"),
    "azure_voice_live_ws/test_text_output_modality_returns_text": (
        ("Say a short greeting.", "Hello there!"), (), (16, 5), "0.000144"),
    "azure_voice_live_ws/test_tool_call_round": (
        (ASKS_WEATHER, "It's foggy and 12 degrees"), ("get_weather",), (159, 36), "0.0009816"),
    "azure_ws/test_audio_in_server_vad_transcribes": (
        ("Hello, my name is Marcelo.", MET), (), (40, 106), "0.007130"),
    "azure_ws/test_audio_in_server_vad_transcription_requires_deployment": (
        ("", "Hi Marcelo, it's great to meet you."), (), (40, 108), "0.006456"),
    "azure_ws/test_message_history_seeding": (
        (*HISTORY, "Your name is Alice, and your favorite color is teal!"), (), (149, 33), "0.0006632"),
    "azure_ws/test_spoken_turn_transcribed_drives_a_tool_and_answers_in_audio": (
        ("Hello, my name is Marcelo.", "Hello Marcelo, it's great to meet you!"),
        ("remember_name",), (243, 130), "0.0075876"),
    "azure_ws/test_text_in_audio_out_turn": (
        ("Say a short greeting.", "Hello there! Great to meet you!"), (), (16, 98), "0.005568"),
    "azure_ws/test_tool_call_round": (
        (ASKS_WEATHER, WEATHER), ("get_weather",), (159, 35), "0.0009656"),
    "openai_ws/test_audio_in_server_vad_turn": (
        ("Hello, my name is Marcelo.", "Hello, Marcelo! Great to meet you."), (), (41, 164), "0.010922"),
    "openai_ws/test_message_history_seeding": (
        (*HISTORY, "Your name is Alice, and your favorite color is teal!"), (), (149, 14), "0.000820"),
    "openai_ws/test_text_in_audio_out_turn": (
        ("Say a short greeting.", "Hi there!"), (), (16, 24), "0.001168"),
    "openai_ws/test_tool_call_round": (
        (ASKS_WEATHER, WEATHER), ("get_weather",), (166, 35), "0.0009936"),
}  # fmt: skip


def tokens(replayed: Replayed) -> tuple[int, int]:
    t = replayed.bill.tokens
    cached = t.text_cached + t.audio_cached + t.image_cached
    return t.text_in + t.audio_in + t.image_in + cached, t.text_out + t.audio_out


def check_sound(replayed: Replayed) -> None:
    """What holds of every replay."""
    assert all(line.final and line.heard == line.text for line in replayed.lines)
    assert all(one.output for one in replayed.tools)
    assert replayed.conversation.reply.phase == "none"


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings: ../shared is not here")
def test_every_recording_is_expected():
    found = {str(path.relative_to(RECORDINGS).with_suffix("")) for path in RECORDINGS.rglob("*.yaml")}
    assert found == set(EXPECTED)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings: ../shared is not here")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_gives_its_transcript_tools_and_usage(name: str):
    said, tools, used, money = EXPECTED[name]
    replayed = replay(read_recording(RECORDINGS / f"{name}.yaml"), prices())
    assert len(replayed.lines) == len(said)
    for line, text in zip(replayed.lines, said, strict=True):
        assert line.text.startswith(text)
        assert bool(text) == bool(line.text)
    assert [one.name for one in replayed.tools] == list(tools)
    assert tokens(replayed) == used
    assert str(replayed.bill.money) == money
    check_sound(replayed)


# --- ours -------------------------------------------------------------------------------------------------


class Clerk(Host):
    """Proposes a cancellation, and carries it out."""

    def change(self) -> Proposal:
        return proposal()

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        await super().run_tool(tool)
        if tool.name == "cancel_order":
            return ToolResult(self.change().read_back, proposal=self.change())
        return ToolResult("It is on its way.", {"order_id": "1004", "status": "shipped"})


async def tool_round(peer: Peer) -> None:
    await peer.greet()
    await peer.expect("response.create")
    await peer.call_tool("r1", "c1", "check_order_status", '{"order_id":"1004"}')
    await peer.expect("response.create")
    await peer.say("r2", "a2", "It is on its way.", 400)
    await peer.expect("never")


async def test_a_call_that_was_written_down_gives_the_same_again(tmp_path: Path):
    path = tmp_path / "call.jsonl"
    host, backend = Clerk(), ScriptedBackend(tool_round)
    with open_trace(path) as trace:
        async with driving(host, backend, trace=trace) as driver:
            driver.post(fx.Typed("where is order 1004"))
            assert await driver.until(
                lambda c: any(line.id == "a2" and line.final for line in c.transcript.lines)
            )
    replayed = replay(read_trace(path), prices())
    lived = driver.conversation
    assert [line.text for line in replayed.lines] == [line.text for line in lived.transcript.lines]
    assert [line.heard for line in replayed.lines] == [line.heard for line in lived.transcript.lines]
    assert replayed.tools == tuple(e for e in lived.transcript.entries if e.id == "c1")
    assert replayed.conversation.closed
    assert replayed.effects == replay(read_trace(path), prices()).effects


async def test_a_trace_without_what_is_personal_still_replays(tmp_path: Path):
    path = tmp_path / "call.jsonl"
    with open_trace(path) as trace:
        async with driving(Clerk(), ScriptedBackend(tool_round), trace=trace) as driver:
            driver.post(fx.Typed("where is order 1004"))
            await driver.until(lambda c: any(line.id == "a2" and line.final for line in c.transcript.lines))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    bare = [{key: value for key, value in line.items() if not key.startswith("pii.")} for line in lines]
    assert "1004" not in json.dumps(bare)
    path.write_text("\n".join(map(json.dumps, bare)))
    replayed = replay(read_trace(path), prices())
    assert [one.name for one in replayed.tools] == ["check_order_status"]
    assert replayed.conversation.closed


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_trace_gives_what_stands_beside_it(path: Path):
    """`name.jsonl` is a trace, `name.json` what `helpline replay --no-effects` is to say of it."""
    result = CliRunner().invoke(main, ["replay", "--no-effects", str(path)])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads(path.with_suffix(".json").read_text())


def test_there_are_traces():
    assert len(list(TRACES.glob("*.jsonl"))) >= 12


def effects_of(name: str) -> list[fx.Effect]:
    return [effect for _, effect in replay(read_trace(TRACES / f"{name}.jsonl"), prices()).effects]


def test_parallel_tools_are_answered_together_then_one_reply_is_asked_for():
    sent = [effect.event for effect in effects_of("parallel_tools") if isinstance(effect, fx.Send)]
    kinds = [
        item.type if isinstance(event, ev.ItemCreate) and (item := event.item) else type(event).__name__
        for event in sent
    ]
    after_speech = kinds[kinds.index("ResponseCreate") :]
    assert after_speech == [
        "ResponseCreate",
        "function_call_output",
        "function_call_output",
        "ResponseCreate",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [("rollover", ["My favourite colour is teal.", "Teal it is."]), ("failover", ["Where is order 1004?"])],
)
def test_a_new_session_is_told_what_was_said_and_done(name: str, said: list[str]):
    effects = effects_of(name)
    updates = [
        at
        for at, effect in enumerate(effects)
        if isinstance(effect, fx.Send) and isinstance(effect.event, ev.SessionUpdate)
    ]
    assert len(updates) == 2
    told = [
        effect.event.item
        for effect in effects[updates[1] :]
        if isinstance(effect, fx.Send) and isinstance(effect.event, ev.ItemCreate)
    ]
    texts = [part.text for item in told for part in item.content or ()]
    assert texts[: len(said)] == said
    assert [item.type for item in told].count("function_call_output") == (name == "failover")
    assert sum(isinstance(effect, fx.RunTool) for effect in effects) == (name == "failover")


def test_a_yes_with_a_but_is_none_and_a_no_ends_it():
    settles = [effect for effect in effects_of("refused_yes") if isinstance(effect, fx.Settle)]
    assert [settle.answer for settle in settles] == ["no"]


# --- the command ------------------------------------------------------------------------------------------


def test_the_command_prints_effects_and_cost(tmp_path: Path):
    path = next(TRACES.glob("*.jsonl"))
    said = json.loads(CliRunner().invoke(main, ["replay", str(path)]).stdout)
    assert {"transcript", "tools", "usage", "cost", "effects"} == set(said)
    assert all("effect" in one and "at_ms" in one for one in said["effects"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said["cost"]["prices_as_of"])


@pytest.mark.parametrize(("name", "text"), [("x.jsonl", "nonsense"), ("y.yaml", "a: 1"), ("z.jsonl", None)])
def test_a_file_that_is_none_is_a_sentence(tmp_path: Path, name: str, text: str | None):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    result = CliRunner().invoke(main, ["replay", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
