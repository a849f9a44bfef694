"""The record of a call, on both databases: what it holds, how it is found, and who looked."""

from datetime import UTC, datetime, timedelta

import pytest

from helpline.records import archive
from helpline.records.archive import Filter
from tests.records.desks import desk_in, talk


async def found(desk, **wanted):
    async with desk.records.store.database.read() as connection:
        return await archive.listed(connection, Filter(**wanted))


async def record(desk, call_id):
    async with desk.records.store.database.read() as connection:
        return await archive.find(connection, call_id)


@pytest.fixture
async def desk(tmp_path, shop_url):
    async with desk_in(tmp_path, database_url=shop_url) as opened:
        yield opened


async def test_a_call_is_written_down_as_it_was(desk):
    call_id, shown = await talk(desk, "where is my order 1004", "cancel order 1005", "yes")
    kept = await record(desk, call_id)
    assert [(line["speaker"], line["text"]) for line in kept["lines"]] == [
        (line.speaker, line.text) for line in shown.lines
    ]
    assert all(line["heard"] == line["text"] for line in kept["lines"])
    assert [tool["name"] for tool in kept["tools"]] == ["check_order_status", "cancel_order"]
    assert kept["tools"][0]["arguments"] == {"order_id": "1004"}
    assert kept["receipts"][0]["reference"] == shown.receipts[0].reference
    assert kept["proposals"][0]["outcome"] == "confirmed"
    assert (kept["outcome"], kept["reason"]) == ("solved", "check order status")
    assert kept["backends"] == ["engine"]
    assert len(kept["turns"]) == 3
    assert kept["usage"]["tokens"]["text_in"] > 0
    (receipt,) = kept["receipts"]
    assert kept["promises"] == [
        f"the refund of a cancelled order: cancel order 1005, $72.00 ({receipt['reference']})"
    ]


async def test_a_customer_stands_in_it_by_pseudonym_only(desk):
    call_id, _ = await talk(desk, "hello")
    kept = await record(desk, call_id)
    (key,) = kept["customers"]
    assert len(key) == 32
    assert [each["id"] for each in await found(desk, customer_id="maya")] == [call_id]
    assert await found(desk, customer_id="nobody") == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ([], "abandoned"),
        (["cancel order 1005"], "abandoned"),
        (["call me back tomorrow at 3 pm", "yes"], "callback"),
        (["how much are the trail running shoes"], "solved"),
    ],
)
async def test_the_rules_say_what_became_of_it(desk, said, outcome):
    call_id, _ = await talk(desk, *said)
    assert (await record(desk, call_id))["outcome"] == outcome


async def test_calls_are_found_by_what_was_said(desk):
    first, _ = await talk(desk, "where is my order 1004")
    second, _ = await talk(desk, "how much are the trail running shoes")
    assert [each["id"] for each in await found(desk, words="running shoes")] == [second]
    assert [each["id"] for each in await found(desk, words="runn* 1004")] == []
    assert [each["id"] for each in await found(desk, words="RUNN*")] == [second]
    assert [each["id"] for each in await found(desk, words="1004")] == [first]


@pytest.mark.parametrize("hostile", ['"', "' OR 1=1 --", "NEAR(", "* & | ! :*", "\x00", "AND OR NOT"])
async def test_no_search_is_an_error(desk, hostile):
    await talk(desk, "hello")
    assert await found(desk, words=hostile) == []


async def test_filters_add_up(desk):
    call_id, _ = await talk(desk, "where is my order 1004")
    now = datetime.now(UTC)
    assert [each["id"] for each in await found(desk, outcome="solved", channel="test", backend="engine")] == [
        call_id
    ]
    assert await found(desk, outcome="limit") == []
    assert await found(desk, since=now + timedelta(minutes=1)) == []
    assert len(await found(desk, until=now + timedelta(minutes=1))) == 1
    assert len(await found(desk, reason="check_order_status")) == 1


async def test_the_lasting_record_holds_no_card(desk):
    call_id, _ = await talk(desk, "my card is 4242 4242 4242 4242", "four two four two uh four two four two")
    kept = repr(await record(desk, call_id))
    assert "[card]" in kept
    assert "4242 4242" not in kept


async def test_a_live_call_is_on_the_disk_and_gone_when_it_is_closed(desk, tmp_path):
    seen = []

    def notice(_):
        for path in (tmp_path / "live").iterdir():
            seen.append((path.stat().st_mode & 0o777, path.read_bytes()))

    await talk(desk, "where is my order 1004", notice=notice)
    assert {mode for mode, _ in seen} == {0o600}
    assert all(b"1004" not in data and b"Lindqvist" not in data for _, data in seen)
    assert list((tmp_path / "live").iterdir()) == []
    assert (tmp_path / "live.key").stat().st_mode & 0o777 == 0o600


async def test_looks_are_written_down(desk, clock):
    async with desk.records.store.database.write() as connection:
        await archive.note_read(connection, clock.utcnow(), "ann", "show", "call_1")
        (read,) = await archive.reads_of(connection, "call_1")
    assert (read["reader"], read["action"], read["at"]) == ("ann", "show", clock.utcnow())
