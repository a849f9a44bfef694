"""Reading Chinese: yes and no, what of a read-back was heard, what a reply claims as done. PURE.

The rules are those of `confirm` and `claims`. Chinese has no spaces, so that phrases are matched as they
stand. A yes is one only when the *whole* of it is agreement, courtesy or the change itself: 好了, 对了, 行李
and 可以吗 begin with words of agreement and agree to nothing.
"""

import re
from typing import Literal

from helpline.numerals import ONES, whole

CHINESE = re.compile(r"[\u4e00-\u9fff]")
Verdict = Literal["yes", "no", "neither"]

# --- numbers ----------------------------------------------------------------------------------------------

_NUMERALS = re.compile(r"[零〇一幺二两三四五六七八九十百千万]+(?:点[零〇一二三四五六七八九]+)?")


def with_digits(text: str) -> str:
    """Chinese numerals as digits: 一零零五 is 1005, 七十二美元 is 72美元, 八十四点五 is 84.5."""
    return _NUMERALS.sub(lambda found: _number(found.group()), text)


def _number(numerals: str) -> str:
    before, point, part = numerals.partition("点")
    return whole(before) + (f".{''.join(str(ONES[each]) for each in part)}" if point else "")


def amount_heard(cents: int, heard: str) -> bool:
    """Whether an amount was said: 84.50美元, 84美元50美分, 八十四块五."""
    whole, part = divmod(cents, 100)
    text = with_digits(heard).replace(",", "").replace(" ", "")
    unit = "(?:美元|美金|欧元|英镑|元|块)"
    if not part:
        return re.search(rf"(?<![\d.])(?:{whole}(?:\.00?)?{unit}|[$€£¥]{whole}(?![\d.]))", text) is not None
    decimals = {f"{part:02d}", f"{part:02d}".rstrip("0")}
    forms = [rf"{whole}\.(?:{'|'.join(decimals)})(?!\d)", rf"{whole}{unit}零?{part}(?!\d)"]
    return re.search(rf"(?<![\d.])(?:{'|'.join(forms)})", text) is not None


# --- yes and no -------------------------------------------------------------------------------------------

_FOR_ME = "(?:您|你)?(?:帮我|给我|替我|为我)?"
_THING = "(?:(?:这个|那个|这|我的|整个|全部)*(?:订单|它)?N?(?:号)?(?:订单)?)"
_DOING = f"(?:全部|都|直接)?DO(?:一下|掉)?{_THING}"
_SURE = (
    "好的|好呀|好啊|好吧|好",
    "是的|是呀|是啊|是",
    "对的|对呀|对啊|对",
    "行的|行啊|行吧|行",
    "当然可以|当然|可以的|可以呀|可以啊|可以(?!DOE)|没问题|没错|要的",
    f"我?(?:确认|确定|同意)(?:{_DOING})?",
    f"(?:请|麻烦){_FOR_ME}(?:{_DOING}|办理|继续|确认)",
    f"(?:帮我|给我|替我){_DOING}",
    f"我?要{_DOING}",
    "OK",
)
_BESIDE = (
    "嗯|啊|哦|那就|那|就这样|谢谢(?:您|你)?|多谢|麻烦(?:您|你)?了?|辛苦了|吧|了解",
    f"就?{_DOING}",
)
_YES = f"(?:{'|'.join((*_SURE, *_BESIDE))})+?E"
_SAYS_YES = "|".join(_SURE)
_HALF = re.compile("好是好|是好|行是行|对是对|可以是可以|是是非非")
"""What agrees by halves, or says that something is good."""
_NOT = "不需要|不同意|不可以|不想要|不要|不用|不必|不行|不是|不对|不想|不好|不了|不|别"
_NO = re.compile(
    f"(?:我|那|嗯|还是|先|暂时|就|真的)*(?:(?P<not>{_NOT})(?:DO(?:{_THING}))?|算了|我?改变主意|(?:先|就)?保留(?:订单|着)?"
    "|(?:先|就)?留着)(?:了|吧|啊|呀|的)*"
)
_THANKS = re.compile("谢谢(?:您|你)?|多谢")
_OK = {"ok", "okay", "yes", "yeah"}


def classify(text: str, effect_words: tuple[str, ...], allowed: frozenset[str]) -> Verdict:
    """Read an utterance as the answer to a proposal; `allowed` are the numbers that the proposal names."""
    segments = [each for each in re.split(r"[^\u4e00-\u9fffa-zA-Z0-9]+", text) if each]
    said = "".join(segments)
    if re.search(r"[?？]", text) or re.search("[吗呢么谁哪几]|什么|多少", said):
        return "neither"
    doing = "|".join(sorted(filter(CHINESE.search, effect_words), key=len, reverse=True))
    if all(_is_no(_marked(each, doing, frozenset())) for each in segments):
        real = [each for each in segments if not _THANKS.fullmatch(each)]
        return "no" if real else "neither"
    line = _marked(said, doing, allowed)
    if "?" in line or _HALF.search(line):
        return "neither"
    agrees = re.fullmatch(_YES, line + "E") and re.search(_SAYS_YES, line + "E")
    return "yes" if agrees else "neither"


def _is_no(segment: str) -> bool:
    if segment in ("不不", "不不不") or _THANKS.fullmatch(segment):
        return True
    return _NO.fullmatch(segment) is not None


def _marked(said: str, doing: str, allowed: frozenset[str]) -> str:
    """The change's verbs as DO, its numbers as N, a Latin ok as OK; what is nobody's as `?`."""

    def latin(found: re.Match[str]) -> str:
        return "OK" if found.group().lower() in _OK else "?"

    def number(found: re.Match[str]) -> str:
        return "N" if found.group() in allowed else "?"

    line = re.sub(r"[零〇一幺二两三四五六七八九]{3,}", lambda found: _number(found.group()), said)
    line = re.sub(r"[A-Za-z]+", latin, line)
    if doing:
        line = re.sub(doing, "DO", line)
    return re.sub(r"\d+", number, line)


def is_backchannel(word: str) -> bool:
    """嗯, 哦: "I am listening"."""
    return set(word) <= set("嗯哦噢呃唔啊哼")


# --- what was asked last ----------------------------------------------------------------------------------

_ELSE = re.compile("别的|其他|其它|还有什么|还需要|还有没有|还可以")
_EITHER = re.compile("要不要|是不是|能不能|可不可以|需不需要|想不想|会不会")
_DENIED = "(?:不|没|别|无法|未)[^，。！？；]{0,8}"


def asks_something_else(sentence: str) -> bool:
    """还需要别的帮助吗 asks about no offer."""
    return _ELSE.search(sentence) is not None


def takes_back(sentence: str, stems: tuple[str, ...]) -> bool:
    """不会取消, 没有取消: the offer is off."""
    line = _EITHER.sub("", sentence)
    return any(re.search(f"{_DENIED}{re.escape(stem)}", line) for stem in stems if CHINESE.search(stem))


# --- claims -----------------------------------------------------------------------------------------------

_VERBS = {
    "cancel": "取消|撤销|撤回|作废",
    "return": "退货",
    "exchange": "换货|更换|调换|换成",
    "refund": "退款|退还|退回|返还|退给",
    "update": "更新|修改|更改|变更|改为|改成",
    "book": "预约|约好|约上|安排",
    "ticket": "上报|开具",
    "transfer": "转接|转给|转到|接通",
    "order": "重新下单|补发|重发",
}
_THINGS = {
    "cancel": "取消|撤销",
    "return": "退货",
    "exchange": "换货|尺码|颜色|规格",
    "refund": "退款|款项|钱|全额|金额",
    "update": "地址|电话|邮箱|支付方式|资料|信息|更改|修改",
    "book": "回电|预约",
    "ticket": "工单|投诉",
    "transfer": "人工|转接",
}
_TO_YOU = "(?:(?:为|帮|给|替)(?:您|你))"
_CHAIN = (
    f"(?:{_TO_YOU}|被|现在|全部|全额|成功|顺利|刚刚|刚才|重新|办理|申请|处理|登记"
    "|(?:将|把)[^，]{0,12}?|了)*"
)
_MADE = (
    "(?:办|处理|提交|发出|完成|安排|登记|改|更新|更换|退|到账|生效|受理|确认"
    "|开|约|换|建|转|取消|撤销|创建|预约)"
)
_SO = "(?:好|完|妥|掉|成功|成)"
_NOT_A_NOUN = "(?!的(?!是)|过的)"
_CLAIMS = tuple(
    (
        kind,
        re.compile(
            f"已经?{_CHAIN}(?:{verbs}){_NOT_A_NOUN}"
            f"|(?:{verbs}){_SO}?成功(?!后|之后|率)|(?:{verbs})(?:掉|{_SO})了"
            f"|我们?[^，]{{0,8}}?(?:把[^，]{{0,12}}?)?(?:{verbs})(?:掉)?了"
            + (
                f"|(?:{_THINGS[kind]})[^，]{{0,8}}?已经?{_CHAIN}{_MADE}"
                f"|(?:{_TO_YOU}|(?:将|把))[^，]{{0,6}}?{_MADE}{_SO}?了[^，]{{0,12}}?(?:{_THINGS[kind]})"
                f"|已经?{_CHAIN}{_MADE}{_SO}?了?[^，]{{0,6}}?(?:{_THINGS[kind]})"
                f"|把[^，]{{0,4}}?(?:{_THINGS[kind]})[^，]{{0,4}}?{_MADE}[^，]{{0,4}}?了"
                if kind in _THINGS
                else ""
            )
        ),
    )
    for kind, verbs in _VERBS.items()
)
_DONE = re.compile(
    f"(?:都|全部|已经?|全都){_TO_YOU}?(?:办理|处理|办|搞|弄|改|换|安排)(?:{_SO}|定|完成)"
    f"|(?:搞定|办妥|办好|换好|改好|弄好|完成)了|^(?:全部)?(?:搞定|完成)$|办理完成"
)
_OPEN = re.compile(
    "没|未|如果|要是|若|假如|等|一旦|除非|只有|可以|能|会|是否|要不要|不|无法|想|需要|之前|一般|通常|凡|任何"
    "|是说|哪|怎么|为什么"
)
_OWN = re.compile(f"我们?|{_TO_YOU}")


_ORDERS = re.compile("(?:两|三|多|几)个订单|(?:所有|全部|这些|那些|都)的?订单|另一?个|其他订单|别的订单")
_EVERYTHING = re.compile(
    "(?:两个|全|它们)都?已?经?(?:为您|给您|帮您)?取消|都(?:已经?|为您|给您|帮您)*取消|取消了(?:全部|所有|两个)"
)


def several(kind: str, clause: str) -> bool:
    """Does it speak of more than one order? What is cancelled is an order, unless it is said to be items."""
    if _ORDERS.search(clause):
        return True
    return (
        kind == "cancel"
        and _EVERYTHING.search(clause) is not None
        and not re.search(r"商品|件|订单\d", clause)
    )


def claims_in(sentence: str) -> list[tuple[str, bool, str]]:
    """(kind, does it say that we did it, the clause) of each change that a sentence reports as made."""
    found: list[tuple[str, bool, str]] = []
    for clause in re.split(r"[，,;；:：。.!！?？\s]+(?!\d)", sentence):
        if not clause or re.search("吗|没有$|[么呢]$", clause):
            continue
        if re.search(r"[?？]\s*$", sentence) and sentence.rstrip(" ?？").endswith(clause):
            continue
        found += _kinds(clause)
    return found


def _kinds(clause: str) -> list[tuple[str, bool, str]]:
    kinds = []
    for kind, pattern in _CLAIMS:
        match = pattern.search(clause)
        if match and not _OPEN.search(clause[: match.end()]):
            kinds.append((kind, _OWN.search(clause[: match.end()]) is not None, clause))
    match = _DONE.search(clause)
    if match and not kinds and not _OPEN.search(clause[: match.end()]):
        kinds.append(("done", True, clause))
    return kinds
