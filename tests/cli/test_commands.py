"""The command line as a person uses it: what it prints, and one sentence with an exit code when it cannot."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpline.cli import COMMANDS, any_letters, main


@pytest.fixture
def helpline(tmp_path, monkeypatch):
    """Run a command in an empty folder, with the environment that the test gives and no other."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "OPENAI_API_KEY",
        "AZURE_OPENAI_API_KEY",
        "AZURE_VOICE_LIVE_API_KEY",
        "HELPLINE_REALTIME_URL",
    ):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **env: str):
        return CliRunner().invoke(main, arguments, env={"HELPLINE_BACKENDS": "engine", **env})

    return run


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_what_a_systems_encoding_lacks_is_printed_all_the_same():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="cp1252")
    any_letters(stream)
    stream.write("订单在路上 😀 – żółw")
    stream.flush()
    assert written.getvalue().decode() == "订单在路上 😀 – żółw"


def sentence(result) -> str:
    """The one line on stderr of a command that failed as it should."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_names_every_command(helpline):
    result = helpline("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(helpline, name):
    result = helpline(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_command_is_a_usage_error(helpline):
    assert helpline("cal").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["call"], "Say something"),
        (["call", "--text", "--out", "reply.wav", "hello"], "--text has no sound"),
        (["call", "--out", "absent/reply.wav", "hello"], "absent/reply.wav cannot be written"),
        (["init", ""], "Name a folder"),
        (["call", "--wav", "absent.wav"], "absent.wav does not exist"),
        (["run", "absent.py"], "absent.py is no Python file"),
        (["policy", "check", "absent.toml"], "absent.toml cannot be read"),
        (["call", "--text", "--customer", "nobody", "hello"], "--customer names nobody"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_sentence(helpline, arguments, words):
    result = helpline(*arguments)
    assert result.exit_code in (1, 2)
    assert words in sentence(result)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HELPLINE_PORT": "x"}, "HELPLINE_PORT must be"),
        ({"HELPLINE_BACKENDS": "azure"}, "AZURE_OPENAI_ENDPOINT is not set"),
        ({"HELPLINE_BACKENDS": "openai"}, "OPENAI_API_KEY is not set"),
        ({"HELPLINE_REALTIME_URL": "ftp://x"}, "HELPLINE_REALTIME_URL must be"),
    ],
)
def test_a_wrong_setting_ends_a_command_with_its_name_and_exit_code_2(helpline, env, words):
    result = helpline("call", "--text", "hello", **env)
    assert result.exit_code == 2
    assert words in sentence(result)


def test_a_typed_call_prints_its_transcript_as_it_happens(helpline):
    result = helpline("call", "--text", "where is my order 1004")
    assert result.exit_code == 0
    customer, tool, desk = result.stdout.splitlines()
    assert customer.strip() == "customer: where is my order 1004"
    assert "check_order_status" in tool
    assert "1004" in desk


def test_json_is_one_document_and_nothing_else(helpline):
    result = helpline("call", "--text", "--json", "cancel order 1005", "yes")
    document = json.loads(result.stdout)
    assert sorted(document) == ["latency_ms", "lines", "receipts", "tools"]
    assert [line["speaker"] for line in document["lines"]] == ["customer", "desk"] * 2
    assert sorted(document["lines"][0]) == ["end_ms", "heard", "speaker", "start_ms", "text"]
    (tool,) = document["tools"]
    assert (tool["name"], tool["arguments"]) == ("cancel_order", {"order_id": "1005"})
    assert tool["result"]["proposal"]["subject"] == "1005"
    assert tool["ms"] >= 0
    (receipt,) = document["receipts"]
    assert receipt["action"] == "cancel_order"
    assert len(document["latency_ms"]) == 2


def test_a_receipt_is_in_the_ledger_which_is_whole(helpline):
    helpline("call", "--text", "cancel order 1005", "yes")
    again = helpline("call", "--text", "--json", "cancel order 1005", "yes")
    assert json.loads(again.stdout)["receipts"] == [], "it was cancelled by the call before"
    result = helpline("ledger", "verify")
    assert result.exit_code == 0
    assert "is whole" in result.stdout


def test_a_guest_is_told_to_say_who_they_are(helpline):
    result = helpline("call", "--text", "--json", "--customer", "guest", "where is my order 1004")
    document = json.loads(result.stdout)
    assert not any(tool["result"]["ok"] for tool in document["tools"])
    assert "swift" not in result.stdout.lower(), "nothing of the order is told to a guest"


def test_tools_of_a_file_serve_a_call(helpline, tmp_path):
    Path(tmp_path / "mine.py").write_text(
        "from helpline.tools import Identity, tool\n\n"
        "@tool(identity=Identity.GUEST)\n"
        "def weather_report() -> str:\n"
        "    '''Say what the weather report is: the weather today.'''\n"
        "    return 'It rains.'\n"
    )
    result = helpline("call", "--text", "--tools", "mine.py", "what is the weather report")
    assert result.exit_code == 0, result.output
    assert "weather_report" in result.stdout
    assert "It rains" in result.stdout


@pytest.mark.parametrize("text", [True, False])
def test_a_server_that_is_not_there_is_named(helpline, text):
    kind = ["--text"] if text else []
    result = helpline("call", *kind, "hello", "--url", "ws://127.0.0.1:9/v1/realtime")
    assert result.exit_code == 1
    assert "check --url" in sentence(result)


def test_a_port_that_is_taken_is_named(helpline, taken_port):
    for command in ("run", "engine"):
        result = helpline(command, "--port", str(taken_port))
        assert result.exit_code == 1
        assert f"{taken_port}" in sentence(result)
        assert "--port" in sentence(result)


def test_a_database_that_cannot_be_written_is_named(helpline, tmp_path):
    (tmp_path / "file").write_text("")
    for command in (["call", "--text", "hello"], ["run", "--port", "0"]):
        result = helpline(*command, HELPLINE_DATA_DIR=str(tmp_path / "file" / "below"))
        assert result.exit_code == 1
        assert "HELPLINE_DATABASE_URL" in sentence(result)


def test_the_doctor_finds_nothing_wrong_on_a_fresh_machine(helpline):
    result = helpline("doctor", "--live")
    assert result.exit_code == 0, result.output
    for what in (
        "python",
        "settings",
        "page",
        "microphone",
        "engine's ears",
        "engine's voice",
        "engine's brain",
        "policy",
        "store",
        "engine, live",
    ):
        assert f"{what}: " in result.stdout


def test_the_doctor_says_what_to_do(helpline, taken_port, tmp_path):
    result = helpline(
        "doctor",
        HELPLINE_BACKENDS="azure,engine",
        AZURE_OPENAI_ENDPOINT="https://shop.example",
        AZURE_OPENAI_DEPLOYMENT="realtime",
        AZURE_OPENAI_API_KEY="secret-of-ours",
        HELPLINE_PORT=str(taken_port),
        HELPLINE_DATABASE_URL=f"sqlite:///{tmp_path}/no/\0folder.db".replace("\0", ""),
    )
    assert "AZURE_OPENAI_TRANSCRIPTION_DEPLOYMENT is not set" in result.stdout
    assert "is in use" in result.stdout
    assert "secret-of-ours" not in result.output
    assert "in the environment: AZURE_OPENAI_API_KEY, " in result.stdout


@pytest.mark.parametrize(
    ("what", "named", "says"),
    [
        ("voice", {"HELPLINE_ENGINE_VOICE": "espeak:en-gb+f2"}, "ok    engine's voice: espeak:en-gb+f2, "),
        ("voice", {"HELPLINE_ENGINE_VOICE": "none"}, "note  engine's voice: none: replies are shown as text"),
        (
            "voice",
            {"HELPLINE_ENGINE_VOICE": "espeak:en-us+no"},
            "FAIL  engine's voice: HELPLINE_ENGINE_VOICE",
        ),
        ("voice", {"HELPLINE_ENGINE_VOICE": "piper:/no.onnx"}, "FAIL  engine's voice: HELPLINE_ENGINE_VOICE"),
        ("ears", {}, "ok    engine's ears: pocketsphinx with moonshine, loaded in "),
        ("ears", {"HELPLINE_ENGINE_EARS": "sherpa-onnx:/no"}, "FAIL  engine's ears: HELPLINE_ENGINE_EARS"),
        ("brain", {"HELPLINE_CHAT_URL": "http://x/v1"}, "FAIL  engine's brain: HELPLINE_CHAT_URL"),
    ],
)
def test_the_doctor_looks_at_each_part_of_the_engine(helpline, what, named, says):
    result = helpline("doctor", **named)
    line = next(line for line in result.stdout.splitlines() if f"engine's {what}" in line)
    assert line.startswith(says)
    assert result.exit_code == says.startswith("FAIL")


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        ((), 0, "note  engine's ears: pocketsphinx alone, loaded in "),
        (
            ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"),
            1,
            "FAIL  engine's ears: The model of any words is installed, but its files are damaged",
        ),
    ],
)
def test_the_doctor_says_what_the_second_ears_lack(tmp_path, files, code, says):
    """Beside a package without the weights, as later ones are, and beside one with empty files."""
    folder = tmp_path / "moonshine_voice" / "assets" / "tiny-en"
    folder.mkdir(parents=True)
    (tmp_path / "moonshine_voice" / "__init__.py").touch()
    for name in files:
        (folder / name).touch()
    done = subprocess.run(
        [sys.executable, "-m", "helpline", "doctor"],
        cwd=tmp_path,
        env={**os.environ, "HELPLINE_BACKENDS": "engine", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    line = next(line for line in done.stdout.splitlines() if "engine's ears" in line)
    assert line.startswith(says)
    assert '"helpline[moonshine]"' in line
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize("command", [("call", "--text", "hello"), ("engine", "--port", "0")])
def test_a_part_that_is_not_there_is_told_at_the_start(helpline, command):
    result = helpline(*command, HELPLINE_ENGINE_VOICE="piper:/no.onnx")
    assert result.exit_code == 1
    assert "there is no file /no.onnx" in sentence(result)


def test_a_desk_without_the_pages_packages_says_what_to_install(tmp_path):
    program = "import sys; sys.modules['chainlit'] = None; from helpline.cli import main; main(['run'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "HELPLINE_BACKENDS": "engine"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    said = 'Error: Chainlit, which the page is made with, is not installed: pip install "helpline[web]".\n'
    assert done.stderr == said


def test_the_doctor_fails_when_something_does_not_work(helpline, tmp_path):
    (tmp_path / "file").write_text("")
    result = helpline(
        "doctor",
        "--live",
        HELPLINE_BACKENDS="realtime",
        HELPLINE_REALTIME_URL="ws://127.0.0.1:9/v1/realtime",
        HELPLINE_DATA_DIR=str(tmp_path / "file" / "below"),
    )
    assert result.exit_code == 1
    failures = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert any("store" in line for line in failures)
    assert any("realtime, live" in line and "HELPLINE_REALTIME_URL" in line for line in failures)


def test_a_demo_customer_can_be_named(helpline):
    result = helpline("call", "--text", "--json", "--customer", "nobody", "hello")
    known = sentence(result)
    other = known.partition("use ")[2].split(", ")[1].split(" ")[0]
    document = json.loads(
        helpline("call", "--text", "--json", "--customer", other, "where is my order 1004").stdout
    )
    assert not document["tools"][0]["result"]["ok"], "order 1004 is another customer's"


def test_the_doctor_says_how_customers_sign_in(helpline, tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def sign_in(name: str, password: str) -> str | None:\n    return None\n")
    found = helpline("doctor", HELPLINE_TOOLS_FILE=str(own), OAUTH_GITHUB_CLIENT_ID="desk").stdout
    assert "FAIL  sign-in: github is half set up: OAUTH_GITHUB_CLIENT_SECRET must be set as well." in found
    assert "ok    sign-in: by name and password." in found
    own.write_text("def sign_in(:\n")
    found = helpline("doctor", HELPLINE_TOOLS_FILE=str(own)).stdout
    assert f"FAIL  tools file: {own}, line 1" in found


def test_without_the_pages_packages_the_library_works_and_mount_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['starlette'] = None\n"
        "import helpline, pydoc\n"
        "assert 'class RealtimeClient' in pydoc.plain(pydoc.render_doc(helpline))\n"
        "helpline.mount"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    said = 'helpline.errors.MissingPartError: The page is not installed: pip install "helpline[web]".'
    assert done.stderr.splitlines()[-1] == said
