"""Past conversations on the page: for who is signed in, by ids that are theirs, and gone on with."""

import httpx
import pytest
import pytest_asyncio

from helpline.actions import Receipt
from helpline.call.shown import Caption, StateShown
from helpline.channels.web.app import create_app
from helpline.records.past import Past
from helpline.settings import Secret, Settings
from tests.web.client import new_cookie, page_at
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROXY = {"X-Helpline-Secret": "the-proxys-own-secret"}
BO = {**PROXY, "X-Customer-Id": "cus_bo"}
ANA = {**PROXY, "X-Customer-Id": "cus_ana"}
LINES = (
    Caption("past_line_0", "customer", "cancel order 1005", "cancel order 1005", True),
    Caption("past_line_1", "desk", "Done. Your reference is R-77.", "Done. Your reference is R-77.", True),
)
DONE = Receipt("R-77", "p1", "cancel_order", "Done. Your reference is R-77.", "2026-11-20T10:00:00+00:00")


@pytest_asyncio.fixture(loop_scope="session")
async def shop(desk, tmp_path):
    desk.pasts["call_bo"] = Past("call_bo", "cus_bo", "2026-11-20T10:00:00+00:00", LINES, (DONE,), ())
    settings = Settings(
        host="127.0.0.1",
        port=0,
        data_dir=tmp_path,
        sign_in_header="X-Customer-Id",
        sign_in_secret=Secret(PROXY["X-Helpline-Secret"]),
    )
    async with served(create_app(settings, desk.opener(), grace_s=5)) as address:
        yield address


async def listed(page):
    before = len(page.told("history"))
    await page.tell(type="history")
    await page.until(lambda page: len(page.told("history")) > before)
    return page.told("history")[-1]


async def test_a_signed_in_customer_sees_theirs_and_a_guest_and_another_see_none(shop):
    for headers, ids in ((BO, ["call_bo"]), (ANA, []), ({}, [])):
        async with page_at(shop, **headers) as page:
            assert [each["id"] for each in (await listed(page))["conversations"]] == ids


async def test_a_past_conversation_is_shown_and_the_next_word_goes_on_from_it(shop, desk):
    async with page_at(shop, **BO) as page:
        await page.tell(type="past", id="call_bo")
        await page.until_shown("earlier conversation of yours")
        assert page.count("resume_thread") == 1
        assert desk.calls == []  # To look at it is no call.
        await page.type("and 1006?")
        call = await desk.call()
        assert call.past.call_id == "call_bo"
        assert call.caller.customer_id == "cus_bo"


async def test_voice_goes_on_from_it_too(shop, desk):
    async with page_at(shop, **BO) as page:
        await page.tell(type="past", id="call_bo")
        await page.until_shown("earlier conversation of yours")
        assert await page.talk() == "on"
        assert (await desk.call()).past.call_id == "call_bo"


@pytest.mark.parametrize(("headers", "chosen"), [(ANA, "call_bo"), ({}, "call_bo"), (BO, "call_ana")])
async def test_a_foreign_or_guessed_one_is_refused_alike(shop, desk, headers, chosen):
    async with page_at(shop, **headers) as page:
        await page.tell(type="past", id=chosen)
        await page.until_shown("There is no such conversation of yours.")
        assert not any("1005" in output for output in page.outputs())
        await page.type("hello")
        assert (await desk.call()).past is None


async def test_the_call_that_was_going_on_is_left_and_draws_no_more(shop, desk):
    async with page_at(shop, **BO) as page:
        await page.type("hello")
        before = await desk.call()
        await page.tell(type="past", id="call_bo")
        await before.until_told("hang_up", "The customer opened an earlier conversation.")
        await before.channel.show(StateShown("ended", "late"))
        await before.channel.show(Caption("late", "desk", "too late", "too late", True))
        await page.type("and now?")
        after = await desk.call(1)
        await after.until_told("type", "and now?")
        await page.type("still there?")
        await after.until_told("type", "still there?")
        assert not any("too late" in output for output in page.outputs())


async def test_what_is_shown_of_it_is_gone_for_the_next_at_the_browser(shop):
    cookie = await new_cookie(shop)
    async with page_at(shop, cookie, **BO) as page:
        await page.tell(type="past", id="call_bo")
        await page.until_shown("earlier conversation of yours")
    async with page_at(shop, cookie) as page:
        await page.type("hello")
        assert not any("1005" in output for output in page.outputs())


@pytest.mark.parametrize("path", ["/project/threads", "/project/thread/call_bo", "/project/thread"])
async def test_chainlits_own_threads_do_not_exist(shop, path):

    async with httpx.AsyncClient(headers=BO) as client:
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert (await client.request(method, shop + path)).status_code in (404, 405)
