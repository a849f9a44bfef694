"""The order numbers that a sentence names, however they are said. PURE."""

import re

from helpline.call.confirm import spoken_digits

_SMALL = {word: n for n, word in enumerate("one two three four five six seven eight nine".split(), 1)} | {
    "a": 1
}
_SMALL_WORDS = "|".join(_SMALL)
_THOUSANDS = re.compile(
    rf"\b({_SMALL_WORDS}) thousand(?:,? (?:and )?({_SMALL_WORDS}) hundred)?"
    r"(?:,? (?:and )?((?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)?[ -]?[a-z]+))?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(\d)\s*[,、]\s*(?=(?:and )?(?:order )?#?\d{3,}(?!\d*\.\d))")
_AND = "(?: ?(?:and|or|as well as|plus|et|und|y|e|en|和|与|及|跟) ?"
_ORDERS = re.compile(
    r"(?:\b(?:orders?|numbers?|commandes?|bestellung(?:en)?|bestelling(?:en)?|pedidos?|ordin[ei]|"
    r"encomendas?)|订单)\D{0,12}?\d{3,}"
    rf"(?:{_AND}(?:orders? |numbers? |订单|单号|号)*\d{{3,}})*)"
)
_DOING = (
    "cancell?ed|returned|exchanged|swapped|replaced|refunded|reimbursed|credited|updated|changed|moved|"
    "reordered|"
    "resent|refund (?:for|of|on)|cancell?ation of|return of|exchange of"
)
_NOT_AN_ORDER = "dollars?|euros?|pounds?|cents?|usd|eur|percent|days?|times|美元|元|块"
_BARE = re.compile(
    rf"(?:\b(?:{_DOING})|^(?:and )?|(?:取消|退款|退货|换货|撤销)了?)(?: (?:your|the|both|also|order))* ?"
    rf"\d{{3,}}(?:{_AND}\d{{3,}})*)(?! ?(?:{_NOT_AN_ORDER}))"
)
"""A number that stands where an order would: "I have cancelled 1007"."""
_NO_NUMBER = re.compile(
    r"[$€£¥]\s?[\d.,]*\d|(?<![\d.])\d+\.\d\d(?![\d.])"
    r"|(?<!order )\b(?:receipt|reference|ticket|case|confirmation|tracking)(?: (?:number|code|is|"
    r"reference))*:? (?:[a-z]-?)?\d+"
    r"|\b[rt]-\d+",
    re.IGNORECASE,
)
"""Money, and what a receipt or a ticket is known by."""


def together(sentence: str) -> str:
    """ "orders 1005, 1006 and 1007" as one clause, and "one thousand and seven" in digits."""
    if "thousand" in sentence.lower():
        sentence = _THOUSANDS.sub(_in_digits, sentence)
    return _LISTED.sub(r"\1 and ", sentence)


def order_numbers(sentence: str) -> tuple[str, ...]:
    """Those that it names, each once; empty when it names none."""
    text = spoken_digits(_NO_NUMBER.sub(" ", sentence))
    found = [*_ORDERS.finditer(text)] or [*_BARE.finditer(text)]
    return tuple(dict.fromkeys(number for each in found for number in re.findall(r"\d{3,}", each.group())))


def _in_digits(found: re.Match[str]) -> str:
    behind = found[3] or ""
    rest = spoken_digits(behind.replace("-", " "))
    hundreds = _SMALL[found[2].lower()] if found[2] else 0
    number = _SMALL[found[1].lower()] * 1000 + hundreds * 100
    return str(number + int(rest)) if re.fullmatch(r"\d{1,2}", rest) else f"{number} {behind}".rstrip()
