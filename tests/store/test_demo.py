"""The demo shop is the same every time, and its dates stay true."""

from collections import Counter
from datetime import timedelta

import sqlalchemy as sa

from helpline.actions import Identity
from helpline.store import Store
from helpline.store import schema as t
from helpline.store.records import ORDER_STATUSES


async def scalar(store, query):
    async with store.database.read() as connection:
        return (await connection.execute(query)).scalar_one()


async def test_it_has_what_was_promised(store):
    for table, count in ((t.customers, 8), (t.orders, 30), (t.products, 40)):
        assert await scalar(store, sa.select(sa.func.count()).select_from(table)) == count
    async with store.database.read() as connection:
        statuses = Counter((await connection.execute(sa.select(t.orders.c.status))).scalars())
    assert set(statuses) == set(ORDER_STATUSES)


async def test_the_first_customer_owns_1001_to_1006(store, clock):
    callers = await store.demo_customers()
    assert len(callers) == 8
    assert callers[0].identity is Identity.PROVEN
    assert callers[0].how == "demo"
    orders = {order.number: order for order in await store.shop.latest_orders(callers[0].customer_id, 20)}
    assert sorted(orders) == ["1001", "1002", "1003", "1004", "1005", "1006"]
    assert orders["1004"].status == "shipped"
    assert orders["1004"].shipments[0].carrier
    assert orders["1004"].expected_on > clock.utcnow().date()
    assert orders["1005"].status == "pending"
    assert orders["1002"].status == "delivered"
    assert timedelta(days=5) < clock.utcnow() - orders["1002"].delivered_at < timedelta(days=8)


async def test_a_month_later_the_dates_are_as_true_as_on_the_first_day(database_url, clock):
    first = await Store.open(database_url, demo=True, clock=clock)
    before = (await first.shop.orders("maya", "1002"))[0]
    await first.close()
    clock.pass_(days=31, hours=3)
    second = await Store.open(database_url, demo=True, clock=clock)
    after = (await second.shop.orders("maya", "1002"))[0]
    await second.close()
    assert after.delivered_at - before.delivered_at == timedelta(days=31)
    assert [event.at for event in after.events] == [event.at + timedelta(days=31) for event in before.events]


async def test_the_same_shop_every_time(tmp_path, clock):
    shops = []
    for name in ("one.db", "two.db"):
        store = await Store.open(f"sqlite:///{tmp_path / name}", demo=True, clock=clock)
        shops.append(
            [await store.shop.latest_orders(c.customer_id, 20) for c in await store.demo_customers()]
        )
        await store.close()
    assert shops[0] == shops[1]


async def test_money_and_dates_of_every_order_make_sense(store, clock):
    for caller in await store.demo_customers():
        for order in await store.shop.latest_orders(caller.customer_id, 20):
            back = order.status in ("cancelled", "returned")
            assert sum(order.net_paid().values()) == (0 if back else order.total_cents)
            times = [event.at for event in order.events]
            assert times == sorted(times)
            assert times[-1] < clock.utcnow()


async def test_another_shop_is_left_alone_and_has_no_demo_customers(database_url, clock):
    empty = await Store.open(database_url, clock=clock)
    async with empty.database.write() as connection:
        await connection.execute(sa.insert(t.facts).values(name="shop", value="retail"))
    assert await empty.demo_customers() == ()
    await empty.close()
    again = await Store.open(database_url, demo=True, clock=clock)
    assert await again.demo_customers() == ()
    assert await scalar(again, sa.select(sa.func.count()).select_from(t.orders)) == 0
    await again.close()
