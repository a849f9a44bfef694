"""A signed-in customer's past conversations, on SQLite and on Postgres: their own, and nobody else's."""

from helpline.actions import GUEST, Caller, Identity
from helpline.call.conversation import begin
from helpline.call.transcript import rebuild
from helpline.records import archive
from helpline.records.people import forget
from helpline.simulate.text import TextChannel
from tests.records.desks import desk_in, talk


async def signed_in(desk, number=0):
    return await desk.customer(desk.demo_customers[number].customer_id)


async def go_on(desk, caller, past, *sentences):
    channel = TextChannel()
    call = await desk.admit(channel, kind="test", caller=caller, past=past)
    channel.join(call)
    for sentence in sentences:
        assert await channel.say(sentence)
    call.hang_up("the customer hung up")
    await desk.gone(call)
    return call, channel.document


async def test_a_past_conversation_is_listed_shown_and_gone_on_with(tmp_path, shop_url):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        ana = await signed_in(desk)
        call_id, _ = await talk(desk, "cancel order 1005", "yes", caller=ana)
        (heading,) = await desk.history(ana)
        assert (heading.call_id, heading.title) == (call_id, "cancel order 1005")
        past = await desk.past(ana, call_id)
        assert [line.text for line in past.lines if line.speaker == "customer"] == [
            "cancel order 1005",
            "yes",
        ]
        assert [receipt.reference for receipt in past.receipts] == list(heading.references)
        again, _ = await go_on(desk, ana, past, "where is my order 1004")
        async with desk.store.database.read() as connection:
            record = await archive.find(connection, again.id)
            reads = await archive.reads_of(connection, call_id)
        assert record["goes_on_from"] == call_id
        assert record["lines"][0]["text"] == "where is my order 1004"
        assert [(read["reader"], read["action"]) for read in reads] == [("the customer", "reopen")]


async def test_a_fresh_session_is_given_what_was_said_and_done(tmp_path):
    async with desk_in(tmp_path) as desk:
        ana = await signed_in(desk)
        call_id, _ = await talk(desk, "cancel order 1005", "yes", caller=ana)
        past = await desk.past(ana, call_id)
    conversation = past.before(begin(0))
    assert conversation.done[0].subject == "1005"
    told = "".join(part.text or "" for item in rebuild(conversation.transcript) for part in item.content)
    assert "cancel order 1005" in told
    assert f"Done in it: receipt {past.receipts[0].reference}" in told


async def test_anothers_a_guests_and_an_unknown_one_are_the_same_nothing(tmp_path, shop_url):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        ana, bo = await signed_in(desk), await signed_in(desk, 1)
        call_id, _ = await talk(desk, "where is my order 1004", caller=ana)
        weaker = Caller(ana.customer_id, ana.name, Identity.PROVEN, "email")
        for caller in (bo, GUEST, weaker, desk.demo_customers[0]):
            assert await desk.history(caller) == ()
            assert await desk.past(caller, call_id) is None
        for guessed in ("", "call_0", "%", "' or 1=1 --", call_id[:-1], call_id.upper()):
            assert await desk.past(ana, guessed) is None


async def test_a_call_in_which_two_were_verified_is_in_nobodys_history(tmp_path, shop_url):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        ana, bo = await signed_in(desk), await signed_in(desk, 1)
        channel = TextChannel()
        call = await desk.admit(channel, kind="test", caller=ana)
        channel.join(call)
        assert await channel.say("where is my order 1004")
        await call.become(bo)
        assert await channel.say("what are your opening hours")
        call.hang_up("the customer hung up")
        await desk.gone(call)
        for caller in (ana, bo):
            assert await desk.history(caller) == ()
            assert await desk.past(caller, call.id) is None


async def test_a_past_of_anothers_is_left_out_of_a_call(tmp_path):
    async with desk_in(tmp_path) as desk:
        ana, bo = await signed_in(desk), await signed_in(desk, 1)
        call_id, _ = await talk(desk, "where is my order 1004", caller=ana)
        past = await desk.past(ana, call_id)
        call, _ = await go_on(desk, bo, past, "hello")
        async with desk.store.database.read() as connection:
            assert (await archive.find(connection, call.id))["goes_on_from"] == ""


async def test_forgetting_empties_the_history(tmp_path, shop_url):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        ana = await signed_in(desk)
        call_id, _ = await talk(desk, "where is my order 1004", caller=ana)
        await forget(desk.settings, desk.store, ana.customer_id, ())
        assert await desk.history(ana) == ()
        assert await desk.past(ana, call_id) is None


async def test_a_restart_in_a_call_that_goes_on_from_a_past_one(tmp_path, shop_url):
    """Both are shown again, the past one first, and both stay the customer's."""
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        ana = await signed_in(desk)
        first, _ = await talk(desk, "where is my order 1004", caller=ana)
        channel = TextChannel()
        past = await desk.past(ana, first)
        call = await desk.admit(channel, kind="web", caller=ana, holder="browser", past=past)
        channel.join(call)
        assert await channel.say("cancel order 1005")
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        channel = TextChannel()
        again = await desk.take_up(channel, holder="browser")
        channel.join(again)
        assert again.id == call.id
        assert again.caller == ana
        said = [line.text for line in channel.document.lines if line.speaker == "customer"]
        assert said == ["where is my order 1004", "cancel order 1005"]
        assert await channel.say("yes")
        assert [receipt.action for receipt in channel.document.receipts] == ["cancel_order"]
        again.hang_up("the customer hung up")
        await desk.gone(again)
        async with desk.store.database.read() as connection:
            record = await archive.find(connection, again.id)
        assert record["goes_on_from"] == first
        assert [line["text"] for line in record["lines"] if line["speaker"] == "customer"] == [
            "cancel order 1005",
            "yes",
        ]
        assert {heading.call_id for heading in await desk.history(ana)} == {first, call.id}
