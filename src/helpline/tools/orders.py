"""More that can be done about orders: find one without its number, exchange, change what is not sent yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from msgspec import Meta

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card, Identity, ToolResult
from helpline.policy.rules import Facts, decide, refusal
from helpline.store.changes import (
    ChangeItems,
    ChangeOrderAddress,
    ChangePayment,
    ExchangeItems,
    OrderChange,
    Swap,
)
from helpline.store.records import Customer, Line, Order, PaymentMethod, Variant
from helpline.tools import cards
from helpline.tools.context import CallContext
from helpline.tools.finding import (
    own_customer,
    own_order,
    pick_lines,
    pick_method,
    pick_variant,
    search_products,
    words,
)
from helpline.tools.tool import Draft, Tool, tool
from helpline.tools.values import ItemToSwap, NewAddress, address_of
from helpline.wording import Saying, Sentence, later

Number = Annotated[str, Meta(min_length=1, max_length=60)]
Items = Annotated[tuple[ItemToSwap, ...], Meta(min_length=1, max_length=50)]


@tool
async def find_order(
    context: CallContext,
    product: Annotated[str, Meta(max_length=200)] = "",
    placed_on: Annotated[str, Meta(max_length=40)] = "",
) -> ToolResult:
    """Find an order when the customer does not know its number. Without arguments: the latest one.

    Args:
        product: What was ordered, in the customer's words.
        placed_on: The day it was ordered, as YYYY-MM-DD.
    """
    orders = await context.shop.latest_orders(context.customer_id, 50)
    if not orders:
        raise refusal("no_orders", say.NO_ORDERS)
    zone = context.policy.zone
    found = [order for order in orders if _holds(order, product) and _placed(order, placed_on)]
    if not product.strip() and not placed_on.strip():
        found = [orders[0]]
    if not found:
        raise refusal("unknown_order", say.UNKNOWN_ORDER_WHAT_ELSE)
    language = context.language
    data = {"orders": [cards.order_brief(order, zone, language) for order in found[:5]]}
    if len(found) == 1:
        order = found[0]
        names = later(wording.listed, [line.name for line in order.lines])
        return ToolResult(
            context.words(say.THAT_IS_ORDER(number=order.number, items=names)),
            data,
            cards=(cards.order_card(order, zone, language),),
        )
    numbers = later(wording.listed, [order.number for order in found[:5]], "or")
    which = say.FOUND_ORDERS(orders=later(wording.count, len(found), "order"), numbers=numbers)
    return ToolResult(context.words(which), data, cards=(cards.orders_card(found[:5], zone, language),))


def _holds(order: Order, product: str) -> bool:
    wanted = set(words(product))
    return all(
        any(word in words(f"{line.name} {cards.options_text(line.options)}") for line in order.lines)
        for word in wanted
    )


def _placed(order: Order, placed_on: str) -> bool:
    if not placed_on.strip():
        return True
    try:
        day = date.fromisoformat(placed_on.strip())
    except ValueError as error:
        raise refusal("bad:placed_on", say.WHICH_DAY) from error
    # A customer remembers the day and not the time zone.
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return order.placed_at is not None and abs(order.placed_at - noon) < timedelta(hours=36)


@tool
async def exchange_items(context: CallContext, order_id: Number, items: Items, pay_with: str = "") -> Draft:
    """Exchange items of a delivered order for the same products in other options, for example another size.

    Ask for everything that the customer wants to exchange first: an order can be exchanged once.

    Args:
        order_id: The order's number as the customer says it.
        items: What to exchange, and for what. One entry for each item, with what it becomes.
        pay_with: What settles a price difference: the id or the name of one of the customer's payment
            methods. Empty means the way the order was paid.
    """
    swapping = await _Swapping.of(context, order_id, items, pay_with)
    change = ExchangeItems(order_id=swapping.order.id, swaps=swapping.swaps, method_id=swapping.method.id)
    return swapping.draft(context, change, _EXCHANGE)


@tool
async def change_order_items(
    context: CallContext, order_id: Number, items: Items, pay_with: str = ""
) -> Draft:
    """Change items of an order that is not packed yet to the same products in other options.

    Ask for everything that the customer wants to change first: it can be done once for an order.

    Args:
        order_id: The order's number as the customer says it.
        items: What to change, and to what. One entry for each item, with what it becomes.
        pay_with: What settles a price difference: the id or the name of one of the customer's payment
            methods. Empty means the way the order was paid.
    """
    swapping = await _Swapping.of(context, order_id, items, pay_with)
    change = ChangeItems(order_id=swapping.order.id, swaps=swapping.swaps, method_id=swapping.method.id)
    return swapping.draft(context, change, _CHANGE)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How one kind of swapping is spoken of."""

    effect: Sentence
    words: tuple[str, ...]
    asks: Sentence
    done: Sentence


_EXCHANGE = _Manner(say.EXCHANGE, ("exchange", "换货"), say.EXCHANGE_ASK, say.EXCHANGED)
_CHANGE = _Manner(say.CHANGE_ITEMS, ("change", "更改"), say.CHANGE_ITEMS_ASK, say.ITEMS_CHANGED)


class _Swapping:
    """Items of an order, each with what it becomes and what settles the difference."""

    def __init__(
        self,
        order: Order,
        customer: Customer,
        method: PaymentMethod,
        pairs: Sequence[tuple[Line, int, Variant]],
    ) -> None:
        self.order = order
        self.customer = customer
        self.method = method
        self._pairs = pairs
        self.swaps = tuple(Swap(line.id, quantity, new.id) for line, quantity, new in pairs)

    @classmethod
    async def of(
        cls, context: CallContext, order_id: str, items: Sequence[ItemToSwap], pay_with: str
    ) -> "_Swapping":
        """From what a model passed.

        Raises:
            ToolError: something in it fits nothing, or more than one thing.
        """
        order = await own_order(context, order_id)
        customer = await own_customer(context)
        method = pick_method(customer, pay_with, order.paid_with)
        lines = pick_lines(order, [(each.item, each.quantity) for each in items])
        pairs = []
        for (line, quantity), each in zip(lines, items, strict=True):
            product = await context.shop.product(line.product_id)
            if product is None:
                raise refusal("unknown_product", say.NO_LONGER_SOLD(product=line.name))
            pairs.append((line, quantity, pick_variant(product, line, each.new_item)))
        return cls(order, customer, method, pairs)

    def draft(self, context: CallContext, change: OrderChange, manner: _Manner) -> Draft:
        """The draft, if the policy allows it."""
        order = self.order
        facts = Facts(
            context.clock.utcnow(), self.customer, order, {new.id: new for _, _, new in self._pairs}
        )
        difference = decide(context.policy, change, facts).amount_cents or 0
        swaps = later(
            wording.listed,
            [
                say.SWAP(product=line.name, options=cards.options_text(new.options))
                for line, _, new in self._pairs
            ],
        )
        items = later(wording.count, len(self._pairs), "item")
        asks = manner.asks(
            number=order.number,
            swaps=swaps,
            costs=self._costs(difference),
            them=say.IT if len(self._pairs) == 1 else say.THEM,
        )
        return Draft(
            change=change,
            subject=order.number,
            effect=context.words(manner.effect(items=items, number=order.number)),
            effect_words=manner.words,
            read_back=context.words(asks),
            done=context.words(manner.done(number=order.number)),
            amount_cents=difference,
            currency=order.currency,
            order=order,
        )

    def _costs(self, difference: int) -> Saying:
        if not difference:
            return say.SAME_PRICE
        amount = later(wording.money, difference, self.order.currency)
        costs = say.COSTS_MORE if difference > 0 else say.GET_BACK
        return costs(money=amount, method=self.method)


@tool
async def change_order_address(context: CallContext, order_id: Number, address: NewAddress) -> Draft:
    """Send an order that is not packed yet to another address.

    Args:
        order_id: The order's number as the customer says it.
        address: The new address. Where the order shall go.
    """
    order = await own_order(context, order_id)
    change = ChangeOrderAddress(order_id=order.id, address=address_of(address))
    decide(context.policy, change, Facts(context.clock.utcnow(), None, order))
    return Draft(
        change=change,
        subject=order.number,
        effect=context.words(say.SEND_ELSEWHERE(number=order.number)),
        effect_words=("send", "address", "地址"),
        read_back=context.words(say.SEND_ELSEWHERE_ASK(number=order.number, address=change.address.line)),
        done=context.words(say.SENT_ELSEWHERE(number=order.number, address=change.address.line)),
        order=order,
    )


@tool
async def change_order_payment(context: CallContext, order_id: Number, pay_with: Number) -> Draft:
    """Pay an order that is not packed yet in another way.

    Args:
        order_id: The order's number as the customer says it.
        pay_with: The way to pay. The id or the name of one of the customer's payment methods.
    """
    order = await own_order(context, order_id)
    customer = await own_customer(context)
    method = pick_method(customer, pay_with, "")
    change = ChangePayment(order_id=order.id, method_id=method.id)
    amount = decide(context.policy, change, Facts(context.clock.utcnow(), customer, order)).amount_cents or 0
    money = later(wording.money, amount, order.currency)
    return Draft(
        change=change,
        subject=order.number,
        effect=context.words(say.PAY_WITH(number=order.number, method=method)),
        effect_words=("pay", "charge", "支付"),
        read_back=context.words(say.PAY_WITH_ASK(money=money, number=order.number, method=method)),
        done=context.words(say.PAID_WITH(number=order.number, method=method)),
        amount_cents=amount,
        currency=order.currency,
        order=order,
    )


@tool(identity=Identity.GUEST, name="search_products")
async def search_products_tool(
    context: CallContext, query: Annotated[str, Meta(min_length=1, max_length=200)]
) -> ToolResult:
    """Search the shop for products, by name, by what they are for, or by options such as a colour.

    Args:
        query: What to look for. In the customer's words.
    """
    found = await search_products(context, query, 5)
    if not found:
        raise refusal("unknown_product", say.NOTHING_LIKE_THAT)
    names = later(wording.listed, [say.THE_PRODUCT(product=product.name) for product in found[:3]])
    data = {"products": [cards.product_data(product) for product in found]}
    return ToolResult(
        context.words(say.HAVE_PRODUCTS(products=names)),
        data,
        cards=(Card("products", context.words(say.PRODUCTS), data, key="products"),),
    )


def order_tools() -> tuple[Tool, ...]:
    """The tools of this file."""
    return (
        find_order,
        exchange_items,
        change_order_items,
        change_order_address,
        change_order_payment,
        search_products_tool,
    )
