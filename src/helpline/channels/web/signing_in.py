"""Signed-in customers: whom a reverse proxy in front of the page has signed in.

The shop signs its customers in as it always did, and tells us by a header whose page this is. Anybody can
send a header, so it is believed only beside a secret that the proxy alone knows, and only when each of the
two came exactly once and by exactly its name: one with `_` for `-`, which gateways make the same, is
another's. Whoever comes without is a guest and may verify in the conversation.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final, Protocol

from helpline.actions import GUEST, Caller
from helpline.errors import SettingsError
from helpline.settings import Settings

SECRET_HEADER: Final = "x-helpline-secret"
_SHORTEST_SECRET: Final = 16
_LONGEST_ID: Final = 100

SIGNED_IN: Final = "sign_in"


class Shop(Protocol):
    """Where customers are found: the desk."""

    async def customer(self, customer_id: str) -> Caller | None:
        """The customer of that id, as far as the policy lets a sign-in reach; None for nobody."""


class SignIn:
    """Reads who is signed in from the request that opened a page's socket."""

    def __init__(self, header: str, secret: str) -> None:
        self._header = header.lower().encode()
        self._secret = secret.encode()

    @classmethod
    def of(cls, settings: Settings) -> "SignIn | None":
        """None where nobody is signed in by a proxy. Raises SettingsError for a header without its secret."""
        secret = settings.sign_in_secret.reveal()
        if not settings.sign_in_header:
            return None
        if len(secret) < _SHORTEST_SECRET:
            raise SettingsError(
                "HELPLINE_SIGN_IN_HEADER is believed only beside a secret: set HELPLINE_SIGN_IN_SECRET to "
                f"at least {_SHORTEST_SECRET} characters, and have the proxy send it as X-Helpline-Secret."
            )
        return cls(settings.sign_in_header, secret)

    async def caller(self, environ: Mapping[str, Any], shop: Shop) -> Caller:
        """Who is signed in; GUEST for nobody, and for whatever is not as it must be."""
        sent = list(environ.get("asgi.scope", {}).get("headers", ()))
        secrets = [value for name, value in sent if name.lower() == SECRET_HEADER.encode()]
        names = [value for name, value in sent if name.lower() == self._header]
        if len(secrets) != 1 or len(names) != 1 or not hmac.compare_digest(secrets[0], self._secret):
            return GUEST
        customer_id = _text(names[0])
        return (await shop.customer(customer_id) if customer_id else None) or GUEST


def is_anothers(known: Caller, signed_in: Caller) -> bool:
    """Whether the one who was known at a page is not the one who is signed in at it now.

    Who verified in the conversation stays who they are when the shop knows nobody.
    """
    if signed_in.customer_id is None:
        return known.how == SIGNED_IN
    return known.customer_id not in (None, signed_in.customer_id)


def _text(value: bytes) -> str:
    try:
        text = value.decode("ascii").strip()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() and len(text) <= _LONGEST_ID else ""
