"""One-time codes on their way to customers: by mail, or by the company's own webhook.

A code leaves in the background, so that an address that is on file sounds like one that is not: no later
answer, and no apology. What could not be sent is logged by its kind; the customer asks for another code.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from typing import Final

from helpline.clock import Clock
from helpline.records.delivery import TIMEOUT_S, post, send_mail, sender_of
from helpline.settings import Settings
from helpline.store.records import Customer

log = logging.getLogger(__name__)

WAITING: Final = 100
"""Codes that wait to be sent. One more is dropped: somebody is filling letter-boxes."""

Deliver = Callable[[Customer, str], Awaitable[None]]


class CodeCourier:
    """Takes a code at once and sends it soon."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._waiting: asyncio.Queue[tuple[Customer, str]] = asyncio.Queue(WAITING)

    async def send(self, customer: Customer, code: str) -> None:
        try:
            self._waiting.put_nowait((customer, code))
        except asyncio.QueueFull:
            log.error("a one-time code was dropped: %d wait to be sent", WAITING)

    async def run(self) -> None:
        """Send what waits, until cancelled."""
        while True:
            customer, code = await self._waiting.get()
            try:
                await self._deliver(customer, code)
            except Exception as error:  # noqa: BLE001 - the edge of a task; its text may hold an address
                log.error("a one-time code was not sent: %s", type(error).__name__)
            finally:
                self._waiting.task_done()

    async def empty(self) -> None:
        """Wait until nothing waits."""
        await self._waiting.join()


@asynccontextmanager
async def courier_of(settings: Settings, *, clock: Clock, shop: str) -> AsyncIterator[CodeCourier | None]:
    """The courier that the settings ask for; None when codes are not sent."""
    deliver = _deliver_of(settings, clock, shop)
    if deliver is None:
        yield None
        return
    courier = CodeCourier(deliver)
    running = asyncio.create_task(courier.run(), name="courier")
    try:
        yield courier
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S):
                await courier.empty()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _deliver_of(settings: Settings, clock: Clock, shop: str) -> Deliver | None:
    async def mail(customer: Customer, code: str) -> None:
        await asyncio.to_thread(send_mail, settings, code_mail(settings, customer, code, shop))

    async def webhook(customer: Customer, code: str) -> None:
        data = {"customer_id": customer.id, "email": customer.email, "phone": customer.phone, "code": code}
        await post(settings, f"code-{secrets.token_hex(12)}", "code.wanted", data, clock.utcnow())

    return {"mail": mail, "webhook": webhook}.get(settings.send_codes)


def code_mail(settings: Settings, customer: Customer, code: str, shop: str) -> EmailMessage:
    """The mail with a code: it says what it is for, and that nobody else may have it."""
    mail = EmailMessage()
    mail["From"] = sender_of(settings)
    mail["To"] = customer.email
    mail["Subject"] = f"Your code for {shop}"
    mail.set_content(
        f"Your code is {code}. Tell it to the desk that you are talking to; it is good for ten minutes.\n\n"
        "If you did not ask for a code, somebody else gave your address: tell it to nobody.\n"
    )
    return mail
