"""`helpline doctor --live`: a session is opened on each backend and asked for what a call asks for."""

import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from helpline.cli.doctor import examine, try_chat
from helpline.settings import load_settings
from tests.engine.chat_server import DONE, Script, chat_server, ends, line, piece, refuses, streams, whole
from tests.realtime.servers import server


async def found(answer: dict[str, Any] | None, **env: str) -> tuple[str, str, dict[str, Any]]:
    """Verdict, sentence, and the session as the server was asked for it; `answer` None: it closes."""
    asked: list[dict[str, Any]] = []

    async def script(socket: ServerConnection) -> None:
        await socket.send(json.dumps({"type": "session.created", "session": {"type": "realtime"}}))
        asked.append(json.loads(await socket.recv())["session"])
        if answer is not None:
            await socket.send(json.dumps(answer))
            await socket.wait_closed()

    async with server(script) as running:
        env |= {"HELPLINE_BACKENDS": "realtime", "HELPLINE_REALTIME_URL": running.ws}
        settings = load_settings(env=env, env_file="none", desk_file="none")
        async for finding in examine(settings, live=True):
            if finding.what == "realtime, live":
                return finding.verdict, finding.sentence, asked[0]
    raise AssertionError("no finding")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(param: str | None, message: str = "") -> dict[str, Any]:
    error = {"type": "invalid_request_error", "code": "invalid_value", "param": param, "message": message}
    return {"type": "error", "error": error}


async def test_a_session_that_takes_everything_is_well():
    answer = {"type": "session.updated", "session": {"type": "realtime"}}
    verdict, sentence, asked = await found(answer, HELPLINE_SPEED="0.8", HELPLINE_REASONING_EFFORT="low")
    assert verdict == "ok"
    assert "took every setting" in sentence
    assert asked["audio"]["output"]["speed"] == 0.8
    assert asked["reasoning"] == {"effort": "low"}
    assert asked["audio"]["input"]["transcription"] == {"language": "en"}


async def test_what_is_refused_is_named_and_whether_calls_do_without_it():
    verdict, sentence, _ = await found(refusal("session.audio.output.speed"))
    assert (verdict, "session.audio.output.speed was refused: calls do without it" in sentence) == (
        "note",
        True,
    )
    verdict, sentence, _ = await found(refusal(None, "Invalid 'session.tools' for 4000 1234 5678"))
    assert verdict == "fail"
    assert "session.tools was refused" in sentence
    assert "4000" not in sentence


async def test_a_line_that_drops_is_a_failure():
    verdict, _, _ = await found(None)
    assert verdict == "fail"


# --- the chat model ---------------------------------------------------------------------------------------

CALL = piece(0, "check_order_status", '{"order_id": "1004"}')
NO_PARTS = {"HELPLINE_ENGINE_EARS": "sherpa-onnx:/none", "HELPLINE_ENGINE_VOICE": "none"}
"""Which take no time to load."""


@pytest.mark.parametrize(
    ("script", "verdict", "says"),
    [
        pytest.param(
            streams(line(tool_calls=[CALL]), ends("tool_calls"), DONE), "ok", "and called the tool", id="well"
        ),
        pytest.param(whole(tool_calls=[CALL]), "ok", "and called the tool", id="in one piece"),
        pytest.param(streams(line(content="It is lost."), DONE), "fail", "did not call the tool", id="words"),
        pytest.param(
            streams(line(tool_calls=[piece(0, "check_order_status", "{}")]), DONE),
            "fail",
            "called the tool with something else",
            id="wrong arguments",
        ),
        pytest.param(refuses(401), "fail", "HELPLINE_CHAT_KEY", id="key"),
        pytest.param(refuses(400, "does not support tools"), "fail", "cannot call tools", id="no tools"),
    ],
)
async def test_the_chat_model_is_tried_with_a_tool(script: Script, verdict: str, says: str):
    async with chat_server() as chat:
        chat.scripts = [script]
        env = {"HELPLINE_CHAT_URL": chat.url, "HELPLINE_CHAT_MODEL": "small", "HELPLINE_CHAT_KEY": "secret"}
        settings = load_settings(env=env | {"HELPLINE_BACKENDS": "engine"}, env_file="none", desk_file="none")
        found = await try_chat(settings)
    assert (found.what, found.verdict) == ("engine's brain, live", verdict)
    assert says in found.sentence
    assert "secret" not in found.sentence
    if "answered in" in found.sentence:
        assert found.sentence.startswith(f"small at {chat.url.split('/')[2]} answered in ")
    assert len(chat.asked) == 1
    assert [tool["function"]["name"] for tool in chat.asked[0]["tools"]] == ["check_order_status"]


async def test_a_chat_model_that_no_backend_uses_is_no_failure():
    env = {
        "HELPLINE_CHAT_URL": "http://127.0.0.1:1",
        "HELPLINE_CHAT_MODEL": "m",
        "HELPLINE_BACKENDS": "realtime",
        "HELPLINE_REALTIME_URL": "ws://127.0.0.1:1",
    }
    settings = load_settings(env=env | NO_PARTS, env_file="none", desk_file="none")
    found = [one async for one in examine(settings, live=True) if one.what == "engine's brain, live"]
    assert [one.verdict for one in found] == ["note"]
    assert "cannot be reached" in found[0].sentence
