"""What the desk can do for a customer of the shop.

None of it takes a customer's id: that comes from the call. The names and descriptions are written for a
speech model. A tool that returns a `Draft` changes nothing: the customer hears the read-back first.
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from helpline import wording
from helpline.actions import Card, Identity, ToolResult
from helpline.policy.rules import Facts, callback_hours, decide, refusal
from helpline.store.changes import CancelOrder, LineCount, ReturnItems, ScheduleCallback, UpdateAccount
from helpline.store.records import Address, Customer, Order, Product, digits_of
from helpline.tools import cards
from helpline.tools.context import CallContext
from helpline.tools.finding import own_customer, own_order, pick_lines, pick_method, pick_product
from helpline.tools.tool import Draft, Tool, tool
from helpline.tools.values import ItemToReturn, NewAddress, address_of
from helpline.tools.when import parse_when

Number = Annotated[str, Meta(min_length=1, max_length=60)]


def facts(context: CallContext, order: Order | None = None, customer: Customer | None = None) -> Facts:
    """What a decision is made on, of what was read already."""
    return Facts(context.clock.utcnow(), customer, order)


@tool
async def get_customer_info(context: CallContext) -> ToolResult:
    """Look up the customer on the line: name, e-mail, phone, address, ways to pay, latest orders."""
    customer = await own_customer(context)
    orders = await context.shop.latest_orders(customer.id, 10)
    data = cards.customer_data(customer, orders, context.policy.zone)
    latest = f" Your latest order is {orders[0].number}, which {_is(orders[0])}." if orders else ""
    return ToolResult(
        f"You are {customer.name}, and I have {wording.count(len(orders), 'order')} of yours.{latest}",
        data,
        cards=(Card("customer", customer.name, data, key="customer"),),
    )


def _is(order: Order) -> str:
    return {
        "pending": "is being prepared",
        "processed": "is packed",
        "shipped": "is on its way",
        "delivered": "was delivered",
        "cancelled": "is cancelled",
        "return requested": "is being returned",
        "exchange requested": "is being exchanged",
        "returned": "was returned",
    }[order.status]


@tool
async def check_order_status(context: CallContext, order_id: Number) -> ToolResult:
    """Say where one of the customer's orders is, when it arrives, and what is in it.

    Args:
        order_id: The order's number as the customer says it, for example 1004.
    """
    order = await own_order(context, order_id)
    zone = context.policy.zone
    return ToolResult(
        status_sentence(order, context.clock.utcnow().astimezone(zone)),
        cards.order_data(order, zone),
        cards=(cards.order_card(order, zone),),
    )


def status_sentence(order: Order, now: datetime) -> str:
    """Where an order is, to be spoken."""
    expected = wording.day(order.expected_on, now.date()) if order.expected_on else ""
    if order.expected_on is not None and order.expected_on < now.date():
        expected = ""
    name = f"Order {order.number}"
    match order.status:
        case "shipped":
            carrier = next((parcel.carrier for parcel in order.shipments if parcel.carrier), "")
            with_carrier = f" with {carrier}" if carrier else ""
            arrives = f" It should arrive {expected}." if expected else ""
            return f"{name} is on its way{with_carrier}.{arrives}"
        case "delivered":
            delivered = order.delivered_at
            on = f" {wording.day(delivered.astimezone(now.tzinfo).date(), now.date())}" if delivered else ""
            return f"{name} was delivered{on}."
        case "pending" | "processed":
            arrives = f" It should arrive {expected}." if expected else ""
            return f"{name} {_is(order)}, with {wording.count(order.item_count, 'item')}.{arrives}"
        case _:
            return f"{name} {_is(order)}."


@tool(choices={"reason": "cancel.reasons"})
async def cancel_order(context: CallContext, order_id: Number, reason: str = "") -> Draft:
    """Cancel one of the customer's orders that has not been sent yet.

    Args:
        order_id: The order's number as the customer says it, for example 1005.
        reason: Why, if the customer said so.
    """
    order = await own_order(context, order_id)
    rules = context.policy.cancel
    if not reason and rules.reason_required:
        choices = wording.listed([f'"{each}"' for each in rules.reasons], "or")
        raise refusal("missing:reason", f"Why shall I cancel it: {choices}?")
    change = CancelOrder(order_id=order.id, reason=(reason or rules.reasons[0]).strip().lower())
    outcome = decide(context.policy, change, facts(context, order))
    customer = await own_customer(context)
    amount = outcome.amount_cents or 0
    refund = (
        f", and refund {wording.money(amount, order.currency)} {_to(customer, outcome.method_id)}"
        if amount
        else ""
    )
    items = wording.count(order.item_count, "item")
    takes = f" {refund_time(context, customer, outcome.method_id)}" if amount else ""
    return Draft(
        change=change,
        subject=order.number,
        effect=f"cancel order {order.number}",
        effect_words=("cancel",),
        read_back=f"I can cancel order {order.number}, {items}{refund}. Shall I cancel it?",
        done=f"Done. Order {order.number} is cancelled.{takes}",
        amount_cents=outcome.amount_cents,
        currency=order.currency,
        order=order,
    )


def _to(customer: Customer, method_id: str) -> str:
    method = customer.method(method_id)
    return f"to your {method.spoken}" if method else "the way you paid"


def refund_time(context: CallContext, customer: Customer, method_id: str) -> str:
    """How long a refund takes, to be spoken."""
    method = customer.method(method_id)
    if method is not None and method.kind == "gift_card":
        return "The money is on your gift card now."
    days = context.policy.refunds
    return f"The refund takes {days.min_days} to {days.max_days} business days."


@tool
async def process_return(
    context: CallContext,
    order_id: Number,
    items: tuple[ItemToReturn, ...] = (),
    reason: str = "",
    refund_to: str = "",
) -> Draft:
    """Take back a delivered order, all of it or some of its items, and refund it once it has arrived.

    Args:
        order_id: The order's number as the customer says it.
        items: Which items go back; empty means all of them.
        reason: Why, in the customer's words, if they said so.
        refund_to: Where the refund goes: "original" for the way it was paid, "gift card", or the id of one of
            the customer's payment methods. Empty means the way it was paid.
    """
    order = await own_order(context, order_id)
    customer = await own_customer(context)
    lines = pick_lines(order, [(each.item, each.quantity) for each in items])
    method = pick_method(customer, refund_to, order.paid_with)
    change = ReturnItems(
        order_id=order.id,
        lines=tuple(LineCount(line.id, quantity) for line, quantity in lines),
        method_id=method.id,
        reason=wording.plain(reason),
    )
    amount = decide(context.policy, change, facts(context, order, customer)).amount_cents or 0
    count = sum(quantity for _, quantity in lines)
    what = "everything" if count == order.item_count else wording.listed([line.name for line, _ in lines])
    return Draft(
        change=change,
        subject=order.number,
        effect=f"return {wording.count(count, 'item')} of order {order.number}",
        effect_words=("return", "refund"),
        read_back=f"I can take back {what} from order {order.number}, and refund"
        f" {wording.money(amount, order.currency)} {_to(customer, method.id)} once it is here."
        " Shall I set up the return?",
        done=f"Done. The return for order {order.number} is set up, and we are e-mailing you how to send it.",
        amount_cents=amount,
        currency=order.currency,
        order=order,
    )


@tool(identity=Identity.GUEST)
async def get_product_info(
    context: CallContext, product: Annotated[str, Meta(min_length=1, max_length=200)]
) -> ToolResult:
    """Describe one product of the shop: what it is, its price, its options, and what is in stock.

    Args:
        product: The product's name in the customer's words, or its id.
    """
    found = await pick_product(context, product)
    data = cards.product_data(found)
    return ToolResult(
        product_sentence(found), data, cards=(Card("product", found.name, data, key=f"product-{found.id}"),)
    )


def product_sentence(product: Product) -> str:
    """A product with its price and what can be had of it, to be spoken."""
    there = [variant for variant in product.variants if variant.has(1)]
    if not there:
        return f"The {product.name} is sold out at the moment."
    prices = sorted(variant.price_cents for variant in there)
    costs = wording.money(prices[0])
    if prices[-1] != prices[0]:
        costs = f"between {costs} and {wording.money(prices[-1])}"
    choices: dict[str, dict[str, None]] = {}
    for variant in there:
        for name, value in variant.options.items():
            choices.setdefault(name, {})[value] = None
    comes = wording.listed(
        [f"{name} {wording.listed(list(values), 'or')}" for name, values in choices.items()]
    )
    about = f" {product.description}" if product.description else ""
    return f"We have the {product.name} for {costs}.{about}" + (f" It comes in {comes}." if comes else "")


@tool
async def update_account_info(
    context: CallContext,
    email: Annotated[str, Meta(max_length=254)] | None = None,
    phone: Annotated[str, Meta(max_length=40)] | None = None,
    address: NewAddress | None = None,
) -> Draft:
    """Change the customer's own e-mail address, phone number or home address. Give only what changes.

    Args:
        email: The new e-mail address.
        phone: The new phone number.
        address: The new home address, for orders to come.
    """
    new_address = address_of(address) if address is not None else None
    change = UpdateAccount(
        email=email.strip() if email is not None else None,
        phone=wording.plain(phone) if phone is not None else None,
        address=new_address,
    )
    what, subject, words = _account_words(change.email, change.phone, new_address)
    decide(context.policy, change, facts(context))
    return Draft(
        change=change,
        subject=subject,
        effect=f"change your {what}",
        effect_words=words,
        read_back=f"I can change your {what}. Shall I?",
        done=f"Done. I changed your {what}.",
    )


def _account_words(
    email: str | None, phone: str | None, address: Address | None
) -> tuple[str, str, tuple[str, ...]]:
    """What changes in words, what of it must have been heard, and the words that name the effect."""
    parts: list[str] = []
    subject, words = "", ("change",)
    if email is not None:
        parts.append(f"e-mail to {email.replace('@', ' at ').replace('.', ' dot ')}")
    if address is not None:
        parts.append(f"address to {address.line}")
        subject = address.postcode
    if phone is not None:
        parts.append(f"phone number to {' '.join(digits_of(phone))}")
        subject = digits_of(phone)
    return wording.listed(parts) or "account", subject, words


@tool(identity=Identity.GUEST)
async def schedule_callback(
    context: CallContext,
    when: Annotated[str, Meta(min_length=1, max_length=100)],
    phone: Annotated[str, Meta(max_length=40)] = "",
    topic: str = "",
) -> Draft:
    """Book a time at which a person calls the customer back.

    Args:
        when: The time as the customer says it ("tomorrow at 3 pm") or as ISO 8601, in the shop's time zone.
        phone: The number to call. Empty means the number on the customer's account.
        topic: What it is about, in a few words.
    """
    now = context.clock.utcnow().astimezone(context.policy.zone)
    at = parse_when(when, now)
    if at is None:
        raise refusal(
            "bad:when", f"Which day and time suits you? We call back {callback_hours(context.policy)}."
        )
    number = phone.strip() or await _own_phone(context)
    change = ScheduleCallback(at=at.astimezone(UTC), phone=number, topic=wording.plain(topic))
    local = at.astimezone(context.policy.zone)
    spoken = f"{wording.day(local.date(), now.date())} at {wording.clock_time(local)}"
    ending = digits_of(number)[-4:]
    decide(context.policy, change, facts(context))
    return Draft(
        change=change,
        subject=ending,
        effect=f"call you back {spoken}",
        effect_words=("call",),
        read_back=f"We can call you back {spoken}, on the number ending in {' '.join(ending)}."
        " Shall I book it?",
        done=f"Done. We will call you back {spoken}.",
    )


async def _own_phone(context: CallContext) -> str:
    customer = None
    if context.caller.customer_id is not None and context.caller.identity >= Identity.KNOWN:
        customer = await context.shop.customer(context.caller.customer_id)
    if customer is None or not customer.phone:
        raise refusal("missing:phone", "On which number shall we call you?")
    return customer.phone


def shop_tools() -> tuple[Tool, ...]:
    """The desk's own tools, in the order in which a model reads them."""
    return (
        get_customer_info,
        check_order_status,
        cancel_order,
        process_return,
        get_product_info,
        update_account_info,
        schedule_callback,
    )
