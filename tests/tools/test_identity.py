"""Never the wrong customer: who calls is found out below the model, and guesses run out."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from helpline.actions import GUEST, Caller, Identity
from helpline.policy.policy import parse_policy
from helpline.store import schema as t
from helpline.tools import Toolbox
from helpline.tools.desk import desk_tools
from tests.tools.talk import ask, refused

POLICY = parse_policy(
    """
    [proofs]
    email = "known"
    name_postcode = "known"
    code = "proven"
    """
)
LINDQVIST = {"first_name": "Maya", "last_name": "Lindqvist", "postcode": "97201"}


class Letters:
    """A courier that keeps what it was given."""

    def __init__(self):
        self.sent = []

    async def send(self, customer, code):
        self.sent.append((customer.id, code))


@pytest.fixture
def letters():
    return Letters()


@pytest.fixture
def toolbox(store, clock, letters):
    tools = desk_tools(store, POLICY, courier=letters)
    return Toolbox(tools, store=store, policy=POLICY, clock=clock)


@pytest.fixture
def guest(toolbox):
    return toolbox.context(call_id="call_1", caller=GUEST, address="203.0.113.7")


async def test_an_email_finds_the_customer_as_far_as_the_policy_says(toolbox, guest):
    result = await ask(toolbox, guest, "verify_by_email", email="Maya.Lindqvist@example.com")
    assert result.caller == Caller("maya", "Maya Lindqvist", Identity.KNOWN, "email")
    known = guest.with_caller(result.caller)
    assert (await ask(toolbox, known, "check_order_status", order_id="1004")).ok
    assert await refused(ask(toolbox, known, "cancel_order", order_id="1005")) == "identity"


async def test_a_spoken_email_is_understood(toolbox, guest):
    result = await ask(toolbox, guest, "verify_by_email", email="maya dot lindqvist at example dot com")
    assert result.caller.customer_id == "maya"


async def test_a_name_and_a_postcode_find_the_customer(toolbox, guest):
    result = await ask(toolbox, guest, "verify_by_name_and_postcode", **LINDQVIST)
    assert result.caller == Caller("maya", "Maya Lindqvist", Identity.KNOWN, "name_postcode")


async def test_two_who_fit_are_asked_and_not_guessed(toolbox, guest, store):
    async with store.database.write() as connection:
        lucas = t.customers.c.id == "lucas"
        await connection.execute(sa.update(t.customers).where(lucas).values(first_name="Maya"))
    asking = ask(toolbox, guest, "verify_by_name_and_postcode", **LINDQVIST)
    assert await refused(asking) == "ambiguous_customer"


async def test_a_wrong_answer_and_an_unknown_customer_sound_alike(toolbox, guest):
    wrong = ask(toolbox, guest, "verify_by_name_and_postcode", **{**LINDQVIST, "postcode": "00000"})
    unknown = ask(toolbox, guest, "verify_by_email", email="nobody@example.com")
    with pytest.raises(Exception, match="can't find you") as first:
        await wrong
    with pytest.raises(Exception, match="can't find you") as second:
        await unknown
    assert (first.value.say, first.value.reason) == (second.value.say, second.value.reason)


async def guess(toolbox, context, **changed):
    return await refused(ask(toolbox, context, "verify_by_name_and_postcode", **{**LINDQVIST, **changed}))


async def test_three_wrong_answers_lock_the_address_in_every_call(toolbox, guest, clock):
    for number in range(3):
        other_call = replace(guest, call_id=f"call_{number}")
        assert await guess(toolbox, other_call, first_name=f"Nobody{number}") == "not_verified"
    last = replace(guest, call_id="call_last")
    assert await refused(ask(toolbox, last, "verify_by_name_and_postcode", **LINDQVIST)) == "locked"
    clock.pass_(minutes=31)
    assert (await ask(toolbox, last, "verify_by_name_and_postcode", **LINDQVIST)).caller


async def test_three_wrong_answers_lock_the_customer_from_everywhere(toolbox, guest):
    for number in range(3):
        caller = replace(guest, call_id=f"call_{number}", address=f"203.0.113.{number}")
        assert await guess(toolbox, caller, postcode=f"0000{number}") == "not_verified"
    honest = replace(guest, call_id="call_h", address="198.51.100.1")
    # Locked, and it sounds like any other wrong answer: nobody learns that the customer exists.
    assert await guess(toolbox, honest) == "not_verified"
    asking = ask(toolbox, honest, "verify_by_email", email="maya.lindqvist@example.com")
    assert await refused(asking) == "not_verified"


async def test_guesses_made_at_once_are_as_many_guesses(toolbox, guest):
    """The third wrong answer locks, though the right one is among those that wait."""
    guesses = [guess(toolbox, guest, first_name=f"Nobody{number}") for number in range(20)]
    reasons = await asyncio.gather(*guesses)
    assert reasons.count("not_verified") == 3
    assert reasons.count("locked") == 17


async def test_right_answers_do_not_count(toolbox, guest):
    for _ in range(5):
        assert (await ask(toolbox, guest, "verify_by_name_and_postcode", **LINDQVIST)).caller


async def test_a_call_serves_one_customer(toolbox, guest):
    first = await ask(toolbox, guest, "verify_by_email", email="maya.lindqvist@example.com")
    known = guest.with_caller(first.caller)
    asking = ask(toolbox, known, "verify_by_email", email="tomas.okafor@example.com")
    assert await refused(asking) == "other_customer"


async def test_a_code_proves_it(toolbox, guest, letters):
    await ask(toolbox, guest, "send_code", email="maya.lindqvist@example.com")
    ((customer, code),) = letters.sent
    assert customer == "maya"
    result = await ask(toolbox, guest, "verify_code", code=" ".join(code))
    assert result.caller == Caller("maya", "Maya Lindqvist", Identity.PROVEN, "code")
    assert await refused(ask(toolbox, guest, "verify_code", code=code)) == "not_verified"


async def test_a_code_for_nobody_sounds_the_same_and_is_not_sent(toolbox, guest, letters):
    known = await ask(toolbox, guest, "send_code", email="maya.lindqvist@example.com")
    unknown = await ask(toolbox, replace(guest, call_id="c2"), "send_code", email="nobody@example.com")
    assert known.say == unknown.say
    assert len(letters.sent) == 1


async def test_a_code_is_for_its_call_and_its_time(toolbox, guest, letters, clock):
    await ask(toolbox, guest, "send_code", email="maya.lindqvist@example.com")
    code = letters.sent[0][1]
    elsewhere = replace(guest, call_id="call_2", address="198.51.100.1")
    assert await refused(ask(toolbox, elsewhere, "verify_code", code=code)) == "not_verified"
    clock.pass_(minutes=10)
    assert await refused(ask(toolbox, guest, "verify_code", code=code)) == "not_verified"


async def test_a_code_cannot_be_guessed(toolbox, guest, letters):
    await ask(toolbox, guest, "send_code", email="maya.lindqvist@example.com")
    wrong = "000000" if letters.sent[0][1] != "000000" else "111111"
    reasons = [await refused(ask(toolbox, guest, "verify_code", code=wrong)) for _ in range(4)]
    assert reasons == ["not_verified", "not_verified", "locked", "locked"]


def test_what_the_policy_does_not_accept_is_not_offered(store, clock):
    strict = parse_policy('[proofs]\nname_postcode = "known"\n')
    toolbox = Toolbox(desk_tools(store, strict), store=store, policy=strict, clock=clock)
    names = {each.name for each in toolbox.definitions(toolbox.context(call_id="c", caller=GUEST))}
    assert "verify_by_name_and_postcode" in names
    assert not {"verify_by_email", "send_code", "verify_code", "cancel_order", "get_customer_info"} & names


def test_nobody_who_is_proven_is_asked_again(toolbox, guest):
    proven = guest.with_caller(Caller("maya", "Maya", Identity.PROVEN, "sign_in"))
    names = {each.name for each in toolbox.definitions(proven)}
    assert not {name for name in names if name.startswith(("verify", "send_code"))}
    assert "cancel_order" in names
