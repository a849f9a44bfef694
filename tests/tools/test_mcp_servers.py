"""MCP servers from `desk.toml`: real processes, one over its standard input, one over HTTP."""

import asyncio
import json
import os
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpline.actions import Caller
from helpline.errors import SettingsError, ToolError
from helpline.mcp_settings import mcp_servers
from helpline.policy import load_policy
from helpline.settings import load_settings
from helpline.tools import Toolbox
from helpline.tools.mcp_servers import mcp_tools
from tests.tools.talk import ask, propose, refused, say_yes

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.tools.stock_server"]
TOOLS = ["stock_of", "reserve", "die", "hostile"]
READS = ["stock_of", "die", "hostile"]


@pytest.fixture
def done(tmp_path, monkeypatch):
    """The file into which the server writes what it did."""
    file = tmp_path / "done"
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("STOCK_DONE", str(file))
    monkeypatch.setenv("STOCK_KEY", "a-key")
    monkeypatch.setenv("STOCK_OTHER", "not handed on")
    return file


def table(**changes):
    server = {
        "command": COMMAND,
        "tools": TOOLS,
        "reads": READS,
        "env": ["STOCK_KEY", "STOCK_DONE"],
        **changes,
    }
    server["reads"] = [name for name in server["reads"] if name in server["tools"]]
    return mcp_servers({"stock": {k: v for k, v in server.items() if v}}, "desk.toml")


@asynccontextmanager
async def box_with(servers, store, clock):
    async with mcp_tools(servers) as tools:
        yield Toolbox(tools, store=store, policy=load_policy(), clock=clock)


async def test_what_is_listed_is_offered_and_a_change_waits_for_the_yes(done, store, clock, maya):
    read_back = {"reserve": "I can reserve one at {branch}. Shall I?"}
    async with box_with(table(tools=["stock_of", "reserve"], read_back=read_back), store, clock) as box:
        assert {each.name for each in box.definitions(maya)} == {"stock_of", "reserve"}
        assert (await ask(box, maya, "stock_of", branch="Salem")).say == "7 in Salem, says a-key."
        assert await refused(ask(box, maya, "die")) == "unknown_tool"
        proposal = await propose(box, maya, "reserve", branch="Salem")
        assert proposal.read_back == "I can reserve one at Salem. Shall I?"
        assert not done.exists()
        assert (await say_yes(box, maya, proposal)).say.startswith("Reserved at Salem.")
        assert (await say_yes(box, maya, proposal)).repeated
    assert done.read_text() == f"Salem {proposal.id}\n"


async def test_a_server_that_dies_is_apologised_for_and_started_again(done, store, clock, maya):
    async with box_with(table(), store, clock) as box:
        assert await refused(ask(box, maya, "die")) == "unreachable"
        async with asyncio.timeout(60):
            while (answer := await asked_once(box, maya)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # until it is up again: it has no other news to wait for
        assert answer.say.startswith("7 in Salem")


async def asked_once(box, call):
    """The answer, or None while the server is away."""
    try:
        return await ask(box, call, "stock_of", branch="Salem")
    except ToolError:
        return None


async def test_a_model_never_says_whose_it_is(done, store, clock, maya):
    """Never the wrong customer: an argument that names one is filled in, in reads and in changes."""
    servers = table(tools=["wishes_of", "wish"], reads=["wishes_of"], customer={"wish": "member"})
    async with box_with(servers, store, clock) as box:
        offered = {each.name: set(each.parameters["properties"]) for each in box.definitions(maya)}
        assert offered == {"wishes_of": {"wish"}, "wish": {"thing"}}
        assert (await ask(box, maya, "wishes_of")).say == "maya wishes for any."
        assert await refused(ask(box, maya, "wishes_of", customerId="tomas")) == "unknown_argument"
        assert await refused(ask(box, maya, "wish", member="tomas", thing="tea")) == "unknown_argument"
        proposal = await propose(box, maya, "wish", thing="tea")
        assert "maya wishes for tea now." in (await say_yes(box, maya, proposal)).say
        guest = maya.with_caller(Caller())
        assert await refused(ask(box, guest, "wishes_of")) == "identity"
    open_to_all = table(tools=["wishes_of"], reads=["wishes_of"], identity={"wishes_of": "guest"})
    async with box_with(open_to_all, store, clock) as box:
        assert await refused(ask(box, maya.with_caller(Caller()), "wishes_of")) == "unknown_customer"


async def test_an_argument_that_is_not_there_is_said_at_the_start(done, store, clock):
    servers = table(tools=["wish"], reads=[], customer={"wish": "owner"})
    with pytest.raises(SettingsError, match="wish has no argument owner"):
        async with box_with(servers, store, clock):
            pass


async def test_a_change_whose_end_is_not_known_is_not_made_again(done, store, clock, maya):
    """Never twice: this server cannot tell a repetition from another order."""
    async with box_with(table(), store, clock) as box:
        proposal = await propose(box, maya, "reserve", branch="Nowhere")
        assert await refused(say_yes(box, maya, proposal)) == "unknown_outcome"
        assert await refused(say_yes(box, maya, proposal)) == "unknown_outcome"
    assert done.read_text().count("Nowhere") == 1


async def test_what_a_server_says_of_its_own_tools_is_not_believed(done, store, clock, maya):
    """`stock_of` calls itself read-only; only the company's word makes it so."""
    async with box_with(table(reads=[], tools=["stock_of"]), store, clock) as box:
        assert await propose(box, maya, "stock_of", branch="Salem")


async def test_a_change_that_the_company_calls_repeatable_is_made_again_with_its_key(
    done, store, clock, maya
):
    async with box_with(table(repeatable=["reserve"]), store, clock) as box:
        proposal = await propose(box, maya, "reserve", branch="Nowhere")
        assert await refused(say_yes(box, maya, proposal)) != "unknown_outcome"
        async with asyncio.timeout(60):
            while done.read_text().count("Nowhere") < 2:
                assert await refused(say_yes(box, maya, proposal)) != "unknown_outcome"
                await asyncio.sleep(0.05)  # until it is up again: it has no other news to wait for
    assert set(done.read_text().split("\n")) == {f"Nowhere {proposal.id}", ""}


async def test_what_a_server_says_is_bounded_data(done, store, clock, maya):
    async with box_with(table(), store, clock) as box:
        assert len((await ask(box, maya, "hostile")).say) <= 401


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def test_a_server_over_http(done, store, clock, maya):
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, str(port), cwd=ROOT, env={**os.environ}, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            while b"running on" not in await process.stderr.readline():
                pass
        servers = table(command=[], env=[], url=f"http://127.0.0.1:{port}/mcp", tools=["stock_of"])
        async with box_with(servers, store, clock) as box:
            assert "7 in Salem" in (await ask(box, maya, "stock_of", branch="Salem")).say
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": ["no-such-program"]}, r"\[mcp.stock\].*does not start"),
        ({"command": [sys.executable, "-c", "pass"]}, r"\[mcp.stock\].*does not start"),
        ({"tools": ["stock_of", "stock_off"]}, r"\[mcp.stock\].*no tool stock_off"),
    ],
)
async def test_a_server_that_is_of_no_use_is_named_at_the_start(done, changes, words):
    with pytest.raises(SettingsError, match=words):
        async with mcp_tools(table(**changes)):
            pass


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mcp]\nstock = 3", r"\[mcp.stock\]: Expected `object`"),
        ('[mcp.stock]\ncommand = ["x"]', "missing required field `tools`"),
        ('[mcp.stock]\ncommand = ["x"]\ntools = []', "length >= 1"),
        ('[mcp.stock]\ntools = ["a"]', "either command or url"),
        ('[mcp.stock]\nurl = "http://stock.example.com/mcp"\ntools = ["a"]', "https"),
        ('[mcp.stock]\ncommand = ["x"]\ntools = ["a"]\nchange = ["a"]', "unknown field `change`"),
        ('[mcp.stock]\ncommand = ["x"]\ntools = ["a"]\nrepeatable = ["b"]', "b is not among its tools"),
        (
            '[mcp.stock]\ncommand = ["x"]\ntools = ["a"]\nrepeatable = ["a"]\nreads = ["a"]',
            "reads and in repeatable",
        ),
        ('[mcp."a b"]\ncommand = ["x"]\ntools = ["a"]', "letters, digits"),
    ],
)
def test_a_table_that_is_wrong_is_named(tmp_path, text, words):
    file = tmp_path / "desk.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as error:
        load_settings({}, env={}, env_file=tmp_path / ".env", desk_file=file)
    assert str(file) in str(error.value)


def test_the_desk_reads_its_servers(tmp_path):
    file = tmp_path / "desk.toml"
    file.write_text(f'port = 8001\n[mcp.stock]\ncommand = {json.dumps(COMMAND)}\ntools = ["stock_of"]\n')
    settings = load_settings({}, env={}, env_file=tmp_path / ".env", desk_file=file)
    assert settings.port == 8001
    assert [(server.name, server.tools) for server in settings.mcp] == [("stock", ("stock_of",))]
