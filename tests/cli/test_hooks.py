"""A company's hooks: told in order of what happened, beside the call, and unable to harm it."""

import asyncio
import dataclasses
import logging
import threading
import time

import pytest

from helpline import hooks as h
from helpline.actions import Identity
from helpline.desk import open_desk
from helpline.errors import SettingsError
from helpline.hooks import hooks_in
from helpline.own import Own, own_in
from helpline.tools import CallContext, tool
from tests.records.desks import settings_in, talk


async def told_by(tmp_path, functions, *sentences, time_s=h.TIME_S, tools=()):
    hooks = dataclasses.replace(hooks_in(functions, "my_desk.py"), time_s=time_s)
    async with open_desk(settings_in(tmp_path), own=Own(tuple(tools), hooks)) as desk:
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


async def test_a_tool_that_fails_is_an_error_that_is_told(tmp_path):
    """By its kind alone, once."""

    @tool(identity=Identity.GUEST)
    def opening_hours(context: CallContext) -> dict[str, str]:
        """Say when the museum is open."""
        raise RuntimeError("the museum burnt down")

    errors = []
    await told_by(tmp_path, {"on_error": errors.append}, "when is the museum open?", tools=[opening_hours])
    assert [error.kind for error in errors] == ["tool opening_hours unreachable"]


async def test_one_that_hangs_holds_up_neither_the_call_nor_the_desk_nor_another_at_a_time(tmp_path, caplog):
    told, free, within = [], threading.Event(), []

    def hangs(event):
        within.append(event)
        told.append(len(within))
        free.wait(90)
        within.remove(event)

    async with asyncio.timeout(60):
        _, shown = await told_by(
            tmp_path, {"on_turn": hangs}, "where is my order 1004", "thank you", time_s=0.2
        )
    assert shown.lines
    assert told == [1], "the others of the call were not begun beside it"
    late = [record.getMessage() for record in caplog.records if "on_turn failed" in record.getMessage()]
    assert late
    assert all(text.endswith("TimeoutError") for text in late)
    free.set()


async def test_an_async_one_that_takes_too_long_is_stopped_and_the_next_are_told(tmp_path, caplog):
    told, stopped = [], []

    async def slow(event):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(event)

    functions = {"on_call_start": slow, "on_turn": told.append}
    await told_by(tmp_path, functions, "where is my order 1004", time_s=0.1)
    assert len(stopped) == 1
    assert len(told) >= 2
    assert any("on_call_start failed: TimeoutError" in record.getMessage() for record in caplog.records)


async def test_sync_ones_of_a_call_are_told_in_order(tmp_path):
    told = []

    def slow(event):
        time.sleep(0.02 if len(told) % 2 else 0)  # The first takes longer than the second would.
        told.append(event.text)

    _, shown = await told_by(tmp_path, {"on_turn": slow}, "where is my order 1004", "thank you")
    assert told == [line.text for line in shown.lines if line.final]


async def test_the_file_of_tools_brings_them(tmp_path):
    file = tmp_path / "my_desk.py"
    file.write_text("def on_receipt(event):\n    pass\n")
    own = own_in(file)
    assert set(own.hooks.functions) == {"on_receipt"}
    file.write_text("def on_receipt():\n    pass\n")
    with pytest.raises(SettingsError, match=r"on_receipt must be a function of one argument"):
        own_in(file)
