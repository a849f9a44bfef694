"""Whole conversations of customers in a hurry, from a table that reads as they went."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helpline.actions import GUEST
from helpline.simulate.text import TextChannel
from helpline.store import Store
from tests.records.desks import desk_in

TABLE = Path(__file__).parent / "conversations.txt"


@dataclass
class Conversation:
    """Lines of one conversation, as they stand in the table."""

    name: str
    customer: str
    lines: list[str] = field(default_factory=list)


def read() -> Iterator[Conversation]:
    talk: Conversation | None = None
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            if talk is not None:
                yield talk
            name, _, customer = line[3:].rpartition(" (")
            talk = Conversation(name, customer.rstrip(")"))
        elif line and not line.startswith("#"):
            assert talk is not None
            talk.lines.append(line)
    assert talk is not None
    yield talk


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("seeded") / "helpline.db"

    async def seed() -> None:
        store = await Store.open(f"sqlite:///{database}", demo=True)
        await store.close()

    asyncio.run(seed())
    return database


@pytest.mark.parametrize("talk", list(read()), ids=lambda talk: talk.name)
async def test_a_customer_in_a_hurry(talk: Conversation, tmp_path: Path, seeded: Path) -> None:
    shutil.copy(seeded, tmp_path / "helpline.db")
    async with desk_in(tmp_path) as desk:
        caller = {"guest": GUEST, **{one.customer_id: one for one in desk.demo_customers}}[talk.customer]

        async def ring() -> tuple[TextChannel, object]:
            channel = TextChannel()
            call = await desk.admit(channel, kind="test", caller=caller)
            channel.join(call)
            return channel, call

        channel, call = await ring()
        done: list[str] = []
        answer = ""
        for line in talk.lines:
            so_far = [*done, *(receipt.action for receipt in channel.document.receipts)]
            match line.partition(" "):
                case (">", _, wanted):
                    assert wanted in answer or _one_of(wanted, answer), f"{wanted!r} is not in {answer!r}"
                case ("!", _, unwanted):
                    assert unwanted not in answer
                case ("done:", _, actions):
                    assert so_far == actions.split()
                case ("--", _, _):
                    call.hang_up("the customer hung up")
                    await desk.gone(call)
                    done = so_far
                    channel, call = await ring()
                case _:
                    known = set(channel.document.captions)
                    assert await channel.say(line), f"no answer to {line!r}"
                    new = [one for one in channel.document.lines if one.line_id not in known]
                    answer = " ".join(one.text for one in new if one.speaker == "desk")
        call.hang_up("the customer hung up")
        await desk.gone(call)


def _one_of(wanted: str, answer: str) -> bool:
    """A line of weekdays: which of them it is depends on the day of the test."""
    return wanted.split()[0].endswith("day") and any(day in answer for day in wanted.split())
