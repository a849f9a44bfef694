"""Whole calls, spoken: `helpline call` to `helpline engine` over a real socket, in real time.

All of them are held at once, since a call is mostly waiting; each test then looks at one.
"""

import asyncio
import json
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpline.audio.wav import read_wav
from helpline.channels.document import CallDocument
from helpline.channels.wav import WavChannel, audible_end, line_to
from helpline.desk import open_desk
from helpline.engine.voice import Synthesiser
from helpline.settings import Settings, load_settings

pytestmark = [pytest.mark.spoken, pytest.mark.xdist_group("spoken_calls"), pytest.mark.timeout(240)]

HELPLINE = Path(sys.executable).with_name("helpline")
PATIENCE_S = 40.0

Customer = Callable[[WavChannel], Awaitable[None]]


def says(*sentences: str) -> Customer:
    """A customer who says each sentence and listens to its answer."""

    async def customer(channel: WavChannel) -> None:
        voice = Synthesiser()
        for sentence in sentences:
            channel.speak(await asyncio.to_thread(voice.speak, sentence))
            assert await channel.answered(PATIENCE_S), f"nothing was answered to {sentence!r}"

    return customer


async def says_yes_too_early(channel: WavChannel) -> None:
    """A customer who says yes when the read-back has only begun, and then nothing more."""
    voice = Synthesiser()
    channel.speak(await asyncio.to_thread(voice.speak, "cancel order 1005"))
    assert await channel.until(lambda: channel.state == "speaking", PATIENCE_S)
    channel.speak(await asyncio.to_thread(voice.speak, "yes, do it"))
    assert await channel.until(lambda: said_yes(channel), PATIENCE_S), "the yes was not understood"
    assert await channel.answered(PATIENCE_S)


def said_yes(channel: WavChannel) -> bool:
    lines = channel.document.lines
    return any("yes" in line.text.lower() for line in lines if line.speaker == "customer" and line.final)


CALLS: dict[str, Customer] = {
    "get_customer_info": says("show me my account please"),
    "check_order_status": says("where is my order 1004"),
    "get_product_info": says("do you have running shoes"),
    "process_return": says("I want to return order 1002", "yes, do it"),
    "update_account_info": says(
        "please update my phone number to two zero two five five five zero one zero zero", "yes, do it"
    ),
    "cancel_order": says("cancel order 1005", "yes, do it"),
    "schedule_callback": says("schedule a callback", "tomorrow at three please", "yes, do it"),
    "refused": says("cancel order 1004", "yes, do it"),
    "declined": says("cancel order 1005", "no"),
    "too_early": says_yes_too_early,
}
ARGUMENTS = {
    "check_order_status": "1004",
    "get_product_info": "running shoes",
    "process_return": "1002",
    "update_account_info": "2025550100",
    "cancel_order": "1005",
    "schedule_callback": "T15:00",
}
"""What must have come through the air and be in the tool's arguments, spaces and dashes aside."""


@dataclass(frozen=True)
class Held:
    """A call that was held, and what the shop's database holds after it."""

    document: CallDocument
    order_1005: str
    """Its status."""
    changes: list[str]
    """The actions in the ledger."""

    @property
    def tools(self) -> list[str]:
        return [tool.name for tool in self.document.tools]

    @property
    def said(self) -> str:
        """Both sides' words, for a failure's message."""
        return " / ".join(f"{line.speaker}: {line.text}" for line in self.document.lines)


@asynccontextmanager
async def engine() -> AsyncIterator[str]:
    """`helpline engine` on a free port: the address that it prints."""
    process = await asyncio.create_subprocess_exec(
        HELPLINE, "engine", "--port", "0", stdout=asyncio.subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        found = re.search(r"ws://\S+", line)
        assert found, f"the engine did not say where it listens: {line!r}"
        yield found[0]
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0, "the engine did not end cleanly"


def environment() -> dict[str, str]:
    """This environment, without the settings of a desk that is in use here."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HELPLINE_", "AZURE_", "OPENAI_"))
    }


def settings_for(folder: Path, url: str) -> Settings:
    """A desk of its own, that is open, and may be called back, at any time."""
    given = {
        "realtime_url": url,
        "backends": "realtime",
        "data_dir": folder,
        "hours": "Mon-Sun 0:00-23:59",
    }
    return load_settings(given, {}, folder / "none", folder / "none")


async def hold(folder: Path, url: str, customer: Customer, opening: asyncio.Lock) -> Held:
    async with AsyncExitStack() as opened:
        async with opening:  # Migrations keep to one database of a process at a time.
            desk = await opened.enter_async_context(open_desk(settings_for(folder, url)))
        channel = WavChannel()
        async with line_to(desk, channel, desk.demo_customers[0]) as call:
            assert await call.start_voice(), channel.document.failure
            await customer(channel)
    with closing(sqlite3.connect(folder / "helpline.db")) as database:
        (status,) = database.execute("select status from orders where number = '1005'").fetchone()
        changes = [action for (action,) in database.execute("select action from ledger")]
    return Held(channel.document, status, changes)


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> dict[str, Held | BaseException]:
    """Every call, held at the same time against one engine."""

    async def hold_all() -> dict[str, Held | BaseException]:
        opening = asyncio.Lock()
        async with engine() as url:
            calls = (
                hold(tmp_path_factory.mktemp(name), url, customer, opening)
                for name, customer in CALLS.items()
            )
            return dict(zip(CALLS, await asyncio.gather(*calls, return_exceptions=True), strict=True))

    return asyncio.run(hold_all())


@pytest.fixture
def held(calls) -> Callable[[str], Held]:
    def held(name: str) -> Held:
        call = calls[name]
        if isinstance(call, BaseException):
            raise call
        return call

    return held


def assert_understood(call: Held, action: str) -> None:
    arguments = next(tool.arguments for tool in call.document.tools if tool.name == action)
    assert ARGUMENTS.get(action, "") in re.sub(r"(?<=\d)[ -](?=\d)", "", arguments), call.said


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("get_customer_info", "Maya Lindqvist"),
        ("check_order_status", "1004"),
        ("get_product_info", "dollars"),
    ],
)
def test_a_question_is_answered_aloud_from_the_shop(held, action, words):
    call = held(action)
    assert call.tools == [action], call.said
    assert_understood(call, action)
    (answer,) = [line for line in call.document.lines if line.speaker == "desk"]
    assert words in answer.text
    assert answer.heard == answer.text
    assert call.changes == []


@pytest.mark.parametrize(
    "action", ["process_return", "update_account_info", "cancel_order", "schedule_callback"]
)
def test_a_change_is_read_back_agreed_to_and_done_once(held, action):
    call = held(action)
    assert call.tools.count(action) == 1, call.said
    assert_understood(call, action)
    (receipt,) = call.document.receipts
    assert receipt.action == action
    assert call.changes == [action]
    spoken = [line.heard for line in call.document.lines if line.speaker == "desk"]
    proposal = next(tool.result.proposal for tool in call.document.tools if tool.name == action)
    assert any(proposal.read_back in heard for heard in spoken), call.said
    assert " ".join(receipt.reference.removeprefix("R-")) in spoken[-1], (
        "the receipt is spoken, digit by digit"
    )


def test_a_cancelled_order_is_cancelled_in_the_shop(held):
    assert held("cancel_order").order_1005 == "cancelled"


def test_what_the_policy_refuses_is_refused_with_a_reason_and_a_yes_changes_nothing(held):
    call = held("refused")
    result = call.document.tools[0].result
    assert (result.ok, result.proposal) == (False, None), call.said
    assert result.reason
    assert (call.document.receipts, call.changes) == ([], [])


def test_a_no_changes_nothing(held):
    call = held("declined")
    assert call.tools == ["cancel_order"], call.said
    assert (call.document.receipts, call.changes) == ([], [])
    assert call.order_1005 != "cancelled"


def test_a_yes_before_the_read_back_was_heard_changes_nothing(held):
    call = held("too_early")
    assert call.document.tools[0].result.proposal is not None, call.said
    assert (call.document.receipts, call.changes) == ([], [])
    assert call.order_1005 != "cancelled"


def test_every_call_measured_how_long_its_answers_took(held):
    for name, customer in CALLS.items():
        latency = held(name).document.latency_ms
        assert latency, f"{name} ({customer})"
        assert all(each > 0 for each in latency)


async def test_the_command_itself_talks_to_the_engine_over_a_socket(tmp_path):
    async with engine() as url:
        call = await asyncio.create_subprocess_exec(
            HELPLINE, "call", "--json", "--url", url, "--out", "reply.wav", "where is my order 1004",
            cwd=tmp_path, env=environment(), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await call.communicate()
    assert call.returncode == 0
    document = json.loads(out)
    assert [line["speaker"] for line in document["lines"]] == ["customer", "desk"]
    assert document["tools"][0]["name"] == "check_order_status"
    assert document["tools"][0]["arguments"] == {"order_id": "1004"}
    said = read_wav(tmp_path / "reply.wav")
    assert audible_end(said) > 48 * 1000, "a second of speech at least"
