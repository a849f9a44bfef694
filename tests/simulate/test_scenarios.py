"""The twenty scenarios that ship: typed in every run of the tests, spoken in the long ones."""

from pathlib import Path

import pytest

from helpline.simulate.report import lines_of
from helpline.simulate.runner import Plan, play
from helpline.simulate.scenario import read_scenarios
from tests.records.desks import settings_in

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"


def test_there_are_twenty_of_them_with_names_of_their_own():
    scenarios = read_scenarios([SCENARIOS])
    assert len({scenario.name for scenario in scenarios}) == len(scenarios) == 20


async def test_typed_they_pass_every_time(tmp_path):
    runs = await play(settings_in(tmp_path), Plan(read_scenarios([SCENARIOS]), calls=40))
    assert all(run.passed for run in runs), "\n".join(lines_of(runs))
    assert len(runs) == 40


@pytest.mark.soak
@pytest.mark.spoken
@pytest.mark.timeout(1800)
async def test_spoken_they_pass(tmp_path):
    """The embedded ears mishear now and then: of each scenario most calls must pass."""
    scenarios = [scenario for scenario in read_scenarios([SCENARIOS]) if scenario.speech]
    runs = await play(
        settings_in(tmp_path), Plan(scenarios, calls=3 * len(scenarios), spoken=True, at_once=2)
    )
    print(*lines_of(runs), sep="\n")
    assert sum(run.passed for run in runs) >= 0.8 * len(runs), "\n".join(lines_of(runs))
