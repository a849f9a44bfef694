"""A live call's file: sealed, in order, locked, and readable up to where it was cut short."""

import multiprocessing
import os
import struct

import pytest

from helpline.actions import Caller, Identity
from helpline.call.shown import Caption, ReceiptShown, ToolEnded
from helpline.records import archive
from helpline.records.draft import Draft
from helpline.records.events import Began, Event, decode, encode
from helpline.records.journal import JournalError, Journals
from tests.call.talk import proposal
from tests.records.desks import desk_in

BEGAN = Began("call_1", "web", "en", "2026-11-22T10:00:00+00:00", Caller("maya", "Maya", Identity.PROVEN))
EVENTS = [
    Event(0, BEGAN),
    Event(10, Caption("l1", "customer", "cancel it", "cancel it", final=True)),
    Event(30, Caption("l2", "desk", "Shall I?", "Shall", final=True)),
]


def write(journals, events=EVENTS, call_id="call_1"):
    journal = journals.begin(call_id)
    for event in events:
        journal.write(encode(event))
    return journal


def test_what_was_written_is_read(tmp_path):
    journal = write(Journals(tmp_path))
    assert [decode(line) for line in journal.read()] == EVENTS


def test_every_kind_of_event_comes_back_as_it_was():
    from helpline.actions import Card, Receipt, ToolResult

    card = Card("order", "Order", {"number": "1005", "lines": [{"price_cents": 1}]})
    receipt = Receipt("R-1", "p", "cancel_order", "Done.", "2026-11-22T10:00:00+00:00", {"a": [1]}, card)
    result = ToolResult("Shall I?", {"x": {"y": None}}, (card,), proposal(), BEGAN.caller)
    for what in (ReceiptShown(receipt), ToolEnded("t", "cancel_order", "{}", result, 3)):
        assert decode(encode(Event(5, what))) == Event(5, what)


@pytest.mark.parametrize("lost", [1, 10, 40])
def test_of_an_event_that_was_cut_short_nothing_is_read_and_of_those_before_it_all(tmp_path, lost):
    journal = write(Journals(tmp_path))
    os.truncate(journal.path, journal.path.stat().st_size - lost)
    assert [decode(line) for line in journal.read()] == EVENTS[:-1]


def test_a_file_that_was_tampered_with_ends_there(tmp_path):
    journal = write(Journals(tmp_path))
    data = bytearray(journal.path.read_bytes())
    data[-1] ^= 1
    journal.path.write_bytes(data)
    assert [decode(line) for line in journal.read()] == EVENTS[:-1]


def test_one_damaged_event_hides_none_behind_it_and_keeps_its_place(tmp_path, caplog):
    journal = write(Journals(tmp_path))
    data = bytearray(journal.path.read_bytes())
    (first,) = struct.unpack_from(">I", data)
    data[4 + first + 4 + 20] ^= 1
    journal.path.write_bytes(data)
    sound = [EVENTS[0], *EVENTS[2:]]
    assert [decode(line) for line in journal.read()] == sound
    assert [decode(line) for line in journal.resume()] == sound
    assert f"1 of its {len(EVENTS)} events are damaged" in caplog.text
    assert journal.path.stat().st_size == len(data)
    journal.write(encode(EVENTS[0]))
    assert [decode(line) for line in journal.read()] == [*sound, EVENTS[0]]


def test_another_calls_file_under_this_name_is_not_read(tmp_path):
    journals = Journals(tmp_path)
    other = write(journals, call_id="call_2")
    journal = journals.begin("call_1")
    journal.path.write_bytes(other.path.read_bytes())
    assert list(journal.read()) == []


def test_a_live_calls_file_is_left_alone_and_a_dead_ones_is_found(tmp_path):
    live = write(Journals(tmp_path))
    assert list(Journals(tmp_path).left_behind()) == []
    dead = multiprocessing.get_context("spawn").Process(target=die_in_a_call, args=(tmp_path,))
    dead.start()
    dead.join()
    (found,) = Journals(tmp_path).left_behind()
    assert found.call_id == "call_dead"
    assert Draft.of(map(decode, found.read())).customers == ("maya",)
    live.close()
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["call_dead.call"]


def die_in_a_call(folder):
    write(Journals(folder), call_id="call_dead")
    os._exit(9)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    Journals(tmp_path)
    key = (tmp_path / "live.key").read_bytes()
    Journals(tmp_path)
    assert (tmp_path / "live.key").read_bytes() == key
    assert (tmp_path / "live.key").stat().st_mode & 0o777 == 0o600


def test_a_key_of_another_length_is_an_error_that_names_the_setting(tmp_path):
    (tmp_path / "live.key").write_bytes(b"short")
    with pytest.raises(JournalError, match="HELPLINE_DATA_DIR"):
        Journals(tmp_path)


async def test_a_desk_starts_with_what_it_can_read_of_another_versions_calls(tmp_path):
    journals = Journals(tmp_path)
    journal = journals.begin("call_1")
    for line in (
        encode(EVENTS[0]),
        b'[5, "Teleported", {"to": "the moon"}]',
        b'[6, "Caption", {"line_id": 7}]',
        encode(EVENTS[1]),
    ):
        journal.write(line)
    journal.leave()
    async with desk_in(tmp_path) as desk, desk.store.database.read() as connection:
        record = await archive.find(connection, "call_1")
    assert [line["text"] for line in record["lines"]] == ["cancel it"]
    assert list((tmp_path / "live").iterdir()) == []
