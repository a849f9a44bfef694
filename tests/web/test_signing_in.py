"""Who is signed in by the proxy before the page: believed by its secret alone, and never mixed up."""

import pytest
import pytest_asyncio

from helpline.actions import GUEST, Caller, Identity
from helpline.channels.web.app import create_app
from helpline.channels.web.signing_in import SignIn, is_anothers
from helpline.errors import SettingsError
from helpline.settings import Secret, Settings
from tests.records.desks import desk_in
from tests.web.client import SocketPage, new_cookie, page_at
from tests.web.desk import ANA, ScriptedDesk
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROXY = {"X-Helpline-Secret": "the-proxys-own-secret"}


def as_customer(customer_id):
    return {**PROXY, "X-Customer-Id": customer_id}


@pytest_asyncio.fixture(loop_scope="session")
async def shop(desk, tmp_path):
    settings = Settings(
        host="127.0.0.1",
        port=0,
        data_dir=tmp_path,
        sign_in_header="X-Customer-Id",
        sign_in_secret=Secret(PROXY["X-Helpline-Secret"]),
    )
    async with served(create_app(settings, desk.opener(), grace_s=5)) as address:
        yield address


async def call_as(desk, page, number=0):
    await page.type("hello")
    call = await desk.call(number)
    await call.until_told("type", "hello")
    return call


async def test_a_signed_in_customer_is_who_they_are_to_the_shop(shop, desk):
    async with page_at(shop, **as_customer("cus_bo")) as page:
        assert page.told("desk")[0]["customers"] == []
        call = await call_as(desk, page)
        assert (call.caller.customer_id, call.caller.how) == ("cus_bo", "sign_in")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        PROXY,
        {"X-Customer-Id": "cus_bo"},
        {"X-Customer-Id": "cus_bo", "X-Helpline-Secret": "guessed-by-somebody"},
        {"X_Customer_Id": "cus_bo", **PROXY},
        as_customer("cus_nobody"),
        as_customer(""),
        as_customer("cus_bo\u00e9"),
        as_customer("x" * 101),
    ],
)
async def test_whoever_comes_without_proof_is_a_guest(shop, desk, headers):
    async with page_at(shop, **headers) as page:
        call = await call_as(desk, page)
        assert call.caller == GUEST


async def test_nobody_is_a_demo_customer_where_customers_sign_in(shop, desk):
    async with page_at(shop) as page:
        await page.tell(type="customer", id=ANA.customer_id)
        call = await call_as(desk, page)
        assert call.caller == GUEST


async def test_a_guest_who_signs_in_goes_on_with_the_call(shop, desk):
    cookie = await new_cookie(shop)
    async with page_at(shop, cookie) as page:
        call = await call_as(desk, page)
    async with page_at(shop, cookie, **as_customer("cus_bo")):
        await call.until_told("become", "cus_bo")
    assert len(desk.calls) == 1


@pytest.mark.parametrize("headers", [{}, as_customer("cus_ana")])
async def test_the_next_at_the_same_browser_sees_nothing_of_the_one_before(shop, desk, headers):
    cookie = await new_cookie(shop)
    async with page_at(shop, cookie, **as_customer("cus_bo")) as page:
        call = await call_as(desk, page)
    async with page_at(shop, cookie, **headers) as page:
        assert await call.until_told("hang_up") == ("hang_up", "The customer signed out.")
        assert not any("hello" in output for output in page.outputs())
        after = await call_as(desk, page, 1)
        assert after.caller.customer_id == ("cus_ana" if headers else None)


async def test_a_socket_that_returns_signed_out_has_left_the_call(shop, desk):
    cookie = await new_cookie(shop)
    async with page_at(shop, cookie, **as_customer("cus_bo")) as page:
        call = await call_as(desk, page)
    again = SocketPage(cookie)
    again.session_id = page.session_id
    await again.connect(shop)
    await call.until_told("hang_up", "The customer signed out.")
    await again.client.disconnect()


async def test_a_header_without_a_secret_is_refused_at_the_start(desk, tmp_path):
    settings = Settings(data_dir=tmp_path, sign_in_header="X-Customer-Id")
    with pytest.raises(SettingsError, match="HELPLINE_SIGN_IN_SECRET"):
        create_app(settings, desk.opener())


async def test_a_header_that_comes_twice_names_nobody():
    sign_in = SignIn("X-Customer-Id", PROXY["X-Helpline-Secret"])
    secret = (b"x-helpline-secret", PROXY["X-Helpline-Secret"].encode())
    names = [(b"x-customer-id", b"cus_bo"), (b"x-customer-id", b"cus_ana")]
    for headers in ([secret, *names], [secret, secret, names[0]]):
        assert await sign_in.caller({"asgi.scope": {"headers": headers}}, ScriptedDesk()) == GUEST


async def test_the_policy_says_how_far_a_sign_in_reaches(tmp_path):
    async with desk_in(tmp_path) as desk:
        customer = desk.demo_customers[0]
        signed_in = await desk.customer(customer.customer_id)
        assert signed_in == Caller(customer.customer_id, customer.name, Identity.PROVEN, "sign_in")
        assert await desk.customer("nobody") is None


async def test_who_verified_in_the_conversation_stays_known_where_nobody_is_signed_in():
    verified = Caller("cus_bo", "Bo", Identity.KNOWN, "email")
    assert not is_anothers(verified, GUEST)
    assert is_anothers(verified, ANA)
    assert not is_anothers(GUEST, ANA)
