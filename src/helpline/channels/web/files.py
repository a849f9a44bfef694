"""Files of the page, kept in memory and compressed once.

Chainlit compresses its bundle of 4.6 MB anew for every visitor, on the event loop: a third of a second in
which no call's sound moves. Here it is done once, beside the loop; a browser that has a file is not sent it
again.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_KINDS: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_FIRST: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    content: bytes
    zipped: bytes
    tag: str


class Files:
    """The scripts, styles and pictures of a folder, as they were when they were first asked for."""

    def __init__(self, folder: Path) -> None:
        self.names = sorted(path.name for path in folder.iterdir() if path.suffix in _KINDS)
        self._folder = folder
        self._kept: dict[str, _File] = {}
        self._reading = asyncio.Lock()

    def digest(self) -> str:
        """A name for what all of them hold at this moment."""
        contents = b"".join((self._folder / name).read_bytes() for name in self.names)
        return hashlib.sha256(contents).hexdigest()[:12]

    async def answer(self, request: Request, *, forever: bool) -> Response:
        """The file that the path names; `forever` when its path will never name another one."""
        name = request.path_params["name"]
        if name not in self.names:
            return PlainTextResponse("Not found", status_code=404)
        file = await self._file(name)
        headers = {
            "cache-control": _FOREVER if forever else _ASK_FIRST,
            "etag": file.tag,
            "vary": "accept-encoding",
        }
        if file.tag in request.headers.get("if-none-match", "").split(", "):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                file.zipped, headers={**headers, "content-encoding": "gzip"}, media_type=file.kind
            )
        return Response(file.content, headers=headers, media_type=file.kind)

    async def _file(self, name: str) -> _File:
        async with self._reading:
            if name not in self._kept:
                self._kept[name] = await asyncio.to_thread(_read, self._folder / name)
            return self._kept[name]


def _read(path: Path) -> _File:
    content = path.read_bytes()
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    return _File(_KINDS[path.suffix], content, gzip.compress(content, 6, mtime=0), tag)
