"""A shop of one's own over HTTP: `examples/http_shop.py` against a service that fails in every way."""

import json

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from examples.http_shop import HttpShop

from helpline.call.effects import Settle
from helpline.policy import load_policy
from helpline.store import schema as t
from helpline.tools import Toolbox
from helpline.tools.desk import desk_tools
from helpline.tools.settling import carry_out
from tests.tools.talk import ask, propose, refused, say_yes


class Service:
    """Somebody's order system: it answers from a demo shop, remembers its keys, and fails as told."""

    def __init__(self, shop):
        self._shop = shop
        self.made = {}
        self.requests = []
        self.failures = []
        self.refuses = None

    async def __call__(self, request):
        self.requests.append(request)
        failure = self.failures.pop(0) if self.failures else None
        if failure == "before":
            raise httpx.ReadTimeout("too slow", request=request)
        if isinstance(failure, int):
            return httpx.Response(failure, text="<html>oh</html>")
        answer = await self._answer(request)
        if failure == "after":
            raise httpx.ReadError("the line went dead", request=request)
        return answer

    async def _answer(self, request):
        query = request.url.params
        match request.url.path:
            case "/customers" if "id" in query:
                found = await self._shop.customer(query["id"])
            case "/customers":
                found = await self._shop.customers_by_email(query["email"])
            case "/orders" if "number" in query:
                found = await self._shop.orders(query["customer_id"], query["number"])
            case "/orders":
                found = await self._shop.latest_orders(query["customer_id"], int(query["limit"]))
            case "/products" if "id" in query:
                found = await self._shop.product(query["id"])
            case "/products":
                found = await self._shop.products(query["q"].split(), int(query["limit"]))
            case "/variants":
                found = tuple((await self._shop.variants(query["ids"].split(","))).values())
            case "/changes":
                return self._change(request)
            case _:
                return httpx.Response(404)
        many = found if isinstance(found, tuple) else () if found is None else (found,)
        return httpx.Response(200, content=msgspec.json.encode(many))

    def _change(self, request):
        if self.refuses:
            return httpx.Response(409, json=self.refuses)
        key = request.headers["Idempotency-Key"]
        self.made.setdefault(key, json.loads(request.content))
        return httpx.Response(200, json={"reference": f"S{len(self.made)}"})


@pytest.fixture
def service(store):
    return Service(store.shop)


@pytest.fixture
async def toolbox(store, service, clock):
    transport = httpx.MockTransport(service)
    async with httpx.AsyncClient(base_url="https://shop.example", transport=transport) as client:
        policy = load_policy()
        tools = desk_tools(store, policy)
        yield Toolbox(tools, store=store, policy=policy, clock=clock, shop=HttpShop(client))


async def test_reads_come_from_the_service(toolbox, maya):
    maya = toolbox.context(call_id="call_1", caller=maya.caller)
    assert "on its way" in (await ask(toolbox, maya, "check_order_status", order_id="1004")).say
    assert "Maya" in (await ask(toolbox, maya, "get_customer_info")).say
    assert "Rain Jacket" in (await ask(toolbox, maya, "get_product_info", product="rain jacket")).say
    assert await refused(ask(toolbox, maya, "check_order_status", order_id="1010")) == "unknown_order"


@pytest.fixture
def call(toolbox, maya):
    return toolbox.context(call_id="call_1", caller=maya.caller)


async def test_a_change_is_made_there_once_and_written_down_here(toolbox, call, service, store):
    proposal = await propose(toolbox, call, "cancel_order", order_id="1005")
    assert service.made == {}
    receipt = await say_yes(toolbox, call, proposal)
    assert (await say_yes(toolbox, call, proposal)).reference == receipt.reference
    ((key, body),) = service.made.items()
    assert key == proposal.id
    assert body["customer_id"] == "maya"
    assert body["change"]["type"] == "CancelOrder"
    assert body["amount_cents"] == 7200
    assert await store.verify_ledger() == ()


async def test_a_line_that_dies_after_the_change_makes_it_once(toolbox, call, service):
    proposal = await propose(toolbox, call, "cancel_order", order_id="1005")
    service.requests.clear()
    service.failures = [None, None, "after"]
    assert (await say_yes(toolbox, call, proposal)).reference
    posted = [request for request in service.requests if request.method == "POST"]
    assert len(posted) == 2
    assert len(service.made) == 1


@pytest.mark.parametrize("failures", [["before"] * 2, [503, 500], ["before", 502]])
async def test_a_service_that_is_down_is_apologised_for(toolbox, call, service, failures):
    service.failures = list(failures)
    asking = ask(toolbox, call, "check_order_status", order_id="1004")
    assert await refused(asking) == "unreachable"
    assert (await ask(toolbox, call, "check_order_status", order_id="1004")).ok


async def test_a_yes_while_the_service_is_down_can_be_said_again(toolbox, call, service, store):
    proposal = await propose(toolbox, call, "cancel_order", order_id="1005")
    service.failures = [None, None, "after", 500]
    assert await refused(say_yes(toolbox, call, proposal)) == "unreachable"
    assert (await say_yes(toolbox, call, proposal)).reference
    assert len(service.made) == 1


async def test_an_order_that_changed_by_our_own_hand_is_not_said_to_be_untouched(
    toolbox, call, service, store
):
    """The change was made, its answer was lost twice, and the order is another one by now."""
    proposal = await propose(toolbox, call, "cancel_order", order_id="1005")
    service.failures = [None, None, "after", "after"]
    settle = Settle(proposal, "yes", "voice", proposal.read_back, "yes")
    settled = await carry_out(toolbox, call, settle)
    assert (settled.waits, settled.unsure) == (True, True)
    async with store.database.write() as connection:
        await connection.execute(sa.update(t.orders).where(t.orders.c.id == "1005").values(version=2))
    settled = await carry_out(toolbox, call, settle)
    assert (settled.receipt, settled.unsure) == (None, True)
    assert len(service.made) == 1


async def test_the_services_own_refusal_is_spoken(toolbox, call, service):
    proposal = await propose(toolbox, call, "cancel_order", order_id="1005")
    service.refuses = {"say": "The warehouse has just packed it.", "reason": "packed"}
    assert await refused(say_yes(toolbox, call, proposal)) == "packed"
    assert await refused(say_yes(toolbox, call, proposal)) == "failed"


async def test_an_answer_in_another_shape_is_apologised_for(toolbox, call, service):
    service.failures = [404]
    assert await refused(ask(toolbox, call, "check_order_status", order_id="1004")) == "unreachable"
