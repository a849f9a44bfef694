"""`helpline doctor --live`: a session is opened on each backend and asked for what a call asks for."""

import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from helpline.cli.doctor import examine
from helpline.settings import load_settings
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
