"""A company's colour on the page: readable in the light and in the dark (WCAG 2, AA: 4.5 to 1 for text)."""

import colorsys
import re
from typing import Final

Colour = tuple[float, float, float]
"""Red, green and blue, each 0 to 1."""

AA: Final = 4.5
_TINT: Final = 0.16
"""How much of the accent the page mixes under text of its colour, at the most (`public/helpline.css`)."""
_LIGHT: Final = ((1.0, 1.0, 1.0), colorsys.hls_to_rgb(220 / 360, 0.93, 0.20))
_DARK: Final = (
    colorsys.hls_to_rgb(222 / 360, 0.11, 0.22),
    colorsys.hls_to_rgb(222 / 360, 0.15, 0.20),
    colorsys.hls_to_rgb(222 / 360, 0.22, 0.16),
)
"""The grounds of text in the page's two themes (`public/first.js`)."""
_STEP: Final = 0.01


def read_accent(text: str) -> str:
    """A colour such as `#1158bc` that can be read on white. Raises ValueError with what it must be."""
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise ValueError("a colour such as #1158bc")
    colour = _colour(text)
    if not _is_readable(colour, _LIGHT):
        darker = _hex(_moved(colour, _LIGHT, -_STEP))
        raise ValueError(
            f"dark enough to be read on white (4.5 to 1, by WCAG AA): {darker} of the same hue is"
        )
    return text.lower()


def themes(accent: str) -> tuple[str, str]:
    """The accent for the light page and for the dark one, as CSS has them: "217 84% 40%"."""
    colour = _colour(accent)
    return _hsl(colour), _hsl(_moved(colour, _DARK, _STEP))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _is_readable(colour: Colour, grounds: tuple[Colour, ...]) -> bool:
    tinted = tuple(_mixed(colour, ground) for ground in grounds[:1])
    return all(contrast(colour, ground) >= AA for ground in (*grounds, *tinted))


def _moved(colour: Colour, grounds: tuple[Colour, ...], step: float) -> Colour:
    """The nearest of the same hue that can be read on all the grounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    while not _is_readable(colour, grounds) and (lightness < 1 if step > 0 else lightness > 0):
        lightness = min(1.0, max(0.0, lightness + step))
        colour = colorsys.hls_to_rgb(hue, lightness, saturation)
    return colour


def _mixed(colour: Colour, ground: Colour) -> Colour:
    red, green, blue = (
        _TINT * mine + (1 - _TINT) * below for mine, below in zip(colour, ground, strict=True)
    )
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(text: str) -> Colour:
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{int(part * 255):02x}" for part in colour)


def _hsl(colour: Colour) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    return f"{hue * 360:.0f} {saturation * 100:.0f}% {lightness * 100:.0f}%"
