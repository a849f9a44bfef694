"""Cards: what the page shows beside the words. JSON values only, never markup; money as cents and as text."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card
from helpline.store.records import Customer, Line, Order, Product, Variant


def options_text(options: Mapping[str, str]) -> str:
    """A variant's options on one line: "size M, color black"."""
    return ", ".join(f"{name} {value}" for name, value in options.items())


def order_card(order: Order, zone: tzinfo, language: str = "en") -> Card:
    """An order with its lines, its timeline and its parcel."""
    title = say.ORDER(number=order.number).in_(language)
    return Card("order", title, order_data(order, zone, language), key=f"order-{order.number}")


def order_data(order: Order, zone: tzinfo, language: str = "en") -> dict[str, Any]:
    """An order as JSON values: for the card, and for the model."""
    parcel = order.shipments[0] if order.shipments else None
    return {
        "number": order.number,
        "status": order.status,
        "placed_on": _date_text(order.placed_at, zone, language),
        "expected_on": order.expected_on.isoformat() if order.expected_on else "",
        "expected": wording.date_text(order.expected_on, language) if order.expected_on else "",
        "delivered_on": _date_text(order.delivered_at, zone, language),
        "carrier": parcel.carrier if parcel else "",
        "tracking": [number for each in order.shipments for number in each.tracking],
        "address": order.address.line,
        "lines": [_line(line, order.currency) for line in order.lines],
        "total_cents": order.total_cents,
        "total": wording.price(order.total_cents, order.currency),
        "currency": order.currency,
        "timeline": [
            {"text": event.text, "at": event.at.isoformat(), "on": _date_text(event.at, zone, language)}
            for event in order.events
        ],
    }


def _line(line: Line, currency: str) -> dict[str, Any]:
    return {
        "item_id": line.variant_id,
        "name": line.name,
        "variant": options_text(line.options),
        "quantity": line.quantity,
        "price_cents": line.price_cents,
        "price": wording.price(line.price_cents, currency),
    }


def _date_text(at: datetime | None, zone: tzinfo, language: str) -> str:
    return wording.date_text(at.astimezone(zone).date(), language) if at is not None else ""


def orders_card(orders: Sequence[Order], zone: tzinfo, language: str = "en") -> Card:
    """Several orders in short."""
    briefs = [order_brief(order, zone, language) for order in orders]
    return Card("orders", say.YOUR_ORDERS.in_(language), {"orders": briefs}, key="orders")


def order_brief(order: Order, zone: tzinfo, language: str = "en") -> dict[str, Any]:
    """An order in short."""
    return {
        "number": order.number,
        "status": order.status,
        "placed_on": _date_text(order.placed_at, zone, language),
        "items": [line.name for line in order.lines],
        "total_cents": order.total_cents,
        "total": wording.price(order.total_cents, order.currency),
    }


def customer_data(
    customer: Customer, orders: Sequence[Order], zone: tzinfo, language: str = "en"
) -> dict[str, Any]:
    """A customer as the customer may see it."""
    currency = orders[0].currency if orders else "USD"  # a gift card is of the shop that was ordered from
    return {
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "address": customer.address.line,
        "payment_methods": [
            {
                "id": method.id,
                "kind": method.kind,
                "name": method.in_(language),
                **(
                    {
                        "balance_cents": method.balance_cents,
                        "balance": wording.price(method.balance_cents, currency),
                    }
                    if method.balance_cents is not None
                    else {}
                ),
            }
            for method in customer.methods
        ],
        "orders": [order_brief(order, zone, language) for order in orders],
    }


def product_data(product: Product) -> dict[str, Any]:
    """A product with its variants."""
    return {
        "product_id": product.id,
        "name": product.name,
        "description": product.description,
        "variants": [_variant(variant, product.currency) for variant in product.variants],
        "currency": product.currency,
    }


def _variant(variant: Variant, currency: str) -> dict[str, Any]:
    return {
        "item_id": variant.id,
        "options": dict(variant.options),
        "variant": options_text(variant.options),
        "price_cents": variant.price_cents,
        "price": wording.price(variant.price_cents, currency),
        "in_stock": variant.has(1),
    }
