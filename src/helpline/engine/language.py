"""What stands in a sentence: references, addresses, phones, amounts, moments, reasons, products.

Reads text from `numbers.normalise`; `Entities.masked` is the sentence with each found thing named by its
kind, which is what meanings are compared on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher

from helpline.call.chinese import CHINESE
from helpline.engine.addresses import find_street
from helpline.numbers import cardinal, normalise
from helpline.times import When, find_when

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DOMAIN_ENDS = r"co (?:dot|point) u ?k|com|net|org|edu|io|de|eu|info|shop"
_SPOKEN_EMAIL = re.compile(
    r"(?P<local>(?:[\w'-]+ ){1,24}?)at "
    rf"(?P<domain>(?:(?!at )[\w-]+ ){{1,6}}?(?:dot|point) (?:{_DOMAIN_ENDS}))\b"
)
_LOCAL_STARTS = {
    "to",
    "is",
    "it's",
    "email",
    "address",
    "mail",
    "e-mail",
    "be",
    "use",
    "at",
    "as",
    "say",
    "put",
    "set",
    "have",
    "please",
    "with",
    "in",
    "me",
    "on",
    "for",
    "from",
    "and",
    "by",
    "of",
    "my",
    "your",
    "you",
    "up",
    "now",
}
_MONEY = re.compile(
    r"(?:[$€£]\s?(\d[\d.]*)|\b(\d+(?:\.\d+)?) (?:dollars|euros|pounds|bucks)(?: and (\d+) cents)?)"
)
_PHONE = re.compile(r"(?<![\w@.])(?:plus )?\d{1,4}(?: ?\d{2,}){1,4}(?![\w@.])|(?<!\w)\d{7,12}(?!\w)")
_REFERENCE = re.compile(r"(?<![\w$€£.:@-])(?:[a-z]{1,2}\d{2,10}|\d{3,8})(?![\w.:@])")
_REFERENCE_CUE = re.compile(r"(?:order|number|return|reference|ticket|receipt)(?: number| id| is| it's)*$")
_NO_REFERENCE = re.compile(r"\b(?:ending in|post ?codes?(?: is)?|zip(?: ?code)?(?: is)?)$")
"""Digits after it are a card's or a place's."""
_SOMETHING = r"(?:it|they|the \w+(?: \w+)?|this|that)"
_IS = (
    r"(?:'s| is| are| was| came| arrived| does not| doesn't| don't| did not| didn't| stopped| never"
    r"| has| have| had| looks| look)"
)
_WRONG = (
    r"(?:broken|damaged|defective|faulty|small|big|large|wrong|late|fit|work|working|cracked|scratched|expensive"
    r"|missing|torn|tight|loose|dead|ripped|stained|expected|needed|arrive|arrived)"
)
_CHANGED_MIND = (
    r"(?:changed my mind|don't (?:like|need|want)|do not (?:like|need|want)|no longer|ordered .*mistake"
    r"|bought .*wrong|found .*cheaper|got the wrong)"
)
_BECAUSE = re.compile(
    r"\b(?:because(?: of)?|since|as it|the reason is|reason is|due to)\s+(.+)$"
    rf"|\b({_SOMETHING}{_IS}\s+.*{_WRONG}.*)$"
    rf"|\b((?:i|we) {_CHANGED_MIND}.*)$"
)
# What is wanted because of it: "it's damaged, so I need to return it".
_THEREFORE = re.compile(
    r"\s+(?:(?:so|and) (?:please\b|can\b|could\b|would you\b|i'd like\b|it (?:has|needs) to\b)"
    r"|(?:so |and )?i (?:want|need|wish|would like) to\b)"
)
_AS_IN = re.compile(r"\b([a-z]) (?:as in|for|like) [a-z]{2,}\b")
_SPELLED = 2
_SPELLS = ("that's", "spelled", "spelt", "spell", "which", "is", "written", "so", "it's")


@dataclass(frozen=True, slots=True)
class Entities:
    """A sentence and what was found in it."""

    text: str
    """Normalised."""
    masked: str
    references: tuple[str, ...] = ()
    email: str = ""
    phone: str = ""
    address: str = ""
    amount: str = ""
    when: When | None = None
    reason: str = ""
    number: int | None = None
    product: str = ""
    """The known product that was named, as it is known."""


def find_entities(said: str, now: datetime, products: Sequence[str] = ()) -> Entities:
    """Everything that is named in what was said; `products` are names to look for."""
    text = normalise(said)
    masked = text
    email, masked = _take_email(masked)
    reason, masked = _take_reason(masked)
    address = find_street(masked)
    masked = masked.replace(address, "{address}", 1) if address else masked
    amount, masked = _take_amount(masked)
    phone, masked = _take_phone(masked)
    when = find_when(masked, now)
    if when is not None:
        masked = masked.replace(when.words, "{when}", 1)
    references = _references(masked)
    for reference in references:
        masked = re.sub(rf"(?<!\w){re.escape(reference)}(?!\w)", "{order}", masked, count=1)
    product, masked = _take_product(masked, products)
    return Entities(
        text, masked, references, email, phone, address, amount, when, reason, cardinal(masked), product
    )


def _take_email(text: str) -> tuple[str, str]:
    if match := _EMAIL.search(text):
        return match[0], text.replace(match[0], "{email}", 1)
    match = _SPOKEN_EMAIL.search(text)
    if match is None:
        return "", text
    words = match["local"].split()
    starts = [at for at, word in enumerate(words) if word in _LOCAL_STARTS]
    local = words[starts[-1] + 1 :] if starts else words[-4:]
    if not local:
        return "", text
    address = f"{_written(_unspelled(local))}@{_written(match['domain'].split())}"
    spoken = " ".join((*local, "at", match["domain"]))
    return address, text.replace(spoken, "{email}", 1)


def _unspelled(words: list[str]) -> list[str]:
    """Each part between dots once: "anna a n n a dot lee" is "anna dot lee"."""
    return spelled_name(" ".join(words)).split()


def _written(words: list[str]) -> str:
    signs = {
        "dot": ".",
        "point": ".",
        "underscore": "_",
        "dash": "-",
        "hyphen": "-",
        "minus": "-",
        "plus": "+",
    }
    return "".join(signs.get(word, word) for word in words)


def _take_reason(text: str) -> tuple[str, str]:
    match = _BECAUSE.search(text)
    if match is None:
        return "", text
    reason = _THEREFORE.split(next(group for group in match.groups() if group), maxsplit=1)[0].strip()
    if re.search(r"\d{3}", reason):
        return "", text  # it names what is asked about: "I'm calling because order 1004 is late"
    if match.start() == 0 and not match[1]:
        return reason, text  # the whole sentence is the complaint: it still says what is wanted
    given = match[0][: match[0].index(reason) + len(reason)]
    return reason, text.replace(given, "{reason}", 1)


def _take_amount(text: str) -> tuple[str, str]:
    match = _MONEY.search(text)
    if match is None:
        return "", text
    whole = match[1] or match[2]
    amount = f"{whole}.{match[3]}" if match[3] else whole
    return amount, text.replace(match[0], "{money}", 1)


def _take_phone(text: str) -> tuple[str, str]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        named = re.search(
            r"(?:phone|call me (?:back )?(?:at|on)|my (?:new )?number|number you have|mobile|cell)\b", text
        )
        if 7 <= len(digits) <= 15 and (" " in match[0] or len(digits) >= 9 or named):
            return ("+" if match[0].startswith("plus ") else "") + digits, text.replace(
                match[0], "{phone}", 1
            )
    return "", text


def _take_product(text: str, products: Sequence[str]) -> tuple[str, str]:
    """The longest known name in the sentence, in the singular or the plural."""
    for name in sorted(products, key=len, reverse=True):
        words = [
            re.escape(_singular(word)) + "(?:s|es)?" for word in normalise(name.replace("-", " ")).split()
        ]
        if words and (match := re.search(rf"\b{' '.join(words)}\b", text)):
            return name, text.replace(match[0], "{product}", 1)
    return "", text


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _references(text: str) -> tuple[str, ...]:
    """References in the order of how surely they are one: after "order" first."""
    found = [
        (bool(_REFERENCE_CUE.search(text[: match.start()].strip())), match[0])
        for match in _REFERENCE.finditer(text)
        if not _NO_REFERENCE.search(text[: match.start()].strip())
    ]
    cued = [reference for cue, reference in found if cue]
    return tuple(
        dict.fromkeys(cued + [reference for cue, reference in found if not cue and len(reference) >= 3])
    )


def spelled_name(text: str) -> str:
    """ "j o h n" as "john"; "sara s a r a lee" as "sara lee": who spells a name says it again."""
    words: list[str] = []
    rest = _AS_IN.sub(r"\1", text).split()
    while rest:
        count = next((at for at, word in enumerate(rest) if len(word) > 1 or not word.isalpha()), len(rest))
        if count >= _SPELLED:
            spelled = "".join(rest[:count])
            while words and words[-1] in _SPELLS:
                words.pop()
            if words and _alike(words[-1], spelled):
                words.pop()
            words.append(spelled)
        else:
            count = max(count, 1)
            words += rest[:count]
        rest = rest[count:]
    return " ".join(words)


def _alike(said: str, spelled: str) -> bool:
    """Whether a spelled word is the one said before it, as a recogniser may have heard that."""
    return SequenceMatcher(None, said, spelled).ratio() >= 0.5


def readable(heard: str, *, question: bool | None = None, language: str = "en") -> str:
    """Recognised words as a caption: a capital, an ending; in English, numbers in digits.

    `language` empty: unknown, so as English unless the words are Chinese.
    """
    if CHINESE.search(heard):
        return heard.strip().rstrip("。") + ("" if heard.rstrip().endswith(("？", "！")) else "。")
    if language not in ("", "en"):
        return heard[:1].upper() + heard[1:] + "." if heard else ""
    words = normalise(heard)
    if not words:
        return ""
    address, masked = _take_email(words)
    words = masked.replace("{email}", address) if address else words
    words = re.sub(r"\bi(?='|\b)", "I", words)
    words = re.sub(r"\b([a-z])(\d{2,})\b", lambda m: m[0].upper(), words)
    asks = re.match(
        r"(?:where|what|when|who|why|how|which|is|are|do|does|did|can|could|will|would|has|have|may|am)\b|what's|where's",
        words,
    )
    ending = "?" if (asks is not None if question is None else question) else "."
    return words[0].upper() + words[1:] + ending
