"""What can be done about orders beside the article's seven, over the demo shop, on both databases."""

from dataclasses import replace

import msgspec
import pytest
import sqlalchemy as sa

from helpline.policy import load_policy
from helpline.store import schema as t
from helpline.tools import Toolbox
from helpline.tools.desk import desk_tools
from tests.tools.talk import ask, propose, refused, say_yes

PORT = {"street": "9 Pier Road", "apartment": "Flat 2", "city": "Salem", "state": "OR", "postcode": "97301"}


@pytest.fixture
def toolbox(store, clock):
    policy = load_policy()
    return Toolbox(desk_tools(store, policy), store=store, policy=policy, clock=clock)


async def one_order(store, number):
    (order,) = await store.shop.orders("maya", number)
    return order


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        ({}, "1005"),
        ({"product": "kettle"}, "1004"),
        ({"product": "the t-shirts"}, "1002"),
        ({"product": "desk lamp"}, "1005"),
        ({"placed_on": "2026-11-14"}, "1004"),
    ],
)
async def test_an_order_is_found_without_its_number(toolbox, maya, arguments, number):
    result = await ask(toolbox, maya, "find_order", **arguments)
    assert f"order {number}" in result.say
    assert result.cards[0].key == f"order-{number}"


async def test_an_order_that_nobody_placed(toolbox, maya):
    assert await refused(ask(toolbox, maya, "find_order", product="submarine")) == "unknown_order"
    assert await refused(ask(toolbox, maya, "find_order", placed_on="last week")) == "bad:placed_on"


async def test_shoes_in_another_size(toolbox, maya, store):
    order = await one_order(store, "1002")
    proposal = await propose(
        toolbox, maya, "exchange_items", order_id="1002", items=[{"item": "shoes", "new_item": "size 10"}]
    )
    assert proposal.read_back == (
        "In order 1002 I can exchange the Trail Running Shoes for size 10, color black."
        " The price stays the same. Shall I exchange it?"
    )
    new = next(
        v
        for v in (await store.shop.product("P101")).variants
        if v.options == {"size": "10", "color": "black"}
    )
    await say_yes(toolbox, maya, proposal)
    after = await one_order(store, "1002")
    assert after.status == "exchange requested"
    assert after.lines == order.lines
    assert (await store.shop.variants([new.id]))[new.id].stock == new.stock - 1
    again = ask(
        toolbox, maya, "exchange_items", order_id="1002", items=[{"item": "shoes", "new_item": "size 9"}]
    )
    assert await refused(again) == "wrong_status"


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"item": "shoes", "new_item": "size 47"}, "unknown_item"),
        ({"item": "shoes", "new_item": "P105-1"}, "unknown_item"),
        ({"item": "t-shirts", "new_item": "size S", "quantity": 3}, "too_many"),
        ({"item": "hat", "new_item": "size S"}, "unknown_item"),
    ],
)
async def test_what_cannot_be_exchanged(toolbox, maya, item, reason):
    assert await refused(ask(toolbox, maya, "exchange_items", order_id="1002", items=[item])) == reason


async def test_what_is_sold_out_cannot_be_had(toolbox, maya, store):
    async with store.database.write() as connection:
        await connection.execute(
            sa.update(t.variants).where(t.variants.c.product_id == "P101").values(stock=0)
        )
    asking = ask(
        toolbox, maya, "exchange_items", order_id="1002", items=[{"item": "shoes", "new_item": "size 10"}]
    )
    assert await refused(asking) == "unavailable"


async def test_the_last_one_is_sold_once(toolbox, maya, store):
    """Sold to somebody else between the read-back and the yes."""
    proposal = await propose(
        toolbox, maya, "exchange_items", order_id="1002", items=[{"item": "shoes", "new_item": "size 10"}]
    )
    async with store.database.write() as connection:
        await connection.execute(
            sa.update(t.variants).where(t.variants.c.product_id == "P101").values(stock=0)
        )
    assert await refused(say_yes(toolbox, maya, proposal)) == "unavailable"
    assert (await one_order(store, "1002")).status == "delivered"


async def test_a_lamp_in_another_colour_before_it_is_packed(toolbox, maya, store):
    order = await one_order(store, "1005")
    old, other = order.lines[0], order.lines[1]
    async with store.database.write() as connection:
        dearer = sa.update(t.variants).where(t.variants.c.id == "P111-2").values(price_cents=6000, stock=5)
        await connection.execute(dearer)
    before = (await store.shop.variants([old.variant_id]))[old.variant_id].stock
    proposal = await propose(
        toolbox, maya, "change_order_items", order_id="1005", items=[{"item": "lamp", "new_item": "black"}]
    )
    assert "It costs 6 dollars more, from your Visa ending in 4242." in proposal.read_back
    await say_yes(toolbox, maya, proposal)
    after = await one_order(store, "1005")
    assert [(line.variant_id, line.price_cents) for line in after.lines] == [
        ("P111-2", 6000),
        (other.variant_id, 1800),
    ]
    assert after.total_cents == sum(after.net_paid().values()) == order.total_cents + 600
    stocks = {id_: one.stock for id_, one in (await store.shop.variants([old.variant_id, "P111-2"])).items()}
    assert stocks == {old.variant_id: before + 1, "P111-2": 4}
    again = ask(
        toolbox, maya, "change_order_items", order_id="1005", items=[{"item": "hat", "new_item": "grey"}]
    )
    assert await refused(again) in ("items_already_changed", "unknown_item")


async def test_part_of_a_line_becomes_another_size(toolbox, maya, store):
    async with store.database.write() as connection:
        own = t.orders.c.id == "1002"
        await connection.execute(sa.update(t.orders).where(own).values(status="pending", delivered_at=None))
    items = [{"item": "t-shirts", "new_item": "size XL", "quantity": 1}]
    await say_yes(
        toolbox, maya, await propose(toolbox, maya, "change_order_items", order_id="1002", items=items)
    )
    lines = [
        (line.name, line.options.get("size"), line.quantity)
        for line in (await one_order(store, "1002")).lines
    ]
    assert lines == [("Trail Running Shoes", "9", 1), ("Cotton T-Shirt", "S", 1), ("Cotton T-Shirt", "XL", 1)]


async def test_an_order_goes_elsewhere(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "change_order_address", order_id="1005", address=PORT)
    assert "9 Pier Road, Flat 2, Salem, OR 97301" in proposal.read_back
    await say_yes(toolbox, maya, proposal)
    assert (await one_order(store, "1005")).address.city == "Salem"
    assert (await store.shop.customer("maya")).address.city == "Portland"
    assert (
        await refused(ask(toolbox, maya, "change_order_address", order_id="1004", address=PORT))
        == "wrong_status"
    )


async def test_a_gift_card_that_holds_too_little_pays_nothing(toolbox, maya):
    asking = ask(toolbox, maya, "change_order_payment", order_id="1005", pay_with="gift card")
    assert await refused(asking) == "balance_too_low"


async def test_a_gift_card_that_holds_enough_pays(toolbox, maya, store):
    async with store.database.write() as connection:
        own = t.payment_methods.c.id == "maya-gift_card"
        await connection.execute(sa.update(t.payment_methods).where(own).values(balance_cents=10_000))
    proposal = await propose(toolbox, maya, "change_order_payment", order_id="1005", pay_with="my gift card")
    await say_yes(toolbox, maya, proposal)
    assert (await one_order(store, "1005")).net_paid() == {"maya-gift_card": 7200}
    assert (await store.shop.customer("maya")).method("maya-gift_card").balance_cents == 2800
    await say_yes(toolbox, maya, await propose(toolbox, maya, "cancel_order", order_id="1005"))
    assert (await store.shop.customer("maya")).method("maya-gift_card").balance_cents == 10_000


async def test_products_are_found_by_what_they_are(toolbox, maya):
    result = await ask(toolbox, maya, "search_products", query="something waterproof with music")
    assert "Bluetooth Speaker" in result.say
    assert await refused(ask(toolbox, maya, "search_products", query="qwertz")) == "unknown_product"


async def test_a_person_is_fetched_at_once_and_once(toolbox, maya, store):
    for _ in range(2):
        result = await ask(toolbox, maya, "transfer_to_person", summary="A lamp arrived broken.")
        assert result.proposal is None
        assert "person" in result.say
    async with store.database.read() as connection:
        (ticket,) = (await connection.execute(sa.select(t.tickets))).all()
    assert (ticket.kind, ticket.customer_id, ticket.body) == ("transfer", "maya", "A lamp arrived broken.")


async def test_a_ticket_is_written_after_a_yes(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "open_ticket", subject="A broken lamp", details="It came broken.")
    async with store.database.read() as connection:
        assert (await connection.execute(sa.select(t.tickets))).all() == []
    await say_yes(toolbox, maya, proposal)
    async with store.database.read() as connection:
        (ticket,) = (await connection.execute(sa.select(t.tickets))).all()
    assert (ticket.kind, ticket.subject) == ("ticket", "A broken lamp")


async def test_a_faulty_item_is_exchanged_for_another_of_its_kind_where_the_policy_says_so(toolbox, maya):
    order = (await maya.shop.orders("maya", "1002"))[0]
    line = order.lines[0]
    same = [{"item": line.variant_id, "new_item": line.variant_id}]
    proposal = await propose(toolbox, maya, "exchange_items", order_id="1002", items=same)
    assert "The price stays the same" in proposal.read_back
    policy = load_policy()
    strict = msgspec.structs.replace(policy.exchange, same_item=False)
    context = replace(maya, policy=msgspec.structs.replace(policy, exchange=strict))
    asked = ask(toolbox, context, "exchange_items", order_id="1002", items=same)
    assert await refused(asked) == "same_item"
