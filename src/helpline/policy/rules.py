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

from helpline import sentences as say
from helpline import wording
from helpline.errors import ToolError
from helpline.hours import spoken
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
from helpline.wording import Saying, Sentence, later

_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision is made on."""

    now: datetime
    customer: Customer | None = None
    order: Order | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """The new variants that a change asks for, by id."""


def refusal(reason: str, sentence: str | Saying) -> ToolError:
    """A no with its reason code, to be raised."""
    return ToolError(sentence, reason=reason)


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
            _editable(policy, _order(facts), "address", say.SEND_SOMEWHERE_ELSE)
            _check_address(change.address)
            return Outcome()
        case ChangePayment():
            return _change_payment(policy, change, _order(facts), _customer(facts))
        case _:
            assert_never(change)


def _order(facts: Facts) -> Order:
    if facts.order is None:
        raise refusal("unknown_order", say.UNKNOWN_ORDER)
    return facts.order


def _customer(facts: Facts) -> Customer:
    if facts.customer is None:
        raise refusal("unknown_customer", say.UNKNOWN_CUSTOMER)
    return facts.customer


def _status(order: Order, allowed: Sequence[str], what: Sentence) -> None:
    if order.status not in allowed:
        state = say.ALREADY[order.status]
        raise refusal("wrong_status", say.WRONG_STATUS(number=order.number, state=state, what=what))


# --- orders ---


def _cancel(policy: Policy, change: CancelOrder, order: Order) -> Outcome:
    _status(order, policy.cancel.statuses, say.CANCEL_IT)
    _not_after_items(policy, order, "cancel", say.CANCEL_IT)
    if change.reason not in policy.cancel.reasons:
        reasons = later(wording.listed, [f'"{reason}"' for reason in policy.cancel.reasons], "or")
        raise refusal("unknown_reason", say.THESE_REASONS_ONLY(reasons=reasons))
    held = order.net_paid()
    refunds = tuple(Payment("refund", cents, method) for method, cents in held.items() if cents > 0)
    return Outcome(sum(refund.amount_cents for refund in refunds), refunds, order.paid_with)


def _editable(policy: Policy, order: Order, what: str, doing: Sentence) -> None:
    _status(order, policy.edit.statuses, doing)
    _not_after_items(policy, order, what, doing)


def _not_after_items(policy: Policy, order: Order, what: str, doing: Sentence) -> None:
    if not order.items_changed or what in policy.edit.after_items:
        return
    raise refusal("items_already_changed", say.ITEMS_CHANGED_ONCE(number=order.number, what=doing))


def _within_window(order: Order, days: int, now: datetime, what: Sentence) -> None:
    if not days or order.delivered_at is None:
        return
    if now - order.delivered_at > timedelta(days=days):
        raise refusal("window_closed", say.WINDOW_CLOSED(number=order.number, days=days, what=what))


def _lines(order: Order, wanted: Sequence[tuple[int, int]], what: Sentence) -> list[tuple[Line, int]]:
    """The order's lines of (line id, quantity), no more of any than there is."""
    if not wanted:
        raise refusal("no_items", say.WHICH_ITEMS(number=order.number, what=what))
    totals: Counter[int] = Counter()
    for line_id, quantity in wanted:
        totals[line_id] += quantity
    by_id = {line.id: line for line in order.lines}
    for line_id, quantity in totals.items():
        line = by_id.get(line_id)
        if line is None or quantity < 1:
            raise refusal("unknown_item", say.NOT_IN_ORDER(number=order.number))
        if quantity > line.quantity:
            held = say.HOLDS_ONLY(number=order.number, quantity=line.quantity, product=line.name)
            raise refusal("too_many", held)
    return [(by_id[line_id], quantity) for line_id, quantity in wanted]


def _return(policy: Policy, change: ReturnItems, order: Order, customer: Customer, now: datetime) -> Outcome:
    _status(order, policy.returns.statuses, say.TAKE_IT_BACK)
    _within_window(order, policy.returns.window_days, now, say.TAKE_IT_BACK)
    lines = _lines(order, [(line.line_id, line.quantity) for line in change.lines], say.TAKE_BACK)
    method = _own_method(customer, change.method_id)
    original = "original" in policy.returns.routes and method.id == order.paid_with
    if not original and not ("gift_card" in policy.returns.routes and method.kind == "gift_card"):
        raise refusal("wrong_route", say.WRONG_ROUTE)
    return Outcome(sum(line.price_cents * quantity for line, quantity in lines), (), method.id)


def _exchange(policy: Policy, change: ExchangeItems, facts: Facts) -> Outcome:
    order = _order(facts)
    _status(order, policy.exchange.statuses, say.EXCHANGE_ANYTHING)
    _within_window(order, policy.exchange.window_days, facts.now, say.EXCHANGE_ANYTHING)
    same = policy.exchange.same_item
    difference, method = _swaps(change.swaps, change.method_id, order, facts, same_item=same)
    return Outcome(difference, (), method.id)


def _change_items(policy: Policy, change: ChangeItems, facts: Facts) -> Outcome:
    order = _order(facts)
    if policy.edit.items_once and order.items_changed:
        raise refusal("items_already_changed", say.ITEMS_ONLY_ONCE(number=order.number))
    _editable(policy, order, "items", say.CHANGE_ITS_ITEMS)
    difference, method = _swaps(change.swaps, change.method_id, order, facts)
    if not difference:
        return Outcome(0, (), method.id)
    movement = Payment("payment" if difference > 0 else "refund", abs(difference), method.id)
    return Outcome(difference, (movement,), method.id)


def _swaps(
    swaps: Sequence[Swap], method_id: str, order: Order, facts: Facts, *, same_item: bool = False
) -> tuple[int, PaymentMethod]:
    """The price difference and what settles it, when every swap can be made."""
    lines = _lines(order, [(swap.line_id, swap.quantity) for swap in swaps], say.EXCHANGE_VERB)
    wanted: Counter[str] = Counter()
    difference = 0
    for swap, (line, quantity) in zip(swaps, lines, strict=True):
        new = facts.variants.get(swap.new_variant_id)
        if new is None or new.product_id != line.product_id:
            raise refusal("other_product", say.SAME_PRODUCT_ONLY(product=line.name))
        if new.id == line.variant_id and not same_item:
            raise refusal("same_item", say.SAME_ITEM(product=line.name))
        wanted[new.id] += quantity
        if not new.has(wanted[new.id]):
            raise refusal("unavailable", say.UNAVAILABLE(product=line.name))
        difference += (new.price_cents - line.price_cents) * quantity
    method = _own_method(_customer(facts), method_id)
    _covers(method, difference, order.currency)
    return difference, method


def _change_payment(policy: Policy, change: ChangePayment, order: Order, customer: Customer) -> Outcome:
    _editable(policy, order, "payment", say.CHANGE_HOW_PAID)
    method = _own_method(customer, change.method_id)
    if method.id == order.paid_with:
        raise refusal("same_method", say.SAME_METHOD(number=order.number, method=method))
    held = {method_id: cents for method_id, cents in order.net_paid().items() if cents > 0}
    total = sum(held.values())
    _covers(method, total, order.currency)
    refunds = tuple(Payment("refund", cents, old) for old, cents in held.items())
    return Outcome(total, (Payment("payment", total, method.id), *refunds), method.id)


def _own_method(customer: Customer, method_id: str) -> PaymentMethod:
    method = customer.method(method_id)
    if method is None:
        ways = later(wording.listed, customer.methods, "or")
        raise refusal("unknown_method", say.YOUR_METHODS_ONLY(ways=ways))
    return method


def _covers(method: PaymentMethod, cents: int, currency: str) -> None:
    if method.kind == "gift_card" and cents > (method.balance_cents or 0):
        balance = later(wording.money, method.balance_cents or 0, currency)
        money = later(wording.money, cents, currency)
        raise refusal("balance_too_low", say.BALANCE_TOO_LOW(balance=balance, money=money))


# --- the account, callbacks, tickets ---


def _update_account(change: UpdateAccount) -> Outcome:
    if change.email is None and change.phone is None and change.address is None:
        raise refusal("nothing_to_change", say.WHAT_TO_CHANGE)
    if change.email is not None and not _EMAIL.fullmatch(change.email):
        raise refusal("bad_email", say.BAD_EMAIL)
    if change.phone is not None:
        _check_phone(change.phone)
    if change.address is not None:
        _check_address(change.address)
    return Outcome()


def _check_phone(phone: str) -> None:
    if not 7 <= len(digits_of(phone)) <= 15:
        raise refusal("bad_phone", say.BAD_PHONE)


def _check_address(address: Address) -> None:
    if not all(part.strip() for part in (address.street, address.city, address.postcode)):
        raise refusal("bad_address", say.BAD_ADDRESS)


def _schedule_callback(policy: Policy, change: ScheduleCallback, now: datetime) -> Outcome:
    rules = policy.callbacks
    at = change.at.astimezone(policy.zone)
    if change.at < now + timedelta(minutes=rules.notice_minutes):
        raise refusal("too_soon", say.TOO_SOON(minutes=rules.notice_minutes))
    if change.at > now + timedelta(days=rules.days_ahead):
        raise refusal("too_far", say.TOO_FAR(days=rules.days_ahead))
    if not any(hours.holds(at) for hours in policy.callback_hours):
        raise refusal("closed", say.CLOSED(hours=callback_hours(policy)))
    _check_phone(change.phone)
    return Outcome()


def callback_hours(policy: Policy) -> Saying:
    """The hours in words: "Monday to Friday, from 9 AM to 6 PM"."""
    return spoken(policy.callback_hours)


def _open_ticket(change: OpenTicket) -> Outcome:
    if not change.subject.strip():
        raise refusal("no_subject", say.NO_SUBJECT)
    return Outcome()
