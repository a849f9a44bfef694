"""Making a change, in SQL: one function a kind, all inside the caller's transaction.

Permission was decided before (`policy.rules.decide`). What a race could still break is guarded by the
statement itself: a stock or a gift card never goes below zero, an order never changes under a stale version.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline import sentences as say
from helpline.errors import ToolError
from helpline.store import schema as t
from helpline.store.changes import (
    CancelOrder,
    ChangeItems,
    ChangeOrderAddress,
    ChangePayment,
    ExchangeItems,
    OpenTicket,
    OrderChange,
    Outcome,
    ReturnItems,
    ScheduleCallback,
    ShopChange,
    Swap,
    UpdateAccount,
)
from helpline.store.records import Address, Order, Variant


class Writing:
    """One change being made: the transaction, who it is for, and when."""

    def __init__(
        self, connection: AsyncConnection, customer_id: str | None, call_id: str, now: datetime
    ) -> None:
        self._connection = connection
        self._customer_id = customer_id
        self._call_id = call_id
        self._now = now

    async def apply(
        self,
        change: ShopChange,
        outcome: Outcome,
        order: Order | None,
        variants: dict[str, Variant],
    ) -> str:
        """Make the change; the number of a ticket, if it is one.

        `order` and `variants` are what it was decided on, locked.
        """
        match change:
            case ScheduleCallback():
                await self._insert(
                    t.callbacks, phone=change.phone, at=change.at, topic=change.topic, state="booked"
                )
            case OpenTicket():
                return await self._open_ticket(change)
            case UpdateAccount():
                await self._update_account(change)
            case _:
                if order is None:
                    raise ToolError(say.UNKNOWN_ORDER, reason="unknown_order")
                await self._change_order(change, outcome, order, variants)
        return ""

    async def _change_order(
        self, change: OrderChange, outcome: Outcome, order: Order, variants: dict[str, Variant]
    ) -> None:
        match change:
            case CancelOrder():
                await self._touch(order, status="cancelled", cancel_reason=change.reason)
                await self._stock((line.variant_id, line.quantity) for line in order.lines)
                await self._event(order, f"Cancelled: {change.reason}")
            case ReturnItems():
                await self._return(change, outcome, order)
            case ExchangeItems():
                await self._exchange(change, outcome, order)
            case ChangeItems():
                await self._change_items(change.swaps, order, variants)
            case ChangeOrderAddress():
                await self._touch(order)
                await self._set_address(change.address, t.addresses.c.order_id == order.id)
                await self._event(order, "Address changed")
            case ChangePayment():
                await self._touch(order)
                await self._event(order, "Way to pay changed")
            case _:
                assert_never(change)
        await self._move_money(order, outcome)

    # --- orders ---

    async def _touch(self, order: Order, **values: Any) -> None:
        """Write the order on as its next version; a stale one is refused."""
        result = await self._connection.execute(
            sa.update(t.orders)
            .where(t.orders.c.id == order.id)
            .where(t.orders.c.customer_id == self._customer_id)
            .where(t.orders.c.version == order.version)
            .values(version=order.version + 1, **values)
        )
        if result.rowcount != 1:
            raise ToolError(say.LOOK_AGAIN(number=order.number), reason="stale")

    async def _return(self, change: ReturnItems, outcome: Outcome, order: Order) -> None:
        await self._touch(order, status="return requested")
        made = await self._insert_id(
            t.returns, order_id=order.id, method_id=change.method_id, reason=change.reason, at=self._now
        )
        await self._connection.execute(
            sa.insert(t.return_lines),
            [
                {"return_id": made, "line_id": line.line_id, "quantity": line.quantity}
                for line in change.lines
            ],
        )
        await self._connection.execute(
            sa.insert(t.refunds).values(
                order_id=order.id,
                return_id=made,
                method_id=change.method_id,
                amount_cents=outcome.amount_cents or 0,
                state="on arrival",
            )
        )
        await self._event(order, "Return requested")

    async def _exchange(self, change: ExchangeItems, outcome: Outcome, order: Order) -> None:
        await self._touch(order, status="exchange requested")
        made = await self._insert_id(
            t.exchanges,
            order_id=order.id,
            method_id=change.method_id,
            difference_cents=outcome.amount_cents or 0,
            at=self._now,
        )
        await self._connection.execute(
            sa.insert(t.exchange_lines),
            [
                {
                    "exchange_id": made,
                    "line_id": swap.line_id,
                    "new_variant_id": swap.new_variant_id,
                    "quantity": swap.quantity,
                }
                for swap in change.swaps
            ],
        )
        # The new item is put aside now; the old one counts again when it is back and looked at.
        await self._stock((swap.new_variant_id, -swap.quantity) for swap in change.swaps)
        await self._event(order, "Exchange requested")

    async def _change_items(self, swaps: Sequence[Swap], order: Order, variants: dict[str, Variant]) -> None:
        await self._touch(order, items_changed=True)
        lines = {line.id: line for line in order.lines}
        left = {line.id: line.quantity for line in order.lines}
        moved: list[tuple[str, int]] = []
        for swap in swaps:
            line, new = lines[swap.line_id], variants[swap.new_variant_id]
            moved += [(line.variant_id, swap.quantity), (new.id, -swap.quantity)]
            await self._replace_line(order, line.id, left[line.id] - swap.quantity, new, swap.quantity)
            left[line.id] -= swap.quantity
        await self._stock(moved)
        await self._event(order, "Items changed")

    async def _replace_line(
        self, order: Order, line_id: int, stays: int, new: Variant, quantity: int
    ) -> None:
        bought = {
            "variant_id": new.id,
            "options": dict(new.options),
            "price_cents": new.price_cents,
            "quantity": quantity,
        }
        own = t.order_lines.c.id == line_id
        if not stays:
            await self._connection.execute(sa.update(t.order_lines).where(own).values(**bought))
            return
        await self._connection.execute(sa.update(t.order_lines).where(own).values(quantity=stays))
        # The part that was swapped stands right behind the part that was not.
        await self._connection.execute(
            sa.insert(t.order_lines).from_select(
                ["order_id", "position", "product_id", "name", *bought],
                sa.select(
                    t.order_lines.c.order_id,
                    t.order_lines.c.position,
                    t.order_lines.c.product_id,
                    t.order_lines.c.name,
                    *(sa.literal(value, t.order_lines.c[name].type) for name, value in bought.items()),
                ).where(own),
            )
        )

    async def _stock(self, moved: Iterable[tuple[str, int]]) -> None:
        """Add to counted stocks; one that is not counted stays uncounted.

        In the order of their ids: two changes that lock the same two must not wait for each other.
        """
        totals: Counter[str] = Counter()
        for variant_id, change in moved:
            totals[variant_id] += change
        for variant_id in sorted(totals):
            own, change = t.variants.c.id == variant_id, totals[variant_id]
            result = await self._connection.execute(
                sa.update(t.variants)
                .where(own, sa.or_(t.variants.c.stock.is_(None), t.variants.c.stock + change >= 0))
                .values(stock=t.variants.c.stock + change)
            )
            if result.rowcount != 1:
                raise ToolError(say.LAST_ONE_SOLD, reason="unavailable")

    async def _move_money(self, order: Order, outcome: Outcome) -> None:
        """Book each movement behind those that are there, and let gift cards follow at once."""
        for offset, movement in enumerate(outcome.movements):
            await self._connection.execute(
                sa.insert(t.payments).values(
                    order_id=order.id,
                    position=len(order.payments) + offset,
                    kind=movement.kind,
                    amount_cents=movement.amount_cents,
                    method_id=movement.method_id,
                )
            )
            sign = -1 if movement.kind == "payment" else 1
            immediate = await self._gift_card(movement.method_id, sign * movement.amount_cents)
            if movement.kind == "refund":
                await self._connection.execute(
                    sa.insert(t.refunds).values(
                        order_id=order.id,
                        method_id=movement.method_id,
                        amount_cents=movement.amount_cents,
                        state="paid" if immediate else "due",
                    )
                )

    async def _gift_card(self, method_id: str, change: int) -> bool:
        """Whether the method is a gift card, whose balance then moved."""
        own = sa.and_(
            t.payment_methods.c.id == method_id,
            t.payment_methods.c.customer_id == self._customer_id,
            t.payment_methods.c.kind == "gift_card",
        )
        if (await self._connection.execute(sa.select(t.payment_methods.c.id).where(own))).first() is None:
            return False
        balance = t.payment_methods.c.balance_cents
        result = await self._connection.execute(
            sa.update(t.payment_methods)
            .where(own, balance + change >= 0)
            .values(balance_cents=balance + change)
        )
        if result.rowcount != 1:
            raise ToolError(say.CARD_TOO_LOW, reason="balance_too_low")
        return True

    async def _event(self, order: Order, text: str) -> None:
        await self._connection.execute(
            sa.insert(t.order_events).values(order_id=order.id, at=self._now, text=text)
        )

    # --- the account and the rest ---

    async def _open_ticket(self, change: OpenTicket) -> str:
        """Write a ticket; the same one again in the same call is the same ticket."""
        same = sa.and_(
            t.tickets.c.call_id == self._call_id,
            t.tickets.c.kind == change.kind,
            t.tickets.c.body == change.body,
        )
        number = (await self._connection.execute(sa.select(t.tickets.c.id).where(same))).scalars().first()
        if number is None:
            number = await self._insert_id(
                t.tickets,
                customer_id=self._customer_id,
                call_id=self._call_id,
                kind=change.kind,
                subject=change.subject,
                body=change.body,
                at=self._now,
                state="open",
            )
        return f"T-{number}"

    async def _update_account(self, change: UpdateAccount) -> None:
        values = {"email": change.email, "phone": change.phone}
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            await self._connection.execute(
                sa.update(t.customers).where(t.customers.c.id == self._customer_id).values(**given)
            )
        if change.address is not None:
            own = sa.and_(t.addresses.c.customer_id == self._customer_id, t.addresses.c.order_id.is_(None))
            await self._set_address(change.address, own)

    async def _set_address(self, address: Address, where: sa.ColumnElement[bool]) -> None:
        own = t.addresses.c.customer_id == self._customer_id
        await self._connection.execute(
            sa.update(t.addresses)
            .where(own, where)
            .values(
                street=address.street,
                apartment=address.apartment,
                city=address.city,
                state=address.state,
                postcode=address.postcode,
                country=address.country,
            )
        )

    async def _insert(self, table: sa.Table, **values: Any) -> None:
        await self._connection.execute(
            sa.insert(table).values(customer_id=self._customer_id, call_id=self._call_id, **values)
        )

    async def _insert_id(self, table: sa.Table, **values: Any) -> int:
        result = await self._connection.execute(sa.insert(table).values(**values).returning(table.c.id))
        return int(result.scalar_one())
