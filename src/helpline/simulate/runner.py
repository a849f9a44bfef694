"""Scenarios played, each at a desk and a shop of its own, several at a time."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from helpline.actions import GUEST, Caller
from helpline.call.call import Call
from helpline.channels.wav import WavChannel
from helpline.chat import ChatModel
from helpline.desk import Desk, backends_of, open_desk
from helpline.errors import HelplineError, SettingsError
from helpline.realtime.connection import Backend
from helpline.records import archive
from helpline.settings import Secret, Settings
from helpline.simulate.backend import CuttableBackend
from helpline.simulate.customer import Speaking, Typing, follow, improvise
from helpline.simulate.judge import Run, failures_of
from helpline.simulate.scenario import Scenario
from helpline.simulate.text import TextChannel
from helpline.store import Store
from helpline.store import schema as t

TRACE_LIMIT: Final = 200_000
"""So much of a failed call's trace goes into the report."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play, and how."""

    scenarios: Sequence[Scenario]
    calls: int
    spoken: bool = False
    at_once: int = 4

    def numbered(self) -> list[Scenario]:
        """Each call's scenario: all of them in turn, until there are enough calls."""
        fit = [each for each in self.scenarios if each.speech or not self.spoken]
        return [fit[number % len(fit)] for number in range(self.calls)] if fit else []


async def play(settings: Settings, plan: Plan, told: Callable[[Run], None] = lambda run: None) -> list[Run]:
    """Play all the calls, and judge each; `told` hears of each as it ends.

    Raises SettingsError when a scenario needs a chat model and none is set.
    """
    if any(scenario.brief for scenario in plan.scenarios) and not settings.chat_url:
        raise SettingsError("A scenario with a brief needs a chat model: set HELPLINE_CHAT_URL.")
    places = asyncio.Semaphore(plan.at_once)
    async with AsyncExitStack() as opened:
        backends = await opened.enter_async_context(backends_of(settings))
        stage = Stage(settings, backends, Path(opened.enter_context(tempfile.TemporaryDirectory())))
        await stage.prepare()

        async def one(number: int, scenario: Scenario) -> Run:
            async with places:
                run = await stage.play(number, scenario, spoken=plan.spoken)
            told(run)
            return run

        return await asyncio.gather(*(one(*each) for each in enumerate(plan.numbered())))


class Stage:
    """Where calls are played: a demo shop, seeded once and copied for each of them."""

    def __init__(self, settings: Settings, backends: Sequence[Backend], folder: Path) -> None:
        self._settings = settings
        self._backends = backends
        self._folder = folder
        self._seeded = folder / "seeded.db"

    async def prepare(self) -> None:
        store = await Store.open(f"sqlite:///{self._seeded}", demo=True)
        await store.close()

    async def play(self, number: int, scenario: Scenario, *, spoken: bool) -> Run:
        """One call. What goes wrong with it is a failure of this run, and of no other."""
        folder = self._folder / str(number)
        try:
            async with self._desk(folder) as (desk, line):
                run = await _call(desk, line, scenario, self._settings, spoken=spoken)
            return run if run.passed else replace(run, trace=_trace(folder))
        except HelplineError as error:
            return Run(scenario, _EMPTY, (str(error),))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _furnish(self, folder: Path) -> None:
        folder.mkdir()
        shutil.copy(self._seeded, folder / "helpline.db")

    @asynccontextmanager
    async def _desk(self, folder: Path) -> AsyncIterator[tuple[Desk, CuttableBackend]]:
        await asyncio.to_thread(self._furnish, folder)
        # Nobody outside hears of what these customers do.
        settings = replace(
            self._settings,
            data_dir=folder,
            database_url=f"sqlite+aiosqlite:///{folder / 'helpline.db'}",
            host="127.0.0.1",
            origins=(),
            shop="demo",
            chat_url="",
            trace_calls="yes",
            webhook_url="",
            webhook_secret=Secret(),
            smtp_host="",
        )
        backends = [CuttableBackend(backend) for backend in self._backends]
        async with open_desk(settings, backends=backends) as desk:
            yield desk, backends[0]


def _trace(folder: Path) -> str:
    """What went over the connections of the one call that was played there, without its sound."""
    for path in (folder / "traces").glob("*.jsonl"):
        text = path.read_text(encoding="utf-8", errors="replace")
        return text if len(text) <= TRACE_LIMIT else f"{text[:TRACE_LIMIT]}\n…"
    return ""


_EMPTY: dict[str, Any] = {
    "lines": [],
    "tools": [],
    "receipts": [],
    "turns": [],
    "usage": {},
    "outcome": "abandoned",
}


async def _call(
    desk: Desk, line: CuttableBackend, scenario: Scenario, settings: Settings, *, spoken: bool
) -> Run:
    channel = WavChannel() if spoken else TextChannel()
    call = await desk.admit(channel, kind="simulated", caller=_caller(desk, scenario.customer))
    time = asyncio.create_task(channel.run(call)) if isinstance(channel, WavChannel) else None
    try:
        unanswered = await _converse(call, channel, line, scenario, settings)
    finally:
        call.hang_up("the customer hung up")
        await desk.gone(call)
        if isinstance(channel, WavChannel) and time is not None:
            channel.stop()
            await time
    record, orders = await _evidence(desk, call.id)
    return Run(scenario, record, (*unanswered, *failures_of(scenario.expect, record, orders)))


async def _converse(
    call: Call,
    channel: TextChannel | WavChannel,
    line: CuttableBackend,
    scenario: Scenario,
    settings: Settings,
) -> list[str]:
    mouth: Typing | Speaking
    if isinstance(channel, TextChannel):
        channel.join(call)
        mouth = Typing(channel, call)
    else:
        mouth = Speaking(channel, call, scenario)
        await mouth.start()
    if scenario.brief:
        return await improvise(scenario, ChatModel(settings), mouth, channel)
    return await follow(scenario.plan, mouth, call, channel, line)


def _caller(desk: Desk, customer: str) -> Caller:
    if customer == "guest":
        return GUEST
    for caller in desk.demo_customers:
        if customer in (caller.customer_id, caller.name):
            return caller
    raise SettingsError(f"{customer!r} is no customer of the demo shop.")


async def _evidence(desk: Desk, call_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The call's record, and the status of every order by its number."""
    store = desk.store
    async with store.database.read() as connection:
        record = await archive.find(connection, call_id)
        rows = await connection.execute(sa.select(t.orders.c.number, t.orders.c.status))
        return record or dict(_EMPTY), {row.number: row.status for row in rows}
