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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from helpline.dictation import FILLERS_BETWEEN, Token, joined, read_on, runs_of, tokens_of

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
    """The same JSON value; what stands under a name such as `email` goes, whatever it looks like."""
    kinds = tuple(kinds)
    match value:
        case str():
            return redact(value, kinds)
        case Mapping():
            return {
                key: _hidden(_FIELDS[key.lower()], part, kinds)
                if isinstance(key, str) and key.lower() in _FIELDS
                else redact_json(part, kinds)
                for key, part in value.items()
            }
        case list() | tuple():
            return [redact_json(part, kinds) for part in value]
        case _:
            return value


def find(text: str, kinds: Iterable[Kind] = KINDS) -> tuple[Found, ...]:
    """Every find in one text, in order; none overlaps another."""
    if not _MAY_HOLD.search(text):
        return ()
    wanted = frozenset(kinds)
    tokens = tokens_of(text)
    found = [*_find_by_pattern(text), *_find_numbers(text, tokens), *_find_ibans(tokens)]
    return _apart(each for each in found if each.kind in wanted)


_MAY_HOLD: Final = re.compile(
    r"\d|@|\b(?:at|zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty"
    r"|thirty|four?ty|fifty|sixty|seventy|eighty|ninety|double|triple|treble|born|birth\w*|expir\w+)\b"
    r"|valid|good (?:thru|through|until)|runs out|\bexp\b|d\.?o\.?b",
    re.IGNORECASE,
)
"""Without any of these there is nothing to find: most texts of a record have none."""


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
        start = 0
        spans = []
        for index in view:
            spans.append((index, start, start + len(turns[index][1])))
            start = spans[-1][2] + 1
        for found in find("\n".join(turns[index][1] for index in view), looked_for):
            for index, first, last in spans:
                if found.start < last and found.end > first:
                    finds[index].append(
                        Found(found.kind, max(found.start, first) - first, min(found.end, last) - first)
                    )
    return [_apart(each) for each in finds]


def _apart(found: Iterable[Found]) -> tuple[Found, ...]:
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


def _hidden(kind: Kind, value: Any, kinds: tuple[Kind, ...]) -> Any:
    if isinstance(value, str | int) and not isinstance(value, bool) and kind in kinds:
        return f"[{kind}]" if value != "" else ""
    return redact_json(value, kinds)


_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("email", "e_mail", "mail"), "email"),
    **dict.fromkeys(("phone", "phone_number", "telephone", "mobile"), "phone"),
    **dict.fromkeys(("street", "apartment", "postcode", "post_code", "zip", "zip_code"), "address"),
    **dict.fromkeys(("address_line", "street_address"), "address"),
    **dict.fromkeys(("birth_date", "date_of_birth", "birthday"), "birth_date"),
    **dict.fromkeys(("card_number", "pan"), "card"),
    **dict.fromkeys(("cvv", "cvc"), "cvv"),
    "iban": "iban",
}

# --- numbers ---------------------------------------------------------------------------------------------

_CUES: Final = re.compile(
    r"(?P<cvv>\bcv[vc]2?\b|\bc v [vc]\b|security (?:code|number)|verification code|card code"
    r"|code (?:on|at) the back|on the back|three[- ]digit code)"
    r"|(?P<expiry>\bexp(?:iry|ires?|iration|\.)?\b|valid (?:thru|through|until|till)"
    r"|good (?:thru|through|until)|runs out)"
    r"|(?P<birth>\bborn\b|birth ?da(?:y|te)|date of birth|\bd\.?o\.?b\b)"
    r"|(?P<card>\bcards?\b(?! ending)|credit|debit|\bvisa\b|master ?card|\bamex\b|american express)"
    r"|(?P<phone>phone|mobile|\bcell\b|call me|call back|reach me|\btel\b|text me|\bnumber to call|\bdial\b"
    r"|\bring me\b|\bfax\b)"
    r"|(?P<id>order|track|parcel|package|shipment|receipt|ticket|reference|invoice|confirmation|\bcase\b"
    r"|\bsku\b|\bitem\b|product|serial|\bid\b|article|account number|customer number|barcode|delivery number"
    r"|\bmodel\b|voucher|coupon|gift)",
    re.IGNORECASE,
)
_REACH: Final = {"cvv": 60, "expiry": 50, "birth": 50, "card": 90, "phone": 90, "id": 60}
"""Within so many characters behind its cue a number is what the cue says."""
_CARD_LENGTHS: Final = range(13, 20)


def _cue(text: str, at: int) -> str:
    """What the nearest word before a number says it is; empty when none does.

    "The security code of the card" asks for the code.
    """
    last = ""
    for cue in _CUES.finditer(text, max(0, at - 130), at):
        kind = cue.lastgroup or ""
        if at - cue.end() <= _REACH[kind] and not (kind == "card" and last in ("cvv", "expiry")):
            last = kind
    return last


def _find_numbers(text: str, tokens: Sequence[Token]) -> Iterable[Found]:
    after_card = -1
    for run in runs_of(tokens):
        at = 0
        while at < len(run):
            cue = _cue(text, run[at].start)
            near_card = after_card >= 0 and run[at].start - after_card <= 60
            kind, end = _number_at(run, at, cue, near_card)
            if kind is None:
                at += 1
                continue
            yield Found(kind, run[at].start, run[end - 1].end)
            if kind == "card":
                after_card = run[end - 1].end
            at = end


def _number_at(run: Sequence[Token], at: int, cue: str, near_card: bool) -> tuple[Kind | None, int]:
    """What begins at a token of a run of digits, and behind which token it ends."""
    end = _card_end(run, at)
    if end:
        return "card", end
    digits = joined(run[at:])
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
    r"[\w.+%-]+\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)+"
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


def _find_by_pattern(text: str) -> Iterable[Found]:
    for match in _EMAIL.finditer(text):
        yield Found("email", *match.span())
    for match in _ADDRESS.finditer(text):
        yield Found("address", *match.span())
    for match in _BIRTH_DATE.finditer(text):
        yield Found("birth_date", *match.span("date"))
    for match in _EXPIRY.finditer(text):
        yield Found("expiry", *match.span("date"))
