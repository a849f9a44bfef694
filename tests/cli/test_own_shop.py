"""An order system of the company's own, in its file: the desk serves its customers and no demo shop."""

from contextlib import asynccontextmanager

import httpx
import pytest
import sqlalchemy as sa
from examples.http_shop import HttpShop

from helpline.actions import GUEST, Caller, Identity
from helpline.desk import open_desk
from helpline.errors import SettingsError
from helpline.own import Own, own_in
from helpline.store import Store
from helpline.store import schema as t
from tests.records.desks import settings_in, talk
from tests.tools.test_http_shop import Service


@pytest.fixture
async def service(tmp_path):
    """Somebody's order system, with a database of its own."""
    store = await Store.open(f"sqlite:///{tmp_path / 'theirs.db'}", demo=True)
    yield Service(store.shop)
    await store.close()


async def test_its_orders_are_told_of_and_changed_there_and_nothing_of_a_customer_is_kept_here(
    tmp_path, service
):
    told = []

    @asynccontextmanager
    async def open_shop():
        transport = httpx.MockTransport(service)
        async with httpx.AsyncClient(base_url="https://shop.example", transport=transport) as client:
            yield HttpShop(client)
        told.append("closed")

    async with open_desk(settings_in(tmp_path), own=Own(open_shop=open_shop)) as desk:
        assert desk.demo_customers == ()
        maya = await desk.customer("maya")
        assert maya == Caller("maya", "Maya Lindqvist", Identity.PROVEN, "sign_in")
        _, shown = await talk(desk, "where is order 1004", "cancel order 1005", "yes", caller=maya)
        assert "on its way" in shown.lines[1].text
        (made,) = service.made.values()
        assert (made["customer_id"], made["change"]["type"]) == ("maya", "CancelOrder")
        assert len(shown.receipts) == 1
    assert told == ["closed"]
    ours = await Store.open(settings_in(tmp_path).database_url)
    async with ours.database.read() as connection:
        rows = (await connection.execute(sa.select(t.customers))).mappings().all()
        assert [(row["id"], row["first_name"], row["email"]) for row in rows] == [("maya", "", "")]
    assert await ours.verify_ledger() == ()
    await ours.close()


async def test_a_guest_verifies_against_it(tmp_path, service):
    transport = httpx.MockTransport(service)
    async with (
        httpx.AsyncClient(base_url="https://shop.example", transport=transport) as client,
        open_desk(settings_in(tmp_path), own=Own(open_shop=lambda: HttpShop(client))) as desk,
    ):
        assert await desk.customer("nobody") is None
        said = ("where is order 1004", "maya.lindqvist@example.com", "where is order 1004")
        _, shown = await talk(desk, *said, caller=GUEST)
        assert shown.lines[1].text == (
            "For that I have to know who you are. Please tell me the e-mail address of the account."
        )
        assert any("on its way" in line.text for line in shown.lines[3:]), shown.lines


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("open_shop = 1", "open_shop must be a function"),
        ("def open_shop():\n    raise OSError('secret')", "OSError"),
        ("import os\ndef open_shop():\n    return os.environ['NO_SUCH_URL']", "'NO_SUCH_URL'"),
        ("def open_shop():\n    return object()", "lacks customer, customers_by_email"),
    ],
)
async def test_what_is_no_shop_is_said_in_a_sentence(tmp_path, text, words):
    file = tmp_path / "my_desk.py"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as wrong:
        async with open_desk(settings_in(tmp_path), own=own_in(file)):
            pass
    assert "secret" not in str(wrong.value)
