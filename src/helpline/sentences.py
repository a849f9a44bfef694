"""Everything that the desk itself says or shows, in English and in Chinese: the one home of its sentences.

What a model says is the model's; the page's own words (buttons, labels) are the page's. These are the
sentences of the code below the model: they are spoken word for word, and promises hang on some of them. A
read-back must name what it is about and the change (or its amount), a sentence about what is done is said
only with a receipt. `tests/test_sentences.py` reads them all.
"""

from helpline.errors import Trouble
from helpline.wording import Sentence

S = Sentence

# --- silence, waiting, limits, faults ---------------------------------------------------------------------

STILL_THERE = S("Are you still there?", "请问您还在吗？")
GOODBYE = S(
    "I cannot hear you any more, so I will hang up now. Goodbye.",
    "我听不到您的声音了，先挂断了。再见。",
)
SUGGESTED = {
    "check_order_status": S("Where is my order?", "我的订单到哪了？"),
    "cancel_order": S("I want to cancel an order", "我要取消订单"),
    "process_return": S("I want to return something", "我要退货"),
    "search_help": S("How long does delivery take?", "配送需要多久？"),
}
"""What a customer may begin with, by the tool that serves it."""
ONE_MOMENT = S("One moment, please.", "请稍等。")
TOO_LONG = S(
    "We have reached the time limit of this call, so I have to end it here. Please call again. Goodbye.",
    "本次通话已到时间上限，我只能先结束了。请您再次来电。再见。",
)
TOO_MUCH = S(
    "I have to end this call here. Please call again, or ask for a person. Goodbye.",
    "本次通话只能到这里了。请您再次来电，或要求人工客服。再见。",
)
NO_ANSWER = S("Sorry, I could not answer that. Please try again.", "抱歉，我没能回答您。请再试一次。")
NOBODY_IS_THERE = S(
    "Nobody can answer at the moment. Please try again later.", "暂时无法接通客服，请稍后再试。"
)
LINE_IS_BUSY = S(
    "Too many people are calling just now. Please try again in a few minutes.",
    "当前咨询的人较多，请过几分钟再试。",
)
OUT_OF_ORDER = S(
    "We cannot answer at the moment: something on our side must be put right first. Please try again later.",
    "我们这边需要先处理一个问题，暂时无法为您服务，请稍后再试。",
)
DEAF = S("I cannot hear you at the moment. You can type instead.", "我现在听不到您说话，您可以打字。")
NOBODY_ANSWERS: dict[Trouble, Sentence] = {
    "away": NOBODY_IS_THERE,
    "busy": LINE_IS_BUSY,
    "deaf": DEAF,
    "out_of_order": OUT_OF_ORDER,
}
LINE_IS_DOWN = S(
    "I am sorry, something is wrong on our side, so I have to end this call here. Please try again later."
    " Goodbye.",
    "非常抱歉，我们这边出了问题，本次通话只能到这里了。请您稍后再试。再见。",
)
ENGINE_ANSWERS = S(
    "The built-in offline engine answers: it speaks English and serves the shop's own requests.",
    "现在由内置离线引擎接待：它只听得懂英语口语，能办理本店的常用业务。中文请输入，例如“查询订单1004”；"
    "需要确认时，可按“是”或“否”按钮，或输入“好的”或“不要”。",
)
ENGINE_HEARS_MORE = S(
    "The built-in offline engine answers: it serves the shop's own requests, in English.",
    "现在由内置离线引擎接待：它用英语办理本店的常用业务，中文只认得几句常用的话，例如“查询订单1004”；"
    "需要确认时，可按“是”或“否”按钮，或说“好的”或“不要”。",
)
ENGINE_WITH_A_MODEL = S(
    "The built-in engine answers, with {model} to think with.",
    "现在由内置引擎接待，由 {model} 思考。",
)
SOMEBODY_ANSWERS = S("{who} answers ({model}).", "现在由 {who}（{model}）接待。")
SERVER_ANSWERS = S("A realtime server answers ({model}).", "现在由实时语音服务器（{model}）接待。")
NAMELESS_SERVER_ANSWERS = S("A realtime server answers.", "现在由实时语音服务器接待。")
HEARD_IN_ENGLISH = S(
    "What you say is heard in English.",
    "您说的话会按英语来听。请说英语，或在此输入中文；需要确认时，可按“是”或“否”，或输入“好的”或“不要”。",
)
A_LITTLE_CHINESE = S(
    "The built-in engine speaks English, and knows a few sentences of Chinese.",
    "抱歉，内置引擎只会英语，中文只认得几句常用的话，例如“查询订单1004”“取消订单1005”“人工客服”。",
)
APOLOGY = S(
    "I'm sorry, I can't get at that just now. Shall I try again, or get a person?",
    "抱歉，我现在查不到这项信息。要再试一次，还是转人工客服？",
)

# --- a proposal and its answer ----------------------------------------------------------------------------

ASK_FOR_BUTTON = S(
    "I did not catch your answer. Please press Yes or No on the page, or type it.",
    "我没有听清您的回答。请在页面上按“是”或“否”，或输入您的回答。",
)
LEFT_AS_IT_WAS = S("All right, I have not changed anything.", "好的，我没有做任何更改。")
DID_NOT_WORK = S("I am sorry, that did not work. Nothing was changed.", "很抱歉，没有成功。没有做任何更改。")
NOT_YET = S(
    "Nothing has been changed yet. What would you like me to do?", "目前还没有做任何更改。您想让我做什么？"
)
CORRECTION = S(
    "I have to correct myself: that has not been done. Nothing has been changed.",
    "我需要更正：刚才说的事情并没有办理，没有做任何更改。",
)
NOT_THAT = S(
    "Let me be exact. {done} Nothing else has been changed. What would you like me to do?",
    "我说得准确一点。{done}此外没有做任何更改。您想让我做什么？",
)
NOT_THAT_CORRECTED = S(
    "I have to correct myself. {done} Nothing else has been changed.",
    "我需要更正。{done}此外没有做任何更改。",
)
NOTHING_WAITS = S("There is nothing waiting for an answer.", "目前没有等待您确认的事项。")
SOMEBODY_ELSES = S(
    "That was for somebody else, so I have not done it.", "那是另一位客户的事项，所以我没有办理。"
)
DONE_BEFORE = S("That was already done.", "这件事之前就办好了。")
STILL_WORKING = S("I am still working on that.", "我还在处理这件事。")
TALKED_ON = S(
    "We have since talked about something else. Shall I look at it again?",
    "我们后来谈了别的事。要我再看一下吗？",
)
RAN_OUT = S("That offer has run out. Shall I look at it again?", "刚才的确认已过期。要我再看一下吗？")
SAID_NO = S("You had said no to that. Shall I look at it again?", "您刚才说了不要。要我再看一下吗？")
FAILED = S("That did not work. Shall I look at it again?", "刚才没有成功。要我再看一下吗？")
UNKNOWN_OUTCOME = S(
    "I lost the line while that was being done, and can't say whether it was. Shall a person look at it?",
    "办理时线路中断了，我不能确定是否成功。要请人工客服看一下吗？",
)
ENOUGH_FOR_TODAY = S(
    "That is as much as I can change for you today. Shall I get a person?",
    "今天我能为您更改的次数到上限了。要转人工客服吗？",
)
ORDER_HAS_CHANGED = S(
    "Order {number} is not as it was a moment ago. Let me look at it again.",
    "订单{number}刚刚有变动。我再看一下。",
)
AMOUNT_HAS_CHANGED = S(
    "The amount is not as it was a moment ago. Let me look at it again.", "金额刚刚有变动。我再看一下。"
)
WITH_RECEIPT = S("{done} Your receipt is {reference}.", "{done}您的回执号是 {reference}。")
RECEIPT = S("Receipt {reference}", "回执 {reference}")
DONE = S("Done.", "已办好。")
CAN_DO = S("I can {effect}. Shall I?", "我可以执行 {effect}。要办理吗？")

# --- tools in general -------------------------------------------------------------------------------------

UNKNOWN_TOOL = S("That is not something that I can do.", "这件事我办不了。")
WHO_ARE_YOU = S("Before I can do that I need to make sure who you are.", "办理之前，我需要先核实您的身份。")
UNKNOWN_CUSTOMER = S("I first need to know who you are.", "我需要先知道您是谁。")
TAKES_TOO_LONG = S("That is taking too long just now.", "现在处理得太慢了。")
TOO_MUCH_AT_ONCE = S("That was more than I can take in at once.", "内容太多，我一次处理不了。")
STILL_NEEDED = S("I still need the {what} for that.", "还需要您提供{what}。")
NOT_RIGHT = S(
    "I did not get the {what} right. Could you say it again?", "我没有听对{what}。请您再说一遍好吗？"
)
NOT_GOT = S("I did not get that right. Could you say it again?", "我没有听明白。请您再说一遍好吗？")
NOT_JUST_NOW = S("That did not work just now.", "刚才没有成功。")
NO_PASSAGE = S("I don't know that. Shall I get a person?", "这个我不清楚。要转人工客服吗？")
PAGE_SAYS = S("Our page on {page} says: {text}", "我们的帮助页面《{page}》写道：{text}")
PAGE_SAYS_IN_ENGLISH = S(
    "Our page on {page} says: {text}", "这一页目前只有英文。我们的帮助页面《{page}》写道：{text}"
)
ARGUMENTS = {
    "order_id": S("order number", "订单号"),
    "reason": S("reason", "原因"),
    "items": S("items", "商品"),
    "product": S("product", "商品名称"),
    "email": S("email", "电子邮箱"),
    "phone": S("phone", "电话号码"),
    "address": S("address", "地址"),
    "when": S("when", "时间"),
    "code": S("code", "验证码"),
    "first_name": S("first name", "名字"),
    "last_name": S("last name", "姓氏"),
    "postcode": S("postcode", "邮政编码"),
    "question": S("question", "问题"),
    "summary": S("summary", "情况说明"),
    "subject": S("subject", "主题"),
    "details": S("details", "详细情况"),
    "pay_with": S("pay with", "支付方式"),
    "query": S("query", "要找的商品"),
    "placed_on": S("placed on", "下单日期"),
}
"""How the arguments of the desk's own tools are called; another tool's are called by their own names."""

SLOWER = S("Of course, I will speak more slowly.", "好的，我说慢一点。")
USUAL_PACE = S("All right, I will speak as usual.", "好的，我恢复正常语速。")
FASTER = S("All right, I will speak a little faster.", "好的，我说快一点。")

# --- who calls --------------------------------------------------------------------------------------------

NOT_FOUND = S(
    "I can't find you with that. Could you say it again, or spell it?",
    "用这个信息找不到您。请再说一遍，或逐字拼读好吗？",
)
SEVERAL_CUSTOMERS = S(
    "That fits more than one customer. What is your e-mail?", "符合的客户不止一位。请问您的电子邮箱是什么？"
)
WRONG_CODE = S(
    "That is not the code that I sent. Could you read it again?", "这不是我发送的验证码。请您再读一遍好吗？"
)
LOCKED = S(
    "I can't check that any more for now. Shall a person call you back?",
    "暂时不能再核实了。要请人工客服给您回电吗？",
)
OTHER_CUSTOMER = S(
    "In one call I can help one customer only. Please call again for that.",
    "一次通话只能为一位客户服务。其他客户的事请另行来电。",
)
CODE_SENT = S(
    "If that address is on file, a code is on its way. Please tell me its six digits.",
    "如果该邮箱已登记，验证码会发到那里。请告诉我六位数字。",
)
WELCOME = S("Thank you, {name}. How can I help?", "谢谢您，{name}。请问有什么可以帮您？")

# --- the customer and their orders ------------------------------------------------------------------------

YOU_ARE = S("You are {name}, and I have {orders} of yours.{latest}", "您是{name}，您名下有{orders}。{latest}")
LATEST = S(" Your latest order is {number}, which {state}.", "最近的是订单{number}，{state}。")
STATES = {
    "pending": S("is being prepared", "正在备货"),
    "processed": S("is packed", "已打包"),
    "shipped": S("is on its way", "正在配送途中"),
    "delivered": S("was delivered", "已送达"),
    "cancelled": S("is cancelled", "已取消"),
    "return requested": S("is being returned", "正在退货"),
    "exchange requested": S("is being exchanged", "正在换货"),
    "returned": S("was returned", "已退货"),
}
ALREADY = {
    "pending": S("is still being prepared", "还在备货"),
    "processed": S("is already packed", "已经打包"),
    "shipped": S("is already on its way", "已经在配送途中"),
    "delivered": S("has already been delivered", "已经送达"),
    "cancelled": S("is already cancelled", "已经取消"),
    "return requested": S("is already being returned", "已经在退货中"),
    "exchange requested": S("is already being exchanged", "已经在换货中"),
    "returned": S("was already returned", "已经退货"),
}
ORDER_IS = S("Order {number} {state}.", "订单{number}{state}。")
ON_ITS_WAY = S(
    "Order {number} is on its way{carrier}.{arrives}", "订单{number}正在配送途中{carrier}。{arrives}"
)
WITH_CARRIER = S(" with {carrier}", "，由{carrier}承运")
ARRIVES = S(" It should arrive {day}.", "预计{day}送达。")
WAS_DELIVERED = S("Order {number} was delivered{on}.", "订单{number}{on}已送达。")
ON_DAY = S(" {day}", "于{day}")
BEING_PREPARED = S(
    "Order {number} {state}, with {items}.{arrives}", "订单{number}{state}，共{items}。{arrives}"
)
ORDER = S("Order {number}", "订单 {number}")
YOUR_ORDERS = S("Your orders", "您的订单")
PRODUCTS = S("Products", "商品")
WHICH_ORDER = S("Which order is it? Please tell me its number.", "请问是哪个订单？请告诉我订单号。")
UNKNOWN_ORDER_SAY_AGAIN = S(
    "I can't find that order on your account. Could you tell me its number again?",
    "在您的账户里找不到这个订单。请您再说一遍订单号好吗？",
)
UNKNOWN_ORDER = S("I can't find that order on your account.", "在您的账户里找不到这个订单。")
UNKNOWN_ORDER_WHAT_ELSE = S(
    "I can't find an order like that on your account. What else was in it?",
    "在您的账户里找不到这样的订单。里面还有什么商品？",
)
NO_ORDERS = S("I can't find any order on your account.", "您的账户里没有找到订单。")
NO_ACCOUNT = S("I can't find your account just now.", "我现在找不到您的账户。")
WHICH_ONE = S("Which one do you mean: {choices}?", "您指的是哪一个：{choices}？")
WHICH_PRODUCT = S("Which {product} do you mean: {choices}?", "您指的是哪一款{product}：{choices}？")
WHICH_METHOD = S("Which way to pay do you mean: {ways}?", "您指的是哪种支付方式：{ways}？")
THE_PRODUCT = S("the {product}", "{product}")
THE_ITEM = S("the {product} ({options})", "{product}（{options}）")
HOLDS_ITEMS = S(
    "Order {number} holds {items}. Which of these do you mean?", "订单{number}里有{items}。您指的是哪一件？"
)
COMES_IN = S(
    "The {product} comes in {choices}. Which one shall it be?", "{product}有这些规格：{choices}。您要哪一种？"
)
UNKNOWN_PRODUCT = S(
    "I can't find that in our shop. Could you say it in other words?",
    "在本店找不到这件商品。请换个说法好吗？",
)
NOTHING_LIKE_THAT = S("I can't find anything like that in our shop.", "在本店找不到类似的商品。")
NO_LONGER_SOLD = S("We no longer have the {product}.", "{product}不再销售了。")
THAT_IS_ORDER = S("That is order {number}, with the {items}.", "是订单{number}，商品有{items}。")
FOUND_ORDERS = S(
    "I found {orders} like that: {numbers}. Which one do you mean?",
    "我找到{orders}：{numbers}。您指的是哪一个？",
)
WHICH_DAY = S("Which day was that?", "请问是哪一天？")
SOLD_OUT = S("The {product} is sold out at the moment.", "{product}目前缺货。")
HAVE_PRODUCT = S(
    "We have the {product} for {price}.{about}{comes}", "我们有{product}，价格{price}。{about}{comes}"
)
BETWEEN = S("between {least} and {most}", "在{least}到{most}之间")
OPTION = S("{name} {values}", "{name}：{values}")
PRODUCT_COMES = S(" It comes in {choices}.", "可选：{choices}。")
HAVE_PRODUCTS = S("We have {products}.", "我们有{products}。")
ENDING_IN = S("{name} ending in {digits}", "尾号{digits}的{name}")
WAYS_TO_PAY = {
    "credit_card": S("card", "银行卡"),
    "gift_card": S("gift card", "礼品卡"),
    "paypal": S("PayPal account", "PayPal账户"),
}

# --- changes: read-backs and what to say when they are done -------------------------------------------------

WHY_CANCEL = S("Why shall I cancel it: {reasons}?", "取消的原因是什么：{reasons}？")
CANCEL = S("cancel order {number}", "取消订单{number}")
CANCEL_ASK = S(
    "I can cancel order {number}, {items}{refund}. Shall I cancel it?",
    "我可以取消订单{number}，共{items}{refund}。要取消吗？",
)
AND_REFUND = S(", and refund {money} {to}", "，并退款{money}{to}")
TO_YOUR = S("to your {method}", "到您的{method}")
THE_WAY_YOU_PAID = S("the way you paid", "，原路退回")
CANCELLED = S("Done. Order {number} is cancelled.{takes}", "已办好。订单{number}已取消。{takes}")
ON_GIFT_CARD = S("The money is on your gift card now.", "退款已到您的礼品卡。")
REFUND_TAKES = S("The refund takes {least} to {most} business days.", "退款需要{least}到{most}个工作日。")
AND_THEN = S(" {sentence}", "{sentence}")
"""Behind another sentence."""
RETURN = S("return {items} of order {number}", "退回订单{number}的{items}")
EVERYTHING = S("everything", "全部商品")
RETURN_ASK = S(
    "I can take back {what} from order {number}, and refund {money} {to} once it is here."
    " Shall I set up the return?",
    "我可以为订单{number}的{what}办理退货，收到商品后退款{money}{to}。要办理退货吗？",
)
RETURNED = S(
    "Done. The return for order {number} is set up, and we are e-mailing you how to send it.",
    "已办好。订单{number}的退货已登记，寄回方式会通过电子邮件告诉您。",
)
EXCHANGE = S("exchange {items} of order {number}", "换货：订单{number}的{items}")
CHANGE_ITEMS = S("change {items} of order {number}", "更改订单{number}的{items}")
SWAP = S("the {product} for {options}", "{product}换成{options}")
EXCHANGE_ASK = S(
    "In order {number} I can exchange {swaps}. {costs} Shall I exchange {them}?",
    "我可以为订单{number}换货：{swaps}。{costs}要换货{them}吗？",
)
CHANGE_ITEMS_ASK = S(
    "In order {number} I can change {swaps}. {costs} Shall I change {them}?",
    "我可以更改订单{number}的商品：{swaps}。{costs}要更改{them}吗？",
)
IT = S("it", "")
THEM = S("them", "")
SAME_PRICE = S("The price stays the same.", "价格不变。")
COSTS_MORE = S("It costs {money} more, from your {method}.", "需补差价{money}，从您的{method}扣除。")
GET_BACK = S("You get {money} back, to your {method}.", "将退还{money}到您的{method}。")
EXCHANGED = S(
    "Done. The exchange for order {number} is set up. An e-mail tells you how to send the old ones.",
    "已办好。订单{number}的换货已登记。旧商品的寄回方式会通过电子邮件告诉您。",
)
ITEMS_CHANGED = S("Done. The items of order {number} are changed.", "已办好。订单{number}的商品已更改。")
SEND_ELSEWHERE = S("send order {number} to another address", "更改订单{number}的收货地址")
SEND_ELSEWHERE_ASK = S(
    "I can send order {number} to {address}. Shall I change the address?",
    "我可以把订单{number}的收货地址改为{address}。要更改地址吗？",
)
SENT_ELSEWHERE = S("Done. Order {number} goes to {address}.", "已办好。订单{number}将寄往{address}。")
PAY_WITH = S("pay order {number} with {method}", "用{method}支付订单{number}")
PAY_WITH_ASK = S(
    "I can charge {money} for order {number} to your {method}, and refund what you paid before."
    " Shall I change how it is paid?",
    "我可以改用您的{method}支付订单{number}的{money}，并退回之前的付款。要更改支付方式吗？",
)
PAID_WITH = S(
    "Done. Order {number} is now paid with your {method}.", "已办好。订单{number}现改用您的{method}支付。"
)
CHANGE_ACCOUNT = S("change your {what}", "更改您的{what}")
CHANGE_ACCOUNT_ASK = S("I can change your {what}. Shall I?", "我可以更改您的{what}。要更改吗？")
ACCOUNT_CHANGED = S("Done. I changed your {what}.", "已办好。已更改您的{what}。")
EMAIL_TO = S("e-mail to {email}", "电子邮箱为{email}")
ADDRESS_TO = S("address to {address}", "地址为{address}")
PHONE_TO = S("phone number to {phone}", "电话号码为{phone}")
ACCOUNT = S("account", "账户资料")
WHICH_TIME = S(
    "Which day and time suits you? We call back {hours}.", "您哪天几点方便？我们的回电时间是{hours}。"
)
WHICH_PHONE = S("On which number shall we call you?", "请问拨打哪个号码？")
DAY_AT = S("{day} at {time}", "{day}{time}")
CALL_BACK = S("call you back {when}", "{when}给您回电")
CALL_BACK_ASK = S(
    "We can call you back {when}, on the number ending in {digits}. Shall I book it?",
    "我们可以在{when}给您回电，拨打尾号为{digits}的号码。要预约吗？",
)
CALLBACK_BOOKED = S("Done. We will call you back {when}.", "已办好。我们会在{when}给您回电。")
TICKET = S("open a ticket for you", "为您提交工单")
TICKET_ASK = S(
    "I can open a ticket for my colleagues: {subject}. Shall I?",
    "我可以为您向同事提交工单：{subject}。要提交吗？",
)
TICKET_OPENED = S("Done. My colleagues have your ticket.", "已办好。同事已收到您的工单。")
NOBODY_THERE = S(
    "None of my colleagues is there just now: they are there {hours}. Tell me a time and a phone number, "
    "and I can book a call back.",
    "现在是非工作时间，我们的工作时间是{hours}。请告诉我回电时间和电话号码，我来为您预约回电。",
)
CLOSED_TODAY = S(
    "Our colleagues are there {hours}. Until then I can help you, or book a callback.",
    "人工客服的工作时间是{hours}。在此之前，我可以为您服务，或为您预约回电。",
)
PASSED_ON = S(
    "I have passed this on to a person, who will get back to you.", "已为您提交工单，人工客服会与您联系。"
)
PASSED_ON_FOR_NOBODY = S(
    "I have passed this on to a person. To be called back, tell me a time and a phone number.",
    "已为您提交工单，交给人工客服处理。如需回电，请告诉我时间和电话号码。",
)
TICKET_NUMBER = S("Your ticket is {number}.", "您的工单号是{number}。")
TRANSFER = S("For a person", "转人工客服")

# --- what policy refuses ----------------------------------------------------------------------------------

CANCEL_IT = S("cancel it", "取消")
TAKE_IT_BACK = S("take it back", "办理退货")
EXCHANGE_ANYTHING = S("exchange anything in it", "办理换货")
CHANGE_ITS_ITEMS = S("change its items", "更改其中的商品")
SEND_SOMEWHERE_ELSE = S("send it somewhere else", "更改收货地址")
CHANGE_HOW_PAID = S("change how it is paid", "更改支付方式")
TAKE_BACK = S("take back", "退")
EXCHANGE_VERB = S("exchange", "换")
WRONG_STATUS = S("Order {number} {state}, so I can't {what}.", "订单{number}{state}，所以无法{what}。")
THESE_REASONS_ONLY = S(
    "I can cancel an order for these reasons only: {reasons}. Which one is it?",
    "只有这些原因可以取消订单：{reasons}。您是哪一种？",
)
ITEMS_CHANGED_ONCE = S(
    "The items of order {number} were already changed once, so I can't {what} any more.",
    "订单{number}的商品之前更改过一次，所以无法再{what}。",
)
ITEMS_ONLY_ONCE = S(
    "The items of order {number} can be changed only once.", "订单{number}的商品只能更改一次。"
)
WINDOW_CLOSED = S(
    "Order {number} was delivered more than {days} days ago, so I can't {what} any more.",
    "订单{number}送达至今超过{days}天，所以无法再{what}。",
)
WHICH_ITEMS = S("Which items of order {number} shall I {what}?", "订单{number}的哪些商品要{what}？")
NOT_IN_ORDER = S("That item is not in order {number}.", "订单{number}里没有这件商品。")
HOLDS_ONLY = S(
    "Order {number} holds only {quantity} of the {product}.", "订单{number}里只有{quantity}件{product}。"
)
WRONG_ROUTE = S(
    "The refund can go back to the way you paid, or to a gift card of yours. Which shall it be?",
    "退款可以原路退回，或退到您的礼品卡。您选哪一种？",
)
SAME_PRODUCT_ONLY = S(
    "I can swap the {product} only for the same product in other options.",
    "{product}只能换成同款商品的其他规格。",
)
SAME_ITEM = S("That is the same {product} that you already have.", "这和您现有的{product}是一样的。")
UNAVAILABLE = S("That {product} is not available at the moment.", "这款{product}目前缺货。")
SAME_METHOD = S(
    "Order {number} is already paid with your {method}.", "订单{number}本来就是用您的{method}支付的。"
)
YOUR_METHODS_ONLY = S(
    "I can use the ways to pay on your account: {ways}. Which one shall it be?",
    "可以使用您账户里的支付方式：{ways}。您选哪一种？",
)
BALANCE_TOO_LOW = S(
    "Your gift card holds {balance}, and this needs {money}. Another way to pay?",
    "您的礼品卡余额为{balance}，而这里需要{money}。换一种支付方式吗？",
)
CARD_TOO_LOW = S("Your gift card does not hold enough for that.", "您的礼品卡余额不足。")
LAST_ONE_SOLD = S("The last one has just been sold.", "最后一件刚刚售出。")
LOOK_AGAIN = S(
    "Order {number} is not as it was a moment ago. Let me look again.", "订单{number}刚刚有变动。我再看一下。"
)
WHAT_TO_CHANGE = S(
    "What shall I change: your e-mail, your phone number or your address?",
    "要更改什么：电子邮箱、电话号码还是地址？",
)
BAD_EMAIL = S(
    "That does not sound like an e-mail address. Could you spell it for me?",
    "这不像电子邮箱地址。请您拼读一下好吗？",
)
BAD_PHONE = S(
    "That does not sound like a phone number. Could you say it digit by digit?",
    "这不像电话号码。请您一位一位地说好吗？",
)
BAD_ADDRESS = S(
    "I need the street with the number, the city and the postcode.", "我需要街道和门牌号、城市和邮政编码。"
)
TOO_SOON = S(
    "We need at least {minutes} minutes. Which later time suits you?",
    "我们至少需要{minutes}分钟。晚一点什么时间方便？",
)
TOO_FAR = S("I can book a call in the next {days} days only.", "只能预约{days}天以内的回电。")
CLOSED = S(
    "We call back {hours}. Which time in those hours suits you?",
    "我们的回电时间是{hours}。您在其中什么时间方便？",
)
HOURS = S("{days}, from {opens} to {closes}", "{days}，{opens}到{closes}")
FROM_TO = S("{first} to {last}", "{first}到{last}")
NO_SUBJECT = S("What shall I write down for my colleagues?", "需要我为同事记下什么？")
