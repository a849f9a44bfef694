"""Customers who sign in at the page by name and password, as the company's own function says who they are.

    def sign_in(name: str, password: str) -> str | None: ...   # the shop's id of the customer

Or with an account elsewhere: the function says whose it is, else the e-mail that the provider verified does.

    def signed_in_by(provider: str, user: Mapping) -> str | None: ...

Rules:
- Each try counts before it is looked at, against the name, the customers of that e-mail address, and the
  address that it comes from: the same counts, and the same lock, as for who says who they are in a call.
- A wrong password, an unknown name, a locked one and a function that fails sound alike.
- What a browser holds is a random token; the database holds a digest of it, for half a day.
"""

import asyncio
import hashlib
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.clock import Clock
from helpline.policy import Policy
from helpline.storable import storable
from helpline.store import Shop, Store, verification
from helpline.store import schema as t
from helpline.store.database import to_its_end

log = logging.getLogger(__name__)

LASTS: Final = timedelta(hours=12)
TIME_S: Final = 10.0
"""The company's function has so long to answer."""
_LONGEST_ID: Final = 100

Check = Callable[[str, str], Any]
"""The company's function: `(name, password)` to the customer's id, or None; sync or async."""
Whose = Callable[[str, Mapping[str, Any]], Any]
"""The company's function: `(provider, user)` to the customer's id, or None; sync or async."""


class SignIns:
    """Lets customers in and out."""

    def __init__(self, store: Store, shop: Shop, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._shop = shop
        self._policy = policy
        self._clock = clock
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sign in")

    async def begin(self, check: Check, name: str, password: str, address: str) -> str | None:
        """A token for who this is; None for nobody, and for who has tried too often."""
        return await to_its_end(self._begin(check, storable(name.strip()), password, address))

    async def _begin(self, check: Check, name: str, password: str, address: str) -> str | None:
        claim = name.lower()
        found = await self._shop.customers_by_email(claim)
        named = {f"email:{claim}", *(f"customer:{customer.id}" for customer in found)}
        first = await self._attempt({*named, *([f"address:{address}"] if address else [])})
        if first is None:
            return None
        customer_id = await self._ask("sign_in", check, name, password)
        if customer_id is None:
            return None
        second = await self._attempt({f"customer:{customer_id}"} - named)
        if second is None:
            return None
        async with self._store.database.write() as connection:
            for made in (first, second):
                await verification.forgive(connection, made)
            return await self._token(connection, customer_id)

    async def begin_by(
        self, whose: Whose | None, provider: str, user: Mapping[str, Any], email: str
    ) -> str | None:
        """A token for who signed in at a provider; None for nobody of the shop's.

        It counts as no guess: the provider has proved who they are. `email` is the one that it verified.
        """
        return await to_its_end(self._begin_by(whose, provider, user, email))

    async def _begin_by(
        self, whose: Whose | None, provider: str, user: Mapping[str, Any], email: str
    ) -> str | None:
        if whose is not None:
            customer_id = await self._ask("signed_in_by", whose, provider, user)
        else:
            customer_id = await self._with_email(email.strip())
        if customer_id is None:
            return None
        async with self._store.database.write() as connection:
            return await self._token(connection, customer_id)

    async def _with_email(self, email: str) -> str | None:
        """The one customer with that address; nobody where two share it."""
        # ASCII alone: there are letters beyond it whose small form is one of another address.
        found = await self._shop.customers_by_email(email) if email and email.isascii() else ()
        same = [customer for customer in found if customer.email.lower() == email.lower()]
        return same[0].id if len(found) == len(same) == 1 else None

    async def _token(self, connection: AsyncConnection, customer_id: str) -> str:
        token, now = secrets.token_urlsafe(32), self._clock.utcnow()
        row = {"digest": _digest(token), "customer_id": customer_id, "at": now, "expires_at": now + LASTS}
        await connection.execute(sa.insert(t.sign_ins).values(**row))
        return token

    async def customer_of(self, token: str) -> str | None:
        """The customer's id who signed in with this token and has not signed out."""
        query = sa.select(t.sign_ins.c.customer_id).where(
            t.sign_ins.c.digest == _digest(token), t.sign_ins.c.expires_at > self._clock.utcnow()
        )
        async with self._store.database.read() as connection:
            customer_id: str | None = (await connection.execute(query)).scalar_one_or_none()
        return customer_id

    async def end(self, token: str) -> None:
        """The customer has signed out."""
        async with self._store.database.write() as connection:
            await connection.execute(sa.delete(t.sign_ins).where(t.sign_ins.c.digest == _digest(token)))

    def close(self) -> None:
        """No more will sign in."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self, subjects: set[str]) -> verification.Attempt | None:
        """The try, counted; None when one of those whom it counts against is locked."""
        rules, now = self._policy.lockout, self._clock.utcnow()
        if not subjects:
            return verification.Attempt({}, ())
        async with self._store.database.write() as connection:
            since = now - timedelta(minutes=rules.minutes)
            made = await verification.attempt(connection, subjects, since, now)
        return None if any(count >= rules.failures for count in made.before.values()) else made

    async def _ask(self, called: str, function: Callable[..., Any], *given: Any) -> str | None:
        try:
            async with asyncio.timeout(TIME_S):
                if inspect.iscoroutinefunction(function):
                    answer = await function(*given)
                else:
                    loop = asyncio.get_running_loop()
                    answer = await loop.run_in_executor(self._threads, function, *given)
                    if isinstance(answer, Awaitable):
                        answer = await answer
        except Exception as error:  # noqa: BLE001 - the edge: a company's code, whose words may hold the password
            log.error("%s failed: %s", called, type(error).__name__)
            return None
        if not isinstance(answer, str) or not 0 < len(answer) <= _LONGEST_ID:
            return None
        return answer if await self._shop.customer(answer) is not None else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
