"""A shop of your own behind an HTTP service: the whole connection, in one file.

    SHOP_URL=https://orders.example.com SHOP_TOKEN=... helpline run examples/http_shop.py

`open_shop` gives it to the desk; your tools and hooks may stand in the same file. The service answers in the
shape of `helpline.store.records`; change `_get` to match yours. Three things matter: every request has a time
limit; a change carries an idempotency key, so that asking again does nothing twice; and when the service is
down the customer hears so, in a sentence.
"""

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import msgspec

from helpline.errors import ToolError
from helpline.store.changes import Applied, to_json
from helpline.store.records import Customer, Order, Product, Variant
from helpline.store.shop import ChangeRequest

T = TypeVar("T")

TIMEOUT = httpx.Timeout(3.0, connect=1.0)
ATTEMPTS = 2
DOWN = "I can't reach our order system just now. Nothing was changed. Shall I try again?"


def open_client(url: str, token: str) -> httpx.AsyncClient:
    """A client for the service; close it when the desk closes. The token travels in a header."""
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"})


class HttpShop:
    """Implements `helpline.store.Shop` over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def customer(self, customer_id: str) -> Customer | None:
        found = await self._get("/customers", tuple[Customer, ...], id=customer_id)
        return found[0] if found else None

    async def customers_by_email(self, email: str) -> tuple[Customer, ...]:
        return await self._get("/customers", tuple[Customer, ...], email=email)

    async def customers_by_name(self, first_name: str, last_name: str, postcode: str) -> tuple[Customer, ...]:
        named = {"first_name": first_name, "last_name": last_name, "postcode": postcode}
        return await self._get("/customers", tuple[Customer, ...], **named)

    async def orders(self, customer_id: str, number: str) -> tuple[Order, ...]:
        return await self._get("/orders", tuple[Order, ...], customer_id=customer_id, number=number)

    async def latest_orders(self, customer_id: str, limit: int) -> tuple[Order, ...]:
        return await self._get("/orders", tuple[Order, ...], customer_id=customer_id, limit=str(limit))

    async def products(self, words: Sequence[str], limit: int) -> tuple[Product, ...]:
        return await self._get("/products", tuple[Product, ...], q=" ".join(words), limit=str(limit))

    async def product(self, product_id: str) -> Product | None:
        found = await self._get("/products", tuple[Product, ...], id=product_id)
        return found[0] if found else None

    async def variants(self, ids: Iterable[str]) -> Mapping[str, Variant]:
        found = await self._get("/variants", tuple[Variant, ...], ids=",".join(ids))
        return {variant.id: variant for variant in found}

    async def apply(self, request: ChangeRequest) -> Applied:
        """Make the change. Tried twice with the same key: the service does it once."""
        body = {
            "customer_id": request.customer_id,
            "change": to_json(request.change),
            "amount_cents": request.outcome.amount_cents,
        }
        response = await self._send("POST", "/changes", json=body, headers={"Idempotency-Key": request.key})
        return Applied(reference=str(response.json().get("reference", "")))

    async def _get(self, path: str, shape: type[T], **query: str) -> T:
        response = await self._send("GET", path, params=query)
        return msgspec.convert(response.json(), shape)

    async def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            try:
                response = await self._client.request(method, path, **parts)
            except httpx.TransportError as error:
                if attempt + 1 == ATTEMPTS:
                    raise ToolError(DOWN, reason="unreachable") from error
                continue
            if response.status_code < 500:
                return _accepted(response)
        raise ToolError(DOWN, reason="unreachable")


def _accepted(response: httpx.Response) -> httpx.Response:
    """The response, unless the service refuses: with a sentence of its own if it has one."""
    if response.is_success:
        return response
    if response.status_code == 409:
        refusal = response.json()
        raise ToolError(refusal["say"], reason=refusal["reason"])
    raise ToolError(DOWN, reason="unreachable")


@asynccontextmanager
async def open_shop() -> AsyncIterator[HttpShop]:
    """The desk opens its shop when it starts, and closes it when it stops."""
    async with open_client(os.environ["SHOP_URL"], os.environ["SHOP_TOKEN"]) as client:
        yield HttpShop(client)
