"""A little Chinese for the engine: the shop's everyday requests when they are typed, in its own English.

The engine thinks in English and its recogniser hears nothing else. Somebody whose page is Chinese can still
type what customers ask most, and say so when they want a person; whatever else is Chinese is not guessed at.
"""

import re
from datetime import datetime

from helpline.call.chinese import CHINESE, with_digits
from helpline.chinese_times import read_chinese_time
from helpline.engine.offers import STAYS
from helpline.numerals import with_whole_digits

__all__ = ["CHINESE", "asks", "in_chinese", "in_english"]

_CALL_BACK = "回电|回个电话|打电话给我|给我打|打给我"
_DENIED = re.compile("不(?!清)|[没别未]|算了|无法")
_REQUESTS: tuple[tuple[str, str, str], ...] = (
    ("人工|真人|转人|客服人员", "I would like to talk to a person", ""),
    ("再说一遍|重复一下|听不清", "please say that again", ""),
    ("慢一点|慢点|说慢", "please speak slower", ""),
    ("快一点|快点|正常语速", "please speak faster", ""),
    ("取消|撤销", "cancel my order", "cancel order {number}"),
    ("退货|退掉|退回|退款", "I want to return an order", "I want to return order {number}"),
    (_CALL_BACK, "please call me back", ""),
    ("账户|账号|我的资料|个人信息", "tell me about my account", ""),
    ("买了什么|买过|所有订单|我的订单$", "what did I order", ""),
    ("订单|物流|快递|到哪|状态|发货|送到|送达", "where is my order", "where is order {number}"),
    ("再见|拜拜", "goodbye", ""),
    ("^(?:您好|你好|喂|嗨)$", "hello", ""),
    ("谢谢", "thank you", ""),
)
"""(what says so, in English, in English with an order's number); the first that fits is meant."""


_ABOUT_RETURNS = re.compile("(?=.*(?:退货|退款|退回))(?=.*(?:什么时候|多久|怎么|如何|几天|多少|哪))")
_QUESTION = re.compile(
    "[吗呢?？]|什么|怎么|怎样|如何|多久|多少|多长|几天|几点|哪|能不能|可以|是否|有没有|为什么"
)
_OF_NOTHING = re.compile("[好行对是可以完办成真确定了的没有]*[吗呢么]?[?？!！。]*")
"""好了吗, 可以吗: about what is being talked of, and no page of help."""
_SORRY = "Sorry, I did not get that. "
_ANSWERS = {
    "What is the order number?": "请问订单号是多少？",
    "Please say the order number digit by digit.": "请一位一位地输入订单号，例如“1004”。",
    "What is the reason?": "请问是什么原因？",
    "Please tell me the day and time for the call.": "请问什么时间给您回电？例如“明天下午三点”。",
    "Please tell me the number to call.": "请问拨打哪个电话号码？",
    "Please tell me the name of the product.": "请问是哪件商品？请用英文名称。",
    "Please tell me the new e-mail address.": "请问新的电子邮箱是什么？",
    "Please tell me the new phone number.": "请问新的电话号码是多少？",
    "Please tell me the new address.": "请问新的地址是什么？",
    "Which items to return?": "请问要退哪些商品？请用英文名称。",
    "Please tell me what to exchange, and for what.": "请问要把哪件商品换成什么？请用英文名称。",
    "Please tell me what to change, and to what.": "请问要把哪件商品改成什么？请用英文名称。",
    "Please tell me the way to pay.": "请问用哪种方式支付？",
    "All right. What else can I do for you?": "好的，还有什么可以帮您？",
    "All right. What would you like me to do?": "好的，请问需要我做什么？",
    "Thank you. What would you like me to do?": "谢谢，请问需要我做什么？",
    "All right. Is there anything else?": "好的，还有什么可以帮您？",
    "Hello. How can I help you?": "您好，请问有什么可以帮您？",
    "You are welcome. Is there anything else?": "不客气，还有什么可以帮您？",
    "Thank you for calling. Goodbye.": "感谢您的咨询，再见。",
    "The customer asked for a person.": "客户要求人工客服。",
    STAYS: "原来的回电保持不变，这次是另外一次。",
}
"""What the engine says by itself, as it is said to who writes Chinese."""
_ABOUT = re.compile(r"It was about order (\w+)\.")


def in_chinese(said: str) -> str:
    """What the engine would say in English, in Chinese where that is known."""
    sorry = said.startswith(_SORRY)
    sentence = said.removeprefix(_SORRY).strip()
    about = _ABOUT.search(sentence)
    known = _ANSWERS.get(_ABOUT.sub("", sentence).strip())
    if known is None:
        return said
    return ("抱歉，没有明白。" if sorry else "") + known + (f"涉及订单{about[1]}。" if about else "")


def asks(text: str) -> bool:
    """Whether a Chinese line is a question, which a page of help may answer."""
    return _QUESTION.search(text) is not None and _OF_NOTHING.fullmatch(text.strip()) is None


def in_english(text: str, now: datetime | None = None) -> str:
    """What a Chinese line asks, as the engine would be asked; empty when it is not sure.

    `now` tells which day tomorrow is: without it no time is read.
    """
    said = re.sub(r"[^\u4e00-\u9fffa-zA-Z0-9]", "", text)
    if not CHINESE.search(said) or _DENIED.search(said):
        return ""
    when = _told(text, now) if now is not None else ""
    if when and (re.search(_CALL_BACK, said) or not re.search("订单|取消|退|换", said)):
        return f"please call me back {when}" if re.search(_CALL_BACK, said) else when
    numbers = set(re.findall(r"[A-Z]?\d{4,}", with_digits(said)))
    if len(numbers) > 1:
        return ""
    number = next(iter(numbers), "")
    if not number and _ABOUT_RETURNS.search(said):
        return ""  # about returns as such: a page of help knows
    for pattern, plain, about in _REQUESTS:
        if re.search(pattern, said):
            return about.format(number=number) if number and about else plain
    return ""


def _told(text: str, now: datetime) -> str:
    """The time that a line names, and a telephone number beside it, as the engine reads them."""
    at = read_chinese_time(text, now)
    if at is None:
        return ""
    phone = re.search(r"(?<!\d)\+?\d(?:[ -]?\d){6,14}(?!\d)", with_whole_digits(text))
    return f"on {at:%Y-%m-%d %H:%M}" + (f", my number is {phone[0]}" if phone else "")
