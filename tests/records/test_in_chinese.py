"""A whole call in Chinese: the promises hold in it as they do in English, and all that it says is Chinese."""

import json
import re

import sqlalchemy as sa

from helpline.call.shown import Caption, CardShown, Notice, ProposalClosed, ProposalShown, ReceiptShown
from helpline.engine.brain import told_to_say
from helpline.records import archive
from helpline.store import schema as t
from tests.call.servers import Peer, ScriptedBackend
from tests.records.desks import desk_in
from tests.records.test_going_on import Seen


async def record(desk, call_id):
    async with desk.store.database.read() as connection:
        return await archive.find(connection, call_id)


async def says(peer: Peer, number: int, text: str) -> None:
    at = {"response_id": f"r{number}", "item_id": f"i{number}", "output_index": 0, "content_index": 0}
    await peer.send("response.created", response={"id": f"r{number}", "conversation_id": "conv"})
    await peer.send("response.output_text.delta", **at, delta=text)
    await peer.send("response.output_text.done", **at, text=text)
    await peer.send("response.done", response={"id": f"r{number}", "status": "completed", "output": []})


def result(peer: Peer) -> str:
    outputs = [
        e["item"]["output"] for e in peer.seen if e.get("item", {}).get("type") == "function_call_output"
    ]
    return str(json.loads(outputs[-1])["say"])


def told(peer: Peer) -> str:
    items = [e["item"] for e in peer.seen if e.get("item", {}).get("role") == "system"]
    return told_to_say(items[-1]["content"][0]["text"])


async def obeys(peer: Peer) -> None:
    """A model that does as it should."""
    await peer.greet()
    await peer.expect("response.create")
    await peer.call_tool("t1", "c1", "cancel_order", json.dumps({"order_id": "1005"}))
    await peer.expect("response.create")
    await says(peer, 1, result(peer))
    for number in range(2, 9):
        await peer.expect("response.create")
        await says(peer, number, told(peer))


async def claims(peer: Peer) -> None:
    """A model that says it is done before anybody has agreed."""
    await peer.greet()
    await peer.expect("response.create")
    await says(peer, 1, "已经为您取消了订单1005。")
    for number in range(2, 9):
        await peer.expect("response.create")
        await says(peer, number, told(peer))


async def rows(desk) -> int:
    async with desk.store.database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(t.ledger)) or 0)


def english(text: str) -> bool:
    """Words of a sentence; names of goods and of cards stay what they are."""
    return re.search(r"\b(?:the|order|is|your|yes|shall|done|refund|receipt)\b", text.lower()) is not None


async def test_read_back_yes_one_row_and_a_receipt_all_in_chinese(tmp_path):
    backend = ScriptedBackend(obeys)
    async with desk_in(tmp_path, backends=(backend,)) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language="zh-CN")
        channel.join(call)
        assert await channel.say("请取消订单1005")
        (offered,) = channel.of(ProposalShown)
        assert offered.proposal.read_back.startswith("我可以取消订单1005，共")
        assert offered.proposal.read_back.endswith("要取消吗？")
        assert await rows(desk) == 0
        assert await channel.say("好的，麻烦您了")
        assert await rows(desk) == 1
        (receipt,) = channel.of(ReceiptShown)
        assert receipt.receipt.say.startswith("已办好。订单1005已取消。")
        assert receipt.receipt.reference.replace("-", "") in receipt.receipt.say.replace(" ", "")
        await channel.say("好的")
        assert await rows(desk) == 1, "a second yes does nothing more"
        call.hang_up("the customer hung up")
        await desk.gone(call)
        said = [line.text for line in channel.of(Caption) if line.speaker == "desk" and line.final]
        shown = [card.card.title for card in channel.of(CardShown)] + [n.text for n in channel.of(Notice)]
        assert not [text for text in (*said, *shown) if english(text)]
        document = await record(desk, call.id)
    assert document is not None
    assert document["language"] == "zh-CN"
    (peer,) = backend.peers
    session = peer.seen[0]["session"]
    assert "Answer in Simplified Chinese" in session["instructions"]
    assert "zh" in json.dumps(session["audio"]["input"]["transcription"])


async def test_a_claim_in_chinese_that_nothing_stands_behind_is_never_shown(tmp_path):
    async with desk_in(tmp_path, backends=(ScriptedBackend(claims),)) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language="zh-CN")
        channel.join(call)
        assert await channel.say("取消了吗")
        said = [line.heard for line in channel.of(Caption) if line.speaker == "desk" and line.final]
        assert not [text for text in said if "已经为您取消" in text]
        assert "目前还没有做任何更改。您想让我做什么？" in said
        assert any(fact.kind == "claim_stopped" for fact in call.facts if hasattr(fact, "kind"))
        assert await rows(desk) == 0
        call.hang_up("the customer hung up")
        await desk.gone(call)


async def test_a_no_in_chinese_closes_the_offer(tmp_path):
    async with desk_in(tmp_path, backends=(ScriptedBackend(obeys),)) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language="zh-CN")
        channel.join(call)
        await channel.say("请取消订单1005")
        await channel.say("还是不要了，谢谢")
        assert [closed.outcome for closed in channel.of(ProposalClosed)] == ["declined"]
        assert channel.lines()[-1] == ("desk", "好的，我没有做任何更改。")
        assert await rows(desk) == 0
        call.hang_up("the customer hung up")
        await desk.gone(call)


async def test_the_language_may_be_switched_in_mid_call_and_the_offer_stands(tmp_path):
    backend = ScriptedBackend(obeys)
    async with desk_in(tmp_path, backends=(backend,)) as desk:
        channel = Seen()
        call = await desk.admit(channel, kind="web", caller=desk.demo_customers[0], language="en")
        channel.join(call)
        await channel.say("cancel order 1005")
        assert channel.of(ProposalShown)[0].proposal.read_back.startswith("I can cancel order 1005")
        call.speak("zh-CN")
        call.speak("zh-CN")
        await channel.say("好的")
        assert await rows(desk) == 1
        assert [closed.outcome for closed in channel.of(ProposalClosed)] == ["confirmed"]
        call.hang_up("the customer hung up")
        await desk.gone(call)
        document = await record(desk, call.id)
    assert document is not None
    assert document["language"] == "zh-CN"
    (peer,) = backend.peers
    updates = [event["session"] for event in peer.seen if event["type"] == "session.update"]
    assert len(updates) == 2
    assert "Answer in English" in updates[0]["instructions"]
    assert "Answer in Simplified Chinese" in updates[1]["instructions"]
    assert "voice" not in json.dumps(updates[1].get("audio", {}).get("output", {}))
