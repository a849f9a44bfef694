"""The page's own paths: its one HTML document, our files, its words, and whether the desk is well.

The document is ours rather than Chainlit's template: no inline script, no fonts and style sheets of other
hosts. Only the paths in `_CHAINLIT_PATHS` reach Chainlit at all; its upload, MCP, element, thread and sharing
paths do not exist here.
"""

import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from helpline.channels.web.brand import Brand
from helpline.channels.web.browsers import COOKIE, LANGUAGE_COOKIE, Browsers, cookie
from helpline.channels.web.files import Files
from helpline.channels.web.fitting import Fitted
from helpline.channels.web.words import asked_for, is_touched, words_for
from helpline.wording import Language

PUBLIC: Final = Path(__file__).parent / "public"

_CHAINLIT_PATHS: Final = (
    ("GET", re.compile(r"/auth/config")),
    ("GET", re.compile(r"/user")),
    ("GET", re.compile(r"/project/settings")),
    ("POST", re.compile(r"/set-session-cookie")),
)
_SOCKET_PATH: Final = "/ws/socket.io"
_MAX_BODY_BYTES: Final = 10_000

_NOTHING: Final = "\u2060"
"""Chainlit takes an empty text for one that is missing."""

_NOT_IMPORTED: Final = frozenset({"first.js", "signed-in.js", "microphone-worklet.js", "speaker-worklet.js"})
"""Scripts of ours that no script of the page imports."""

_DOCUMENT: Final = """\
<!doctype html>
<html lang="{lang}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{name}</title>
    <meta name="description" content="{name}: talk to us, or type." />
    <meta property="og:root_path" content="{root}" />
{brand}    <link rel="icon" href="{root}/favicon" type="image/svg+xml" />
    <link rel="stylesheet" href="{root}{style}" />
    <link rel="stylesheet" href="{ours}/helpline.css" />
    <link rel="modulepreload" href="{root}{script}" />
{modules}    <script src="{ours}/first.js"></script>
    <script type="module" src="{ours}/helpline.js"></script>
    <script type="module" src="{root}{script}"></script>
  </head>
  <body>
    <main id="root"><p class="hl-opening">{name}</p></main>
    <noscript>{name}: this page needs JavaScript.</noscript>
  </body>
</html>
"""


class FewPaths:
    """Chainlit's application, reachable by the paths that the page needs and no other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _wanted(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)


def _wanted(scope: Scope) -> bool:
    path = _path_below(scope)
    if path.rstrip("/") == _SOCKET_PATH:
        # By websocket alone: polling would need a second guard of its own.
        return bool(scope["type"] == "websocket")
    if scope["type"] != "http":
        return False
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
        return False
    return any(scope["method"] == method and pattern.fullmatch(path) for method, pattern in _CHAINLIT_PATHS)


def _path_below(scope: Scope) -> str:
    """The path as the page names it, below where it is mounted."""
    root = scope.get("root_path", "")
    path: str = scope["path"]
    return path[len(root) :] if path.startswith(f"{root}/") else path


def routes(
    fitted: Fitted,
    app: ASGIApp,
    browsers: Browsers,
    brand: Brand,
    *,
    language: str,
    ready: Callable[[], bool],
) -> list[BaseRoute]:
    """The page's own paths, and Chainlit's `app` behind them; `ready` says whether the desk is open.

    `language` is the desk's own, for a browser that asks for none that the page has.
    """
    public, assets = Files(PUBLIC), Files(fitted.build_dir / "assets")
    version = public.digest()
    document = _Document(fitted.build_dir, browsers, brand, language, f"/public/{version}", public.names)

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def readiness(request: Request) -> Response:
        ok = ready()
        return JSONResponse({"status": "ready" if ok else "starting"}, status_code=200 if ok else 503)

    async def translations(request: Request) -> Response:
        return JSONResponse(
            {
                "translation": _translation(
                    fitted.translations_dir,
                    language_asked(request, language),
                    touch=is_touched(request.headers.get("user-agent", "")),
                )
            }
        )

    async def asset(request: Request) -> Response:
        return await assets.answer(request, forever=True)  # A build's names hold a hash of what is in them.

    async def ours(request: Request) -> Response:
        return await public.answer(request, forever=request.path_params.get("version") == version)

    async def picture(request: Request) -> Response:
        return brand.mark()

    async def logo(request: Request) -> Response:
        return brand.picture(dark=request.query_params.get("theme") == "dark")

    return [
        Route("/health/live", live),
        Route("/health/ready", readiness),
        Route("/project/translations", translations),
        Route("/favicon", picture),
        Route("/avatars/{who}", picture),
        Route("/logo", logo),
        *(Route(path, document.answer) for path in ("/", "/login", "/login/callback", "/thread/{thread}")),
        Route("/assets/{name}", asset),
        Route("/public/{name}", ours),
        Route("/public/{version}/{name}", ours),
        Mount("/", FewPaths(app)),
    ]


class _Document:
    """The one HTML document, with the names of Chainlit's built files."""

    def __init__(
        self,
        build_dir: Path,
        browsers: Browsers,
        brand: Brand,
        language: str,
        ours: str,
        names: Iterable[str],
    ) -> None:
        self._language = language
        self._ours = ours
        """The path of our own files."""
        # All at once, rather than each when the one that imports it is there.
        self._modules = [name for name in names if name.endswith(".js") and name not in _NOT_IMPORTED]
        built = (build_dir / "index.html").read_text(encoding="utf-8")
        self._script = _found(r'src="(/assets/[\w.-]+\.js)"', built)
        self._style = _found(r'href="(/assets/[\w.-]+\.css)"', built)
        self._browsers = browsers
        self._brand = brand

    async def answer(self, request: Request) -> Response:
        language = "zh-CN" if language_asked(request, self._language) == "zh" else "en"
        root = request.scope.get("root_path", "")
        page = _DOCUMENT.format(
            lang=language,
            name=html.escape(self._brand.name),
            brand=self._brand.tags(root),
            script=self._script,
            style=self._style,
            root=html.escape(root),
            ours=html.escape(f"{root}{self._ours}"),
            modules="".join(
                f'    <link rel="modulepreload" href="{html.escape(root)}{self._ours}/{name}" />\n'
                for name in self._modules
            ),
        )
        response = HTMLResponse(page, headers={"cache-control": "no-store"})
        if not self._browsers.known(request.headers.get("cookie", "")):
            response.set_cookie(
                COOKIE,
                self._browsers.new_cookie(),
                httponly=True,
                samesite="strict",
                path=root or "/",
                secure=request.url.scheme == "https",
            )
        return response


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError("Chainlit's page is not built as expected: its version must be the pinned one.")
    return match[1]


def language_asked(request: Request, otherwise: str) -> Language:
    """The language of the page that this browser asks for; `otherwise` is the desk's own."""
    chosen = cookie(request.headers.get("cookie", ""), LANGUAGE_COOKIE)
    return asked_for(chosen or request.query_params.get("language") or _accepted(request), otherwise)


def _accepted(request: Request) -> str:
    return request.headers.get("accept-language", "")


def _translation(folder: Path, language: Language, *, touch: bool) -> dict[str, Any]:
    """Chainlit's own words for its buttons, with ours where the desk means something else."""
    file = folder / ("zh-CN.json" if language == "zh" else "en-US.json")
    texts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    words = words_for(language)
    chat = texts["chat"]
    chat["input"]["placeholder"] = words.placeholder_touch if touch else words.placeholder
    chat["watermark"] = words.notice
    chat["speech"]["start"] = words.voice_start
    chat["speech"]["stop"] = words.voice_stop
    # A step's own name says what it is and what came of it.
    chat["messages"]["status"] = {"using": _NOTHING, "used": _NOTHING}
    return texts
