"""Messages on their way: a webhook signed as Standard Webhooks says, and mail by SMTP.

Both carry an id that stays the same at every attempt: a receiver that knows it already has had the message.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final

import httpx
import msgspec

from helpline.clock import Clock, SystemClock
from helpline.errors import RemoteError
from helpline.records.messages import Message, message_about
from helpline.records.work import Work
from helpline.settings import Secret, Settings
from helpline.store import Store

TIMEOUT_S: Final = 10.0


class NotDelivered(RemoteError):
    """The receiver did not take the message."""


def signature(secret: Secret, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message: Standard Webhooks, version 1 (HMAC-SHA256 in base64)."""
    text = secret.reveal()
    key = base64.b64decode(text[6:]) if text.startswith("whsec_") else text.encode()
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Webhook:
    """Sends each message to the company's own address. It does not follow redirects."""

    def __init__(self, settings: Settings, store: Store, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock or SystemClock()

    async def do(self, job: Work) -> None:
        """Raises NothingToSay, NotDelivered, or what httpx does."""
        message = await message_about(self._store, job.subject)
        await post(self._settings, job.id, message.type, message.data, self._clock.utcnow())


async def post(
    settings: Settings, message_id: str, message_type: str, data: dict[str, Any], now: datetime
) -> None:
    """Send one message to the company's webhook, signed if there is a secret. No redirect is followed.

    Raises NotDelivered, or what httpx does.
    """
    timestamp = int(now.timestamp())
    body = msgspec.json.encode({"id": message_id, "type": message_type, "data": data})
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
    }
    if settings.webhook_secret:
        headers["webhook-signature"] = signature(settings.webhook_secret, message_id, timestamp, body)
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        answer = await client.post(settings.webhook_url, content=body, headers=headers)
    if not answer.is_success:
        raise NotDelivered(f"The webhook answered {answer.status_code}.")


class Mail:
    """Sends each message as a mail to one address."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    async def do(self, job: Work) -> None:
        """Raises NothingToSay, or what smtplib does."""
        message = await message_about(self._store, job.subject)
        await asyncio.to_thread(send_mail, self._settings, as_mail(message, job.id, self._settings))


def sender_of(settings: Settings) -> str:
    """Who the desk's mails are from."""
    return settings.mail_from or f"helpline@{settings.smtp_host}"


def send_mail(settings: Settings, mail: EmailMessage) -> None:
    """Send one mail by the settings' server; blocks. Raises NotDelivered, or what smtplib does."""
    context = ssl.create_default_context()
    host, port = settings.smtp_host, settings.smtp_port
    server = (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        if port == 465
        else smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    )
    with server:
        server.ehlo()
        sealed = port == 465
        if not sealed and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            sealed = True
        if settings.smtp_user and not sealed:  # Whoever stands between could have taken the offer away.
            raise NotDelivered("The mail server offers no TLS: the password is not sent to it.")
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.reveal())
        server.send_message(mail)


def as_mail(message: Message, message_id: str, settings: Settings) -> EmailMessage:
    """The message as plain text; its `Message-ID` stays the same at every attempt."""
    mail = EmailMessage()
    sender = sender_of(settings)
    mail["From"] = sender
    mail["To"] = settings.mail_to
    name = message.data.get("reference") or message.data.get("id") or message.data.get("customer_id")
    mail["Subject"] = f"{message.type.replace('.', ' ').capitalize()}: {name}"
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    mail.set_content("\n".join(f"{key}: {_text(value)}" for key, value in message.data.items()) + "\n")
    return mail


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
