"""Signing in at the page with an account elsewhere (OAuth), by the provider classes that Chainlit has.

Chainlit's own sign-in stays off: once it is configured it refuses guests. Its classes know what each provider
asks for and read the OAUTH_* variables of the environment; the two paths here are ours:

- `GET /sign-in/{provider}` sends the browser to the provider with a random state, which a cookie binds to the
  browser. It works from our own page alone: the browser's cookie is SameSite=Strict.
- `GET /sign-in/{provider}/callback` takes the state once, has the class exchange the code, and asks the desk
  who that is.

The provider sends the browser back from another site, so that no strict cookie comes along: the answer is a
small page of ours that goes on to the desk's page by itself, and to nothing else; the desk's page then finds
its call again. Where the provider sends people back to is one of HELPLINE_ORIGINS, whatever `Host` says.
"""

import asyncio
import hmac
import html
import logging
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from dotenv import dotenv_values
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from helpline.channels.web.browsers import CUSTOMER_COOKIE, Browsers, cookie
from helpline.channels.web.fitting import fit
from helpline.channels.web.site import language_asked
from helpline.channels.web.visits import Visits
from helpline.channels.web.words import words_for
from helpline.clock import Clock
from helpline.errors import SettingsError
from helpline.settings import Settings
from helpline.sign_ins import LASTS

log = logging.getLogger(__name__)

STATE_COOKIE: Final = "helpline_oauth"
_STATE_S: Final = 600
"""Somebody has so long to sign in at the provider."""
_STATES: Final = 10_000
_AT_ONCE: Final = 8
"""So many answers of providers are waited for at once."""
_TIME_S: Final = 10.0
_LONGEST_CODE: Final = 4000
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_POSTS: Final = frozenset({"azure-ad-hybrid"})
"""Its answer is a form that another site posts, which the page takes from nobody."""
_NAMES: Final[Mapping[str, str]] = {
    "github": "GitHub",
    "google": "Google",
    "azure-ad": "Microsoft",
    "okta": "Okta",
    "auth0": "Auth0",
    "descope": "Descope",
    "aws-cognito": "Amazon",
    "gitlab": "GitLab",
    "keycloak": "Keycloak",
}

_PAGE: Final = """\
<!doctype html>
<html lang="{lang}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{name}</title>
    <style>
      :root {{ color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }}
      main {{ max-width: 30rem; margin: 20vh auto 0; padding: 0 1rem; }}
      a {{ color: inherit; }}
    </style>
{script}  </head>
  <body>
    <main>
      <p>{sentence}</p>
      <p><a href="{root}/">{back}</a></p>
    </main>
  </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A sign-in on its way at a provider."""

    provider: str
    back_to: str
    """The redirect URI that the provider was given."""
    before: str
    """The token of who was signed in at the browser till now."""
    until_ms: int


class OAuth:
    """The configured providers, and the sign-ins that are on their way."""

    def __init__(
        self, providers: Mapping[str, Any], settings: Settings, browsers: Browsers, clock: Clock
    ) -> None:
        self._providers = dict(providers)
        self._desk_name = settings.name
        self._language = settings.language
        self._origins = settings.origins
        self._browsers = browsers
        self._clock = clock
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._asking = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    def of(cls, settings: Settings, browsers: Browsers, clock: Clock) -> "OAuth | None":
        """None where no provider is configured in the environment; Chainlit has been fitted before.

        Raises SettingsError where HELPLINE_ORIGINS, which providers send people back to, is not set.
        """
        providers = _configured()
        if not providers:
            return None
        if not settings.origins:
            raise SettingsError(
                f"Signing in with {', '.join(providers)} (OAUTH_*) needs HELPLINE_ORIGINS: where the "
                "provider sends people back to, such as https://desk.example.com."
            )
        return cls(providers, settings, browsers, clock)

    @property
    def names(self) -> Mapping[str, str]:
        """What each provider is called on its button, by its id."""
        return {each: _NAMES.get(each, each) for each in self._providers}

    @property
    def routes(self) -> tuple[Route, ...]:
        """The two paths, for the configured providers alone."""
        return (
            Route("/sign-in/{provider}", self._start, methods=["GET"]),
            Route("/sign-in/{provider}/callback", self._callback, methods=["GET"]),
        )

    async def _start(self, request: Request) -> Response:
        provider = self._providers.get(request.path_params["provider"])
        cookies = request.headers.get("cookie", "")
        if provider is None or not self._browsers.known(cookies):
            return self._say(request, 404 if provider is None else 400, "failed")
        origin = self._origin(request)
        if urlsplit(origin).scheme != "https" and urlsplit(origin).hostname not in _LOOPBACK:
            return self._say(request, 403, "insecure")
        now, state = self._clock.now_ms(), secrets.token_urlsafe(32)
        back_to = f"{origin}{request.scope.get('root_path', '')}/sign-in/{provider.id}/callback"
        before = cookie(cookies, CUSTOMER_COOKIE)
        self._begun[state] = _Begun(provider.id, back_to, before, now + _STATE_S * 1000)
        while len(self._begun) > _STATES or next(iter(self._begun.values())).until_ms < now:
            self._begun.popitem(last=False)
        asked = {
            **provider.authorize_params,
            "client_id": provider.client_id,
            "redirect_uri": back_to,
            "state": state,
        }
        joint = "&" if "?" in provider.authorize_url else "?"
        response = RedirectResponse(
            f"{provider.authorize_url}{joint}{urlencode(asked)}", 302, {"cache-control": "no-store"}
        )
        # Lax, not Strict: the provider sends the browser back from another site.
        response.set_cookie(
            STATE_COOKIE, state, max_age=_STATE_S, samesite="lax", **self._kind(request, "/sign-in")
        )
        return response

    async def _callback(self, request: Request) -> Response:
        response = await self._signed_in(request)
        response.delete_cookie(STATE_COOKIE, samesite="lax", **self._kind(request, "/sign-in"))
        return response

    async def _signed_in(self, request: Request) -> Response:
        begun = self._taken(request)
        visits: Visits | None = getattr(request.app.state, "visits", None)
        if begun is None or visits is None:
            return self._say(request, 400, "failed")
        code = request.query_params.get("code", "")
        if "error" in request.query_params or not 0 < len(code) <= _LONGEST_CODE:
            return self._say(request, 400, "failed")
        user = await self._ask(self._providers[begun.provider], code, begun.back_to)
        if user is None:
            return self._say(request, 502, "failed")
        token = await visits.desk.sign_in_by(begun.provider, user, verified_email(begun.provider, user))
        if token is None:
            return self._say(request, 403, "unknown")
        if begun.before:
            await visits.desk.sign_out(begun.before)
        response = self._say(request, 200, "done")
        lasts = int(LASTS.total_seconds())
        response.set_cookie(CUSTOMER_COOKIE, token, max_age=lasts, samesite="strict", **self._kind(request))
        return response

    def _taken(self, request: Request) -> _Begun | None:
        """The sign-in that this browser began with this provider; it is asked for once."""
        state = request.query_params.get("state", "")
        bound = cookie(request.headers.get("cookie", ""), STATE_COOKIE)
        if not state or not hmac.compare_digest(state.encode(), bound.encode()):
            return None
        begun = self._begun.pop(state, None)
        if begun is None or begun.until_ms < self._clock.now_ms():
            return None
        return begun if begun.provider == request.path_params["provider"] else None

    async def _ask(self, provider: Any, code: str, back_to: str) -> Mapping[str, Any] | None:
        """Whom the provider names for this code; None for nobody, and when it fails."""
        try:
            async with asyncio.timeout(_TIME_S), self._asking:
                token = await provider.get_token(code, back_to)
                user, _ = await provider.get_user_info(token)
        except Exception as error:  # noqa: BLE001 - the edge: another's words, which may hold codes and tokens
            log.error("signing in with %s failed: %s", provider.id, type(error).__name__)
            return None
        return user if isinstance(user, Mapping) else None

    def _origin(self, request: Request) -> str:
        """The one of the configured origins that the browser is at; the first, when it is at none."""
        host = request.headers.get("host", "").lower()
        return next((each for each in self._origins if urlsplit(each).netloc == host), self._origins[0])

    def _kind(self, request: Request, below: str = "") -> dict[str, Any]:
        root = request.scope.get("root_path", "")
        secure = self._origin(request).startswith("https:")
        return {"httponly": True, "secure": secure, "path": f"{root}{below}" or "/"}

    def _say(self, request: Request, status: int, what: str) -> HTMLResponse:
        language = language_asked(request, self._language)
        words = words_for(language)
        root = html.escape(request.scope.get("root_path", ""))
        script = f'    <script type="module" src="{root}/public/signed-in.js"></script>\n'
        page = _PAGE.format(
            lang="zh-CN" if language == "zh" else "en",
            name=html.escape(self._desk_name),
            sentence=html.escape(words.signing_in[what]),
            back=html.escape(words.back),
            root=root,
            script=script if what == "done" else "",
        )
        return HTMLResponse(page, status, {"cache-control": "no-store"})


def verified_email(provider: str, user: Mapping[str, Any]) -> str:
    """The e-mail address that the provider says it has verified; empty when it says so of none.

    Microsoft says it of none: whoever runs a directory there writes any address into it.
    """
    if provider.startswith("azure-ad"):
        return ""
    if provider == "github":
        each = user.get("emails")
        mails = [mail for mail in each if isinstance(mail, Mapping)] if isinstance(each, list) else []
        found = next((mail for mail in mails if mail.get("primary") is True), {})
        email, verified = found.get("email"), found.get("verified")
    else:
        # Google's own name for it, OpenID Connect's, and Cognito's way of writing it.
        email, verified = (
            user.get("email"),
            user.get("verified_email" if provider == "google" else "email_verified"),
        )
        verified = True if verified == "true" else verified
    return email if isinstance(email, str) and verified is True else ""


def heed_env_file(path: Path = Path(".env")) -> None:
    """Have the OAUTH_* lines of this file count as those of the environment, where Chainlit reads them.

    To be called before Chainlit is imported: some of its classes read theirs then. The environment's own come
    first.
    """
    if path.is_file():
        for name, value in dotenv_values(path, interpolate=False).items():
            if name.startswith("OAUTH_") and value:
                os.environ.setdefault(name, value)


def wrong_in_environment(settings: Settings) -> Iterator[str]:
    """What is wrong with the OAUTH_* variables, a sentence each. Imports Chainlit when there are such."""
    names = [name for name in os.environ if name.startswith("OAUTH_") and name != "OAUTH_PROMPT"]
    if not names:
        return
    fit(settings.name)
    from chainlit.oauth_providers import providers

    # Whatever name the environment gives a provider, its variables are called after its kind.
    known = {each.env[0].partition("CLIENT_")[0]: each for each in providers}
    for start, provider in known.items():
        missing = [name for name in provider.env if not os.environ.get(name)]
        if missing and any(name.startswith(start) and provider is _owner(name, known) for name in names):
            yield f"{provider.id} is half set up: {' and '.join(missing)} must be set as well."
    for name in names:
        if _owner(name, known) is None:
            yield f"{name} belongs to no provider: docs/page.md lists the names."
    if not settings.origins:
        yield "HELPLINE_ORIGINS must say where the provider sends people back to."


def _owner(name: str, known: Mapping[str, Any]) -> Any:
    """Whose variable it is: AZURE_AD_HYBRID_… is not AZURE_AD's."""
    starts = [start for start in known if name.startswith(start)]
    return known[max(starts, key=len)] if starts else None


def configured_providers(settings: Settings) -> tuple[str, ...]:
    """With whose accounts customers can sign in. Raises SettingsError."""
    if not any(name.startswith("OAUTH_") for name in os.environ):
        return ()
    fit(settings.name)
    return tuple(_NAMES.get(each, each) for each in _configured())


def _configured() -> dict[str, Any]:
    """Chainlit's providers that the environment configures, by their ids. Raises SettingsError."""
    if not any(name.startswith("OAUTH_") for name in os.environ):
        return {}
    from chainlit.oauth_providers import providers

    # Made anew: Chainlit's own are as old as its import.
    known: list[Any] = providers
    made = [type(each)() for each in known if each.is_configured() and each.id not in _POSTS]
    for each in made:
        if not _ID.fullmatch(each.id):
            raise SettingsError(
                "OAUTH_GENERIC_NAME and OAUTH_KEYCLOAK_NAME must be letters, digits, - and _."
            )
    found = {each.id: each for each in made}
    if len(found) < len(made):
        raise SettingsError("OAUTH_GENERIC_NAME and OAUTH_KEYCLOAK_NAME must not be another provider's name.")
    return found
