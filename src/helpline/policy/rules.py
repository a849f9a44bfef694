"""Whether a change is allowed, and what it does to money. Pure.

`decide` runs twice: when a change is proposed, and again inside the transaction that does it. A refusal is a
`ToolError` with a reason code and a sentence fit to be spoken.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from helpline import wording
from helpline.errors import ToolError
from helpline.policy.policy import Policy
from helpline.store.changes import (
    CancelOrder,
    ChangeItems,
    ChangeOrderAddress,
    ChangePayment,
    ExchangeItems,
    OpenTicket,
    Outcome,
    ReturnItems,
    ScheduleCallback,
    ShopChange,
    Swap,
    UpdateAccount,
)
from helpline.store.records import Address, Customer, Line, Order, Payment, PaymentMethod, Variant, digits_of

_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision is made on."""

    now: datetime
    customer: Customer | None = None
    order: Order | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """The new variants that a change asks for, by id."""


def refusal(reason: str, say: str) -> ToolError:
    """A no with its reason code, to be raised."""
    return ToolError(say, reason=reason)


def decide(policy: Policy, change: ShopChange, facts: Facts) -> Outcome:
    """What the change does to money, if it is allowed.

    Raises:
        ToolError: it is not; with the reason and a sentence to speak.
    """
    match change:
        case ScheduleCallback():
            return _schedule_callback(policy, change, facts.now)
        case OpenTicket():
            return _open_ticket(change)
        case UpdateAccount():
            return _update_account(change)
        case CancelOrder():
            return _cancel(policy, change, _order(facts))
        case ReturnItems():
            return _return(policy, change, _order(facts), _customer(facts), facts.now)
        case ExchangeItems():
            return _exchange(policy, change, facts)
        case ChangeItems():
            return _change_items(policy, change, facts)
        case ChangeOrderAddress():
            _editable(policy, _order(facts), "address", "send it somewhere else")
            _check_address(change.address)
            return Outcome()
        case ChangePayment():
            return _change_payment(policy, change, _order(facts), _customer(facts))
        case _:
            assert_never(change)


def _order(facts: Facts) -> Order:
    if facts.order is None:
        raise refusal("unknown_order", "I can't find that order on your account.")
    return facts.order


def _customer(facts: Facts) -> Customer:
    if facts.customer is None:
        raise refusal("unknown_customer", "I first need to know who you are.")
    return facts.customer


def _has_been(status: str) -> str:
    return {
        "pending": "is still being prepared",
        "processed": "is already packed",
        "shipped": "is already on its way",
        "delivered": "has already been delivered",
        "cancelled": "is already cancelled",
        "return requested": "is already being returned",
        "exchange requested": "is already being exchanged",
        "returned": "was already returned",
    }[status]


def _status(order: Order, allowed: Sequence[str], what: str) -> None:
    if order.status not in allowed:
        raise refusal("wrong_status", f"Order {order.number} {_has_been(order.status)}, so I can't {what}.")


# --- orders ---


def _cancel(policy: Policy, change: CancelOrder, order: Order) -> Outcome:
    _status(order, policy.cancel.statuses, "cancel it")
    _not_after_items(policy, order, "cancel", "cancel it")
    if change.reason not in policy.cancel.reasons:
        choices = wording.listed([f'"{reason}"' for reason in policy.cancel.reasons], "or")
        raise refusal(
            "unknown_reason", f"I can cancel an order for these reasons only: {choices}. Which one is it?"
        )
    held = order.net_paid()
    refunds = tuple(Payment("refund", cents, method) for method, cents in held.items() if cents > 0)
    return Outcome(sum(refund.amount_cents for refund in refunds), refunds, order.paid_with)


def _editable(policy: Policy, order: Order, what: str, doing: str) -> None:
    _status(order, policy.edit.statuses, doing)
    _not_after_items(policy, order, what, doing)


def _not_after_items(policy: Policy, order: Order, what: str, doing: str) -> None:
    if not order.items_changed or what in policy.edit.after_items:
        return
    raise refusal(
        "items_already_changed",
        f"The items of order {order.number} were already changed once, so I can't {doing} any more.",
    )


def _within_window(order: Order, days: int, now: datetime, what: str) -> None:
    if not days or order.delivered_at is None:
        return
    if now - order.delivered_at > timedelta(days=days):
        raise refusal(
            "window_closed",
            f"Order {order.number} was delivered more than {days} days ago, so I can't {what} any more.",
        )


def _lines(order: Order, wanted: Sequence[tuple[int, int]], what: str) -> list[tuple[Line, int]]:
    """The order's lines of (line id, quantity), no more of any than there is."""
    if not wanted:
        raise refusal("no_items", f"Which items of order {order.number} shall I {what}?")
    totals: Counter[int] = Counter()
    for line_id, quantity in wanted:
        totals[line_id] += quantity
    by_id = {line.id: line for line in order.lines}
    for line_id, quantity in totals.items():
        line = by_id.get(line_id)
        if line is None or quantity < 1:
            raise refusal("unknown_item", f"That item is not in order {order.number}.")
        if quantity > line.quantity:
            raise refusal("too_many", f"Order {order.number} holds only {line.quantity} of the {line.name}.")
    return [(by_id[line_id], quantity) for line_id, quantity in wanted]


def _return(policy: Policy, change: ReturnItems, order: Order, customer: Customer, now: datetime) -> Outcome:
    _status(order, policy.returns.statuses, "take it back")
    _within_window(order, policy.returns.window_days, now, "take it back")
    lines = _lines(order, [(line.line_id, line.quantity) for line in change.lines], "take back")
    method = _own_method(customer, change.method_id)
    original = "original" in policy.returns.routes and method.id == order.paid_with
    if not original and not ("gift_card" in policy.returns.routes and method.kind == "gift_card"):
        raise refusal(
            "wrong_route",
            "The refund can go back to the way you paid, or to a gift card of yours. Which shall it be?",
        )
    return Outcome(sum(line.price_cents * quantity for line, quantity in lines), (), method.id)


def _exchange(policy: Policy, change: ExchangeItems, facts: Facts) -> Outcome:
    order = _order(facts)
    _status(order, policy.exchange.statuses, "exchange anything in it")
    _within_window(order, policy.exchange.window_days, facts.now, "exchange anything in it")
    same = policy.exchange.same_item
    difference, method = _swaps(change.swaps, change.method_id, order, facts, same_item=same)
    return Outcome(difference, (), method.id)


def _change_items(policy: Policy, change: ChangeItems, facts: Facts) -> Outcome:
    order = _order(facts)
    if policy.edit.items_once and order.items_changed:
        raise refusal("items_already_changed", f"The items of order {order.number} can be changed only once.")
    _editable(policy, order, "items", "change its items")
    difference, method = _swaps(change.swaps, change.method_id, order, facts)
    if not difference:
        return Outcome(0, (), method.id)
    movement = Payment("payment" if difference > 0 else "refund", abs(difference), method.id)
    return Outcome(difference, (movement,), method.id)


def _swaps(
    swaps: Sequence[Swap], method_id: str, order: Order, facts: Facts, *, same_item: bool = False
) -> tuple[int, PaymentMethod]:
    """The price difference and what settles it, when every swap can be made."""
    lines = _lines(order, [(swap.line_id, swap.quantity) for swap in swaps], "exchange")
    wanted: Counter[str] = Counter()
    difference = 0
    for swap, (line, quantity) in zip(swaps, lines, strict=True):
        new = facts.variants.get(swap.new_variant_id)
        if new is None or new.product_id != line.product_id:
            raise refusal(
                "other_product", f"I can swap the {line.name} only for the same product in other options."
            )
        if new.id == line.variant_id and not same_item:
            raise refusal("same_item", f"That is the same {line.name} that you already have.")
        wanted[new.id] += quantity
        if not new.has(wanted[new.id]):
            raise refusal("unavailable", f"That {line.name} is not available at the moment.")
        difference += (new.price_cents - line.price_cents) * quantity
    method = _own_method(_customer(facts), method_id)
    _covers(method, difference, order.currency)
    return difference, method


def _change_payment(policy: Policy, change: ChangePayment, order: Order, customer: Customer) -> Outcome:
    _editable(policy, order, "payment", "change how it is paid")
    method = _own_method(customer, change.method_id)
    if method.id == order.paid_with:
        raise refusal("same_method", f"Order {order.number} is already paid with your {method.spoken}.")
    held = {method_id: cents for method_id, cents in order.net_paid().items() if cents > 0}
    total = sum(held.values())
    _covers(method, total, order.currency)
    refunds = tuple(Payment("refund", cents, old) for old, cents in held.items())
    return Outcome(total, (Payment("payment", total, method.id), *refunds), method.id)


def _own_method(customer: Customer, method_id: str) -> PaymentMethod:
    method = customer.method(method_id)
    if method is None:
        ways = wording.listed([own.spoken for own in customer.methods], "or")
        raise refusal(
            "unknown_method", f"I can use the ways to pay on your account: {ways}. Which one shall it be?"
        )
    return method


def _covers(method: PaymentMethod, cents: int, currency: str) -> None:
    if method.kind == "gift_card" and cents > (method.balance_cents or 0):
        raise refusal(
            "balance_too_low",
            f"Your gift card holds {wording.money(method.balance_cents or 0, currency)},"
            f" and this needs {wording.money(cents, currency)}. Another way to pay?",
        )


# --- the account, callbacks, tickets ---


def _update_account(change: UpdateAccount) -> Outcome:
    if change.email is None and change.phone is None and change.address is None:
        raise refusal(
            "nothing_to_change", "What shall I change: your e-mail, your phone number or your address?"
        )
    if change.email is not None and not _EMAIL.fullmatch(change.email):
        raise refusal("bad_email", "That does not sound like an e-mail address. Could you spell it for me?")
    if change.phone is not None:
        _check_phone(change.phone)
    if change.address is not None:
        _check_address(change.address)
    return Outcome()


def _check_phone(phone: str) -> None:
    if not 7 <= len(digits_of(phone)) <= 15:
        raise refusal(
            "bad_phone", "That does not sound like a phone number. Could you say it digit by digit?"
        )


def _check_address(address: Address) -> None:
    if not all(part.strip() for part in (address.street, address.city, address.postcode)):
        raise refusal("bad_address", "I need the street with the number, the city and the postcode.")


def _schedule_callback(policy: Policy, change: ScheduleCallback, now: datetime) -> Outcome:
    rules = policy.callbacks
    at = change.at.astimezone(policy.zone)
    if change.at < now + timedelta(minutes=rules.notice_minutes):
        raise refusal(
            "too_soon", f"We need at least {rules.notice_minutes} minutes. Which later time suits you?"
        )
    if change.at > now + timedelta(days=rules.days_ahead):
        raise refusal("too_far", f"I can book a call in the next {rules.days_ahead} days only.")
    if at.isoweekday() not in rules.days or not rules.opens <= at.time() < rules.closes:
        raise refusal(
            "closed", f"We call back {callback_hours(policy)}. Which time in those hours suits you?"
        )
    _check_phone(change.phone)
    return Outcome()


def callback_hours(policy: Policy) -> str:
    """The hours in words: "Monday to Friday, from 9 AM to 6 PM"."""
    rules = policy.callbacks
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    days = sorted(set(rules.days))
    in_row = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    spoken = (
        f"{names[days[0] - 1]} to {names[days[-1] - 1]}"
        if in_row
        else wording.listed([names[day - 1] for day in days])
    )
    opens, closes = (wording.clock_time(at) for at in (rules.opens, rules.closes))
    return f"{spoken}, from {opens} to {closes}"


def _open_ticket(change: OpenTicket) -> Outcome:
    if not change.subject.strip():
        raise refusal("no_subject", "What shall I write down for my colleagues?")
    return Outcome()
