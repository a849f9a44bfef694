"""A little Chinese for the engine: the shop's everyday requests when they are typed, in its own English.

The engine thinks in English and its recogniser hears nothing else. Somebody whose page is Chinese can still
type what customers ask most, and say so when they want a person; whatever else is Chinese is not guessed at.
"""

import re

from helpline.call.chinese import CHINESE, with_digits

__all__ = ["CHINESE", "in_english"]

_DENIED = re.compile("不(?!清)|[没别未]|算了|无法")
_REQUESTS: tuple[tuple[str, str, str], ...] = (
    ("人工|真人|转人|客服人员", "I would like to talk to a person", ""),
    ("再说一遍|重复一下|听不清", "please say that again", ""),
    ("慢一点|慢点|说慢", "please speak slower", ""),
    ("快一点|快点|正常语速", "please speak faster", ""),
    ("取消|撤销", "cancel my order", "cancel order {number}"),
    ("退货|退掉|退回|退款", "I want to return an order", "I want to return order {number}"),
    ("回电|回个电话|打电话给我|给我打", "please call me back", ""),
    ("账户|账号|我的资料|个人信息", "tell me about my account", ""),
    ("买了什么|买过|所有订单|我的订单$", "what did I order", ""),
    ("订单|物流|快递|到哪|状态|发货|送到|送达", "where is my order", "where is order {number}"),
    ("再见|拜拜", "goodbye", ""),
    ("^(?:您好|你好|喂|嗨)$", "hello", ""),
    ("谢谢", "thank you", ""),
)
"""(what says so, in English, in English with an order's number); the first that fits is meant."""


def in_english(text: str) -> str:
    """What a Chinese line asks, as the engine would be asked; empty when it is not sure."""
    said = re.sub(r"[^\u4e00-\u9fffa-zA-Z0-9]", "", text)
    if not CHINESE.search(said) or _DENIED.search(said):
        return ""
    numbers = set(re.findall(r"[A-Z]?\d{4,}", with_digits(said)))
    if len(numbers) > 1:
        return ""
    number = next(iter(numbers), "")
    for pattern, plain, about in _REQUESTS:
        if re.search(pattern, said):
            return about.format(number=number) if number and about else plain
    return ""
