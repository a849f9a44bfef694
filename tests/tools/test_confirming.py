"""Never twice, never unasked: a change is done once, after its read-back was heard and a yes."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from helpline.actions import GUEST, Identity
from helpline.policy import load_policy
from helpline.store import Store
from helpline.store import schema as t
from helpline.tools import CallContext, Toolbox, ToolResult, tool
from helpline.tools.shop import shop_tools
from tests.tools.talk import ask, propose, refused, say_yes


async def rows(store, table=t.ledger):
    async with store.database.read() as connection:
        return (await connection.execute(sa.select(table))).all()


async def state_of(store, proposal):
    return next(row.state for row in await rows(store, t.proposals) if row.id == proposal.id)


async def test_a_yes_is_one_row_and_one_receipt(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    receipt = await say_yes(toolbox, maya, proposal)
    (entry,) = await rows(store)
    assert (entry.call_id, entry.proposal_id, entry.reference) == (
        "call_maya",
        proposal.id,
        receipt.reference,
    )
    assert (entry.action, entry.amount_cents, entry.means) == ("cancel_order", 7200, "voice")
    assert not {"maya", "1005"} & {entry.customer_key, entry.order_key}
    assert await store.verify_ledger() == ()
    assert not receipt.repeated


async def test_a_second_yes_gets_the_first_receipt(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    first = await say_yes(toolbox, maya, proposal)
    again = await say_yes(toolbox, maya, proposal)
    assert again == replace(first, repeated=True)
    assert len(await rows(store)) == 1


async def test_sixteen_yeses_at_once_are_one_change(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    receipts = await asyncio.gather(*(say_yes(toolbox, maya, proposal) for _ in range(16)))
    assert len({receipt.reference for receipt in receipts}) == 1
    assert sum(not receipt.repeated for receipt in receipts) == 1
    assert len(await rows(store)) == 1


async def test_two_calls_that_want_the_same_order_are_one_change(toolbox, maya, store):
    other = replace(maya, call_id="call_other")
    proposals = [await propose(toolbox, each, "cancel_order", order_id="1005") for each in (maya, other)]
    outcomes = await asyncio.gather(
        say_yes(toolbox, maya, proposals[0]), say_yes(toolbox, other, proposals[1]), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Receipt", "ToolError"]
    assert len(await rows(store)) == 1
    order = (await store.shop.orders("maya", "1005"))[0]
    assert order.net_paid() == {}


@pytest.mark.parametrize(
    ("heard", "answer", "reason"),
    [
        ("", "yes", "not_heard"),
        ("I can cancel order", "yes", "not_heard"),
        ("Order 1005 is being prepared.", "yes", "not_heard"),
        ("I can cancel order 1006. Shall I?", "yes", "not_heard"),
        (None, "how much?", "not_a_yes"),
        (None, "yes, but not today", "not_a_yes"),
        (None, "", "not_a_yes"),
        (None, "no", "not_a_yes"),
    ],
)
async def test_an_answer_that_is_not_a_yes_to_what_was_heard(toolbox, maya, store, heard, answer, reason):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    assert await refused(say_yes(toolbox, maya, proposal, heard=heard, answer=answer)) == reason
    assert await rows(store) == []
    assert await state_of(store, proposal) == "open"
    assert (await say_yes(toolbox, maya, proposal)).reference


async def test_a_no_closes_the_proposal(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    await toolbox.decline(maya, proposal.id)
    assert await refused(say_yes(toolbox, maya, proposal)) == "declined"
    assert (await store.shop.orders("maya", "1005"))[0].status == "pending"


async def test_a_no_after_the_yes_comes_too_late(toolbox, maya):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    await say_yes(toolbox, maya, proposal)
    assert await refused(toolbox.decline(maya, proposal.id)) == "already_done"


async def test_another_proposal_replaces_the_one_before(toolbox, maya):
    first = await propose(toolbox, maya, "cancel_order", order_id="1005")
    await propose(toolbox, maya, "cancel_order", order_id="1006")
    assert await refused(say_yes(toolbox, maya, first)) == "replaced"


async def test_two_tools_at_the_same_moment_leave_one_open(toolbox, maya, store):
    for number in range(5):
        asked = [{"order_id": "1005"}, {"order_id": "1006"}]
        await asyncio.gather(*(propose(toolbox, maya, "cancel_order", **each) for each in asked))
        states = [row.state for row in await rows(store, t.proposals)]
        assert states.count("open") == 1
        assert len(states) >= number + 1


async def test_the_same_call_twice_is_the_same_proposal(toolbox, maya, store):
    first = await propose(toolbox, maya, "cancel_order", order_id="1005")
    again = await propose(toolbox, maya, "cancel_order", order_id="order 1005")
    assert again.id == first.id
    assert len(await rows(store, t.proposals)) == 1


async def test_time_runs_out(toolbox, maya, clock):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    clock.pass_(milliseconds=proposal.lives_ms)
    assert await refused(say_yes(toolbox, maya, proposal)) == "expired"


async def test_a_proposal_dies_when_its_order_changes(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    async with store.database.write() as connection:
        await connection.execute(sa.update(t.orders).where(t.orders.c.id == "1005").values(version=2))
    assert await refused(say_yes(toolbox, maya, proposal)) == "stale"
    assert await state_of(store, proposal) == "failed"


async def test_what_was_allowed_must_still_be_allowed(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    async with store.database.write() as connection:
        await connection.execute(sa.update(t.orders).where(t.orders.c.id == "1005").values(status="shipped"))
    assert await refused(say_yes(toolbox, maya, proposal)) == "wrong_status"
    assert await rows(store) == []


async def test_a_proposal_belongs_to_its_call_and_its_customer(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    tomas = (await store.demo_customers())[1]
    other_call = replace(maya, call_id="call_other")
    assert await refused(say_yes(toolbox, other_call, proposal)) == "no_proposal"
    assert await refused(say_yes(toolbox, maya.with_caller(tomas), proposal)) == "other_caller"
    assert await refused(say_yes(toolbox, maya.with_caller(GUEST), proposal)) == "other_caller"
    known = replace(maya.caller, identity=Identity.KNOWN)
    assert await refused(say_yes(toolbox, maya.with_caller(known), proposal)) == "identity"


async def test_a_receipt_is_not_read_to_somebody_else(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    await say_yes(toolbox, maya, proposal)
    tomas = (await store.demo_customers())[1]
    assert await refused(say_yes(toolbox, maya.with_caller(tomas), proposal)) == "other_caller"


async def test_limits_hold(store, maya, clock, toolbox):
    policy = maya.policy
    strict = Toolbox(
        shop_tools(),
        store=store,
        clock=clock,
        policy=type(policy)(limits=type(policy.limits)(changes_per_call=1, proposals_per_call=3)),
    )
    maya = strict.context(call_id="call_strict", caller=maya.caller)
    await say_yes(strict, maya, await propose(strict, maya, "update_account_info", phone="555 0101"))
    assert await refused(ask(strict, maya, "update_account_info", phone="555 0102")) == "limit"


async def test_the_limit_of_a_day_holds_over_calls(store, maya, clock, toolbox):
    policy = maya.policy
    strict = Toolbox(
        shop_tools(),
        store=store,
        clock=clock,
        policy=type(policy)(limits=type(policy.limits)(changes_per_day=1)),
    )
    first, second = (strict.context(call_id=name, caller=maya.caller) for name in ("call_a", "call_b"))
    await say_yes(strict, first, await propose(strict, first, "update_account_info", phone="555 0101"))
    assert await refused(ask(strict, second, "update_account_info", phone="555 0102")) == "limit"
    tomas = strict.context(call_id="call_c", caller=(await store.demo_customers())[1])
    assert await propose(strict, tomas, "update_account_info", phone="555 0103"), "it is one customer's"


async def cut_off(task, turns):
    """Let a task take some steps and cancel it."""
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_call_that_dies_during_its_yes_loses_nothing(toolbox, maya, store):
    for turns in range(1, 58, 3):
        proposal = await propose(toolbox, maya, "update_account_info", phone=f"555 {1000 + turns}")
        await cut_off(asyncio.create_task(say_yes(toolbox, maya, proposal)), turns)
        done = {row.proposal_id for row in await rows(store)}
        phone = (await store.shop.customer("maya")).phone
        assert (proposal.id in done) == (phone == f"555 {1000 + turns}")
        receipt = await say_yes(toolbox, maya, proposal)
        assert receipt.repeated == (proposal.id in done)
    assert len(await rows(store)) == 19
    assert await store.verify_ledger() == ()


async def test_tools_that_are_cut_off_leave_the_database_free(toolbox, maya, store):
    for turns in range(1, 40):
        await cut_off(asyncio.create_task(ask(toolbox, maya, "get_customer_info")), turns)
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    assert (await say_yes(toolbox, maya, proposal)).reference


async def test_a_database_that_is_gone_is_apologised_for(toolbox, maya, store):
    proposal = await propose(toolbox, maya, "cancel_order", order_id="1005")
    async with store.database.write() as connection:
        await connection.execute(sa.text("ALTER TABLE ledger RENAME TO elsewhere"))
    assert await refused(say_yes(toolbox, maya, proposal)) == "unreachable"
    assert (await store.shop.orders("maya", "1005"))[0].status == "pending"
    async with store.database.write() as connection:
        await connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO ledger"))
    assert (await say_yes(toolbox, maya, proposal)).reference


class Greenhouse:
    """Somebody's own system, with a tool that changes something in it."""

    def __init__(self):
        self.watered = []
        self.fail = 0

    def toolbox(self, store, policy, clock):
        @tool(
            changes=True,
            read_back="I can water the {room}, {litres} litres. Shall I?",
            effect_words=("water",),
        )
        async def water_plants(context: CallContext, room: str, litres: int = 1) -> ToolResult:
            """Water the plants."""
            self.watered.append((context.key, room, litres))
            if self.fail:
                self.fail -= 1
                raise OSError("the tap is gone")
            return ToolResult(f"Watered the {room}.")

        return Toolbox((water_plants,), store=store, policy=policy, clock=clock)


async def test_a_tool_of_ones_own_runs_after_the_yes(store, maya, clock):
    greenhouse = Greenhouse()
    toolbox = greenhouse.toolbox(store, maya.policy, clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen", litres=2)
    assert proposal.read_back == "I can water the kitchen, 2 litres. Shall I?"
    assert greenhouse.watered == []
    receipt = await say_yes(toolbox, maya, proposal)
    assert receipt.say.startswith("Watered the kitchen. Your receipt is ")
    assert (await say_yes(toolbox, maya, proposal)).repeated
    assert greenhouse.watered == [(proposal.id, "kitchen", 2)]
    assert len(await rows(store)) == 1


async def test_a_tool_that_failed_is_tried_again_with_the_same_key(store, maya, clock):
    greenhouse = Greenhouse()
    greenhouse.fail = 1
    toolbox = greenhouse.toolbox(store, maya.policy, clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen")
    assert await refused(say_yes(toolbox, maya, proposal)) == "unreachable"
    assert await rows(store) == []
    assert (await say_yes(toolbox, maya, proposal)).reference
    assert [key for key, *_ in greenhouse.watered] == [proposal.id, proposal.id]


async def test_a_claim_that_a_crash_left_is_taken_up_again(store, maya, clock):
    greenhouse = Greenhouse()
    toolbox = greenhouse.toolbox(store, maya.policy, clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen")
    async with store.database.write() as connection:
        await connection.execute(sa.update(t.proposals).values(state="working", claimed_at=clock.utcnow()))
    assert await refused(say_yes(toolbox, maya, proposal)) == "busy"
    clock.pass_(minutes=2)
    assert (await say_yes(toolbox, maya, proposal)).reference


def unkeyed(watered, failure):
    """A change in a system that cannot tell a repetition from another."""

    @tool(changes=True, read_back="I can water the {room}. Shall I?", effect_words=("water",))
    async def water_plants(room: str) -> ToolResult:
        """Water the plants."""
        watered.append(room)
        if failure:
            raise failure.pop()
        return ToolResult("Done.")

    return water_plants


async def test_a_yes_that_waits_behind_one_that_failed_does_not_begin_it_anew(store, maya, clock):
    watered = []
    water = unkeyed(watered, [OSError("the tap is gone")])
    toolbox = Toolbox((water,), store=store, policy=maya.policy, clock=clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen")
    answers = await asyncio.gather(
        *(refused(say_yes(toolbox, maya, proposal)) for _ in range(8)), return_exceptions=True
    )
    assert set(answers) <= {"unknown_outcome", "busy"}
    assert watered == ["kitchen"]


@pytest.mark.parametrize("call_id", ["call_maya", "call_next"])
async def test_what_may_have_been_done_without_a_key_is_not_offered_again(store, maya, clock, call_id):
    watered = []
    water = unkeyed(watered, [OSError("the tap is gone")])
    toolbox = Toolbox((water,), store=store, policy=maya.policy, clock=clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen")
    assert await refused(say_yes(toolbox, maya, proposal)) == "unknown_outcome"
    again = replace(maya, call_id=call_id)
    assert await refused(ask(toolbox, again, "water_plants", room="kitchen")) == "unknown_outcome"
    other = await propose(toolbox, again, "water_plants", room="hall")
    assert (await say_yes(toolbox, again, other)).reference
    assert watered == ["kitchen", "hall"]


@pytest.mark.parametrize("call_id", ["call_maya", "call_next"])
async def test_what_may_have_been_done_keeps_its_key_when_it_is_offered_anew(store, maya, clock, call_id):
    greenhouse = Greenhouse()
    greenhouse.fail = 1
    toolbox = greenhouse.toolbox(store, maya.policy, clock)
    first = await propose(toolbox, maya, "water_plants", room="kitchen")
    assert await refused(say_yes(toolbox, maya, first)) == "unreachable"
    await propose(toolbox, maya, "water_plants", room="hall")
    again = replace(maya, call_id=call_id)
    anew = await propose(toolbox, again, "water_plants", room="kitchen")
    assert anew.id != first.id
    assert (await say_yes(toolbox, again, anew)).reference
    assert [key for key, *_ in greenhouse.watered] == [first.id, first.id]
    third = await propose(toolbox, again, "water_plants", room="kitchen")
    assert (await say_yes(toolbox, again, third)).reference
    assert greenhouse.watered[-1][0] == third.id, "what is done is over"


async def test_one_guest_s_doubt_is_not_another_s(store, maya, clock):
    watered = []

    @tool(
        changes=True,
        identity=Identity.GUEST,
        read_back="I can water the {room}. Shall I?",
        effect_words=("water",),
    )
    async def water_plants(room: str) -> ToolResult:
        """Water the plants."""
        watered.append(room)
        if len(watered) == 1:
            raise OSError("the tap is gone")
        return ToolResult("Done.")

    toolbox = Toolbox((water_plants,), store=store, policy=maya.policy, clock=clock)
    one, other = (replace(maya, caller=GUEST, call_id=call_id) for call_id in ("call_1", "call_2"))
    proposal = await propose(toolbox, one, "water_plants", room="kitchen")
    assert await refused(say_yes(toolbox, one, proposal)) == "unknown_outcome"
    assert (
        await say_yes(toolbox, other, await propose(toolbox, other, "water_plants", room="kitchen"))
    ).reference


async def test_a_no_to_what_may_have_been_done_says_so(store, maya, clock):
    greenhouse = Greenhouse()
    greenhouse.fail = 1
    toolbox = greenhouse.toolbox(store, maya.policy, clock)
    proposal = await propose(toolbox, maya, "water_plants", room="kitchen")
    assert await refused(say_yes(toolbox, maya, proposal)) == "unreachable"
    assert await refused(toolbox.decline(maya, proposal.id)) == "unknown_outcome"
    assert await state_of(store, proposal) == "declined"
    assert await refused(say_yes(toolbox, maya, proposal)) == "unknown_outcome"


async def test_a_restart_forgets_no_proposal(database_url, clock, tmp_path):
    first = await Store.open(database_url, demo=True, clock=clock)
    toolbox = Toolbox(shop_tools(), store=first, policy=load_policy(), clock=clock)
    context = toolbox.context(call_id="call_1", caller=(await first.demo_customers())[0])
    proposal = await propose(toolbox, context, "cancel_order", order_id="1005")
    await first.close()
    second = await Store.open(database_url, demo=True, clock=clock)
    toolbox = Toolbox(shop_tools(), store=second, policy=load_policy(), clock=clock)
    context = toolbox.context(call_id="call_1", caller=(await second.demo_customers())[0])
    assert (await say_yes(toolbox, context, proposal)).reference
    await second.close()
