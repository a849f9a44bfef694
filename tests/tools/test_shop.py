"""The article's seven actions, over the demo shop, on both databases."""

import pytest

from helpline.actions import GUEST
from helpline.call.confirm import read_back_heard
from helpline.store.records import Product, Variant
from helpline.tools.cards import product_data
from helpline.tools.shop import product_sentence
from tests.tools.talk import ask, propose, refused, say_yes

SALEM = {"street": "1 Elm Street", "city": "Salem", "state": "OR", "postcode": "97301"}


async def test_a_customer_hears_about_themself(toolbox, maya):
    result = await ask(toolbox, maya, "get_customer_info")
    assert "Maya Lindqvist" in result.say
    assert result.data["orders"][0]["number"] == "1005"
    assert result.cards[0].kind == "customer"
    assert "4242" in str(result.data["payment_methods"])


@pytest.mark.parametrize("said", ["1004", "order 1004", "#1004", "one zero zero four", " 1004. "])
async def test_an_order_on_its_way(toolbox, maya, said):
    result = await ask(toolbox, maya, "check_order_status", order_id=said)
    assert result.say == "Order 1004 is on its way with Swift Parcel. It should arrive on Friday."
    card = result.cards[0]
    assert (card.kind, card.key) == ("order", "order-1004")
    assert card.data["total_cents"] == 10_000
    assert card.data["total"] == "$100.00"
    assert card.data["tracking"]
    assert [step["text"] for step in card.data["timeline"]] == [
        "Order placed",
        "Packed",
        "Handed to the carrier",
    ]
    lines = {line["name"]: line["quantity"] for line in card.data["lines"]}
    assert lines == {"Electric Kettle": 1, "Bath Towels": 1}


@pytest.mark.parametrize("number", ["1001", "1002", "1003", "1004", "1005", "1006"])
async def test_every_order_can_be_told(toolbox, maya, number):
    result = await ask(toolbox, maya, "check_order_status", order_id=number)
    assert result.say.startswith(f"Order {number} ")


async def test_somebody_elses_order_sounds_like_none(toolbox, maya):
    foreign = await refused(ask(toolbox, maya, "check_order_status", order_id="1010"))
    unknown = await refused(ask(toolbox, maya, "check_order_status", order_id="999999"))
    assert foreign == unknown == "unknown_order"


async def test_a_cancelled_order_gives_the_money_and_the_goods_back(toolbox, maya, store):
    before = (await store.shop.orders("maya", "1005"))[0]
    stock = await store.shop.variants([line.variant_id for line in before.lines])
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    assert proposal.read_back == (
        "I can cancel order 1005, 2 items, and refund 72 dollars to your Visa ending in 4242."
        " Shall I cancel it?"
    )
    assert (await store.shop.orders("maya", "1005"))[0] == before
    receipt = await say_yes(toolbox, maya, proposal)
    assert receipt.say.startswith("Done. Order 1005 is cancelled.")
    after = (await store.shop.orders("maya", "1005"))[0]
    assert after.status == "cancelled"
    assert after.net_paid() == {}
    again = await store.shop.variants(list(stock))
    assert {id_: again[id_].stock - one.stock for id_, one in stock.items()} == dict.fromkeys(stock, 1)


async def test_an_order_on_its_way_cannot_be_cancelled(toolbox, maya):
    assert await refused(ask(toolbox, maya, "cancel_order", order_id="1004")) == "wrong_status"


async def test_an_unknown_reason_is_refused(toolbox, maya):
    asking = ask(toolbox, maya, "cancel_order", order_id="1005", reason="because I say so")
    assert await refused(asking) == "unknown_reason"


async def test_part_of_an_order_goes_back(toolbox, maya, store):
    proposal = await propose(
        toolbox, maya, "process_return", order_id="1002", items=[{"item": "t-shirts", "quantity": 1}]
    )
    assert proposal.amount_cents == 1900
    assert "19 dollars" in proposal.read_back
    await say_yes(toolbox, maya, proposal)
    assert (await store.shop.orders("maya", "1002"))[0].status == "return requested"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"order_id": "1001"}, "window_closed"),
        ({"order_id": "1004"}, "wrong_status"),
        ({"order_id": "1002", "items": [{"item": "piano"}]}, "unknown_item"),
        ({"order_id": "1002", "items": [{"item": "t-shirt", "quantity": 3}]}, "too_many"),
        ({"order_id": "1002", "refund_to": "PayPal"}, "unknown_method"),
    ],
)
async def test_what_cannot_be_returned(toolbox, maya, arguments, reason):
    assert await refused(ask(toolbox, maya, "process_return", **arguments)) == reason


async def test_a_refund_may_go_to_the_gift_card(toolbox, maya):
    proposal = await propose(toolbox, maya, "process_return", order_id="1002", refund_to="gift card")
    assert "your gift card" in proposal.read_back


@pytest.mark.parametrize("said", ["rain jacket", "the rain jackets", "P103", "P103-2"])
async def test_a_product_is_told_with_what_is_in_stock(toolbox, maya, said):
    result = await ask(toolbox, maya, "get_product_info", product=said)
    assert result.say.startswith("We have the Rain Jacket for 99 dollars.")
    assert len(result.data["variants"]) == 6


async def test_words_that_fit_two_products_ask(toolbox, maya):
    assert await refused(ask(toolbox, maya, "get_product_info", product="a lamp")) == "ambiguous_product"
    assert await refused(ask(toolbox, maya, "get_product_info", product="a submarine")) == "unknown_product"


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ({"email": "maya.new@example.com"}, "email", "maya.new@example.com"),
        ({"phone": "555 0199"}, "phone", "555 0199"),
    ],
)
async def test_the_account_changes(toolbox, maya, store, arguments, field, value):
    proposal = await propose(toolbox, maya, "update_account_info", **arguments)
    await say_yes(toolbox, maya, proposal)
    assert getattr(await store.shop.customer("maya"), field) == value


async def test_the_home_address_changes_and_orders_keep_theirs(toolbox, maya, store):
    await say_yes(toolbox, maya, await propose(toolbox, maya, "update_account_info", address=SALEM))
    assert (await store.shop.customer("maya")).address.line == "1 Elm Street, Salem, OR 97301"
    assert (await store.shop.orders("maya", "1004"))[0].address.city == "Portland"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "nothing_to_change"),
        ({"email": "maya at example"}, "bad_email"),
        ({"phone": "12"}, "bad_phone"),
        ({"address": {"street": " ", "city": "Salem", "state": "OR", "postcode": "97301"}}, "bad_address"),
    ],
)
async def test_what_cannot_be_an_account(toolbox, maya, arguments, reason):
    assert await refused(ask(toolbox, maya, "update_account_info", **arguments)) == reason


async def test_a_callback_in_office_hours(toolbox, maya):
    proposal = await propose(
        toolbox, maya, "schedule_callback", when="tomorrow at 3 pm", topic="a broken lamp"
    )
    assert proposal.read_back == (
        "We can call you back tomorrow at 3 PM, on the number ending in 0 1 4 2. Shall I book it?"
    )
    receipt = await say_yes(toolbox, maya, proposal)
    assert "tomorrow at 3 PM" in receipt.say


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("tomorrow at 3 am", "closed"),
        ("2020-01-01T10:00", "too_soon"),
        ("saturday at noon", "closed"),
        ("2027-11-18T10:00", "too_far"),
        ("in 5 minutes", "too_soon"),
        ("some day", "bad:when"),
    ],
)
async def test_a_callback_that_cannot_be_kept(toolbox, maya, when, reason):
    assert await refused(ask(toolbox, maya, "schedule_callback", when=when)) == reason


async def test_a_guest_may_ask_about_products_and_be_called_back_and_nothing_else(toolbox):
    guest = toolbox.context(call_id="call_guest", caller=GUEST)
    assert {each.name for each in toolbox.definitions(guest)} == {"get_product_info", "schedule_callback"}
    for name in ("get_customer_info", "check_order_status", "cancel_order", "process_return"):
        assert await refused(ask(toolbox, guest, name, order_id="1004")) == "identity"
    assert await refused(ask(toolbox, guest, "schedule_callback", when="tomorrow at 3 pm")) == "missing:phone"
    proposal = await propose(toolbox, guest, "schedule_callback", when="tomorrow at 3 pm", phone="555 0100")
    assert (await say_yes(toolbox, guest, proposal)).reference


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("cancel_order", {"order_id": "1005"}),
        ("process_return", {"order_id": "1002"}),
        ("update_account_info", {"email": "m@example.com"}),
        ("update_account_info", {"phone": "5550199"}),
        (
            "update_account_info",
            {"address": {"street": "1 Elm", "city": "S", "state": "OR", "postcode": "97301"}},
        ),
        ("schedule_callback", {"when": "tomorrow at 3 pm"}),
    ],
)
async def test_every_read_back_says_what_the_desk_must_have_heard(toolbox, maya, tool, arguments):
    proposal = await propose(toolbox, maya, tool, **arguments)
    assert read_back_heard(proposal, proposal.read_back)
    assert not read_back_heard(proposal, "Sure, one moment.")


def test_prices_are_said_in_the_currency_of_the_product() -> None:
    variant = Variant("1", "P1", "Kettle", {}, 8450, available=True, stock=3)
    product = Product("P1", "Kettle", "", (variant,), currency="EUR")
    assert "84 euros and 50 cents" in product_sentence(product).in_("en")
    assert product_data(product)["variants"][0]["price"] == "€84.50"
