"""Signing in and out by name and password: two paths that the page's own script posts to.

Only JSON is read, which no form of another site can send; the guard has refused other origins before. The
cookie is a random token of the desk's, new with each sign-in, HttpOnly and SameSite=Strict; the desk keeps a
digest of it and can take it back. Neither path redirects anywhere.
"""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpline.channels.web.browsers import CUSTOMER_COOKIE, Browsers, cookie
from helpline.channels.web.guard import address_of
from helpline.channels.web.visits import Visits
from helpline.sign_ins import LASTS

_MAX_BODY_BYTES: Final = 2000
_MAX_CHARACTERS: Final = 200
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def account_routes(browsers: Browsers) -> tuple[Route, ...]:
    """`POST /sign-in` with `{"name", "password"}`, and `POST /sign-out`; the page then loads anew."""

    async def sign_in(request: Request) -> Response:
        visits = _visits(request)
        if visits is None or not visits.desk.signs_in:
            return _refusal(404, "Nobody signs in at this desk.")
        if request.url.scheme != "https" and request.url.hostname not in _LOOPBACK:
            return _refusal(403, "Signing in needs HTTPS.")
        given = await _body(request)
        if given is None or not browsers.known(request.headers.get("cookie", "")):
            return _refusal(400, "This is no sign-in of the page's.")
        address = address_of({"asgi.scope": request.scope})
        token = await visits.desk.sign_in(given["name"], given["password"], address=address)
        if token is None:
            return _refusal(401, "")
        await _forget(request, visits)
        response = Response(status_code=204)
        response.set_cookie(CUSTOMER_COOKIE, token, max_age=int(LASTS.total_seconds()), **_kind(request))
        return response

    async def sign_out(request: Request) -> Response:
        visits = _visits(request)
        if visits is not None and request.headers.get("content-type", "") == "application/json":
            await _forget(request, visits)
            await visits.sign_out(browsers.known(request.headers.get("cookie", "")))
        response = Response(status_code=204)
        response.delete_cookie(CUSTOMER_COOKIE, **_kind(request))
        return response

    return (Route("/sign-in", sign_in, methods=["POST"]), Route("/sign-out", sign_out, methods=["POST"]))


async def _forget(request: Request, visits: Visits) -> None:
    if token := cookie(request.headers.get("cookie", ""), CUSTOMER_COOKIE):
        await visits.desk.sign_out(token)


def _visits(request: Request) -> Visits | None:
    visits: Visits | None = getattr(request.app.state, "visits", None)
    return visits


async def _body(request: Request) -> dict[str, str] | None:
    if request.headers.get("content-type", "") != "application/json":
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY_BYTES:
            return None
    try:
        given = json.loads(body)
    except ValueError:
        return None
    if not isinstance(given, dict):
        return None
    found = {name: given.get(name) for name in ("name", "password")}
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    return texts if len(texts) == 2 and all(0 < len(v) <= _MAX_CHARACTERS for v in texts.values()) else None


def _kind(request: Request) -> dict[str, Any]:
    return {
        "httponly": True,
        "samesite": "strict",
        "secure": request.url.scheme == "https",
        "path": request.scope.get("root_path", "") or "/",
    }


def _refusal(status: int, sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status_code=status)
