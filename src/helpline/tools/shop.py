"""What the desk can do for a customer of the shop.

None of it takes a customer's id: that comes from the call. The names and descriptions are written for a
speech model. A tool that returns a `Draft` changes nothing: the customer hears the read-back first.
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card, Identity, ToolResult
from helpline.policy.rules import Facts, callback_hours, decide, refusal
from helpline.store.changes import CancelOrder, LineCount, ReturnItems, ScheduleCallback, UpdateAccount
from helpline.store.records import Address, Customer, Order, Product, digits_of
from helpline.times import parse_when
from helpline.tools import cards
from helpline.tools.context import CallContext
from helpline.tools.finding import own_customer, own_order, pick_lines, pick_method, pick_product
from helpline.tools.tool import Draft, Tool, tool
from helpline.tools.values import ItemToReturn, NewAddress, address_of
from helpline.wording import Saying, Value, later

Number = Annotated[str, Meta(min_length=1, max_length=60)]


def facts(context: CallContext, order: Order | None = None, customer: Customer | None = None) -> Facts:
    """What a decision is made on, of what was read already."""
    return Facts(context.clock.utcnow(), customer, order)


@tool
async def get_customer_info(context: CallContext) -> ToolResult:
    """Look up the customer on the line: name, e-mail, phone, address, ways to pay, latest orders."""
    customer = await own_customer(context)
    orders = await context.shop.latest_orders(customer.id, 10)
    data = cards.customer_data(customer, orders, context.policy.zone, context.language)
    number = later(wording.count, len(orders), "order")
    latest = say.LATEST(number=orders[0].number, state=say.STATES[orders[0].status]) if orders else ""
    return ToolResult(
        context.words(say.YOU_ARE(name=customer.name, orders=number, latest=latest)),
        data,
        cards=(Card("customer", customer.name, data, key="customer"),),
    )


@tool
async def check_order_status(context: CallContext, order_id: Number) -> ToolResult:
    """Say where one of the customer's orders is, when it arrives, and what is in it.

    Args:
        order_id: The order's number as the customer says it, for example 1004.
    """
    order = await own_order(context, order_id)
    zone = context.policy.zone
    return ToolResult(
        context.words(status_sentence(order, context.clock.utcnow().astimezone(zone))),
        cards.order_data(order, zone, context.language),
        cards=(cards.order_card(order, zone, context.language),),
    )


def status_sentence(order: Order, now: datetime) -> Saying:
    """Where an order is, to be spoken."""
    number, today, state = order.number, now.date(), say.STATES[order.status]
    arrives: Value = ""
    if order.expected_on is not None and order.expected_on >= today:
        arrives = say.ARRIVES(day=later(wording.day, order.expected_on, today))
    match order.status:
        case "shipped":
            name = next((parcel.carrier for parcel in order.shipments if parcel.carrier), "")
            carrier = say.WITH_CARRIER(carrier=name) if name else ""
            return say.ON_ITS_WAY(number=number, carrier=carrier, arrives=arrives)
        case "delivered":
            on: Value = ""
            if order.delivered_at is not None:
                delivered = order.delivered_at.astimezone(now.tzinfo).date()
                on = say.ON_DAY(day=later(wording.day, delivered, today))
            return say.WAS_DELIVERED(number=number, on=on)
        case "pending" | "processed":
            items = later(wording.count, order.item_count, "item")
            return say.BEING_PREPARED(number=number, state=state, items=items, arrives=arrives)
        case _:
            return say.ORDER_IS(number=number, state=state)


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
        reasons = later(wording.listed, [f'"{each}"' for each in rules.reasons], "or")
        raise refusal("missing:reason", say.WHY_CANCEL(reasons=reasons))
    change = CancelOrder(order_id=order.id, reason=(reason or rules.reasons[0]).strip().lower())
    outcome = decide(context.policy, change, facts(context, order))
    customer = await own_customer(context)
    amount = outcome.amount_cents or 0
    refund, takes = "", ""
    if amount:
        money, to = later(wording.money, amount, order.currency), _to(customer, outcome.method_id)
        refund = context.words(say.AND_REFUND(money=money, to=to))
        takes = context.words(say.AND_THEN(sentence=refund_time(context, customer, outcome.method_id)))
    items = later(wording.count, order.item_count, "item")
    return Draft(
        change=change,
        subject=order.number,
        effect=context.words(say.CANCEL(number=order.number)),
        effect_words=("cancel", "取消"),
        read_back=context.words(say.CANCEL_ASK(number=order.number, items=items, refund=refund)),
        done=context.words(say.CANCELLED(number=order.number, takes=takes)),
        amount_cents=outcome.amount_cents,
        currency=order.currency,
        order=order,
    )


def _to(customer: Customer, method_id: str) -> Saying:
    method = customer.method(method_id)
    return say.TO_YOUR(method=method) if method else say.THE_WAY_YOU_PAID


def refund_time(context: CallContext, customer: Customer, method_id: str) -> Saying:
    """How long a refund takes, to be spoken."""
    method = customer.method(method_id)
    if method is not None and method.kind == "gift_card":
        return say.ON_GIFT_CARD
    days = context.policy.refunds
    return say.REFUND_TAKES(least=days.min_days, most=days.max_days)


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
        items: Which items to return. Empty means all of them.
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
    names = later(wording.listed, [line.name for line, _ in lines])
    what: Saying = say.EVERYTHING if count == order.item_count else names
    number, money = order.number, later(wording.money, amount, order.currency)
    to = _to(customer, method.id)
    return Draft(
        change=change,
        subject=order.number,
        effect=context.words(say.RETURN(items=later(wording.count, count, "item"), number=number)),
        effect_words=("return", "refund", "退货", "退款"),
        read_back=context.words(say.RETURN_ASK(what=what, number=number, money=money, to=to)),
        done=context.words(say.RETURNED(number=number)),
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
        product: The name of the product. In the customer's words, or its id.
    """
    found = await pick_product(context, product)
    data = cards.product_data(found)
    return ToolResult(
        context.words(product_sentence(found)),
        data,
        cards=(Card("product", found.name, data, key=f"product-{found.id}"),),
    )


def product_sentence(product: Product) -> Saying:
    """A product with its price and what can be had of it, to be spoken."""
    there = [variant for variant in product.variants if variant.has(1)]
    if not there:
        return say.SOLD_OUT(product=product.name)
    prices = sorted(variant.price_cents for variant in there)
    costs: Saying = later(wording.money, prices[0], product.currency)
    if prices[-1] != prices[0]:
        costs = say.BETWEEN(least=costs, most=later(wording.money, prices[-1], product.currency))
    choices: dict[str, dict[str, None]] = {}
    for variant in there:
        for name, value in variant.options.items():
            choices.setdefault(name, {})[value] = None
    options = [
        say.OPTION(name=name, values=later(wording.listed, list(values), "or"))
        for name, values in choices.items()
    ]
    comes = say.PRODUCT_COMES(choices=later(wording.listed, options)) if options else ""
    about = f" {product.description}" if product.description else ""
    return say.HAVE_PRODUCT(product=product.name, price=costs, about=about, comes=comes)


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
        effect=context.words(say.CHANGE_ACCOUNT(what=what)),
        effect_words=words,
        read_back=context.words(say.CHANGE_ACCOUNT_ASK(what=what)),
        done=context.words(say.ACCOUNT_CHANGED(what=what)),
    )


def _account_words(
    email: str | None, phone: str | None, address: Address | None
) -> tuple[Saying, str, tuple[str, ...]]:
    """What changes in words, what of it must have been heard, and the words that name the effect."""
    parts: list[Saying] = []
    subject, words = "", ("change", "更改")
    if email is not None:
        parts.append(say.EMAIL_TO(email=email.replace("@", " at ").replace(".", " dot ")))
    if address is not None:
        parts.append(say.ADDRESS_TO(address=address.line))
        subject = address.postcode
    if phone is not None:
        parts.append(say.PHONE_TO(phone=" ".join(digits_of(phone))))
        subject = digits_of(phone)
    return later(wording.listed, parts) if parts else say.ACCOUNT, subject, words


@tool(identity=Identity.GUEST)
async def schedule_callback(
    context: CallContext,
    when: Annotated[str, Meta(min_length=1, max_length=100)],
    phone: Annotated[str, Meta(max_length=40)] = "",
    topic: str = "",
) -> Draft:
    """Book a time at which a person calls the customer back.

    Args:
        when: The day and time for the call. As the customer says it ("tomorrow at 3 pm"), or as ISO 8601 in
            the shop's time zone.
        phone: The number to call. Empty means the number on the customer's account.
        topic: What it is about, in a few words.
    """
    now = context.clock.utcnow().astimezone(context.policy.zone)
    at = parse_when(when, now)
    if at is None:
        raise refusal("bad:when", say.WHICH_TIME(hours=callback_hours(context.policy)))
    number = phone.strip() or await _own_phone(context)
    change = ScheduleCallback(at=at.astimezone(UTC), phone=number, topic=wording.plain(topic))
    local = at.astimezone(context.policy.zone)
    spoken = say.DAY_AT(
        day=later(wording.day, local.date(), now.date()), time=later(wording.clock_time, local)
    )
    ending = digits_of(number)[-4:]
    decide(context.policy, change, facts(context))
    return Draft(
        change=change,
        subject=ending,
        effect=context.words(say.CALL_BACK(when=spoken)),
        effect_words=("call", "回电"),
        read_back=context.words(say.CALL_BACK_ASK(when=spoken, digits=" ".join(ending))),
        done=context.words(say.CALLBACK_BOOKED(when=spoken)),
    )


async def _own_phone(context: CallContext) -> str:
    customer = None
    if context.caller.customer_id is not None and context.caller.identity >= Identity.KNOWN:
        customer = await context.shop.customer(context.caller.customer_id)
    if customer is None or not customer.phone:
        raise refusal("missing:phone", say.WHICH_PHONE)
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
