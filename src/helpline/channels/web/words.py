"""The page's own sentences, in the languages that it speaks.

What the *call* says comes from the call; these are the page's: the welcome, the banner, a microphone that
failed. The browser's half (buttons, states, cards) is `public/words.js`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from helpline.actions import ToolResult
from helpline.channels.web.inbound import MicFault
from helpline.wording import Language, language_of


@dataclass(frozen=True, slots=True)
class Words:
    """One language's sentences; `{…}` are filled in by the methods' arguments."""

    welcome: str
    welcome_touch: str
    """For a device without keys."""
    microphone: dict[MicFault, str]
    elsewhere: str
    interrupted: str
    reopened: str
    no_such_past: str
    failed: str
    person: str
    too_long: str
    too_fast: str
    placeholder: str
    placeholder_touch: str
    notice: str
    signing_in: Mapping[str, str]
    """How signing in with an account elsewhere ended."""
    back: str
    voice_start: str
    voice_stop: str
    yes_or_no: str
    write_in_private: str
    full: str
    you: str
    closing: str
    working: str
    used: str
    prepared: str
    """A change was proposed and waits for its yes: nobody shall read that it is done."""
    refused: str
    tools: Mapping[str, str]
    """What a tool is called while it works; one that is not here by its own name."""
    reasons: Mapping[str, str]
    """Why a call ended, by what the record says."""
    labels: Mapping[str, str]
    """What stands on cards that are shown as text; one that is not here is called by its key."""

    def tool(self, name: str) -> str:
        return self.tools.get(name, name.replace("_", " "))

    def tool_ended(self, name: str, result: ToolResult) -> str:
        """What a tool came to, in a few words."""
        came = self.prepared if result.proposal else self.used if result.ok else self.refused
        return came.format(tool=self.tool(name))

    def welcome_to(self, shop: str, *, touch: bool = False) -> str:
        return (self.welcome_touch if touch else self.welcome).format(shop=shop)


ENGLISH: Final = Words(
    welcome="Hi, welcome to {shop}. How can I help you? Press `P` to talk!",
    welcome_touch="Hi, welcome to {shop}. How can I help you? Tap *Talk*, or type!",
    microphone={
        "refused": "The microphone was refused: allow it in the browser's site settings, or type here.",
        "missing": "No microphone was found: connect one and press P again, or type here.",
        "busy": "The microphone is in use by another program: close it and press P again, or type here.",
        "insecure": "The browser gives a microphone only to pages on HTTPS or on localhost; typing works.",
        "lost": "The microphone was taken away in mid-call: press P to talk again, or type here.",
        "silent": "The microphone sends silence: check that it is not muted, or type here.",
    },
    elsewhere="This conversation goes on in another tab.",
    interrupted="We were interrupted for a moment, and go on where we were. To talk, press P again.",
    reopened="This is an earlier conversation of yours. Say or type something to go on from here.",
    no_such_past="There is no such conversation of yours.",
    failed="Something went wrong on our side. Please try again.",
    person="I would like to talk to a person.",
    too_long="That message was too long and was cut at {limit} characters.",
    too_fast="That was very fast: please wait a moment before the next message.",
    placeholder="Type here, or press P to talk",
    placeholder_touch="Type here, or tap Talk",
    notice="Nothing is changed before you say yes.",
    signing_in={
        "done": "You are signed in.",
        "failed": "Signing in did not work. Please go back and try again; you may also go on as a guest.",
        "unknown": "We know no customer by that account. You may go on as a guest.",
        "insecure": "Signing in needs HTTPS.",
    },
    back="Back to the desk",
    voice_start="Talk",
    voice_stop="End voice",
    yes_or_no="Please answer yes or no.",
    write_in_private="Others can read this conversation: please write to me in a direct message.",
    full="So many customers write just now that I cannot take another: please try again in a few minutes.",
    you="You",
    closing="The desk is about to close and takes no new calls: please come back in a few minutes.",
    working="Working on: {tool}",
    used="Used: {tool}",
    prepared="Prepared: {tool}",
    refused="Tried: {tool}",
    tools={
        "get_customer_info": "your account",
        "check_order_status": "order status",
        "find_order": "your orders",
        "cancel_order": "cancel an order",
        "process_return": "return",
        "exchange_items": "exchange",
        "change_order_items": "change the items of an order",
        "change_order_address": "change the address of an order",
        "change_order_payment": "change how an order is paid",
        "get_product_info": "product details",
        "search_products": "search for products",
        "update_account_info": "update your details",
        "schedule_callback": "callback",
        "open_ticket": "ticket",
        "transfer_to_person": "get a person",
        "search_help": "help pages",
        "verify_by_email": "who you are",
        "verify_by_name_and_postcode": "who you are",
        "send_code": "send a code",
        "verify_code": "check the code",
        "change_speaking_pace": "pace of speech",
    },
    reasons={},
    labels={},
)

CHINESE: Final = Words(
    welcome="您好，欢迎来到 {shop}。请问有什么可以帮您？按 `P` 键即可通话！",
    welcome_touch="您好，欢迎来到 {shop}。请问有什么可以帮您？点击“通话”或直接输入！",
    microphone={
        "refused": "麦克风被拒绝：请在浏览器的网站设置中允许使用，或在此输入文字。",
        "missing": "未找到麦克风：请连接麦克风后再按 P，或在此输入文字。",
        "busy": "麦克风正被其他程序占用：请关闭该程序后再按 P，或在此输入文字。",
        "insecure": "浏览器只允许 HTTPS 或 localhost 页面使用麦克风；您仍可输入文字。",
        "lost": "通话中麦克风被断开：请按 P 重新通话，或在此输入文字。",
        "silent": "麦克风没有声音：请检查是否静音，或在此输入文字。",
    },
    elsewhere="此对话已在另一个标签页中继续。",
    interrupted="刚才中断了一下，现在从原处继续。如需通话，请再次按 P。",
    reopened="这是您之前的对话。说话或输入文字即可从这里继续。",
    no_such_past="没有找到您的这段对话。",
    failed="我们这边出了点问题，请重试。",
    person="我想和人工客服通话。",
    too_long="该消息过长，已截断为 {limit} 个字符。",
    too_fast="发送过快：请稍候再发送下一条消息。",
    placeholder="在此输入，或按 P 键通话",
    placeholder_touch="在此输入，或点击通话",
    notice="在您确认之前，不会做任何更改。",
    signing_in={
        "done": "您已登录。",
        "failed": "登录未成功。请返回重试；您也可以继续以访客身份使用。",
        "unknown": "没有与该账户对应的客户。您可以继续以访客身份使用。",
        "insecure": "登录需要 HTTPS。",
    },
    back="返回",
    voice_start="通话",
    voice_stop="结束语音",
    yes_or_no="请回答“是”或“否”。",
    write_in_private="其他人也能看到此对话：请给我发私信。",
    full="目前咨询的客户过多，暂时无法接待：请几分钟后再试。",
    you="您",
    closing="客服即将关闭，暂不接待新的通话：请过几分钟再来。",
    working="正在处理：{tool}",
    used="已使用：{tool}",
    prepared="已准备：{tool}",
    refused="未办成：{tool}",
    tools={
        "get_customer_info": "查询账户",
        "check_order_status": "查询订单",
        "find_order": "查找订单",
        "cancel_order": "取消订单",
        "process_return": "办理退货",
        "exchange_items": "办理换货",
        "change_order_items": "更改订单商品",
        "change_order_address": "更改收货地址",
        "change_order_payment": "更改支付方式",
        "get_product_info": "查询商品",
        "search_products": "搜索商品",
        "update_account_info": "更改账户资料",
        "schedule_callback": "预约回电",
        "open_ticket": "提交工单",
        "transfer_to_person": "转接人工客服",
        "search_help": "查阅帮助页面",
        "verify_by_email": "核实身份",
        "verify_by_name_and_postcode": "核实身份",
        "send_code": "发送验证码",
        "verify_code": "核对验证码",
        "change_speaking_pace": "调整语速",
    },
    reasons={
        "time limit": "已到时间上限",
        "tool limit": "已到次数上限",
        "money limit": "已到费用上限",
        "the caller was silent": "没有听到您的声音",
        "nobody can answer": "暂时无人接听",
        "The desk is closing.": "客服正在关闭",
        "The customer left.": "您已离开",
        "The customer signed out.": "您已退出登录",
        "The page was closed or its connection was lost.": "页面已关闭或连接已断开",
        "done": "已完成",
    },
    labels={
        "number": "订单号",
        "ticket": "工单号",
        "status": "状态",
        "placed_on": "下单",
        "expected_on": "预计送达",
        "expected": "预计送达",
        "delivered_on": "送达",
        "carrier": "承运商",
        "address": "地址",
        "total": "合计",
        "amount": "金额",
        "name": "姓名",
        "email": "电子邮箱",
        "phone": "电话",
        "description": "说明",
        "price": "价格",
        "reference": "回执号",
        "effect": "事项",
        "question": "请确认",
        "subject": "对象",
        "action": "操作",
        "at": "时间",
        "text": "内容",
        "source": "来源",
        "summary": "情况说明",
    },
)


def words_for(language: str) -> Words:
    """The sentences for a browser's or a customer's language tag; English when we lack it."""
    return CHINESE if language_of(language) == "zh" else ENGLISH


def is_touched(user_agent: str) -> bool:
    """Whether a browser is a phone's, which has no P to press."""
    return "Mobi" in user_agent


def asked_for(languages: str, otherwise: str = "en") -> Language:
    """Which of our languages a browser's `Accept-Language` asks for: the first of them that we have."""
    for asked in languages.split(","):
        tag = asked.partition(";")[0].strip().lower()
        if tag.partition("-")[0] in ("en", "zh"):
            return language_of(tag)
    return language_of(otherwise)


def spoken_in(page: Language, desk: str) -> str:
    """The tag of the language in which a page's calls are held; `desk` is the desk's own.

    A desk whose language is neither of ours, French say, holds its calls in it, whatever the page's is.
    """
    if desk.partition("-")[0].lower() not in ("en", "zh"):
        return desk
    if language_of(desk) == page:
        return desk
    return "zh-CN" if page == "zh" else "en"
