"""Confirmations, repeats and races, sixteen at a time, with the process killed in between: one row each."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from helpline.store import schema as t
from helpline.tools import Toolbox
from helpline.tools.shop import shop_tools
from tests.store.worker import generous

ROOT = Path(__file__).parents[2]


async def proposals(store, count):
    """Open proposals, each in a call of its own, of all customers in turn."""
    toolbox = Toolbox(shop_tools(), store=store, policy=generous())
    callers = await store.demo_customers()
    asked = []
    for number in range(count):
        caller = callers[number % len(callers)]
        context = toolbox.context(call_id=f"call_{number}", caller=caller)
        phone = {"phone": f"555 {number:05d}"}
        proposal = (await toolbox.run(context, "update_account_info", json.dumps(phone))).proposal
        asked.append(
            {
                "call": context.call_id,
                "customer": caller.customer_id,
                "proposal": proposal.id,
                "heard": proposal.read_back,
            }
        )
    return asked


def worker(url, anchor, asked):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", url, str(anchor)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("".join(json.dumps(one) + "\n" for one in asked))
    process.stdin.close()
    return process


def kill_after(process, receipts):
    """Read that many receipts and kill; what it had printed by then was promised to a customer."""
    read = []
    for _ in range(receipts):
        line = process.stdout.readline()
        if not line:
            break
        read.append(line.split())
    process.kill()
    read += [line.split() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    return read


def finish(process):
    read = [line.split() for line in process.stdout]
    process.stdout.close()
    assert process.wait() == 0
    return read


async def one_row_each(store, url, anchor, count, kills):
    asked = await proposals(store, count)
    promised = []
    for number in range(kills):
        promised += kill_after(worker(url, anchor, asked), 1 + (number * 2 * count) // (3 * kills))
    both = worker(url, anchor, asked), worker(url, anchor, asked)
    for process in both:
        promised += finish(process)
    async with store.database.read() as connection:
        rows = (await connection.execute(sa.select(t.ledger.c.proposal_id, t.ledger.c.reference))).all()
    written = dict(rows)
    assert Counter(proposal for proposal, _ in rows) == Counter(one["proposal"] for one in asked)
    assert all(written[proposal] == reference for proposal, reference in promised)
    assert await store.verify_ledger() == ()


async def test_killed_confirmations_are_one_row_each(store, shop_url, tmp_path):
    await one_row_each(store, shop_url, tmp_path / "ledger.anchor", count=60, kills=3)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_two_thousand_confirmations_with_kills_are_one_row_each(store, shop_url, tmp_path):
    await one_row_each(store, shop_url, tmp_path / "ledger.anchor", count=2000, kills=20)
