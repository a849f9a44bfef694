"""Is a change told as it was made: how much, when, what of the account? PURE.

A claim that has its receipt may still tell of it otherwise: forty dollars where thirty go back, Friday where
Thursday was booked, "your e-mail and your phone number" where only the one was changed. What the customer was
offered and what the receipt says is the measure; where that says nothing of the kind, nothing is judged.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from helpline.call import chinese
from helpline.numbers import normalise
from helpline.times import find_when

_ONES = {word: n for n, word in enumerate("one two three four five six seven eight nine".split(), 1)}
_UNIT = "(?:dollars?|bucks?|euros?|pounds?|usd|eur|gbp|美元|美金|欧元|英镑|元|块)"
_AMOUNT = re.compile(
    rf"[$€£¥] ?(\d+)(?:\.(\d\d?))?(?![\d.]*\d)"
    rf"|(\d+|{'|'.join(_ONES)})(?:[.](\d\d?))? ?{_UNIT}(?:(?: and)? ?(\d{{1,2}})(?: ?cents?\b|美分|"
    rf"(?= (?:will|back|is|are|was|has|have|goes|go|to|on|for|and)\b)|(?! ?[\w-])))?"
)
MONEY = re.compile(rf"[$€£¥]|{_UNIT}")
"""A cheap look before the careful one."""
_NO_REFUND = re.compile(
    r"\b(?:costs?|prices?|total|each|paid|would|worth|fees?|instead of|other|another)\b|价格|原价|总"
)
"""A clause with one of these tells of another amount than the one that goes back."""
_OF_MONEY = ("cancel", "return", "refund", "exchange", "done")
_PROMISED = re.compile(
    r"\byou(?:'ll| will| shall|'re going to| are going to)(?: \w+){0,2}? (?:get|receive|see|have|find|"
    r"be (?:refunded|credited|paid|getting|receiving))\b"
    r"|\byou (?:get|are getting|are receiving)\b|\byou're (?:getting|receiving)\b"
    r"|\b(?:i|we)(?:'ll| will) (?:\w+ly )?(?:send|refund|pay|credit|return|transfer)\b"
    r"|\b(?:will|should|'ll) (?:be (?:back|paid|refunded|credited|sent|returned|on)|"
    r"go back|come back|arrive|reach)\b"
    r"|\b(?:goes|go|going|coming|comes) (?:right |straight )?(?:back|to your)\b"
    r"|(?:会|将)(?:收到|拿到|得到|退|为您退|给您退|返还)"
)
_HANGS_ON = re.compile(r"\b(?:if|unless|would|could|might|should you|not|never)\b|n't\b|\?|如果|要是|？|不")
_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|(?:周|星期)[一二三四五六日天]")
_NEAR = re.compile(r"\b(?:day after tomorrow|tomorrow|today)\b|今天|明天|后天")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"\b{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)|\b(\d{{1,2}})(?:st|nd|rd|"
    rf"th)?(?: of)? {_MONTH}\b|(\d{{1,2}})[日号]"
)
_SOME_DAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
"""Only times of day are read on it."""
_FIELDS = (
    re.compile(r"\be-? ?mail\b|邮箱|邮件"),
    re.compile(r"\b(?:tele)?phone\b|电话|手机"),
    re.compile(r"(?<!mail )\baddress\b|地址"),
    re.compile(r"\b(?:payment method|card)\b|支付方式"),
)
_HAS_VERB = re.compile(
    r"'s\b|\b(?:is|are|was|were|have|has|had|can|will|would|shall|stays?|remains?|do|does|did)\b"
)
"""What has a verb of its own is no more of a list: "your e-mail, and your address is still the same"."""


def tells_otherwise(kind: str, clause: str, sentence: str, told: Iterable[str]) -> bool:
    """Does a claim of this kind tell of what was done otherwise than the customer was `told`?"""
    told = [text.lower() for text in told if text]
    if not told:
        return False
    if kind in _OF_MONEY and _other_amount(sentence.lower(), told):
        return True
    if kind == "book" and _other_time(sentence.lower(), told):
        return True
    return kind == "update" and _other_field(clause, sentence.lower(), told)


def _other_amount(sentence: str, told: list[str]) -> bool:
    known = {amount for text in told for amount in _amounts(text)}
    said = {amount for part in _parts(sentence) if not _NO_REFUND.search(part) for amount in _amounts(part)}
    return bool(known) and not said <= known


def promises_otherwise(sentence: str, told: Iterable[str]) -> bool:
    """Does it promise another amount than the one that goes back? What hangs on an "if" is none."""
    text = sentence.lower().replace("’", "'")
    if _HANGS_ON.search(text) or not _PROMISED.search(text):
        return False
    return _other_amount(text, [each.lower() for each in told if each])


def _parts(sentence: str) -> list[str]:
    return re.split(r"[,;:](?!\d)|\band (?=(?:i|we|your|the)\b)|[，；]", sentence)


def _amounts(text: str) -> list[tuple[int, int]]:
    """(whole, hundredths) of each: "$72.50", "seventy-two dollars and fifty cents", 72美元50."""
    plain = normalise(text) if not chinese.CHINESE.search(text) else chinese.with_digits(text)
    plain = re.sub(r"\b(a|one) hundred\b", "100", plain)
    return [
        (
            int(sign or _ONES.get(whole, whole)),
            int(cents or (sign_part or part or "0").ljust(2, "0")),
        )
        for sign, sign_part, whole, part, cents in _AMOUNT.findall(plain)
    ]


def _other_time(sentence: str, told: list[str]) -> bool:
    for found in (_weekdays, _near_days, _days_of_month, _times):
        known = {each for text in told for each in found(text)}
        if known and not found(sentence) <= known:
            return True
    return False


def _weekdays(text: str) -> set[str]:
    return {day.replace("星期", "周").replace("天", "日") for day in _WEEKDAY.findall(text)}


def _near_days(text: str) -> set[str]:
    return set(_NEAR.findall(text))


def _days_of_month(text: str) -> set[str]:
    return {"".join(found).lstrip("0") for found in _DATE.findall(text)}


def _times(text: str) -> set[int]:
    """Minutes of half a day."""
    when = find_when(normalise(_DATE.sub(" ", text)), _SOME_DAY)
    return {(when.at.hour * 60 + when.at.minute) % 720} if when is not None and when.has_time else set()


def _other_field(clause: str, sentence: str, told: list[str]) -> bool:
    listed = [part for part in _parts(sentence) if not _HAS_VERB.search(part)]
    known = {field for field in _FIELDS if any(field.search(text) for text in told)}
    said = {field for field in _FIELDS if any(field.search(part) for part in (clause, *listed))}
    return bool(known) and not said <= known
