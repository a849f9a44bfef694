"""The door of the page: who may come in, and what a browser is told it may do.

Chainlit accepts sockets and posts from any origin, answers on 40 paths of which the page needs eight, and
sends no security headers. This ASGI middleware stands before everything:

- a socket or a post whose `Origin` is another host's is refused (a request without one comes from no page);
- the `Host` must be a name that the desk goes by, so that a foreign name that is made to point here (DNS
  rebinding) reaches nothing: those of this machine on a loopback address, and those of HELPLINE_ORIGINS;
- a desk that is for this machine alone answers nobody who comes from another, whatever server it runs in;
- an address that opens sockets too fast is refused;
- every answer carries the policy below.

The policy has one exception, and why: `style-src 'unsafe-inline'`, because Chainlit's toasts and scroll
areas put `<style>` elements into the page while it runs. A style cannot run code, and nothing of a model, a
tool or a customer ever becomes markup. `unsafe-eval`, which Chainlit's custom elements need, is not given:
cards are drawn by our own script (`docs/decisions`). Sound worklets are files of ours, so that `blob:` is not
needed either.
"""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpline.channels.web.limits import Addresses
from helpline.clock import Clock

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For a picture that is opened by itself: an SVG is a document, and runs no script and loads nothing."""

_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


class Guard:
    """Refuses what comes from elsewhere; adds the headers to what goes out."""

    def __init__(self, app: ASGIApp, *, clock: Clock, loopback: bool, origins: Iterable[str] = ()) -> None:
        self._app = app
        self._clock = clock
        self._loopback = loopback
        self._origins = frozenset(origins)
        # A desk that is open to a network and was told no name of its own answers to any.
        named = loopback or self._origins
        self._names = (
            _LOOPBACK_NAMES | {urlsplit(origin).hostname for origin in self._origins} if named else None
        )
        self._sockets = Addresses(burst=40, per_s=2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif reason := self._refuses(scope):
            await _refuse(scope, receive, send, reason)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refuses(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        if self._loopback and _is_elsewhere(scope):
            return "The desk is for this machine alone: see HELPLINE_HOST and HELPLINE_ORIGINS."
        if self._names is not None and _host_name(headers.get("host", "")) not in self._names:
            return "The desk does not go by this name: see HELPLINE_ORIGINS."
        asks_only = scope["type"] == "http" and scope["method"] in _SAFE_METHODS
        if not asks_only and not self._is_ours(headers):
            return "This page may not talk to the desk."
        if scope["type"] == "websocket":
            address = scope["client"][0] if scope.get("client") else ""
            if not self._sockets.take(address, self._clock.now_ms()):
                return "Too many connections: please wait a moment."
        return ""

    def _is_ours(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return True
        if origin.lower() in self._origins:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def address_of(environ: Mapping[str, Any]) -> str:
    """Where a socket comes from; empty when that is this machine, which behind a proxy says nothing.

    An IPv6 customer has a whole /64 network: it counts as one address.
    """
    client = environ.get("asgi.scope", {}).get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return "" if address.is_loopback else str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


def _is_elsewhere(scope: Scope) -> bool:
    """Whether a request comes from another machine; one without an address comes through a local socket."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "127.0.0.1")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return not (mapped or address).is_loopback


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # Brackets that never close, and the like.
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    body = json.dumps({"detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await _with_headers(send)({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # A picture says for itself that it may do nothing at all; nothing else has a policy of its own.
            theirs = headers.get("content-security-policy")
            for name, value in _HEADERS.items():
                headers[name] = value
            if theirs == PICTURE_POLICY:
                headers["content-security-policy"] = theirs
        await send(message)

    return send_with_headers
