"""Personal data taken out of what was said or typed: PURE.

Numbers are read the way they are dictated: typed, as words, in pairs ("forty-two"), doubled, with fillers
between them, over two turns. What a number is follows from its own check (Luhn, mod 97), its length, and the
word nearest before it ("my card", "order number"). Rules:
- A card's number starts and ends where a spoken or typed group does; one that fails Luhn counts only behind a
  word that says it is a card.
- Behind a word such as *order*, *parcel* or *receipt* a number is neither a card that fails Luhn nor a phone.
- Only digits in the company of such words are a security code, an expiry or a birth date: a time, a price and
  a delivery's day stay readable.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from helpline.dictation import (
    FILLERS_BETWEEN,
    Token,
    digits_at_most,
    joined,
    read_on,
    runs_of,
    tokens_of,
)

Kind = Literal["card", "expiry", "cvv", "iban", "email", "phone", "address", "birth_date"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_PROVEN: Final[tuple[Kind, ...]] = ("card", "iban", "expiry", "cvv")
"""Cards and IBANs have checks; expiry and code are read from the card that they come after."""


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data at `text[start:end]`."""

    kind: Kind
    start: int
    end: int


def redact(text: str, kinds: Iterable[Kind] = KINDS) -> str:
    """The text with a word in brackets in place of each find: `[card]`."""
    return _replaced(text, find(text, kinds))


def redact_turns(turns: Sequence[tuple[str, str]], kinds: Iterable[Kind] = KINDS) -> list[str]:
    """The texts of (speaker, text) turns, with what is split over turns or asked for in the one before."""
    finds = find_in_turns(turns, kinds)
    return [_replaced(text, found) for (_, text), found in zip(turns, finds, strict=True)]


def redact_json(value: Any, kinds: Iterable[Kind] = KINDS) -> Any:
    """The same JSON value, names and numbers too.

    What stands under a name such as `email` goes, whatever it looks like; other names say what a number is,
    as words in front of it would: `order.number`, `security_code`.
    """
    return _redacted(value, tuple(kinds), "")


def _redacted(value: Any, kinds: tuple[Kind, ...], names: str) -> Any:
    match value:
        case bool():
            return value
        case str():
            return _redact_under(names, value, kinds)
        case int():
            return _redact_integer(names, value, kinds)
        case Mapping():
            return {_name(name, kinds): _field(name, part, kinds, names) for name, part in value.items()}
        case list() | tuple():
            return [_redacted(part, kinds, names) for part in value]
        case _:
            return value


def _name(name: Any, kinds: tuple[Kind, ...]) -> Any:
    """Whoever writes the value writes its name, too."""
    return name if not isinstance(name, str) or name.isidentifier() else redact(name, kinds)


def _field(name: Any, value: Any, kinds: tuple[Kind, ...], names: str) -> Any:
    name = name.lower() if isinstance(name, str) else ""
    kind = _FIELDS.get(name)
    if kind is not None and kind in kinds and isinstance(value, str | int) and not isinstance(value, bool):
        return f"[{kind}]" if value != "" else ""
    above = names.rpartition(" ")[2]
    return _redacted(value, kinds, f"{above} {name.replace('_', '-')}")


def _redact_under(names: str, text: str, kinds: tuple[Kind, ...]) -> str:
    """A text that stands under these names: words in front of it, when it is a number and no more."""
    if not names or not _NUMBER_ALONE.fullmatch(text):
        return redact(text, kinds)
    if len(text) < _SHORTEST and not _says_what_it_is(names):
        return text
    said = f"{names.replace('-', ' ')}: "
    found = (each for each in find(said + text, kinds) if each.start >= len(said))
    return _replaced(text, [Found(each.kind, each.start - len(said), each.end - len(said)) for each in found])


def _redact_integer(names: str, value: int, kinds: tuple[Kind, ...]) -> int | str:
    """An amount or a time in seconds may be as long as a phone number: then only its name says so."""
    written = str(value)
    if len(written) < _SHORTEST:
        return value
    kinds = kinds if _says_what_it_is(names) else tuple(kind for kind in kinds if kind == "card")
    hidden = _redact_under(names, written, kinds)
    return value if hidden == written else hidden


@lru_cache(maxsize=512)
def _says_what_it_is(names: str) -> bool:
    """Whether a number under these names is personal however short it is."""
    return any(cue.kind != "id" for cue in _cues_in(names.replace("-", " ")))


_NUMBER_ALONE: Final = re.compile(r"[\s+()./-]*(?:\d[\s+()./-]*){2,24}")
_SHORTEST: Final = 7
"""Fewer digits are personal only behind a word that says so: a phone number without its area."""


def find(text: str, kinds: Iterable[Kind] = KINDS) -> tuple[Found, ...]:
    """Every find in one text, in order; none overlaps another."""
    if (text.isascii() and text.isalpha()) or (text[:4].isdigit() and _MOMENT.fullmatch(text)):
        return ()  # most of what stands in data
    wanted = frozenset(kinds)
    small = text.lower()
    if len(small) != len(text):  # some capitals are one letter and two small ones
        small = text
    digits, longest = digits_at_most(small)
    cues = _cues_in(small) if digits > 1 else []
    said = {cue.kind for cue in cues}
    found = [*_find_by_pattern(text, small, wanted, digits, said)]
    if wanted & _NUMBERS and (longest >= _SHORTEST or (digits > 1 and said - {"id"})):
        found += _find_numbers(tokens_of(_without_moments(text)), cues)
    if "iban" in wanted and digits >= _IBAN_DIGITS and _IBAN_HINT.search(text):
        found += _find_ibans(tokens_of(text))
    return apart(each for each in found if each.kind in wanted)


def _without_moments(text: str) -> str:
    return _MOMENT.sub(lambda moment: "|" * len(moment[0]), text) if ":" in text else text


_NUMBERS: Final[frozenset[Kind]] = frozenset({"card", "expiry", "cvv", "phone", "birth_date"})
_IBAN_DIGITS: Final = 11
_IBAN_HINT: Final = re.compile(
    r"\b[a-z]{2}\d|\b(?-i:[A-Z]{2})\s\d|\b[a-z][\s.,-]+[a-z]\b"
    r"|\b[a-z]+ (?:alfa|alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|kilo"
    r"|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor"
    r"|xray|yankee|zulu)\b|iban",
    re.IGNORECASE,
)
"""How one begins: two letters, typed or spelled."""
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b")
"""A machine's date and time is no number that anybody dictates."""


def find_in_turns(turns: Sequence[tuple[str, str]], kinds: Iterable[Kind] = KINDS) -> list[tuple[Found, ...]]:
    """The finds of each turn: in the whole dialogue, and numbers that one speaker splits over turns.

    The second look is for what its own check proves: out of the dialogue nothing says what a number is.
    """
    kinds = tuple(kinds)
    proven = tuple(kind for kind in kinds if kind in _PROVEN)
    views = [(list(range(len(turns))), kinds)]
    views += [
        ([index for index, (who, _) in enumerate(turns) if who == speaker], proven)
        for speaker in {speaker for speaker, _ in turns}
    ]
    finds: list[list[Found]] = [[] for _ in turns]
    for view, looked_for in views:
        text = "\n".join(turns[index][1] for index in view)
        if looked_for is proven and digits_at_most(text.lower())[0] < _IBAN_DIGITS:
            continue  # too few for a card or an IBAN, and the rest is read from these
        start = 0
        spans = []
        for index in view:
            spans.append((index, start, start + len(turns[index][1])))
            start = spans[-1][2] + 1
        for found in find(text, looked_for):
            for index, first, last in spans:
                if found.start < last and found.end > first:
                    finds[index].append(
                        Found(found.kind, max(found.start, first) - first, min(found.end, last) - first)
                    )
    return [apart(each) for each in finds]


def apart(found: Iterable[Found]) -> tuple[Found, ...]:
    """Overlapping finds as one, of the kind that begins first."""
    apart: list[Found] = []
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if apart and each.start < apart[-1].end:
            apart[-1] = Found(apart[-1].kind, apart[-1].start, max(apart[-1].end, each.end))
        else:
            apart.append(each)
    return tuple(apart)


def _replaced(text: str, found: Iterable[Found]) -> str:
    parts, at = [], 0
    for each in found:
        parts += [text[at : each.start], f"[{each.kind}]"]
        at = each.end
    return "".join([*parts, text[at:]])


_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("email", "e_mail", "mail"), "email"),
    **dict.fromkeys(("phone", "phone_number", "telephone", "tel", "mobile", "mobile_number"), "phone"),
    **dict.fromkeys(("street", "apartment", "postcode", "post_code", "zip", "zip_code"), "address"),
    **dict.fromkeys(("address", "address_line", "address_line1", "address_line2"), "address"),
    **dict.fromkeys(("street_address", "delivery_address", "shipping_address"), "address"),
    **dict.fromkeys(("birth_date", "birthdate", "date_of_birth", "dob", "birthday"), "birth_date"),
    **dict.fromkeys(("card_number", "cardnumber", "credit_card_number", "cc_number", "pan"), "card"),
    **dict.fromkeys(("cvv", "cvv2", "cvc", "security_code", "card_code"), "cvv"),
    **dict.fromkeys(("expiry", "expiry_date", "expiration", "expiration_date", "exp_date"), "expiry"),
    "iban": "iban",
}

# --- numbers ---------------------------------------------------------------------------------------------

_CUES: Final = re.compile(
    r"\b(?:"
    r"(?P<cvv>c ?v ?[vc]2?\b|security (?:code|number)|verification code|card code|code (?:on|at) the back"
    r"|on the back|three[- ]digit code|prüf(?:ziffer|nummer)|kartenprüf|sicherheitscode"
    r"|código de seguridad|code de sécurité)"
    r"|(?P<expiry>exp(?:iry|ires?|iration|\.)?\b|valid (?:thru|through|until|till)"
    r"|good (?:thru|through|until)|runs out|gültig bis|ablaufdatum|caduca|expire le\b)"
    r"|(?P<birth>born\b|birth ?da(?:y|te)|date of birth|d\.?o\.?b\b|geboren\b|geburts(?:tag|datum)"
    r"|date de naissance|née? le\b|nacimiento|nacid[oa]\b)"
    r"|(?P<card>cards?\b(?! ending)|credit|debit|visa\b|master ?card|amex\b|american express|kreditkarte"
    r"|kartennummer|karte\b|tarjeta|carte (?:bancaire|bleue|de crédit))"
    r"|(?P<phone>(?:tele|cell|smart)?phone|mobile?|cell\b|call me|call back|reach me|tel\b|text me"
    r"|number to call|dial\b|ring me\b|fax\b|telefon|handy|rufnummer|rückruf|teléfono|móvil|téléphone"
    r"|portable)"
    r"|(?P<id>(?:pre-?|re-?)?order|track|parcel|package|shipment|receipt|ticket|reference|invoice|confirmation"
    r"|case\b|sku\b|item\b|product|serial|id\b|article|account number|customer number|barcode|delivery number"
    r"|model\b|voucher|coupon|gift|bestell|auftrag|sendung|paket|rechnung|kundennummer|pedido|paquete|commande"
    r"|colis)"
    r")|(?P<cvv_han>安全码)|(?P<expiry_han>有效期)|(?P<birth_han>生日|出生)|(?P<card_han>卡号|信用卡|银行卡)"
    r"|(?P<phone_han>手机|电话)|(?P<id_han>订单|单号|快递|包裹)"
)
"""Words that say what the number behind them is, in small letters."""
_REACH: Final = {"cvv": 60, "expiry": 50, "birth": 50, "card": 90, "phone": 90, "id": 60}
"""Within so many characters behind its cue a number is what the cue says."""


@dataclass(frozen=True, slots=True)
class _Cue:
    kind: str
    end: int


_CARD_LENGTHS: Final = range(13, 20)


def _cue(cues: Sequence[_Cue], at: int) -> str:
    """What the nearest word before a number says it is; empty when none does.

    "The security code of the card" asks for the code.
    """
    last = ""
    for cue in cues[
        bisect_left(cues, at - max(_REACH.values()), key=_end) : bisect_right(cues, at, key=_end)
    ]:
        if at - cue.end <= _REACH[cue.kind] and not (cue.kind == "card" and last in ("cvv", "expiry")):
            last = cue.kind
    return last


def _cues_in(small: str) -> list[_Cue]:
    return [_Cue((cue.lastgroup or "").removesuffix("_han"), cue.end()) for cue in _CUES.finditer(small)]


def _end(cue: _Cue) -> int:
    return cue.end


def _find_numbers(tokens: Sequence[Token], cues: Sequence[_Cue]) -> Iterable[Found]:
    after_card = -1
    for run in runs_of(tokens):
        at = 0
        while at < len(run):
            cue = _cue(cues, run[at].start)
            near_card = after_card >= 0 and run[at].start - after_card <= 60
            kind, end = _number_at(run, at, cue, near_card)
            if kind is None:
                at += 1
                continue
            yield Found(kind, run[at].start, run[end - 1].end)
            if kind == "card":
                after_card = run[end - 1].end
            at = end


_LONGEST: Final = 40
"""Behind so many digits a run is no one number: hostile text may be all digits."""


def _number_at(run: Sequence[Token], at: int, cue: str, near_card: bool) -> tuple[Kind | None, int]:
    """What begins at a token of a run of digits, and behind which token it ends."""
    end = _card_end(run, at)
    if end:
        return "card", end
    digits = joined(run[at : at + _LONGEST])
    whole = at == 0 or cue in ("cvv", "expiry")
    if cue == "card" and 12 <= len(digits) <= 19 and whole:
        return "card", len(run)
    if cue == "cvv" and (short := _end_of(run, at, (3, 4))):
        return "cvv", short
    if (cue == "expiry" or near_card) and (short := _expiry_end(run, at)):
        return "expiry", short
    if near_card and cue != "id" and (short := _end_of(run, at, (3, 4))) and short == len(run):
        return "cvv", short
    if cue == "birth" and 3 <= len(digits) <= 8:
        return "birth_date", len(run)
    if at == 0 and _is_phone(run, digits, cue):
        return "phone", len(run)
    return None, at


def _card_end(run: Sequence[Token], at: int) -> int:
    """Behind which token a card's number that begins here ends; 0 when none does."""
    readings, best = {""}, 0
    most = sum(max(len(token.digits), len(token.or_digits)) for token in run[at : at + _CARD_LENGTHS[-1]])
    if most < _CARD_LENGTHS[0]:
        return 0
    for index in range(at, len(run)):
        readings = read_on(readings, run[index], _CARD_LENGTHS[-1])
        if not readings:
            break
        if any(map(_is_card, readings)):
            best = index + 1
    return best


def _is_card(digits: str) -> bool:
    return len(digits) in _CARD_LENGTHS and _ISSUERS.match(digits) is not None and luhn(digits)


_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})$|5[1-5]\d{14}$|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$"
    r"|3[47]\d{13}$|3(?:0[0-5]|[68]\d)\d{11}$|35\d{14}$|6(?:011|4[4-9]\d|5\d\d)\d{12}$|62\d{14,17}$"
    r"|(?:50|5[6-9]|6\d)\d{10,17}$"
)


def luhn(digits: str) -> bool:
    """The check of a card's number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _end_of(run: Sequence[Token], at: int, lengths: tuple[int, ...]) -> int:
    """Behind which token that many digits end, the longest first."""
    digits, best = "", 0
    for index in range(at, len(run)):
        digits += run[index].digits
        if len(digits) in lengths:
            best = index + 1
    return best


def _expiry_end(run: Sequence[Token], at: int) -> int:
    """A month and a year: 04/27, 4 27, 04 2027."""
    digits = ""
    for index in range(at, len(run)):
        digits += run[index].digits
        follows = index + 1 < len(run)
        if re.fullmatch(r"(?:0?[1-9]|1[0-2])(?:20)?[2-4]\d", digits):
            longer = follows and re.fullmatch(
                r"(?:0?[1-9]|1[0-2])20[2-4]\d", joined(run[at : min(len(run), index + 3)])
            )
            return min(len(run), index + 3) if longer else index + 1
    return 0


def _is_phone(run: Sequence[Token], digits: str, cue: str) -> bool:
    if cue == "phone":
        return 7 <= len(digits) <= 15
    if cue in ("id", "birth", "cvv", "expiry"):
        return False
    if any(token.plus for token in run[:1]):
        return 8 <= len(digits) <= 15
    return len(digits) in (10, 11, 12)


# --- IBAN ------------------------------------------------------------------------------------------------


def _find_ibans(tokens: Sequence[Token]) -> Iterable[Found]:
    """Letters and digits, spelled or typed, that are right by mod 97."""
    at = 0
    while at < len(tokens):
        end = _iban_end(tokens, at)
        if end:
            yield Found("iban", tokens[at].start, tokens[end - 1].end)
        at = end or at + 1


def _iban_end(tokens: Sequence[Token], at: int) -> int:
    if not tokens[at].letters:
        return 0
    readings, best, fillers = {""}, 0, 0
    for index in range(at, len(tokens)):
        token = tokens[index]
        if not (token.digits or token.letters):
            fillers += 1
            if index == at or not token.filler or fillers > FILLERS_BETWEEN:
                break
            continue
        fillers = 0
        readings = {each for each in read_on(readings, token, 34) if _IBAN_START.match(each)}
        if not readings:
            break
        if any(len(each) >= 15 and _mod97(each) == 1 for each in readings):
            best = index + 1
    return best


_IBAN_START: Final = re.compile(r"[A-Z]{1,2}$|[A-Z]{2}\d{1,2}$|[A-Z]{2}\d\d[A-Z0-9]*$")


def _mod97(iban: str) -> int:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


# --- what has a form of its own --------------------------------------------------------------------------

_TLD: Final = (
    r"(?:com|org|net|edu|gov|io|co|info|biz|me|dev|app|shop|eu|us|uk|de|fr|es|it|nl|se|cn|ca|au|example)"
)
_NAME: Final = r"(?:(?:[a-z0-9]\s+){2,}[a-z0-9]\b|[\w]+)"
_JOINT: Final = r"\s+(?:dot|point|underscore|dash|hyphen|minus|plus)\s+"
_EMAIL: Final = re.compile(
    # With bounds, so that a long word that is no address costs no time.
    r"[\w.+%-]{1,64}\s?(?:@|[(\[]at[)\]])\s?[\w-]{1,63}(?:\s?(?:\.|[(\[]dot[)\]])\s?[\w-]{1,63}){1,9}"
    rf"|\b{_NAME}(?:{_JOINT}{_NAME})*\s+at\s+{_NAME}(?:{_JOINT}{_NAME})*?\s+(?:dot|point)\s+{_TLD}"
    rf"(?:\s+(?:dot|point)\s+{_TLD})?\b",
    re.IGNORECASE,
)
_NUMBER_WORD: Final = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
)
_DIGIT_WORD: Final = rf"(?:(?:double|triple)\s+)?{_NUMBER_WORD}"
_DIGITS: Final = rf"(?:\d{{1,5}}[a-z]?|{_DIGIT_WORD}(?:[\s-]+{_DIGIT_WORD})*)"
_NOT_A_STREET: Final = (
    r"(?!(?:items?|days?|dollars?|euros?|cents?|minutes?|hours?|weeks?|months?|percent|times?|orders?|of|more"
    r"|business|and|or|to|is|was|are|am|pm|in|on|at|by|for|pairs?)\b)"
)
_STREET_TYPE: Final = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|way|square|sq|terrace"
    r"|crescent|close|highway|parkway|alley|row|grove|hill)"
)
_POSTCODE: Final = (
    r"(?:\d{5}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}"
    rf"|(?:(?:{_DIGIT_WORD}|\d)[\s,-]+){{1,4}}(?:{_DIGIT_WORD}|\d))"
)
_ADDRESS: Final = re.compile(
    rf"\b{_DIGITS}\s+(?:{_NOT_A_STREET}[a-z'.-]+\s+){{1,4}}?{_STREET_TYPE}\b\.?"
    rf"(?:[^\n?!]{{0,70}}?\b{_POSTCODE}\b)?"
    r"|\b\w+(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse)\s+\d{1,4}[a-z]?\b(?:,?\s*\d{5}(?:\s+\w+)?)?",
    re.IGNORECASE,
)
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL: Final = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?|(?:twenty|thirty)?[\s-]?(?:first|second|third|fourth|fifth|sixth|seventh|eighth"
    r"|ninth)|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth"
    rf"|nineteenth|twentieth|thirtieth|{_NUMBER_WORD}(?:[\s-]{_NUMBER_WORD})?)"
)
_YEAR: Final = rf"(?:\d{{4}}|'?\d\d|{_NUMBER_WORD}(?:[\s-]+{_NUMBER_WORD}){{0,3}})"
_DATE: Final = (
    r"(?:\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"
    rf"|(?:the\s+)?{_ORDINAL}\s+(?:of\s+)?{_MONTH}\.?(?:,?\s+(?:in\s+)?{_YEAR})?"
    rf"|{_MONTH}\.?\s+(?:the\s+)?{_ORDINAL}(?:,?\s+(?:in\s+)?{_YEAR})?)\b"
)
_BIRTH_DATE: Final = re.compile(
    rf"(?:\bborn\b|birth ?da(?:y|te)|date of birth|\bd\.?o\.?b\b)[^\d]{{0,40}}?\b(?P<date>{_DATE})",
    re.IGNORECASE,
)
_EXPIRY: Final = re.compile(
    r"(?:\bexp(?:iry|ires?|iration|\.)?\b|valid (?:thru|through|until|till)"
    r"|good (?:thru|through|until)|runs out)"
    rf"[^\d\n]{{0,30}}?\b(?P<date>(?:0?[1-9]|1[0-2])\s?[/-]\s?(?:20)?\d\d|{_MONTH}\s+(?:of\s+)?{_YEAR})\b",
    re.IGNORECASE,
)


_ADDRESS_ABROAD: Final = re.compile(
    # "Am Markt 5, 80331 München": a name, a house's number, a postcode and its town.
    r"\b(?-i:(?:[A-ZÄÖÜÉÈ][\w'.-]+\s+|(?:den|der|dem|de|la|del|du|des)\s+){1,5}\d{1,4}\s?[a-z]?,?\s+\d{5}\s+[A-ZÄÖÜÉÈ]\w+)"
    # "14 rue de la Paix, 75002 Paris", "Calle Mayor 3, 28013 Madrid"
    r"|\b\d{1,4}(?:\s?bis)?,?\s+(?:rue|avenue|boulevard|place|chemin|allée)\s+[^\n\d?!]{2,40}?,?\s+\d{5}\b(?:\s+\w+)?"
    r"|\b(?:calle|avenida|plaza|paseo)\s+[^\n\d?!]{2,40}?\s+\d{1,4}\b(?:,?\s*\d{5}\b(?:\s+\w+)?)?",
    re.IGNORECASE,
)
_CHINESE_ADDRESS: Final = re.compile(
    r"[\u4e00-\u9fff]{2,20}(?:路|街|道|巷|弄|胡同)\s?[\d零〇一二三四五六七八九十百]{1,6}\s?[号弄]"
    r"[\u4e00-\u9fff\d-]{0,16}(?:[,， ]{1,2}\d{6}\b)?"
)
_POSTCODE_SAID: Final = re.compile(
    r"\b(?:post ?code|zip(?: ?code)?|postleitzahl|plz|code postal|código postal)\b"
    r"(?:\s+(?:is|ist|est|es))?[\s:,]+"
    rf"(?P<code>{_POSTCODE})\b"
    r"|(?:邮编|邮政编码)[是:： ]{0,3}(?P<han>\d{6})",
    re.IGNORECASE,
)
_CHINESE_BIRTH_DATE: Final = re.compile(
    r"(?:生日|出生)[^\d\n]{0,8}(?P<date>\d{2,4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?[日号]?)"
)


def _find_by_pattern(
    text: str, small: str, wanted: frozenset[Kind], digits: int, cues: set[str]
) -> Iterable[Found]:
    """What has a form of its own; a pattern runs only over a text that may hold what it looks for."""
    if "email" in wanted and ("@" in small or _AT.search(small)):
        for match in _EMAIL.finditer(text):
            yield Found("email", *match.span())
    if digits and "address" in wanted and _PLACE.search(small):
        yield from _find_addresses(text)
    if "birth" in cues:
        for pattern in (_BIRTH_DATE, _CHINESE_BIRTH_DATE):
            for match in pattern.finditer(text):
                yield Found("birth_date", *match.span("date"))
    if "expiry" in cues:
        for match in _EXPIRY.finditer(text):
            yield Found("expiry", *match.span("date"))


def _find_addresses(text: str) -> Iterable[Found]:
    for pattern in (_ADDRESS, _ADDRESS_ABROAD, _CHINESE_ADDRESS):
        for match in pattern.finditer(text):
            yield Found("address", *match.span())
    for match in _POSTCODE_SAID.finditer(text):
        yield Found("address", *match.span("code" if match["code"] else "han"))


_AT: Final = re.compile(r"[(\[]at[)\]]|\bat\b(?=.*\b(?:dot|point)\b)", re.DOTALL)
_PLACE: Final = re.compile(
    rf"\b(?:{_STREET_TYPE}|post|zip|plz|code|calle|avenida|plaza|paseo|rue|chemin|allée)\b|post(?:code|leit)"
    r"|(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse)\s|\b\d{5}\b|[\u4e00-\u9fff]"
)
