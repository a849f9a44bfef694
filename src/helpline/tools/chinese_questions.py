"""What a Chinese question is about: pairs of characters for Chinese pages, words for English ones. PURE.

Chinese has no spaces, so that a page is searched for each two neighbouring characters of what is left of the
question without its asking words. A shop whose pages are English alone is asked in the English of its trade.
"""

import re
from typing import Final

CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_RUN: Final = re.compile("[\u4e00-\u9fff]+")
_ASKING: Final = re.compile(
    "请问|什么时候|多长时间|多久|多少|什么|怎么样|怎么办|怎么|怎样|如何|是否|能不能|可不可以|可以|为什么|哪里|哪儿|哪些|哪个"
    "|几天|几点|需要|想要|知道|告诉|你们|您们|我们|他们|有没有|是不是|一下|关于|如果|的话|这个|那个|现在|时候"
    "|[我你您他它的了是吗呢吧啊呀嘛么要想在有会把给和与或也都就还到被让没不能得哪几谁]"
)
_TRADE: Final = (
    ("退款|退钱|退还", "refund money"),
    ("退货|退回|退掉|寄回|[可能要想]退", "return"),
    ("换货|更换|调换|换", "exchange"),
    ("国外|海外|国际|境外", "abroad countries"),
    ("运费|邮费|快递费|配送费|免邮|包邮", "delivery cost"),
    ("配送|送货|快递|物流|发货|到货|送达|送到|寄到|运送|[多要]久[^。]*到", "delivery arrive"),
    ("付款|支付|付钱|刷卡", "pay"),
    ("信用卡|银行卡", "card"),
    ("礼品卡|礼物卡", "gift card"),
    ("分期", "instalments"),
    ("发票|收据", "invoice receipt"),
    ("优惠|折扣|促销|打折", "discount"),
    ("密码", "password"),
    ("账户|账号|帐号", "account"),
    ("邮箱|邮件", "email"),
    ("保修|质保|保固", "warranty"),
    ("营业|开门|关门|上班", "open hours"),
    ("电话|联系|客服", "contact phone"),
    ("停车", "park"),
    ("坏|破|损|有问题|瑕疵", "broken"),
    ("改地址|地址|送到别", "address"),
    ("没人在|不在家|家里没人", "home nobody"),
    ("删除|注销", "delete"),
    ("隐私|个人数据|个人信息", "data privacy"),
    ("尺码|尺寸|大小", "size"),
    ("取消", "cancel"),
)
"""(what says so, the words that an English page has)."""
_HOW_LONG: Final = re.compile("多长时间|多久|几天|期限")
MAX_PAIRS: Final = 12


def pairs(question: str) -> list[str]:
    """Each two neighbouring characters of the words that say what it is about."""
    found: list[str] = []
    for run in _RUN.findall(_ASKING.sub(" ", question)):
        found += [run[at : at + 2] for at in range(len(run) - 1)]
    return list(dict.fromkeys(found))[:MAX_PAIRS]


def asking(question: str) -> list[str]:
    """How it asks, such as 多久: a page that has the same in its heading is the better one."""
    return [word for word in dict.fromkeys(_ASKING.findall(question)) if len(word) > 1]


def in_trade_english(question: str) -> tuple[str, str]:
    """The question's subjects in English, empty when none is known; and words to prefer a page by."""
    subjects = " ".join(english for chinese, english in _TRADE if re.search(chinese, question))
    return subjects, "long days" if _HOW_LONG.search(question) else ""
