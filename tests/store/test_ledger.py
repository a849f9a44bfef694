"""The ledger shows any row that was altered, removed, reordered or cut off."""

import pytest
import sqlalchemy as sa

from helpline.store import Store, ledger
from helpline.store import schema as t


async def fill(store, count, customer="maya"):
    for number in range(count):
        async with store.database.write() as connection:
            written = await ledger.append(
                connection,
                ledger.Entry(
                    call_id="call_1",
                    proposal_id=f"prop_{len(customer)}_{number}",
                    at="2026-11-18T15:00:00.000+00:00",
                    customer_id=customer,
                    order_id="1005" if number % 2 else None,
                    action="cancel_order",
                    amount_cents=100 * number,
                    currency="USD",
                    means="voice",
                    evidence="e" * 64,
                ),
            )
        store.anchor.add(written)


async def tamper(store, *statements):
    async with store.database.write() as connection:
        for statement in statements:
            await connection.execute(statement)


def kinds(flaws):
    return {(flaw.seq, flaw.kind) for flaw in flaws}


async def test_a_ledger_that_nobody_touched_is_whole(store):
    assert await store.verify_ledger() == ()
    await fill(store, 5)
    assert await store.verify_ledger() == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [("amount_cents", 1), ("customer_key", "x"), ("at", "2026"), ("means", "button"), ("reference", "R-1")],
)
async def test_an_altered_row_shows(store, column, value):
    await fill(store, 5)
    await tamper(store, sa.update(t.ledger).where(t.ledger.c.seq == 3).values({column: value}))
    assert (3, "altered") in kinds(await store.verify_ledger())


async def test_a_removed_row_shows(store):
    await fill(store, 5)
    await tamper(store, sa.delete(t.ledger).where(t.ledger.c.seq == 2))
    assert (2, "removed") in kinds(await store.verify_ledger())


async def test_reordered_rows_show(store):
    await fill(store, 5)
    swap = [
        sa.update(t.ledger).where(t.ledger.c.seq == old).values(seq=new)
        for old, new in ((2, 99), (4, 2), (99, 4))
    ]
    await tamper(store, *swap)
    assert {seq for seq, _ in kinds(await store.verify_ledger())} >= {2, 4}


async def test_a_cut_off_end_shows_by_the_anchor_alone(store):
    await fill(store, 5)
    async with store.database.read() as connection:
        third = (await connection.execute(sa.select(t.ledger.c.hash).where(t.ledger.c.seq == 3))).scalar_one()
    await tamper(
        store,
        sa.delete(t.ledger).where(t.ledger.c.seq > 3),
        sa.update(t.ledger_head).values(seq=3, hash=third),
    )
    assert kinds(await store.verify_ledger()) == {(4, "cut off"), (5, "cut off")}


async def test_entries_that_the_head_knows_and_no_row_are_cut_off(store):
    await fill(store, 5)
    await tamper(store, sa.delete(t.ledger).where(t.ledger.c.seq > 3))
    assert kinds(await store.verify_ledger()) == {(4, "cut off"), (5, "cut off")}


async def test_a_chain_written_anew_shows_by_the_anchor_alone(store):
    await fill(store, 3)
    await tamper(
        store,
        sa.delete(t.ledger),
        sa.update(t.ledger_head).values(seq=0, hash=ledger.GENESIS),
    )
    honest = store.anchor.read()
    async with store.database.write() as connection:
        for number in range(3):
            await ledger.append(
                connection,
                ledger.Entry("c", f"p{number}", "now", None, None, "refund", 1, "USD", "voice", ""),
            )
    assert store.anchor.read() == honest
    assert kinds(await store.verify_ledger()) == {(1, "altered"), (2, "altered"), (3, "altered")}


async def test_a_desk_anchors_its_ledger_whatever_its_database_is(database_url, tmp_path):
    """As `open_desk` and `helpline ledger verify` open it: with the data folder alone."""
    store = await Store.open(database_url, data_dir=tmp_path / "data")
    try:
        await fill(store, 4)
        async with store.database.write() as connection:
            head = (await connection.execute(sa.select(t.ledger).where(t.ledger.c.seq == 3))).one()
            await connection.execute(sa.delete(t.ledger).where(t.ledger.c.seq == 4))
            await connection.execute(sa.update(t.ledger_head).values(seq=3, hash=head.hash))
    finally:
        await store.close()
    again = await Store.open(database_url, data_dir=tmp_path / "data")
    try:
        assert kinds(await again.verify_ledger()) == {(4, "cut off")}
    finally:
        await again.close()


async def test_a_lost_anchor_shows(store, tmp_path):
    await fill(store, 3)
    (tmp_path / "ledger.anchor").unlink()
    assert kinds(await store.verify_ledger()) == {(3, "not anchored")}


async def test_a_second_entry_for_the_same_proposal_is_impossible(store):
    await fill(store, 1)
    with pytest.raises(sa.exc.IntegrityError):
        await fill(store, 1)


async def test_forgetting_a_customer_leaves_a_chain_that_verifies_and_says_nothing(store):
    await fill(store, 4)
    await fill(store, 1, customer="tomas")
    await store.forget("maya")
    assert await store.verify_ledger() == ()
    async with store.database.read() as connection:
        rows = (await connection.execute(sa.select(t.ledger))).all()
        left = (await connection.execute(sa.select(t.pseudonyms.c.subject_id))).scalars().all()
        people = (await connection.execute(sa.select(t.customers).where(t.customers.c.id == "maya"))).one()
        streets = (
            await connection.execute(
                sa.select(t.addresses.c.street).where(t.addresses.c.customer_id == "maya")
            )
        ).scalars()
        assert set(streets) == {""}
    assert "maya" not in repr(rows)
    assert "1005" not in left
    assert set(left) == {"tomas"}
    assert (people.first_name, people.email, people.phone) == ("", "", "")


def test_references_are_short_and_never_repeat():
    references = [ledger.reference_of(seq) for seq in range(1, 100_000)]
    assert len(set(references)) == len(references)
    assert {len(reference) for reference in references[:9000]} == {len("R-4821")}
