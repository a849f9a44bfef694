"""From what a customer says to what the shop has: an order, its items, a way to pay, a variant.

Where two things fit, these ask and never guess.
"""

import re
from collections import Counter
from collections.abc import Sequence

from helpline import sentences as say
from helpline import wording
from helpline.policy.rules import refusal
from helpline.store.records import Customer, Line, Order, PaymentMethod, Product, Variant
from helpline.tools.cards import options_text
from helpline.tools.context import CallContext
from helpline.wording import later

_STOP = frozenset("the a an my of in with and for to from one some order item items please".split())


def words(text: str) -> list[str]:
    """The words that tell things apart, lower-case, plurals cut."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    return [_singular(word) for word in found if word not in _STOP]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


async def own_order(context: CallContext, said: str) -> Order:
    """The customer's own order of that number.

    Raises:
        ToolError: there is none, or more than one. Somebody else's sounds like one that is not there.
    """
    if not said.strip():
        raise refusal("missing:order_id", say.WHICH_ORDER)
    orders = await context.shop.orders(context.customer_id, said)
    if not orders:
        raise refusal("unknown_order", say.UNKNOWN_ORDER_SAY_AGAIN)
    if len(orders) > 1:
        numbers = later(wording.listed, [order.number for order in orders], "or")
        raise refusal("ambiguous_order", say.WHICH_ONE(choices=numbers))
    return orders[0]


async def own_customer(context: CallContext) -> Customer:
    """The customer on the line.

    Raises:
        ToolError: nobody is verified, or the account is gone.
    """
    customer = await context.shop.customer(context.customer_id)
    if customer is None:
        raise refusal("unknown_customer", say.NO_ACCOUNT)
    return customer


def pick_method(customer: Customer, said: str, default_id: str) -> PaymentMethod:
    """The customer's own way to pay that was meant; without words, the default.

    Raises:
        ToolError: none fits, or more than one.
    """
    wanted = said.strip().lower()
    if not wanted or wanted in ("original", "same", "the same", "original payment method"):
        wanted = default_id.lower()
    exact = customer.method(said.strip()) or next(
        (method for method in customer.methods if method.id.lower() == wanted), None
    )
    if exact is not None:
        return exact
    fitting = [method for method in customer.methods if _fits_method(method, wanted)]
    if len(fitting) == 1:
        return fitting[0]
    ways = later(wording.listed, fitting or customer.methods, "or")
    raise refusal("ambiguous_method" if fitting else "unknown_method", say.WHICH_METHOD(ways=ways))


def _fits_method(method: PaymentMethod, wanted: str) -> bool:
    if method.last_digits and method.last_digits in wanted:
        return True
    names = {method.kind, method.kind.replace("_", " "), method.brand.lower()}
    names |= {method.in_(language).lower() for language in ("en", "zh")}
    if method.kind == "credit_card":
        names |= {"card", "credit card", "debit card"}
    names |= {f"my {name}" for name in names if name}
    return wanted in names


def pick_lines(order: Order, said: Sequence[tuple[str, int | None]]) -> list[tuple[Line, int]]:
    """The lines of the order that (item, quantity) mean; nothing said means all of them.

    An item is named by its item id or in words. Without a quantity it means the whole line; named twice, two
    of it: two lines, or two of one line.

    Raises:
        ToolError: an item is not in the order, or the words fit several.
    """
    if not said:
        return [(line, line.quantity) for line in order.lines]
    named = Counter(item.strip().lower() for item, _ in said)
    taken: Counter[int] = Counter()
    picked: list[tuple[Line, int]] = []
    for item, quantity in said:
        free = [line for line in order.lines if taken[line.id] < line.quantity]
        line = _pick_line(order, free, item)
        several = named[item.strip().lower()] > 1
        count = quantity if quantity is not None else 1 if several else line.quantity
        taken[line.id] += count
        picked.append((line, count))
    return picked


def _pick_line(order: Order, free: Sequence[Line], item: str) -> Line:
    exact = [line for line in free if item.strip() == line.variant_id]
    if exact:
        return exact[0]
    wanted = set(words(item))
    fitting = [
        line for line in free if wanted and wanted <= set(words(f"{line.name} {options_text(line.options)}"))
    ]
    different = {line.variant_id for line in fitting}
    if len(different) == 1:
        return fitting[0]
    if fitting:
        names = [say.THE_ITEM(product=line.name, options=options_text(line.options)) for line in fitting]
        raise refusal("ambiguous_item", say.WHICH_ONE(choices=later(wording.listed, names, "or")))
    there = later(wording.listed, [line.name for line in order.lines])
    raise refusal("unknown_item", say.HOLDS_ITEMS(number=order.number, items=there))


def pick_variant(product: Product, line: Line, said: str) -> Variant:
    """The variant of the line's product that was meant: by item id, or by the options that change.

    Raises:
        ToolError: none fits, or more than one that can be had.
    """
    exact = next((variant for variant in product.variants if variant.id == said.strip()), None)
    if exact is not None:
        return exact
    wanted = set(words(said)) - set(words(product.name))
    # "size M" leaves the colour as it is: rank by how many of the other options stay.
    fitting = [
        variant
        for variant in product.variants
        if wanted and wanted <= set(words(options_text(variant.options))) and variant.id != line.variant_id
    ]
    kept = {variant.id: _kept(variant, line) for variant in fitting}
    best = [variant for variant in fitting if kept[variant.id] == max(kept.values())]
    if len(best) == 1:
        return best[0]
    if best:
        choices = later(wording.listed, [options_text(variant.options) for variant in best[:4]], "or")
        raise refusal("ambiguous_item", say.WHICH_PRODUCT(product=product.name, choices=choices))
    there = [options_text(variant.options) for variant in product.variants if variant.has(1)]
    comes = later(wording.listed, there[:4], "or")
    raise refusal("unknown_item", say.COMES_IN(product=product.name, choices=comes))


def _kept(variant: Variant, line: Line) -> int:
    return sum(1 for name, value in line.options.items() if variant.options.get(name) == value)


async def pick_product(context: CallContext, said: str) -> Product:
    """The product that was meant, by its id or in words.

    Raises:
        ToolError: none fits, or several fit equally well.
    """
    exact = await context.shop.product(said.strip())
    if exact is not None:
        return exact
    found = await search_products(context, said, 5)
    if not found:
        raise refusal("unknown_product", say.UNKNOWN_PRODUCT)
    first = [product for product in found if _score(product, said) == _score(found[0], said)]
    if len(first) > 1:
        names = later(wording.listed, [say.THE_PRODUCT(product=each.name) for each in first], "or")
        raise refusal("ambiguous_product", say.WHICH_ONE(choices=names))
    return found[0]


async def search_products(context: CallContext, said: str, limit: int) -> list[Product]:
    """Products that fit the words, best first."""
    wanted = words(said)
    if not wanted:
        return []
    found = await context.shop.products(wanted, 25)
    fitting = [product for product in found if _score(product, said) > 0]
    return sorted(fitting, key=lambda product: -_score(product, said))[:limit]


def _score(product: Product, said: str) -> int:
    """How well whole words fit; a word of the name counts more than one of the description."""
    wanted = set(words(said))
    in_name = len(wanted & set(words(product.name)))
    options = {word for variant in product.variants for word in words(options_text(variant.options))}
    elsewhere = len(wanted & (set(words(product.description)) | options))
    return 10 * in_name + elsewhere
