"""How a setting's text becomes its value: one reader for each kind of setting.

A reader raises ValueError with what the text must be ("a whole number from 1 to 9"), never with the text
itself: it may be a key that was pasted into the wrong place.
"""

import base64
import difflib
import hmac
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

Reader = Callable[[str], Any]
"""Takes the text, stripped and not empty."""


class Secret:
    """A key or token that can be used but not shown: `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for a request's header and nothing else."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(set)" if self._text else "Secret(unset)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(bool(self._text))

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret is not written anywhere")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self


def one_of(choices: tuple[str, ...], *, upper: bool = False) -> Reader:
    """One of a few words, in either case."""

    def read(text: str) -> str:
        value = text.upper() if upper else text.lower()
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}{nearest_hint(value, choices)}")
        return value

    return read


OWN_PART = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+:[A-Za-z_]\w*", re.ASCII)
"""A part of a company's own, by where it is made: `package.module:function`."""


def part(*forms: str) -> Reader:
    """One of a few parts, each written as `name`, `name:WHAT` or `name[:WHAT]`; or one of one's own."""
    kinds = {re.split(r"[\[:]", form)[0]: form for form in forms}

    def read(text: str) -> str:
        if OWN_PART.fullmatch(line(text)):
            return line(text)
        kind, _, what = (piece.strip() for piece in line(text).partition(":"))
        form = kinds.get(kind.lower(), "")
        if not form or ("[" not in form and (":" in form) != bool(what)):
            raise ValueError(
                f"one of {', '.join(forms)}, package.module:function{nearest_hint(kind.lower(), kinds)}"
            )
        return f"{kind.lower()}:{what}" if what else kind.lower()

    return read


def whole(low: int, high: int, unit: str = "") -> Reader:
    """A whole number within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}{unit and ' ' + unit}")
        return int(text)

    return read


def share(text: str) -> float:
    """A number from 0 to 1."""
    if not re.fullmatch(r"\d?\.?\d{1,6}", text) or not 0.0 <= float(text) <= 1.0:
        raise ValueError("a number from 0 to 1")
    return float(text)


def number(low: float, high: float) -> Reader:
    """A number within bounds."""

    def read(text: str) -> float:
        if not re.fullmatch(r"\d{0,6}\.?\d{1,6}", text) or not low <= float(text) <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(text)

    return read


def truncation(text: str) -> str:
    """`auto`, `disabled`, or the share that is kept."""
    value = text.lower()
    if value in ("auto", "disabled"):
        return value
    try:
        kept = share(value)
    except ValueError:
        kept = 0.0
    if not kept:
        raise ValueError("auto, disabled, or the share that is kept, such as 0.8")
    return value


def tokens(text: str) -> str:
    """A number of output tokens as the protocol has it, or `inf`."""
    value = text.lower()
    if value != "inf" and not (re.fullmatch(r"\d{1,4}", value) and 1 <= int(value) <= 4096):
        raise ValueError("a whole number from 1 to 4096, or inf")
    return value


def tool_choice(text: str) -> str:
    """`auto`, `none`, `required`, or a tool's name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError("auto, none, required, or the name of a tool")
    return text.lower() if text.lower() in ("auto", "none", "required") else text


def money(text: str) -> Decimal:
    """An amount of zero or more."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError("an amount of money such as 2.50") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("an amount of money such as 2.50")
    return amount


def line(text: str) -> str:
    """One line of text."""
    if not text.isprintable():
        raise ValueError("one line of text")
    return text


def short(text: str) -> str:
    """A name that fits a page's heading."""
    if not text.isprintable() or len(text) > 40:
        raise ValueError("one line of at most 40 characters")
    return text


def suggestions(text: str) -> tuple[str, ...]:
    """A few sentences that fit on a button each."""
    found = tuple(dict.fromkeys(sentence.strip() for sentence in text.split(",") if sentence.strip()))
    if len(found) > 6 or not all(sentence.isprintable() and len(sentence) <= 60 for sentence in found):
        raise ValueError("at most 6 sentences of at most 60 characters, with commas between them")
    return found


def words(text: str) -> tuple[str, ...]:
    """A list with commas of names, each once."""
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", word) for word in found):
        raise ValueError("a list, with commas, of names such as check_order_status")
    return found


def language(text: str) -> str:
    """A language tag of BCP 47, in its usual forms."""
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise ValueError("a language tag such as en or zh-CN")
    return text


def languages(text: str) -> tuple[str, ...]:
    """A list with commas of language tags, each once."""
    return tuple(dict.fromkeys(language(tag.strip()) for tag in text.split(",") if tag.strip()))


def header_name(text: str) -> str:
    """A header's name, which no proxy takes for another."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", text):
        raise ValueError("a header's name such as X-Customer-Id")
    return text


def secret(text: str) -> Secret:
    """A key, fit for an HTTP header."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("one word of plain characters, as the service shows it: copy it again")
    return Secret(text)


def signing_secret(text: str) -> Secret:
    """A secret of Standard Webhooks: base64 behind `whsec_`, or any other word."""
    if text.startswith("whsec_"):
        try:
            base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise ValueError("base64 behind whsec_, or a word that does not begin so") from None
    return secret(text)


def path(text: str) -> Path:
    """A path, which need not exist yet."""
    return Path(line(text)).expanduser()


def existing_file(text: str) -> Path:
    """The path of a file."""
    found = path(text)
    if not found.is_file():
        raise ValueError("the path of a file that exists")
    return found


def existing_dir(text: str) -> Path:
    """The path of a folder."""
    found = path(text)
    if not found.is_dir():
        raise ValueError("the path of a folder that exists")
    return found


def picture(text: str) -> Path:
    """The path of an SVG or PNG file of a size that a page can bear."""
    found = existing_file(text)
    must = "an SVG or PNG file of at most 200 kB"
    try:
        content = found.read_bytes()
    except OSError:
        raise ValueError(must) from None
    is_png = found.suffix.lower() == ".png" and content.startswith(b"\x89PNG\r\n\x1a\n")
    is_svg = found.suffix.lower() == ".svg" and b"<svg" in content[:2000]
    if len(content) > 200_000 or not (is_png or is_svg):
        raise ValueError(must)
    return found


PATHS: Final = (path, existing_file, existing_dir, picture)
"""The readers of paths."""


def origins(text: str) -> tuple[str, ...]:
    """A list with commas of web origins: scheme, host, perhaps a port."""
    found = tuple(origin.strip().lower().rstrip("/") for origin in text.split(",") if origin.strip())
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", origin) for origin in found):
        raise ValueError("a list, with commas, of origins such as https://desk.example.com")
    return found


def names_of(known: tuple[str, ...]) -> Reader:
    """A list with commas of known names, each once; dashes and underscores are one."""

    def read(text: str) -> tuple[str, ...]:
        names = tuple(name.strip().lower().replace("-", "_") for name in text.split(",") if name.strip())
        wrong = [name for name in names if name not in known]
        if wrong or not names:
            hint = nearest_hint(wrong[0], known) if wrong else ""
            raise ValueError(f"a list, with commas, of {', '.join(known)}{hint}")
        return tuple(dict.fromkeys(names))

    return read


def url(*schemes: str) -> Reader:
    """An address with one of `schemes` (http and ws too, on this machine) and no password in it."""

    def read(text: str) -> str:
        must = f"an address that starts with {' or '.join(scheme + '://' for scheme in schemes)}"
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError(must) from None
        near = ("http", "ws") if host in ("localhost", "127.0.0.1", "::1") else ()
        if parts.scheme not in (*schemes, *near) or not host or not text.isprintable():
            raise ValueError(must)
        if parts.username is not None or parts.password is not None:
            raise ValueError("an address without a password in it: the key has a setting of its own")
        return text

    return read


def database_url(text: str) -> str:
    """Name the async driver, which is ours to know and not the company's."""
    for prefix, ours in (
        (r"sqlite(\+aiosqlite)?:///", "sqlite+aiosqlite:///"),
        (r"postgres(ql)?(\+asyncpg)?://", "postgresql+asyncpg://"),
    ):
        found = re.match(prefix, text)
        if found:
            return ours + text[found.end() :]
    raise ValueError("an address that starts with sqlite:/// or postgresql://")


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Words to append to a sentence about an unknown name; empty when none comes near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
