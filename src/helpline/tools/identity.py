"""Finding out who calls, below the model.

Rules:
- How far each proof reaches is policy: one that is not listed there is not offered.
- Three wrong answers lock the customer asked for, and the address that asks, in every call.
- A wrong answer, an unknown customer and a customer who is locked sound alike.
- Two customers who fit ask for another proof; nobody is guessed.
- A call serves one customer: another one is refused.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Protocol

from msgspec import Meta

from helpline import sentences as say
from helpline.actions import Caller, Identity, ToolResult
from helpline.policy.policy import Policy, Proof
from helpline.policy.rules import refusal
from helpline.store import Store, verification
from helpline.store.database import to_its_end
from helpline.store.records import Customer, digits_of
from helpline.tools.context import CallContext
from helpline.tools.tool import Tool, tool

CODE_MINUTES = 10

Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Courier(Protocol):
    """Sends a one-time code to a customer: by e-mail, by text message."""

    async def send(self, customer: Customer, code: str) -> None:
        """Send it to what is on file. Raises whatever it likes: the customer hears an apology."""


def identity_tools(store: Store, policy: Policy, courier: Courier | None = None) -> tuple[Tool, ...]:
    """The tools by which this policy lets a customer say who they are."""
    doorkeeper = Doorkeeper(store)
    tools: list[Tool] = []
    if "email" in policy.proofs:
        tools.append(_by_email(doorkeeper, policy))
    if "name_postcode" in policy.proofs:
        tools.append(_by_name(doorkeeper, policy))
    if "code" in policy.proofs and courier is not None:
        tools.extend(_by_code(doorkeeper, policy, courier))
    return tuple(tools)


def _by_email(doorkeeper: "Doorkeeper", policy: Policy) -> Tool:
    @tool(identity=Identity.GUEST, below=policy.reaches("email"))
    async def verify_by_email(
        context: CallContext, email: Annotated[str, Meta(min_length=3, max_length=254)]
    ) -> ToolResult:
        """Find out who calls by their e-mail address.

        Args:
            email: The e-mail address of the account.
        """
        claim = _spelled(email)
        found = await context.shop.customers_by_email(claim)
        return await doorkeeper.answer(context, "email", found, [f"email:{claim}"])

    return verify_by_email


def _by_name(doorkeeper: "Doorkeeper", policy: Policy) -> Tool:
    @tool(identity=Identity.GUEST, below=policy.reaches("name_postcode"))
    async def verify_by_name_and_postcode(
        context: CallContext,
        first_name: Name,
        last_name: Name,
        postcode: Annotated[str, Meta(min_length=1, max_length=20)],
    ) -> ToolResult:
        """Find out who calls by their name and their postcode.

        Args:
            first_name: The first name.
            last_name: The last name.
            postcode: The postcode of the account's address.
        """
        found = await context.shop.customers_by_name(first_name, last_name, postcode)
        claim = f"name:{first_name.strip().lower()} {last_name.strip().lower()}"
        return await doorkeeper.answer(context, "name_postcode", found, [claim])

    return verify_by_name_and_postcode


def _by_code(doorkeeper: "Doorkeeper", policy: Policy, courier: Courier) -> tuple[Tool, Tool]:
    @tool(identity=Identity.GUEST, below=policy.reaches("code"))
    async def send_code(
        context: CallContext, email: Annotated[str, Meta(min_length=3, max_length=254)]
    ) -> ToolResult:
        """Send the customer a one-time code, to what is on file for this e-mail address.

        Args:
            email: The e-mail address of the account.
        """
        found = await context.shop.customers_by_email(_spelled(email))
        await doorkeeper.send(context, found, courier)
        return ToolResult(context.words(say.CODE_SENT), {"sent": True})

    @tool(identity=Identity.GUEST, below=policy.reaches("code"))
    async def verify_code(
        context: CallContext, code: Annotated[str, Meta(min_length=1, max_length=40)]
    ) -> ToolResult:
        """Find out who calls by the one-time code that was sent to them.

        Args:
            code: Its six digits.
        """
        return await doorkeeper.check_code(context, digits_of(code))

    return send_code, verify_code


class Doorkeeper:
    """Counts wrong answers and lets in who gave the right one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(
        self, context: CallContext, proof: Proof, found: Sequence[Customer], claims: Iterable[str]
    ) -> ToolResult:
        """The caller for the one customer that fits.

        Raises:
            ToolError: nobody fits, several do, or it is locked.
        """
        return await to_its_end(self._answer(context, proof, found, list(claims)))

    async def _answer(
        self, context: CallContext, proof: Proof, found: Sequence[Customer], claims: list[str]
    ) -> ToolResult:
        made = await self._attempt(context, [*claims, *_named(found)])
        if made is None or not found:
            raise refusal("not_verified", say.NOT_FOUND)
        if len(found) > 1:
            raise refusal("ambiguous_customer", say.SEVERAL_CUSTOMERS)
        return await self._let_in(context, found[0], proof, made)

    async def send(self, context: CallContext, found: Sequence[Customer], courier: Courier) -> None:
        """Send a code to the one customer that fits; to nobody, in silence, when none or several do.

        Each code that is asked for counts like a wrong answer: nobody's letter-box is to be filled.
        """
        made = await self._attempt(context, _named(found))
        if len(found) != 1 or made is None:
            return
        code = f"{secrets.randbelow(1_000_000):06d}"
        until = context.clock.utcnow() + timedelta(minutes=CODE_MINUTES)
        async with self._store.database.write() as connection:
            await verification.keep_code(connection, context.call_id, found[0].id, code, until)
        await courier.send(found[0], code)

    async def check_code(self, context: CallContext, code: str) -> ToolResult:
        """The caller to whom the code was sent.

        Raises:
            ToolError: it is another code, too old, or locked.
        """
        return await to_its_end(self._check_code(context, code))

    async def _check_code(self, context: CallContext, code: str) -> ToolResult:
        async with self._store.database.read() as connection:
            customer_id = await verification.sent_to(connection, context.call_id)
        customer = await context.shop.customer(customer_id) if customer_id else None
        made = await self._attempt(context, _named([customer] if customer else []))
        async with self._store.database.write() as connection:
            right = made is not None and await verification.take_code(
                connection, context.call_id, code, context.clock.utcnow()
            )
        if made is None or not right or customer is None:
            raise refusal("not_verified", say.WRONG_CODE)
        return await self._let_in(context, customer, "code", made)

    async def _attempt(self, context: CallContext, asked_for: Sequence[str]) -> verification.Attempt | None:
        """The attempt, counted; None when whom it asks for is locked, which nobody is told.

        Raises:
            ToolError: who asks is locked.
        """
        rules = context.policy.lockout
        now = context.clock.utcnow()
        since = now - timedelta(minutes=rules.minutes)
        async with self._store.database.write() as connection:
            made = await verification.attempt(connection, {*_callers(context), *asked_for}, since, now)
        locked = {subject for subject, count in made.before.items() if count >= rules.failures}
        if locked & set(_callers(context)):
            raise refusal("locked", say.LOCKED)
        return None if locked else made

    async def _let_in(
        self, context: CallContext, customer: Customer, proof: Proof, made: verification.Attempt
    ) -> ToolResult:
        async with self._store.database.write() as connection:
            await verification.forgive(connection, made)
        return _welcome(context, customer, proof)


def _spelled(email: str) -> str:
    """An address as it is written, of one that was said: "maya at example dot com"."""
    return email.strip().lower().replace(" at ", "@").replace(" dot ", ".").replace(" ", "")


def _named(found: Sequence[Customer]) -> list[str]:
    """Whom an answer asks for. A name too: wrong answers for a name count for all who bear it."""
    names = [f"name:{customer.first_name} {customer.last_name}".lower() for customer in found]
    return [*(f"customer:{customer.id}" for customer in found), *names]


def _callers(context: CallContext) -> list[str]:
    """Who asks: this call, and the address that it comes from."""
    return [f"call:{context.call_id}", *([f"address:{context.address}"] if context.address else [])]


def _welcome(context: CallContext, customer: Customer, proof: Proof) -> ToolResult:
    known = context.caller
    if known.customer_id not in (None, customer.id):
        raise refusal("other_customer", say.OTHER_CUSTOMER)
    caller = Caller(customer.id, customer.name, context.policy.reaches(proof), proof)
    if known.identity > caller.identity:
        caller = known
    return ToolResult(
        context.words(say.WELCOME(name=customer.first_name)),
        {"verified": True, "name": customer.name, "may_change": caller.identity >= Identity.PROVEN},
        caller=caller,
    )
