"""Signing in by the company's own function: counted, locked, forgotten, and never told apart."""

import asyncio

import pytest
import sqlalchemy as sa

from helpline.errors import SettingsError
from helpline.hooks import Hooks, hooks_in
from helpline.own import Own
from helpline.records import retention
from helpline.records.people import data_of
from helpline.store import schema as t
from tests.records.desks import LaterClock, desk_in, talk

RIGHT = ("Maya", "correct horse")


class Door:
    """A company's sign-in, which counts how often it was asked."""

    def __init__(self, customer_id):
        self.customer_id = customer_id
        self.asked = 0

    def sign_in(self, name, password):
        self.asked += 1
        if password == "crash":
            raise ValueError(password)
        return self.customer_id if (name, password) == RIGHT else None


async def opened(desk, number=0):
    door = Door(desk.demo_customers[number].customer_id)
    desk.bring(Own(hooks=Hooks(sign_in=door.sign_in)))
    return door


async def test_the_right_one_is_the_customer_until_they_sign_out(tmp_path):
    async with desk_in(tmp_path) as desk:
        door = await opened(desk)
        token = await desk.sign_in(*RIGHT)
        assert (await desk.signed_in(token)).customer_id == door.customer_id
        assert (await desk.signed_in(token)).how == "sign_in"
        assert await desk.signed_in(token + "x") is None
        await desk.sign_out(token)
        assert await desk.signed_in(token) is None


async def test_an_async_function_will_do_and_one_that_fails_lets_nobody_in(tmp_path, caplog):
    async with desk_in(tmp_path) as desk:
        door = await opened(desk)
        assert await desk.sign_in("Maya", "crash") is None
        assert "crash" not in caplog.text.replace("ValueError", "")

        async def sign_in(name, password):
            return door.sign_in(name, password)

        desk.bring(Own(hooks=Hooks(sign_in=sign_in)))
        assert await desk.sign_in(*RIGHT)


async def test_an_id_that_the_shop_does_not_have_is_nobody(tmp_path):
    async with desk_in(tmp_path) as desk:
        for answer in ("cus_nobody", 7, "", "x" * 200, True):
            desk.bring(Own(hooks=Hooks(sign_in=lambda name, password, answer=answer: answer)))
            assert await desk.sign_in("Maya", "x", address="") is None


async def test_three_wrong_ones_lock_the_name_even_for_the_right_one(tmp_path):
    async with desk_in(tmp_path) as desk:
        door = await opened(desk)
        for _ in range(3):
            assert await desk.sign_in("Maya", "guess") is None
        assert await desk.sign_in(" MAYA ", RIGHT[1]) is None
        assert door.asked == 3  # A locked name is not looked at.
    async with desk_in(tmp_path, clock=LaterClock(hours=2)) as desk:
        await opened(desk)
        assert await desk.sign_in(*RIGHT)


async def test_three_wrong_ones_lock_the_address_for_every_name(tmp_path):
    async with desk_in(tmp_path) as desk:
        await opened(desk)
        for name in ("a", "b", "c"):
            assert await desk.sign_in(name, "guess", address="203.0.113.9") is None
        assert await desk.sign_in(*RIGHT, address="203.0.113.9") is None
        assert await desk.sign_in(*RIGHT, address="203.0.113.10")


async def test_many_guesses_at_once_are_as_many_guesses(tmp_path):
    async with desk_in(tmp_path) as desk:
        door = await opened(desk)
        await asyncio.gather(*(desk.sign_in("Maya", f"guess {n}") for n in range(12)))
        assert door.asked == 3


async def test_guesses_in_a_call_and_at_the_page_share_the_lock(tmp_path):
    async with desk_in(tmp_path) as desk:
        customer = await desk.toolbox.shop.customer(desk.demo_customers[0].customer_id)
        door = await opened(desk)
        for _ in range(3):
            assert await desk.sign_in(customer.email, "guess") is None
        assert await desk.sign_in(*RIGHT) is None  # The same customer by another name of theirs.
        assert door.asked == 4


async def test_a_sign_in_is_over_in_half_a_day_and_then_removed(tmp_path):
    async with desk_in(tmp_path) as desk:
        await opened(desk)
        token = await desk.sign_in(*RIGHT)
    async with desk_in(tmp_path, clock=LaterClock(hours=13)) as desk:
        await opened(desk)
        assert await desk.signed_in(token) is None
        gone = await retention.clean(desk.store, desk.settings, LaterClock(days=3).utcnow())
        assert gone["sign_ins"] == 1


async def test_forgetting_a_customer_ends_their_sign_ins(tmp_path):
    async with desk_in(tmp_path) as desk:
        door = await opened(desk)
        token = await desk.sign_in(*RIGHT)
        assert len((await data_of(desk.store, door.customer_id))["sign_ins"]) == 1
        assert (await desk.store.forget(door.customer_id))["sign_ins"] == 1
        assert await desk.signed_in(token) is None


async def test_the_database_holds_no_token(tmp_path):
    async with desk_in(tmp_path) as desk:
        await opened(desk)
        token = await desk.sign_in(*RIGHT)
        async with desk.store.database.read() as connection:
            (row,) = (await connection.execute(sa.select(t.sign_ins))).all()
        assert token not in repr(row)


async def test_who_signs_in_elsewhere_is_the_one_customer_with_that_e_mail(tmp_path):
    async with desk_in(tmp_path) as desk:
        customer = await desk.toolbox.shop.customer(desk.demo_customers[0].customer_id)
        await talk(desk, "where is my order 1004", caller=desk.demo_customers[0])
        token = await desk.sign_in_by("google", {}, customer.email.upper())
        caller = await desk.signed_in(token)
        assert (caller.customer_id, caller.how) == (customer.id, "sign_in")
        assert len(await desk.history(caller)) == 1
        await desk.sign_out(token)
        assert await desk.signed_in(token) is None
        for nobody in ("", " ", "nobody@example.com", "%"):
            assert await desk.sign_in_by("google", {"email": customer.email}, nobody) is None


async def test_a_letter_whose_small_form_is_anothers_is_nobodys(tmp_path):
    async with desk_in(tmp_path) as desk:
        customer = await desk.toolbox.shop.customer(desk.demo_customers[0].customer_id)
        async with desk.store.database.write() as connection:
            theirs = t.customers.c.id == customer.id
            await connection.execute(sa.update(t.customers).where(theirs).values(email="kim@example.com"))
        assert await desk.sign_in_by("google", {}, "\u212aim@example.com") is None  # The Kelvin sign.
        assert await desk.sign_in_by("google", {}, "Kim@example.com")


async def test_an_e_mail_that_two_customers_share_is_nobodys(tmp_path):
    async with desk_in(tmp_path) as desk:
        first, second = [
            await desk.toolbox.shop.customer(each.customer_id) for each in desk.demo_customers[:2]
        ]
        async with desk.store.database.write() as connection:
            theirs = t.customers.c.id == second.id
            await connection.execute(sa.update(t.customers).where(theirs).values(email=first.email.upper()))
        assert await desk.sign_in_by("google", {}, first.email) is None


async def test_the_companys_own_function_alone_says_whose_account_it_is(tmp_path, caplog):
    async with desk_in(tmp_path) as desk:
        first, second = [
            await desk.toolbox.shop.customer(each.customer_id) for each in desk.demo_customers[:2]
        ]
        seen = []

        def signed_in_by(provider, user):
            seen.append((provider, user))
            return {"s-2": second.id, "gone": "cus_nobody"}.get(user["sub"])

        desk.bring(Own(hooks=Hooks(signed_in_by=signed_in_by)))
        token = await desk.sign_in_by("okta", {"sub": "s-2"}, first.email)
        assert (await desk.signed_in(token)).customer_id == second.id
        assert seen == [("okta", {"sub": "s-2"})]
        for user in ({"sub": "other"}, {"sub": "gone"}, {"secret": "of a person"}):
            assert await desk.sign_in_by("okta", user, first.email) is None
        assert "of a person" not in caplog.text
        assert "signed_in_by failed: KeyError" in caplog.text


async def test_signing_in_elsewhere_is_no_guess_and_heeds_no_lock_of_passwords(tmp_path):
    async with desk_in(tmp_path) as desk:
        customer = await desk.toolbox.shop.customer(desk.demo_customers[0].customer_id)
        await opened(desk)
        for _ in range(5):
            assert await desk.sign_in_by("google", {}, "nobody@example.com") is None
            assert await desk.sign_in_by("google", {}, customer.email)
        assert await desk.sign_in(*RIGHT)
        for _ in range(3):
            await desk.sign_in("Maya", "guess")
        assert await desk.sign_in_by("google", {}, customer.email)


def test_whose_account_it_is_takes_a_provider_and_its_user():
    with pytest.raises(SettingsError, match="signed_in_by must be a function of a provider and its user"):
        hooks_in({"signed_in_by": lambda user: None}, "my_desk.py")
    assert hooks_in({"signed_in_by": lambda provider, user: None}, "my_desk.py")


def test_a_sign_in_takes_a_name_and_a_password():
    with pytest.raises(SettingsError, match="sign_in must be a function of a name and a password"):
        hooks_in({"sign_in": lambda name: None}, "my_desk.py")
    assert hooks_in({"sign_in": lambda name, password: None}, "my_desk.py")
