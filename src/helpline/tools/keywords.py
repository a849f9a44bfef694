"""The words a call is likely to hold, for the ears of whoever transcribes it."""

import logging

from helpline.tools.context import CallContext

log = logging.getLogger(__name__)

MOST_ORDERS = 30
MOST_PRODUCTS = 100


async def keywords_of(context: CallContext) -> tuple[str, ...]:
    """The verified caller's own order numbers, then the catalogue's names; none when the shop is down."""
    shop, customer_id = context.shop, context.caller.customer_id
    try:
        orders = await shop.latest_orders(customer_id, MOST_ORDERS) if customer_id else ()
        products = await shop.products((), MOST_PRODUCTS)
    except Exception as error:  # noqa: BLE001 - a call is taken without them, whatever a shop raises
        log.warning("no keywords for call %s: %s", context.call_id, type(error).__name__)
        return ()
    words = [*(order.number for order in orders), *(product.name for product in products)]
    return tuple(dict.fromkeys(words))
