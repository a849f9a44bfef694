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
    path = data_dir / "page.key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        key = path.read_bytes()
    except OSError as unwritable:
        log.warning("the page's key cannot be kept: %s", type(unwritable).__name__)
        key = b""
    return key if len(key) >= 32 else secrets.token_bytes(32)
