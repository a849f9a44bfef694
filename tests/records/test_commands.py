"""The commands for records, as a person uses them."""

import json

import pytest
from click.testing import CliRunner

from helpline.cli import main
from tests.records.desks import ALWAYS_OPEN

OPEN_DESK = {"HELPLINE_BACKENDS": "engine", "HELPLINE_HOURS": ALWAYS_OPEN}


@pytest.fixture
def helpline(tmp_path, monkeypatch):
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(main, arguments, env=OPEN_DESK)

    return run


def call(helpline, *said):
    """A typed call; gives its id."""
    assert helpline("call", "--text", *said).exit_code == 0
    return json.loads(helpline("calls", "list", "--json").stdout)[0]["id"]


def test_a_call_is_listed_found_shown_exported_and_each_look_is_written_down(helpline):
    call_id = call(helpline, "cancel order 1005", "yes")
    assert call_id in helpline("calls", "list", "--outcome", "solved").stdout
    assert call_id not in helpline("calls", "list", "--outcome", "limit").stdout
    assert call_id in helpline("calls", "search", "cancel*").stdout
    shown = helpline("calls", "show", call_id).stdout
    assert "cancel_order" in shown
    assert "Shall I cancel it?" in shown
    assert json.loads(helpline("calls", "show", call_id, "--json").stdout)["outcome"] == "solved"
    (line,) = helpline("calls", "export").stdout.splitlines()
    assert json.loads(line)["id"] == call_id
    looks = helpline("calls", "reads", call_id).stdout
    assert looks.count("show") == 2
    assert looks.count("export") == 1


def test_callbacks_are_listed_until_they_are_done(helpline):
    call(helpline, "call me back tomorrow at 3 pm", "yes")
    (callback,) = json.loads(helpline("callbacks", "list", "--json").stdout)
    assert helpline("callbacks", "done", str(callback["id"])).exit_code == 0
    assert json.loads(helpline("callbacks", "list", "--json").stdout) == []
    assert json.loads(helpline("callbacks", "list", "--all", "--json").stdout)[0]["state"] == "done"
    assert helpline("callbacks", "done", str(callback["id"])).exit_code == 1


def test_the_lists_say_who_was_promised_what(helpline):
    call_id = call(helpline, "cancel order 1005", "yes", "call me back tomorrow at 3 pm", "yes")
    listed = helpline("calls", "list")
    (row,) = listed.stdout.splitlines()
    assert row.startswith(call_id)
    assert {"maya", "solved", "cancel", "callback"} <= set(row.replace(",", "").split())
    assert "outcome" in listed.stderr, "the names of the columns, apart from the rows"
    (row,) = helpline("callbacks", "list").stdout.splitlines()
    assert {"maya", call_id, "booked"} <= set(row.split())
    shown = " ".join(helpline("calls", "show", call_id).stdout.split())
    assert "the refund of a cancelled order: cancel order 1005, $72.00" in shown
    assert "a callback: call you back" in shown


def test_a_ticket_is_listed_until_it_is_done(helpline):
    call_id = call(helpline, "I want to talk to a person")
    (row,) = helpline("tickets", "list").stdout.splitlines()
    assert {"T-1", "transfer", "open", "maya", call_id} <= set(row.split())
    assert json.loads(helpline("tickets", "list", "--json").stdout)[0]["call_id"] == call_id
    assert helpline("tickets", "done", "t-1").exit_code == 0
    assert helpline("tickets", "list").stdout == ""
    assert "done" in helpline("tickets", "list", "--all").stdout
    again = helpline("tickets", "done", "1")
    assert (again.exit_code, "no open ticket T-1" in again.stderr) == (1, True)
    assert helpline("tickets", "done", "x").exit_code == 2


def test_reads_of_a_call_that_is_not_there_are_an_error(helpline):
    assert helpline("calls", "reads", "call_0").exit_code == 1


def test_a_customer_gets_their_data_and_is_forgotten(helpline):
    call(helpline, "cancel order 1005", "yes")
    assert len(json.loads(helpline("data-of", "maya").stdout)["calls"]) == 1
    forgotten = helpline("forget", "maya")
    assert forgotten.exit_code == 0
    assert "1 calls" in forgotten.stdout
    assert json.loads(helpline("calls", "list", "--json").stdout) == []
    assert "is whole" in helpline("ledger", "verify").stdout
    assert helpline("data-of", "nobody").exit_code == 1
    unknown = helpline("forget", "nobody")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "Nothing is kept" in unknown.stderr


def test_a_recorded_call_becomes_a_scenario_that_passes(helpline, tmp_path):
    call_id = call(helpline, "cancel order 1005", "yes")
    assert helpline("trace-to-test", call_id, "--out", "again.yaml").exit_code == 0
    played = helpline("simulate", "again.yaml", "--calls", "2", "--report", "report.html")
    assert played.exit_code == 0, played.output
    assert "2 of 2 calls passed" in played.stdout
    assert "pass^2" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["calls", "show", "call_0"], "no record of call_0"),
        (["trace-to-test", "call_0"], "no record of call_0"),
        (["drain"], "No desk runs"),
    ],
)
def test_what_is_not_there_is_a_sentence(helpline, arguments, words):
    result = helpline(*arguments)
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_scenario_that_fails_is_an_exit_code(helpline, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: x\nsteps: [hello]\nexpect: {receipts: [cancel_order]}\n")
    result = helpline("simulate", "bad.yaml", "--calls", "1")
    assert result.exit_code == 1
    assert "done was nothing, not cancel_order" in result.stdout
