"""Replays the expected actions of tasks as calls, and compares the shop path by path afterwards.

    python -m tests.retail.replay --db FILE --tasks FILE --states FILE [--database-url URL]

Each task starts on a fresh copy of the shop. Its caller is verified, its changes are proposed, read back,
agreed to and written into the ledger, by the tools and the policy that a call uses. Money is compared to the
cent. With a Postgres URL, the user must be allowed to create databases.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa

from helpline.actions import GUEST
from helpline.errors import ToolError
from helpline.policy import load_policy
from helpline.store import Store
from helpline.store.retail import export_retail, import_retail, read_retail
from helpline.tools import CallContext, Toolbox
from helpline.tools.desk import desk_tools
from tests.retail.layout import call_of, changes, lookup_of, owner_of

POLICY = load_policy(Path(__file__).parent / "policy.toml")


class Shops:
    """Fresh copies of one imported shop, on either database."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self._server = sa.make_url(server) if server else None
        self._made = 0

    async def prepare(self, content: Mapping[str, Any]) -> None:
        """Import the shop once."""
        if self._server is not None:
            await self._sql(f'CREATE DATABASE "{self._name(0)}"')
        store = await Store.open(self._url(0))
        await import_retail(store, content)
        await store.close()

    def _name(self, number: int) -> str:
        return f"{self._folder.name}_{number}".replace("-", "_")

    def _url(self, number: int) -> str:
        if self._server is None:
            return f"sqlite:///{self._folder / f'{number}.db'}"
        return self._server.set(database=self._name(number)).render_as_string(hide_password=False)

    async def _sql(self, statement: str) -> None:
        assert self._server is not None
        plain = self._server.set(drivername="postgresql", database=self._server.database or "postgres")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[Store]:
        """A copy, thrown away afterwards."""
        self._made += 1
        if self._server is None:
            shutil.copy(self._folder / "0.db", self._folder / f"{self._made}.db")
        else:
            await self._sql(f'CREATE DATABASE "{self._name(self._made)}" TEMPLATE "{self._name(0)}"')
        anchor = self._folder / f"{self._made}.anchor"
        store = await Store.open(self._url(self._made), anchor=anchor)
        try:
            yield store
        finally:
            await store.close()
            if self._server is not None:
                await self._sql(f'DROP DATABASE "{self._name(self._made)}"')

    async def clear(self) -> None:
        """Throw the imported shop away."""
        if self._server is not None:
            await self._sql(f'DROP DATABASE IF EXISTS "{self._name(0)}"')


class Replay:
    """One task as one call."""

    def __init__(self, store: Store, shop: Mapping[str, Any], task_id: str) -> None:
        self._toolbox = Toolbox(desk_tools(store, POLICY), store=store, policy=POLICY)
        self._shop = shop
        self._context: CallContext = self._toolbox.context(
            call_id=f"replay_{task_id}", caller=GUEST, address=f"198.51.100.1/{task_id}"
        )
        self.refusals: list[str] = []

    async def run(self, actions: list[Mapping[str, Any]]) -> None:
        """Every action in turn, the caller verified before the first that needs it."""
        if not any(lookup_of(action) for action in actions):
            await self._verify_owner(actions)
        for action in sorted(actions, key=lambda action: not action["name"].startswith("find_user_id")):
            await self._take(action)

    async def _take(self, action: Mapping[str, Any]) -> None:
        """One action; one that is not whole or about somebody else's account is refused, as in a call."""
        try:
            called = lookup_of(action) or call_of(action)
        except ToolError as refusal:
            self.refusals.append(f"{action['name']}: {refusal.reason}")
            return
        except KeyError as missing:
            self.refusals.append(f"{action['name']}: missing:{missing.args[0]}")
            return
        user_id = (action["arguments"] or {}).get("user_id", self._context.caller.customer_id)
        if user_id != self._context.caller.customer_id:
            self.refusals.append(f"{action['name']}: other_customer")
        elif called is not None:
            await self._act(*called)

    async def _verify_owner(self, actions: list[Mapping[str, Any]]) -> None:
        owner = next((user for action in actions if (user := owner_of(action, self._shop))), None)
        if owner is not None:
            await self._act("verify_by_email", {"email": owner["email"]})

    async def _act(self, tool: str, arguments: Mapping[str, Any]) -> None:
        try:
            result = await self._toolbox.run(self._context, tool, json.dumps(arguments), "tc")
            if result.caller is not None:
                self._context = self._context.with_caller(result.caller)
            if result.proposal is not None:
                heard = result.proposal.read_back
                await self._toolbox.confirm(
                    self._context, result.proposal.id, heard=heard, answer="Yes, please.", means="voice"
                )
        except ToolError as refusal:
            self.refusals.append(f"{tool}: {refusal.reason}")


async def replay(
    shop: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    expected_states: Sequence[Mapping[str, Any]],
    server: str = "",
) -> list[str]:
    """A line for each task whose end differs from what was expected."""
    states = {str(state["task"]): state["changed"] for state in expected_states}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="replay") as name:
        shops = Shops(Path(name), server)
        await shops.prepare(shop)
        for task in tasks:
            async with shops.fresh() as store:
                call = Replay(store, shop, task["id"])
                await call.run(task["evaluation_criteria"]["actions"] or [])
                found = changes(shop, await export_retail(store))
                flaws = await store.verify_ledger()
            expected = states[str(task["id"])]
            if found != expected or flaws:
                wrong.append(difference(task["id"], found, expected, call.refusals))
        await shops.clear()
    return wrong


def difference(task: str, found: Mapping[str, Any], expected: Mapping[str, Any], refusals: list[str]) -> str:
    """A line about a task that ended otherwise."""
    paths = sorted(path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path))
    details = "; ".join(f"{path} is {found.get(path)}, not {expected.get(path)}" for path in paths)
    return f"task {task}: {details or 'the ledger has a flaw'} (refused: {', '.join(refusals) or 'nothing'})"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--db", "--tasks", "--states"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--database-url", default="", help="a Postgres server; without it SQLite")
    given = parser.parse_args()
    started = time.monotonic()
    server = "" if given.database_url.startswith("sqlite") else given.database_url
    tasks, states = (json.loads(path.read_text(encoding="utf-8")) for path in (given.tasks, given.states))
    wrong = asyncio.run(replay(read_retail(given.db), tasks, states, server))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(tasks) - len(wrong)} of {len(tasks)} as expected, in {time.monotonic() - started:.1f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
