"""What a call costs: tokens by modality, and money by the price list. PURE but for reading the list.

Billing is per response, with the whole conversation as its input each time; transcription is billed apart,
by tokens or by the minute. Cached tokens are a subset of the input tokens (OpenAI, "Managing costs"). What a
usage leaves open is priced as the dearer case, so that a budget is never overrun by what was not said.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from helpline.errors import LocalError
from helpline.realtime.events import ResponseDone, TokenDetails, Usage

_MILLION = Decimal(1_000_000)
_MINUTE_S = Decimal(60)


class BadPrices(LocalError):
    """The price list cannot be read."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by modality; the `…_in` are without the cached ones."""

    text_in: int = 0
    text_cached: int = 0
    text_out: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    image_in: int = 0
    image_cached: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def total(self) -> int:
        return sum(getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True, slots=True)
class Price:
    """Of one model: per million tokens, and per minute of audio where that is how it is billed."""

    tokens: Mapping[str, Decimal] = field(default_factory=dict)
    """By the names of `Tokens`."""
    per_minute: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PriceList:
    """The models' prices on a day."""

    as_of: date
    currency: str
    models: Mapping[str, Price]

    def of(self, model: str) -> Price | None:
        """A model's price, by its name, its dated snapshot or Azure's name for it; None when unknown."""
        return self.models.get(_SNAPSHOT.sub("", model.lower()))


_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|global-standard|data-?zone-standard|standard)$")


@dataclass(frozen=True, slots=True)
class Bill:
    """The running sum of a call."""

    tokens: Tokens = Tokens()
    transcribed_s: Decimal = Decimal(0)
    money: Decimal = Decimal(0)
    unpriced: frozenset[str] = frozenset()
    """Models with no known price: the money is at least so much."""

    @property
    def total(self) -> Decimal | None:
        """The money, or None when no price is known of anything that was used: that is not nothing."""
        return None if self.unpriced and not self.money else self.money

    def charged(self, usage: Usage, model: str, prices: PriceList) -> "Bill":
        """The bill with one more response or transcription on it."""
        price, tokens, seconds = prices.of(model), tokens_of(usage), seconds_of(usage)
        money = None if price is None else money_of(tokens, seconds, price)
        return Bill(
            tokens=self.tokens + tokens,
            transcribed_s=self.transcribed_s + seconds,
            money=self.money + (money or 0),
            unpriced=self.unpriced if money is not None else self.unpriced | {model},
        )


def usage_of(event: ResponseDone) -> Usage | None:
    """A response's usage: in the response, or beside it as some servers put it; absent when it failed."""
    return event.response.usage or event.usage


def money_of(tokens: Tokens, seconds: Decimal, price: Price) -> Decimal | None:
    """What so much costs; None when this price has no figure for some of it."""
    total = Decimal(0)
    for kind in fields(tokens):
        count = getattr(tokens, kind.name)
        if count and kind.name not in price.tokens:
            return None
        total += count * price.tokens.get(kind.name, Decimal(0)) / _MILLION
    if seconds and price.per_minute is None:
        return None
    return total + seconds * (price.per_minute or 0) / _MINUTE_S


def seconds_of(usage: Usage) -> Decimal:
    """Seconds of audio, when the usage is by duration."""
    seconds = usage.seconds
    if seconds is None or not 0 < seconds < 86_400:
        return Decimal(0)
    return Decimal(str(seconds))


def tokens_of(usage: Usage) -> Tokens:
    """A usage's tokens by modality; those of no stated modality as in `_split`."""
    transcription = usage.type is not None
    text, audio, image = _split(usage.input_tokens, usage.input_token_details, all_text=False)
    text_out, audio_out, image_out = _split(
        usage.output_tokens, usage.output_token_details, all_text=transcription
    )
    cached_text, cached_audio, cached_image = _cached(usage.input_token_details, text, audio, image)
    return Tokens(
        text_in=text - cached_text,
        text_cached=cached_text,
        text_out=text_out + image_out,
        audio_in=audio - cached_audio,
        audio_cached=cached_audio,
        audio_out=audio_out,
        image_in=image - cached_image,
        image_cached=cached_image,
    )


def _count(value: int | None) -> int:
    return min(max(value or 0, 0), 10**9)


def _split(total: int | None, details: TokenDetails | None, *, all_text: bool) -> tuple[int, int, int]:
    """Text, audio, image. What the details leave out of the total is text (reasoning); all of it is audio,
    unless it is known to be text (a transcription's output comes without details)."""
    details = details or TokenDetails()
    text, audio, image = map(_count, (details.text_tokens, details.audio_tokens, details.image_tokens))
    if not (text or audio or image):
        return (_count(total), 0, 0) if all_text else (0, _count(total), 0)
    return text + max(_count(total) - text - audio - image, 0), audio, image


def _cached(details: TokenDetails | None, text: int, audio: int, image: int) -> tuple[int, int, int]:
    """How much of each was cached, never more than there was; unstated, the cheapest kind first."""
    if details is None:
        return 0, 0, 0
    stated = details.cached_tokens_details
    if stated is not None:
        return (
            min(_count(stated.text_tokens), text),
            min(_count(stated.audio_tokens), audio),
            min(_count(stated.image_tokens), image),
        )
    rest = _count(details.cached_tokens)
    cached_text = min(rest, text)
    cached_image = min(rest - cached_text, image)
    return cached_text, min(rest - cached_text - cached_image, audio), cached_image


# --- the list --------------------------------------------------------------------------------------------


@cache
def prices() -> PriceList:
    """The price list that comes with the package."""
    return read_prices(files("helpline.data").joinpath("prices.toml").read_text(encoding="utf-8"))


def read_prices(text: str) -> PriceList:
    """A price list from TOML: see `data/prices.toml`. Raises BadPrices."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
        models = {name.lower(): _price(name, entry) for name, entry in table["models"].items()}
        return PriceList(as_of=_day(table["as_of"]), currency=str(table["currency"]), models=models)
    except tomllib.TOMLDecodeError as error:
        raise BadPrices(f"The price list is no valid TOML: {error}.") from None
    except (KeyError, AttributeError) as error:
        raise BadPrices(f"The price list lacks {error}.") from None


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise BadPrices("The price list's as_of must be a day such as 2026-11-22.")
    return value


def _price(name: str, entry: Mapping[str, Any]) -> Price:
    tokens = {
        f"{modality}_{way}": _money(name, amount)
        for modality in ("text", "audio", "image")
        for way, amount in entry.get(modality, {}).items()
    }
    known = {kind.name for kind in fields(Tokens)}
    if not tokens.keys() <= known:
        raise BadPrices(f"The price list's {name} may have in, cached and out, and no out for images.")
    minute = entry.get("per_minute")
    return Price(tokens, None if minute is None else _money(name, minute))


def _money(name: str, amount: Any) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal) or amount < 0:
        raise BadPrices(f"The price list's {name} must hold amounts of zero or more.")
    return Decimal(amount)
