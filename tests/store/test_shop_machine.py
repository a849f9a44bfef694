"""The shop against a plain model of it: whatever is done in whatever order, goods and money balance."""

import asyncio
import json

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from helpline.errors import ToolError
from helpline.policy.policy import parse_policy
from helpline.store import Store
from helpline.store import schema as t
from helpline.tools import Toolbox
from helpline.tools.desk import desk_tools
from tests.store.fixtures import StillClock

POLICY = parse_policy(
    """
    [edit]
    after_items = ["cancel", "address", "payment"]
    [returns]
    window_days = 0
    [exchange]
    window_days = 0
    [limits]
    changes_per_call = 100000
    changes_per_day = 100000
    proposals_per_call = 100000
    """
)
ORDERS = ["1001", "1002", "1003", "1004", "1005", "1006"]
METHODS = ["credit card", "gift card"]


class Model:
    """The shop in a few dictionaries: what a person would write on paper."""

    def __init__(self, orders, stock, balance):
        self.status = {order.number: order.status for order in orders}
        self.items = {
            order.number: [(line.variant_id, line.quantity, line.price_cents) for line in order.lines]
            for order in orders
        }
        self.paid_with = {order.number: order.paid_with for order in orders}
        self.changed = set()
        self.stock = stock
        self.balance = balance
        self.done = 0

    def total(self, number):
        return sum(quantity * price for _, quantity, price in self.items[number])

    def move(self, method, cents):
        if method.endswith("gift_card"):
            self.balance += cents

    def cancel(self, number):
        if self.status[number] != "pending":
            return False
        self.status[number] = "cancelled"
        for variant, quantity, _ in self.items[number]:
            self.stock[variant] += quantity
        self.move(self.paid_with[number], self.total(number))
        return True

    def send_back(self, number):
        if self.status[number] != "delivered":
            return False
        self.status[number] = "return requested"
        return True

    def swap(self, number, index, new, price, *, pending):
        lines = self.items[number]
        old, quantity, _ = lines[index]
        if (pending and new == old) or self.stock[new] < quantity or (pending and number in self.changed):
            return False  # a faulty one that was delivered may become another of its kind
        if self.status[number] != ("pending" if pending else "delivered"):
            return False
        self.stock[new] -= quantity
        if pending:
            self.changed.add(number)
            self.stock[old] += quantity
            lines[index] = (new, quantity, price)
        else:
            self.status[number] = "exchange requested"
        return True

    def pay(self, number, method):
        total = self.total(number)
        if self.status[number] != "pending" or method == self.paid_with[number]:
            return False
        if method.endswith("gift_card") and self.balance < total:
            return False
        self.move(method, -total)
        self.move(self.paid_with[number], total)
        self.paid_with[number] = method
        return True


class Shop(RuleBasedStateMachine):
    """Each rule asks the tools and the model for the same, and both must say the same."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize(balance=st.sampled_from([0, 7200, 50_000]), stock=st.sampled_from([0, 1, 5]))
    def open(self, balance, stock):
        self.runner.run(self._open(balance, stock))

    async def _open(self, balance, stock):
        self.store = await Store.open("sqlite://", demo=True, clock=StillClock())
        async with self.store.database.write() as connection:
            own = t.payment_methods.c.id == "maya-gift_card"
            await connection.execute(sa.update(t.payment_methods).where(own).values(balance_cents=balance))
            await connection.execute(sa.update(t.variants).values(stock=stock))
        self.toolbox = Toolbox(
            desk_tools(self.store, POLICY), store=self.store, policy=POLICY, clock=StillClock()
        )
        caller = (await self.store.demo_customers())[0]
        self.call = self.toolbox.context(call_id="call_machine", caller=caller)
        orders = await self.store.shop.latest_orders("maya", 10)
        variants = await self._variants()
        self.products = {}
        for variant in variants:
            self.products.setdefault(variant.product_id, []).append(variant.id)
        self.model = Model(orders, {variant.id: variant.stock for variant in variants}, balance)

    async def _variants(self):
        return [v for product in await self.store.shop.products([], 100) for v in product.variants]

    def ask(self, tool, **arguments):
        return self.runner.run(self._ask(tool, arguments))

    async def _ask(self, tool, arguments):
        """Whether the tool did it: proposed, heard, agreed to, and agreed to once more."""
        try:
            proposal = (await self.toolbox.run(self.call, tool, json.dumps(arguments))).proposal
            yes = {"heard": proposal.read_back, "answer": "yes", "means": "voice"}
            first = await self.toolbox.confirm(self.call, proposal.id, **yes)
            again = await self.toolbox.confirm(self.call, proposal.id, **yes)
        except ToolError as refusal:
            if refusal.reason == "unreachable":
                raise
            return False
        assert again.repeated
        assert again.reference == first.reference
        self.model.done += 1
        return True

    @rule(number=st.sampled_from(ORDERS))
    def cancel(self, number):
        assert self.ask("cancel_order", order_id=number) == self.model.cancel(number)

    @rule(number=st.sampled_from(ORDERS))
    def send_back(self, number):
        assert self.ask("process_return", order_id=number) == self.model.send_back(number)

    @rule(
        number=st.sampled_from(ORDERS),
        index=st.integers(0, 1),
        pick=st.integers(0, 20),
        pending=st.booleans(),
    )
    def swap(self, number, index, pick, pending):
        lines = self.model.items[number]
        old, _, price = lines[index % len(lines)]
        variants = next(own for own in self.products.values() if old in own)
        new = variants[pick % len(variants)]
        did = self.ask(
            "change_order_items" if pending else "exchange_items",
            order_id=number,
            items=[{"item": old, "new_item": new}],
        )
        assert did == self.model.swap(number, index % len(lines), new, price, pending=pending)

    @rule(number=st.sampled_from(ORDERS), method=st.sampled_from(METHODS))
    def pay(self, number, method):
        own = f"maya-{method.replace(' ', '_')}"
        assert self.ask("change_order_payment", order_id=number, pay_with=method) == self.model.pay(
            number, own
        )

    @rule(number=st.sampled_from(ORDERS))
    def ask_and_say_no(self, number):
        self.runner.run(self._say_no(number))

    async def _say_no(self, number):
        try:
            result = await self.toolbox.run(self.call, "cancel_order", json.dumps({"order_id": number}))
        except ToolError:
            return
        await self.toolbox.decline(self.call, result.proposal.id)

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def everything_balances(self):
        self.runner.run(self._check())

    async def _check(self):
        model = self.model
        assert {v.id: v.stock for v in await self._variants()} == model.stock
        maya = await self.store.shop.customer("maya")
        assert maya.method("maya-gift_card").balance_cents == model.balance
        for order in await self.store.shop.latest_orders("maya", 10):
            number = order.number
            assert order.status == model.status[number]
            assert order.total_cents == model.total(number)
            held = {} if order.status == "cancelled" else {model.paid_with[number]: model.total(number)}
            assert order.net_paid() == held
        async with self.store.database.read() as connection:
            rows = sa.select(sa.func.count()).select_from(t.ledger)
            assert (await connection.execute(rows)).scalar_one() == model.done
        assert await self.store.verify_ledger() == ()

    def teardown(self):
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
        self.runner.close()


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


class TestShop(Shop.TestCase):
    settings = settings(max_examples=10, stateful_step_count=12, **QUIET)


@pytest.mark.soak
@pytest.mark.timeout(3600)
class TestShopForLong(Shop.TestCase):
    settings = settings(max_examples=200, stateful_step_count=50, **QUIET)
