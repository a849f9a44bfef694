"""What the page shows of the company: its name, its colour, its logo."""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.responses import Response

from helpline.channels.web.guard import PICTURE_POLICY
from helpline.colours import themes
from helpline.settings import Settings

_PUBLIC: Final = Path(__file__).parent / "public"
_OURS: Final = "#1158bc"


@dataclass(frozen=True, slots=True)
class Picture:
    """A company's file, as it is sent."""

    content: bytes
    kind: str
    """Its media type."""

    @classmethod
    def of(cls, file: Path | None) -> "Picture | None":
        if file is None:
            return None
        return cls(file.read_bytes(), "image/png" if file.suffix.lower() == ".png" else "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Brand:
    """The company on its page."""

    name: str
    accent: str = ""
    """Empty: ours."""
    logo: "Picture | None" = None
    logo_dark: "Picture | None" = None
    """For the dark page; None: the other."""

    @classmethod
    def of(cls, settings: Settings) -> "Brand":
        """As the settings have it; the logos are read once."""
        light, dark = settings.logo or settings.logo_dark, settings.logo_dark
        return cls(settings.name, settings.accent, Picture.of(light), Picture.of(dark))

    def tags(self, root: str) -> str:
        """What the document tells the page's scripts, as `meta` elements."""
        tags = []
        if self.accent:
            tags.append(("hl-accent", "|".join(themes(self.accent))))
        if self.logo:
            tags.append(("hl-logo", f"{root}/logo"))
        if self.logo_dark:
            tags.append(("hl-logo-dark", f"{root}/logo?theme=dark"))
        return "".join(
            f'    <meta name="{name}" content="{html.escape(content)}" />\n' for name, content in tags
        )

    def mark(self) -> Response:
        """Our mark, in the company's colour."""
        return _picture(self._coloured("favicon.svg").encode(), "image/svg+xml")

    def picture(self, *, dark: bool) -> Response:
        """The company's logo, or our mark beside its name."""
        if own := (self.logo_dark if dark else None) or self.logo:
            return _picture(own.content, own.kind)
        text = self._coloured("logo-dark.svg" if dark else "logo-light.svg")
        text = text.replace("ShopMe", html.escape(self.name))
        wide = f'viewBox="0 0 {max(168, 50 + 13 * len(self.name))} 40"'
        return _picture(text.replace('viewBox="0 0 168 40"', wide).encode(), "image/svg+xml")

    def _coloured(self, file: str) -> str:
        return (_PUBLIC / file).read_text(encoding="utf-8").replace(_OURS, self.accent or _OURS)


def _picture(content: bytes, kind: str) -> Response:
    headers = {"content-security-policy": PICTURE_POLICY, "cache-control": "no-cache"}
    return Response(content, media_type=kind, headers=headers)
