"""Telling browsers apart: a signed cookie, so that a reload or a second tab finds its call again.

The cookie holds a random name and our signature, no more. It is HttpOnly and SameSite=Strict; nobody can
choose the name of another's browser, nor have one accepted that this desk did not give out.
"""

import hashlib
import hmac
import logging
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

from helpline.private import KEY_BYTES, key_in, make_folder

log = logging.getLogger(__name__)

COOKIE: Final = "helpline_browser"
CUSTOMER_COOKIE: Final = "helpline_customer"
LANGUAGE_COOKIE: Final = "helpline_language"


class Browsers:
    """Gives out and reads the cookies, signed with a key that outlives a restart."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new_cookie(self) -> str:
        """A cookie for a browser that has none."""
        name = secrets.token_urlsafe(18)
        return f"{name}.{self._sign(name)}"

    def known(self, cookie_header: str) -> str:
        """The name of the browser that sent this `Cookie` header; empty when it has none of ours."""
        name, _, signature = cookie(cookie_header, COOKIE).partition(".")
        expected = self._sign(name)
        return name if name and hmac.compare_digest(signature.encode(), expected.encode()) else ""

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:32]


def cookie(header: str, name: str) -> str:
    """The value of one cookie of a `Cookie` header; empty when it is not there."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return ""  # A cookie that cannot be read is one that we did not set.
    return jar[name].value if name in jar else ""


def load_key(data_dir: Path) -> bytes:
    """The signing key of this desk, made at the first start; for this run alone where nothing can be kept."""
    try:
        make_folder(data_dir)
        return key_in(data_dir / "page.key")
    except (OSError, ValueError) as unusable:
        log.warning("the page's key cannot be kept: %s", type(unusable).__name__)
        return secrets.token_bytes(KEY_BYTES)
