"""What passes and what does not; scenarios as files; customers whom a model plays; the report."""

import json
import math
import re
from itertools import combinations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.chat import ChatModel
from helpline.simulate.customer import Typing, improvise, with_noise
from helpline.simulate.judge import Run, failures_of, pass_hat, percentile, score
from helpline.simulate.recorded import scenario_of
from helpline.simulate.report import page
from helpline.simulate.runner import Plan, play
from helpline.simulate.scenario import BadScenario, Expect, Scenario, Step, Words, as_yaml, read_scenario
from helpline.simulate.text import TextChannel
from tests.records.desks import desk_in, settings_in, talk

RECORD = {
    "id": "call_1",
    "customers": [],
    "identity": "guest",
    "identities": [{"at_ms": 0, "identity": "guest"}],
    "channel": "test",
    "language": "en",
    "started_at": "2026-11-26T09:00:00+00:00",
    "duration_ms": 4000,
    "backends": ["engine"],
    "sessions": [{"at_ms": 0, "backend": "engine"}],
    "ended": "hung up",
    "reason": "cancel order",
    "summary": "",
    "summarised_by": "rules",
    "next_step": "",
    "promises": [],
    "lines": [
        {"speaker": "customer", "text": "cancel it", "heard": "cancel it", "start_ms": 0},
        {"speaker": "desk", "text": "It is cancelled <b>now</b>.", "heard": "It is", "start_ms": 5},
    ],
    "tools": [
        {"name": "cancel_order", "arguments": {"a": "<img src=x onerror=alert(1)>"}, "say": "Shall I?",
         "at_ms": 3, "took_ms": 2, "ok": True, "reason": ""}
    ],
    "proposals": [],
    "receipts": [{"action": "cancel_order", "reference": "R-1", "at_ms": 4}],
    "turns": [
        {"at_ms": 100, "latency_ms": 100, "tool_ms": 0, "dead_air_ms": 0, "spoken": False},
        {"at_ms": 1000, "latency_ms": 900, "tool_ms": 0, "dead_air_ms": 0, "spoken": False},
    ],
    "silences": [],
    "interruptions": [],
    "dead_air_ms": 0,
    "unanswered_ms": 0,
    "outcome": "solved",
    "usage": {"money": "0.25", "money_by_modality": {}, "currency": "USD", "tokens": {}, "transcribed_s": 0,
              "unpriced_models": []},
    "incidents": [],
    "notices": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        (Expect(), None),
        (Expect(orders={"1005": "cancelled"}), None),
        (Expect(orders={"1005": "pending"}), "order 1005 is cancelled, not pending"),
        (Expect(orders={"9": "pending"}), "order 9 is unknown, not pending"),
        (Expect(receipts=["cancel_order"]), None),
        (Expect(receipts=[]), "done was cancel_order, not nothing"),
        (Expect(tools=Words(must=["other"])), "other did not run"),
        (Expect(tools=Words(must_not=["cancel_order"])), "cancel_order ran"),
        (Expect(heard=Words(must=["IT IS"])), None),
        (Expect(heard=Words(must=["cancelled"])), '"cancelled" was not heard'),
        (Expect(heard=Words(must_not=["it is"])), '"it is" was heard'),
        (Expect(outcome="limit"), "the outcome was solved, not limit"),
        (Expect(turns_at_most=0), "it took 1 turns, not 0"),
        (Expect(latency_ms_at_most=899), "answers took 900 ms, not 899"),
    ],
)
def test_each_expectation_can_fail(expect, failure):
    assert failures_of(expect, RECORD, {"1005": "cancelled"}) == ((failure,) if failure else ())


@given(runs=st.integers(1, 8), data=st.data())
def test_pass_hat_k_is_the_share_of_choices_that_all_passed(runs, data):
    results = data.draw(st.lists(st.booleans(), min_size=runs, max_size=runs))
    k = data.draw(st.integers(1, runs))
    choices = list(combinations(results, k))
    assert math.isclose(pass_hat(sum(results), runs, k), sum(map(all, choices)) / len(choices))


def test_a_score_weighs_scenarios_alike():
    good, bad = Scenario(name="good", steps=["x"]), Scenario(name="bad", steps=["x"])
    runs = [Run(good, RECORD, ())] * 3 + [Run(bad, RECORD, ("no",)), Run(bad, RECORD, ())]
    got = score(runs)
    assert (got.calls, got.passed, got.k) == (5, 4, 2)
    assert got.pass_at_1 == 0.75
    assert got.pass_hat_k == 0.5
    assert got.cost == 1.25


def test_percentiles_are_values_that_were_measured():
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(range(1, 101), 95) == 95
    assert percentile([], 50) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x", "either steps or a brief"),
        ("name: x\nsteps: [a]\nbrief: b", "either steps or a brief"),
        ("name: x\nsteps: [a]\nexpects: {}", "expects"),
        ("name: x\nsteps: [{sai: a}]", "sai"),
        ("name: x\nsteps: [a]\nexpect: {outcome: happy}", "happy"),
        ("name: [", "The scenario"),
        ("", "The scenario"),
    ],
)
def test_a_scenario_that_is_wrong_is_one_sentence(text, words):
    with pytest.raises(BadScenario, match=re.escape(words)):
        read_scenario(text)


def test_a_scenario_comes_back_from_its_file():
    scenario = Scenario(
        name="x",
        customer="maya",
        steps=["hello", Step(press="yes", cut=True)],
        expect=Expect(orders={"1005": "cancelled"}, receipts=[], heard=Words(must=["yes"])),
    )
    again = read_scenario(as_yaml(scenario))
    assert (again.name, again.plan, again.expect) == (scenario.name, scenario.plan, scenario.expect)


async def test_a_recorded_call_becomes_a_scenario_that_passes(tmp_path):
    from helpline.records import archive

    async with desk_in(tmp_path) as desk:
        call_id, _ = await talk(desk, "where is my order 1004", "cancel order 1005", "yes")
        async with desk.store.database.read() as connection:
            record = await archive.find(connection, call_id)
    scenario = read_scenario(as_yaml(scenario_of(record, "maya")))
    assert scenario.expect.orders == {"1005": "cancelled"}
    (run,) = await play(settings_in(tmp_path), Plan([scenario], calls=1))
    assert run.failures == ()


async def test_what_cannot_be_played_is_a_failure_of_that_call_alone(tmp_path):
    scenarios = [Scenario(name="a", customer="nobody", steps=["x"]), Scenario(name="b", steps=["hello"])]
    runs = await play(settings_in(tmp_path), Plan(scenarios, calls=2))
    assert [run.passed for run in runs] == [False, True]
    assert "nobody" in runs[0].failures[0]


async def test_a_model_plays_the_customer_until_it_hangs_up(tmp_path):
    said = ["where is my order 1004", "HANG UP"]
    asked = []

    def answer(request):
        asked.append(json.loads(request.content)["messages"])
        return httpx.Response(200, json={"choices": [{"message": {"content": said.pop(0)}}]})

    settings = settings_in(tmp_path, chat_url="http://127.0.0.1:9/v1")
    model = ChatModel(settings, transport=httpx.MockTransport(answer))
    async with desk_in(tmp_path) as desk:
        channel = TextChannel()
        call = await desk.admit(channel, kind="simulated", caller=desk.demo_customers[0])
        channel.join(call)
        scenario = Scenario(name="x", brief="You want to know where order 1004 is.")
        assert await improvise(scenario, model, Typing(channel, call), channel) == []
        call.hang_up()
        await desk.gone(call)
    assert asked[0][0]["content"].endswith("where order 1004 is.")
    assert [message["role"] for message in asked[1]] == ["system", "assistant", "user"]
    assert "on its way" in asked[1][2]["content"]


def test_noise_is_as_far_below_the_speech_as_was_asked():
    import numpy as np

    speech = (np.sin(np.arange(24_000) / 10) * 8000).astype("<i2")
    noisy = np.frombuffer(with_noise(speech.tobytes(), 20), dtype="<i2")
    noise = noisy.astype(float) - speech

    def level(sound):
        return np.sqrt(np.mean(np.square(sound.astype(float))))

    assert abs(20 * np.log10(level(speech) / level(noise)) - 20) < 0.5


def test_the_report_asks_nothing_of_any_server_and_believes_no_word():
    hostile = Scenario(name="<script>alert(1)</script>", steps=["</pre><script>"])
    runs = [
        Run(hostile, RECORD, ('it </pre> failed" onmouseover="x',), trace='{"pii./delta": "</pre><script>"}'),
        Run(hostile, RECORD, ()),
    ]
    text = page(runs, "Report <1>")
    assert "<script" not in text
    assert "</pre> failed" not in text
    assert "<b>now</b>" not in text
    assert "<img" not in text
    assert 'failed" on' not in text
    assert not re.search(r"https?:|src=|@import|url\(", text.replace("src=x", ""))
    assert set(re.findall(r"href='([^']*)'", text)) == {"#call-1", "#call-2"}
    assert "default-src 'none'" in text
    assert "1 of 2" in text
    assert text.count("<svg") == 2
    assert "pii./delta" in text


def test_a_report_of_calls_that_did_not_come_about_is_a_report():
    scenario = Scenario(name="x", steps=["x"])
    assert "did not come about" in page(
        [Run(scenario, {"turns": [], "usage": {}}, ("no backend",))], "Report"
    )
    assert "0 of 0" in page([], "Report")


def test_what_was_pressed_cut_and_interrupted_is_done_again():
    record = {
        **RECORD,
        "lines": [
            {"speaker": "customer", "text": "cancel order 1005", "heard": "", "start_ms": 100},
            {"speaker": "customer", "text": "wait", "heard": "", "start_ms": 5000},
            {"speaker": "customer", "text": "are you there", "heard": "", "start_ms": 9000},
        ],
        "proposals": [
            {"id": "p1", "subject": "1005", "outcome": "declined", "means": "button", "answered_ms": 7000}
        ],
        "receipts": [],
        "incidents": [{"at_ms": 8000, "kind": "connection_lost", "detail": ""}],
        "interruptions": [{"at_ms": 5600, "heard_ms": 450}],
    }
    assert scenario_of(record, "maya").steps == [
        "cancel order 1005",
        Step(interrupt="wait", after_ms=450),
        Step(press="no"),
        Step(say="are you there", cut=True),
    ]


async def test_a_button_that_was_pressed_is_pressed_again(tmp_path):
    pressed = Scenario(
        name="button", customer="maya", steps=["cancel order 1005", Step(press="yes"), "thank you"]
    )
    (first,) = await play(settings_in(tmp_path), Plan([pressed], calls=1))
    assert [each["means"] for each in first.record["proposals"]] == ["button"]
    again = read_scenario(as_yaml(scenario_of(first.record, "maya")))
    assert again.plan[1] == Step(press="yes")
    (second,) = await play(settings_in(tmp_path), Plan([again], calls=1))
    assert second.failures == ()


async def test_a_failed_calls_trace_is_kept_and_a_passed_ones_is_not(tmp_path):
    wrong = Scenario(name="a", steps=["hello"], expect=Expect(receipts=["cancel_order"]))
    right = Scenario(name="b", steps=["hello"])
    failed, passed = await play(settings_in(tmp_path), Plan([wrong, right], calls=2))
    assert '"way":"sent"' in failed.trace
    assert passed.trace == ""
