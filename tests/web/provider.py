"""An OAuth provider with a script, on loopback: it hands out codes and says who somebody is."""

import secrets
from html import escape
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class ScriptedProvider:
    """`user` is who signs in; `broken` has the exchange of a code fail with words of the provider's."""

    def __init__(self) -> None:
        self.user: object = {"email": "bo@example.com", "email_verified": True, "sub": "bo-1"}
        self.broken = False
        self.exchanged: list[dict[str, str]] = []
        self._codes: set[str] = set()
        self._tokens: set[str] = set()
        self.app = Starlette(
            routes=[
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/user", self._user),
            ]
        )

    def code(self) -> str:
        """A code, as the browser brings it back when its owner has signed in here."""
        code = secrets.token_hex(8)
        self._codes.add(code)
        return code

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        back = f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], 'code': self.code()})}"
        icon = '<link rel="icon" href="data:," />'
        return HTMLResponse(
            f'<!doctype html><title>Elsewhere</title>{icon}<a href="{escape(back)}">Allow</a>'
        )

    async def _token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        self.exchanged.append(form)
        if self.broken or form["code"] not in self._codes or form["client_secret"] != "secret-of-the-desk":
            return PlainTextResponse("<b>words of the provider</b>", 500)
        self._codes.discard(form["code"])
        token = secrets.token_hex(8)
        self._tokens.add(token)
        return JSONResponse({"access_token": token})

    async def _user(self, request: Request) -> Response:
        known = request.headers["authorization"].removeprefix("Bearer ") in self._tokens
        return JSONResponse(self.user, 200 if known else 401)
