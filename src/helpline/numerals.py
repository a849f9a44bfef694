"""Chinese numerals. PURE."""

import re
from typing import Final

ONES: Final = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7,
    "八": 8, "九": 9,
}  # fmt: skip
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_WHOLE: Final = re.compile("[零〇一幺二两三四五六七八九十百千万]+")


def with_whole_digits(text: str) -> str:
    """Whole numbers as digits, and 点 left as it is, since it may be the o'clock of a time: 三点 is 3点."""
    return _WHOLE.sub(lambda found: whole(found.group()), text)


def whole(numerals: str) -> str:
    """The digits of a whole number: 一零零五 is 1005, 七十二 is 72, 一万 is 10000."""
    if all(each in ONES for each in numerals):
        return "".join(str(ONES[each]) for each in numerals)
    total = section = digit = 0
    for each in numerals:
        if each in ONES:
            digit = ONES[each]
        elif each == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * _UNITS[each]
            digit = 0
    return str(total + section + digit)
