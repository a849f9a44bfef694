"""A company's hooks: told in order of what happened, beside the call, and unable to harm it."""

import logging

import pytest

from helpline import hooks as h
from helpline.desk import open_desk
from helpline.errors import SettingsError
from helpline.hooks import hooks_in
from helpline.own import own_in
from tests.records.desks import settings_in, talk


async def told_by(tmp_path, functions, *sentences):
    async with open_desk(settings_in(tmp_path), hooks=hooks_in(functions, "my_desk.py")) as desk:
        return await talk(desk, *sentences)


async def test_they_are_told_of_a_call_from_its_start_to_its_end(tmp_path):
    told = []

    async def later(event):
        told.append(event)

    functions = dict.fromkeys(("on_call_start", "on_turn", "on_call_end"), told.append)
    call_id, shown = await told_by(
        tmp_path, {**functions, "on_receipt": later}, "cancel order 1005", "yes, do it"
    )
    assert {event.call_id for event in told} == {call_id}
    first, *between, last = told
    assert (type(first), first.channel, first.customer_id) == (h.CallStarted, "test", "maya")
    assert type(last) is h.CallEnded
    assert last.references == (shown.receipts[0].reference,)
    assert last.duration_ms >= 0
    turns = [event for event in between if isinstance(event, h.TurnEnded)]
    assert [turn.text for turn in turns if turn.speaker == "customer"] == ["cancel order 1005", "yes, do it"]
    assert any("1005" in turn.heard for turn in turns if turn.speaker == "desk")
    (receipt,) = [event for event in between if isinstance(event, h.ReceiptMade)]
    assert receipt.receipt == shown.receipts[0]


async def test_one_that_fails_harms_no_call_and_keeps_its_words(tmp_path, caplog):
    told = []

    def fails(event):
        raise RuntimeError(f"the customer said {event.text}")

    functions = {"on_turn": fails, "on_call_end": told.append}
    _, shown = await told_by(tmp_path, functions, "where is my order 1004")
    assert shown.lines
    assert len(told) == 1
    failures = [record for record in caplog.records if "on_turn failed" in record.getMessage()]
    assert failures
    assert {record.levelno for record in failures} == {logging.ERROR}
    assert "1004" not in " ".join(record.getMessage() for record in failures)


async def test_the_file_of_tools_brings_them(tmp_path):
    file = tmp_path / "my_desk.py"
    file.write_text("def on_receipt(event):\n    pass\n")
    own = own_in(file)
    assert set(own.hooks.functions) == {"on_receipt"}
    file.write_text("def on_receipt():\n    pass\n")
    with pytest.raises(SettingsError, match=r"on_receipt must be a function of one argument"):
        own_in(file)
