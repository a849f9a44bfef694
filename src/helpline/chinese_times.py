"""Dates and times as they are said in Chinese: 明天下午三点, 下周三上午十点半, 12月3日14:30, 半小时后. PURE.

As in English (`times`), what cannot be told for sure is no time: it is asked about. An hour without a part of
the day means the one within a shop's day, 8 to 19.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from helpline.numerals import with_whole_digits

_NEAR: Final = {
    "大后天": 3, "大前天": -3, "后天": 2, "前天": -2, "明天": 1, "明日": 1, "明早": 1, "明晚": 1,
    "昨天": -1, "昨日": -1, "昨晚": -1, "今天": 0, "今日": 0, "今早": 0, "今晚": 0,
}  # fmt: skip
_NEAR_DAY: Final = re.compile("|".join(_NEAR))
_WEEKDAY: Final = re.compile("(下下|下|这|本)?个?(?:周|星期|礼拜)([1-6日天])")
_DATE: Final = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号]?")
_DAY_OF_MONTH: Final = re.compile(r"(?<![\d月])(\d{1,2})[日号]")
_IN: Final = re.compile(r"(\d{1,3})?(个)?(半)?个?(分钟|小时|钟头|天|星期|周)(?:之?后|以后)")
_PART: Final = "凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|早|晚"
_CLOCK: Final = re.compile(
    rf"(?P<part>{_PART})?的?(?P<hour>\d{{1,2}})(?:[:：](?P<exact>\d{{2}})(?!\d)"
    r"|(?:点|时)钟?(?:(?P<half>半)|(?P<quarter>[13])刻|(?P<minute>\d{1,2})分?|整)?)"
)
_PART_ALONE: Final = re.compile(_PART)
_HOUR_OF: Final = {"上午": 10, "中午": 12, "下午": 15, "傍晚": 17}
_UNSURE: Final = re.compile("上个?(?:周|星期|礼拜|月)|下个?月|明年|去年|周末|月底|月初|之?前|以前|或者?|还是")
_A_LITTLE: Final = re.compile(
    r"(?:[慢快多少大小高低好贵轻重近远长短有]|便宜|(?<![今明])[早晚])1点(?![钟半整\d])"
)
"""慢一点: slower, not one o'clock."""
_MINUTES: Final = {"分钟": 1, "小时": 60, "钟头": 60, "天": 1440, "星期": 10_080, "周": 10_080}
_LATE: Final = ("傍晚", "晚上", "晚")
_OPENING_HOUR: Final = 8


def read_chinese_time(said: str, now: datetime) -> datetime | None:
    """The time that a sentence names, in `now`'s zone; None when it cannot be told for sure."""
    text = _A_LITTLE.sub("", with_whole_digits(re.sub(r"\s+", "", said)))
    if _UNSURE.search(text.replace("大前天", "").replace("前天", "")):
        return None
    if match := _IN.search(text):
        return _later(match, now)
    try:
        day, words = _day(text, now)
        rest = text.replace(words, words[-1] if words[-1] in "早晚" else "", 1) if words else text
        clock = _time(rest)
        if clock is None or (day is None and not words and clock[2]):
            return None
        moment = (day or now).replace(hour=clock[0], minute=clock[1], second=0, microsecond=0)
    except ValueError:
        return None  # no such day or hour
    if day is None and moment <= now:
        moment += timedelta(days=1)
    return moment


def _later(match: re.Match[str], now: datetime) -> datetime | None:
    number, half, unit = match[1], match[3], match[4]
    if number is None and not half:
        return None
    minutes = (int(number or 0) + (0.5 if half else 0)) * _MINUTES[unit]
    later = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    return None if unit in ("天", "星期", "周") else later  # a day, and no hour


def _day(text: str, now: datetime) -> tuple[datetime | None, str]:
    """The day that is named, and its words; raises ValueError for one that no calendar has."""
    if match := _NEAR_DAY.search(text):
        return now + timedelta(days=_NEAR[match[0]]), match[0]
    if match := _WEEKDAY.search(text):
        return _weekday(match, now), match[0]
    if match := _DATE.search(text):
        at = now.replace(month=int(match[2]), day=int(match[3]), year=int(match[1] or now.year))
        passed = match[1] is None and at.date() < now.date()
        return (at.replace(year=now.year + 1) if passed else at), match[0]
    if match := _DAY_OF_MONTH.search(text):
        at = now.replace(day=int(match[1]))
        if at.date() < now.date():
            at = at.replace(year=now.year + now.month // 12, month=now.month % 12 + 1)
        return at, match[0]
    return None, ""


def _weekday(match: re.Match[str], now: datetime) -> datetime:
    wanted = 6 if match[2] in "日天" else int(match[2]) - 1
    monday = now - timedelta(days=now.weekday())
    if match[1] in ("下", "下下"):
        return monday + timedelta(days=7 * len(match[1]) + wanted)
    if match[1] in ("这", "本"):
        return monday + timedelta(days=wanted)
    return now + timedelta(days=(wanted - now.weekday()) % 7 or 7)


def _time(text: str) -> tuple[int, int, bool] | None:
    """Hour, minute, and whether it is only a part of a day. Raises ValueError for an hour that no day has."""
    if match := _CLOCK.search(text):
        part, hour = match["part"] or "", int(match["hour"])
        minute = (
            30
            if match["half"]
            else 15 * int(match["quarter"] or 0) or int(match["exact"] or match["minute"] or 0)
        )
        return _hour(hour, part, exact=match["exact"] is not None), minute, False
    parts = [found for found in _PART_ALONE.findall(text) if found in _HOUR_OF]
    return (_HOUR_OF[parts[0]], 0, True) if parts else None


def _hour(hour: int, part: str, *, exact: bool) -> int:
    if hour > 23 or (part in _LATE and hour in (0, 12)):
        raise ValueError("no hour of that part of the day")
    if part in ("下午", *_LATE):
        return hour if hour >= 12 else hour + 12
    if part == "中午":
        return hour if hour >= 11 else hour + 12
    if part or exact or hour > 12:
        return hour
    return hour if _OPENING_HOUR <= hour <= 12 else hour + 12
