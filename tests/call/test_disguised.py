"""Claims in disguise: what the customer understands is what counts, however a model writes it."""

import pytest

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.claims import Done, Reported, claims_in, reports_in, sentences, unbacked
from helpline.call.legible import legible
from helpline.realtime import events as ev

from .talk import Talk, captions, of, played_ms, proposal

CANCELLED_1005 = (Done("cancel_order", "1005", ("cancel", "取消")),)


def touched(text: str, done: tuple[Done, ...] = (), reported: tuple[Reported, ...] = ()) -> bool:
    return any(unbacked(sentence, done, reported) for _, sentence, _ in sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "I have can\u200bcelled your order.",
        "I have can\u00adcelled your order.",
        "I have can\u2060celled your order.",
        "I have c\u0430ncelled your order.",
        "I h\u0430ve \u0441ancelled it.",
        "I have **can**celled your order.",
        "I have `cancelled` it.",
        "I have 'cancelled' it.",
        "I have ~~not~~ cancelled your order.",
        "I have <b>can</b>celled your order.",
        "I have c-a-n-c-e-l-l-e-d your order.",
        "I have c a n c e l l e d your order.",
        "I c a n c e l l e d it.",
        "I have ｃａｎｃｅｌｌｅｄ your order.",
        "Your order has been cance\u0301lled.",
        "Your order has been 𝐜𝐚𝐧𝐜𝐞𝐥𝐥𝐞𝐝.",
        "I\u00a0have\u2003cancelled\u2028your order.",
        "I`ve cancelled your order.",
        "Ive cancelled it.",
        "您的订单已\u200b取消。",
        "您的订单已 取 消。",
        "訂單已經取消了。",
        "已為您取消訂單。",
        "退款已經處理完成。",
    ],
)
def test_letters_hide_no_claim(text: str):
    assert touched(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can confirm that your order has been cancelled.",
        "I can confirm I've cancelled order 1005.",
        "I would like to let you know that your refund has been issued.",
        "Let me tell you that I cancelled it.",
        "You will be pleased to hear that I have cancelled your order.",
        "No problem I have cancelled your order.",
        "Nothing to worry about I cancelled your order.",
        "As you asked I have cancelled your order.",
        "After checking I have cancelled your order.",
        "I have not only cancelled your order but refunded it.",
        "I have, as you asked, cancelled your order.",
        "I have – with pleasure – cancelled your order.",
        "Your order for the lamp, number 1007, has been cancelled.",
        "I have personally cancelled your order.",
        "I did cancel your order.",
        "I've just had your order cancelled.",
        "Consider your order cancelled.",
        "The system shows your order as cancelled.",
        "Have cancelled it for you.",
        "Cancelled order 1005 for you.",
        "Order 1005 cancelled.",
        "Refund issued.",
        "I just went ahead with the cancellation.",
        "Okay so that order is cancelled for you.",
    ],
)
def test_words_around_it_hide_no_claim(text: str):
    assert touched(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can confirm that order 1005 is on its way.",
        "I cannot confirm that your order has been cancelled.",
        "I can't say that it has been cancelled.",
        "I am not able to tell you that your refund has been issued.",
        "I would say it has not been cancelled.",
        "I need to tell you that order 1005 cannot be cancelled any more.",
        "You will be pleased to hear that your order can be returned for free.",
        "No problem, shall I cancel order 1005?",
        "After I have cancelled the order you will get an e-mail.",
        "As soon as I have cancelled it you will get a receipt.",
        "If you say yes, order 1005 is cancelled and you get 84 dollars back.",
        "I haven't, as you asked, cancelled your order.",
        "I have your order in front of me.",
        "I have sent you a code by e-mail.",
        "Your order shows up as shipped since Monday.",
        "Your parcel has been handed over to the carrier.",
        "Cancelled orders are refunded within five days.",
        "Consider our return policy: thirty days.",
        "Both orders can be cancelled.",
        "I did not cancel anything.",
        "Order delivered.",
        "還沒有取消。",
        "您的订单还没有取消。",
    ],
)
def test_what_is_none_is_left_alone(text: str):
    assert not touched(text)


@pytest.mark.parametrize(
    "text",
    [
        "I have cancelled order 1007.",
        "I have cancelled order ten oh seven.",
        "I have cancelled order one thousand and seven.",
        "I have cancelled order １００７.",
        "I have cancelled 1007.",
        "I have cancelled #1007.",
        "I have cancelled orders 1005 and 1007.",
        "I have cancelled orders 1005, 1006 and 1007.",
        "Order 1005 is cancelled, and 1007 has been cancelled too.",
        "Your refund for 1007 has been issued.",
        "Both orders have been cancelled.",
        "All your orders have been cancelled.",
        "I have cancelled your other order too.",
        "I have returned order 1005.",
        "订单1007已取消。",
        "我已经取消了1007。",
        "订单1005和1007都已取消。",
        "两个订单都已取消。",
        "我已经取消了另一个订单。",
    ],
)
def test_one_order_s_receipt_is_not_behind_another_s(text: str):
    assert touched(text, CANCELLED_1005)


@pytest.mark.parametrize(
    "text",
    [
        "I have cancelled order 1005.",
        "Your order one thousand and five has been cancelled.",
        "Your order 1005 has been cancelled and 84 dollars and 50 cents will be refunded.",
        "I have cancelled it; you get $1007 back.",
        "I have cancelled order 1005, but not order 1007.",
        "I cancelled order 1005 as you asked, and order 1007 is still on its way.",
        "I have cancelled order 1005. Shall I cancel order 1007 as well?",
        "订单1005已取消，退款84.50美元。",
    ],
)
def test_what_is_done_may_be_said(text: str):
    assert not touched(text, CANCELLED_1005)


def test_two_receipts_are_behind_both():
    both = (*CANCELLED_1005, Done("cancel_order", "1007", ("cancel",)))
    assert not touched("I have cancelled orders 1005 and 1007.", both)
    assert not touched("Both orders have been cancelled.", both)


def test_what_is_plain_stays_as_it_is():
    plain = "I can cancel order 1005 – it's 84.50 dollars, “as you said”… Shall I?"
    assert legible(plain) is plain


def test_each_order_that_is_named_is_claimed():
    assert [claim.subject for claim in claims_in("I have cancelled orders 1005, 1006 and 1007.")] == [
        "1005",
        "1006",
        "1007",
    ]


@pytest.mark.parametrize("cut", range(1, 30, 3))
def test_a_disguised_claim_is_not_heard_wherever_its_words_are_cut(cut: int):
    text = "I have can\u200bcelled your order."
    talk = Talk().live()
    talk.speech("u1", "cancel order 1005")
    effects = talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="conv")),
        ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta=text[:cut]),
        ev.OutputTranscriptDelta(item_id="a1", response_id="r1", delta=text[cut:]),
    )
    effects += talk.reply("r1", "a1", "", 3000)
    effects += talk.wait(4000)
    assert played_ms(effects) < 1000
    assert not any("celled" in line.heard for line in captions(effects))


def test_while_an_offer_waits_another_order_s_status_is_not_behind_it():
    """Order 1003 was cancelled long ago; of the one that is being talked about that says nothing."""
    talk = Talk().live()
    talk.speech("u0", "show me my orders")
    talk.call_tool("r0", "c0", "list_orders")
    orders = {"orders": [{"number": "1003", "status": "cancelled"}, {"number": "1005", "status": "placed"}]}
    talk.tool_done("c0", ToolResult("You have two orders.", orders))
    talk.reply("r1", "a1", "You have two orders.", 1500)
    talk.wait(2000)
    talk.speech("u1", "cancel order 1005")
    talk.propose()
    effects = talk.reply("r2", "a2", "Your order has been cancelled.", 3000)
    effects += talk.wait(4000)
    stopped = [e.fact for e in of(effects, fx.Record) if isinstance(e.fact, fx.Incident)]
    assert [fact.kind for fact in stopped] == ["claim_stopped"]


def test_a_status_of_the_order_that_is_named_is_behind_it_all_the_same():
    assert not touched("Order 1003 is cancelled.", (), (Reported("1003", "cancelled"),))


def test_a_status_of_another_order_than_the_one_that_is_named_is_not_behind_it():
    assert touched("Order 1004 has been cancelled.", (), (Reported("1003", "cancelled"),))


@pytest.mark.parametrize("status", ["not_done_yet", "refused", "not_run"])
def test_an_answer_that_changed_nothing_reports_nothing(status: str):
    order = '"order": {"number": "1005", "status": "cancelled"}'
    assert reports_in(f'{{"status": "{status}", {order}}}') == ()
    assert reports_in(f'{{"status": "ok", {order}}}')[1:] == (Reported("1005", "cancelled"),)
    assert reports_in(f"[{{{order}}}]") == reports_in("no JSON") == ()


def test_while_an_offer_waits_a_claim_without_a_number_is_of_its_order():
    it_is = "Your order has been cancelled."
    assert unbacked(it_is, (), (Reported("1005", "cancelled"),), proposal()) is None
    assert unbacked(it_is, (), (Reported("", "cancelled"),), proposal()) is not None


def test_a_help_page_that_is_read_out_is_behind_nothing():
    page = "Your order has been cancelled and refunded."
    talk = Talk().live()
    talk.speech("u1", "what is your returns policy")
    talk.call_tool("r1", "c1", "search_help")
    passages = [{"title": "Returns", "text": page, "source": "returns.md"}]
    talk.tool_done("c1", ToolResult(f"The page on returns says: {page}", {"passages": passages}))
    effects = talk.reply("r2", "a2", page, 3000)
    effects += talk.wait(4000)
    assert any(
        isinstance(e.fact, fx.Incident) and e.fact.kind == "claim_stopped" for e in of(effects, fx.Record)
    )


@pytest.mark.parametrize(
    "text",
    """
J'ai annulé votre commande.
J’ai bien annulé la commande 1005.
Votre commande a été annulée.
Votre commande est annulée.
Nous avons remboursé 84 dollars.
Votre adresse a bien été mise à jour.
Je vous confirme que votre commande a été annulée.
C'est fait, votre rappel est programmé.
Ich habe Ihre Bestellung storniert.
Ihre Bestellung wurde storniert.
Ihre Bestellung 1005 ist storniert.
Ihre Bestellung ist jetzt erfolgreich storniert.
Wir haben Ihnen den Betrag erstattet.
Ich habe Ihre Adresse geändert.
Ich habe den Rückruf für morgen gebucht.
Gern, ich habe das storniert.
He cancelado su pedido.
Su pedido ha sido cancelado.
Su pedido está cancelado.
Se ha cancelado el pedido.
Hemos reembolsado el importe.
He actualizado su dirección.
Ho annullato il suo ordine.
Il suo ordine è stato annullato.
L'ordine è annullato.
Abbiamo rimborsato l'importo.
Cancelei o seu pedido.
O seu pedido foi cancelado.
O reembolso já foi estornado.
Ik heb uw bestelling geannuleerd.
Uw bestelling is geannuleerd.
We hebben het bedrag terugbetaald.
""".strip().splitlines(),
)
def test_a_claim_in_another_language_is_one(text: str):
    assert touched(text)


@pytest.mark.parametrize(
    "text",
    """
Je peux annuler votre commande.
Je n'ai pas annulé votre commande.
Votre commande n'a pas été annulée.
Votre commande sera annulée.
Voulez-vous que j'annule la commande ?
Votre commande a été expédiée.
Si vous dites oui, la commande est annulée.
Une commande annulée est remboursée sous cinq jours.
Ich kann Ihre Bestellung stornieren.
Ich habe Ihre Bestellung nicht storniert.
Ihre Bestellung wird storniert, sobald Sie ja sagen.
Ihre Bestellung kann nicht mehr storniert werden.
Ist die Bestellung storniert?
Ihre Bestellung ist unterwegs.
Wenn Sie ja sagen, ist die Bestellung storniert.
Soll ich die Bestellung stornieren?
Puedo cancelar su pedido.
No he cancelado su pedido.
¿Quiere que cancele el pedido?
Su pedido no está cancelado.
Su pedido está en camino.
Posso annullare il suo ordine.
Non ho annullato il suo ordine.
Il suo ordine è in viaggio.
Posso cancelar o seu pedido.
O pedido não foi cancelado.
Ik kan uw bestelling annuleren.
Ik heb uw bestelling niet geannuleerd.
Uw bestelling is onderweg.
Your order is on its way.
He has an order.
The change was programmed.
""".strip().splitlines(),
)
def test_what_is_none_in_another_language_is_left_alone(text: str):
    assert not touched(text)


@pytest.mark.parametrize("text", ["J'ai annulé la commande 1005.", "Ihre Bestellung ist storniert."])
def test_what_is_done_may_be_said_in_another_language(text: str):
    assert not touched(text, CANCELLED_1005)


@pytest.mark.parametrize(
    "text", ["J'ai annulé la commande 1007.", "Ich habe Bestellung 1005 und 1007 storniert."]
)
def test_each_order_needs_its_receipt_in_another_language(text: str):
    assert touched(text, CANCELLED_1005)
