"""Whether a call went as its scenario expects: PURE."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpline.simulate.scenario import Expect, Scenario


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a scenario, as it went."""

    scenario: Scenario
    record: Mapping[str, Any]
    """As `helpline calls show --json` gives it."""
    failures: tuple[str, ...]
    """What was not as expected; empty when it passed."""
    trace: str = ""
    """Of a call that failed: what went over its connections, a line each."""

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def latency_ms(self) -> list[int]:
        return [turn["latency_ms"] for turn in self.record.get("turns", ())]

    @property
    def cost(self) -> float:
        return float(self.record.get("usage", {}).get("money") or 0)


def failures_of(expect: Expect, record: Mapping[str, Any], orders: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each thing that is not as expected; `orders` is the status of each by number."""
    tools = [tool["name"] for tool in record["tools"]]
    heard = " ".join(line["heard"] for line in record["lines"] if line["speaker"] == "desk").lower()
    done = [receipt["action"] for receipt in record["receipts"]]
    said = sum(line["speaker"] == "customer" for line in record["lines"])
    failures = [
        f"order {number} is {orders.get(number, 'unknown')}, not {status}"
        for number, status in expect.orders.items()
        if orders.get(number) != status
    ]
    if expect.receipts is not None and done != expect.receipts:
        failures.append(f"done was {_listed(done)}, not {_listed(expect.receipts)}")
    failures += [f"{name} did not run" for name in expect.tools.must if name not in tools]
    failures += [f"{name} ran" for name in expect.tools.must_not if name in tools]
    failures += [f'"{words}" was not heard' for words in expect.heard.must if words.lower() not in heard]
    failures += [f'"{words}" was heard' for words in expect.heard.must_not if words.lower() in heard]
    if expect.outcome is not None and record["outcome"] != expect.outcome:
        failures.append(f"the outcome was {record['outcome']}, not {expect.outcome}")
    if expect.turns_at_most is not None and said > expect.turns_at_most:
        failures.append(f"it took {said} turns, not {expect.turns_at_most}")
    latency = percentile([turn["latency_ms"] for turn in record["turns"]], 95)
    if expect.latency_ms_at_most is not None and latency > expect.latency_ms_at_most:
        failures.append(f"answers took {latency:.0f} ms, not {expect.latency_ms_at_most}")
    return tuple(failures)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def pass_hat(passed: int, runs: int, k: int) -> float:
    """The chance that k runs all pass, estimated without bias: C(passed, k) / C(runs, k)."""
    return math.comb(passed, k) / math.comb(runs, k) if runs >= k else 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """What all the runs come to."""

    calls: int
    passed: int
    k: int
    """The most runs that every scenario had."""
    pass_at_1: float
    pass_hat_k: float
    latency_p50_ms: float
    latency_p95_ms: float
    cost: float


def score(runs: Sequence[Run]) -> Score:
    """The figures of a report: each scenario weighs the same."""
    by_name: dict[str, list[bool]] = {}
    for run in runs:
        by_name.setdefault(run.scenario.name, []).append(run.passed)
    k = min((len(results) for results in by_name.values()), default=0)
    latency = [ms for run in runs for ms in run.latency_ms]
    count = len(by_name) or 1
    return Score(
        calls=len(runs),
        passed=sum(run.passed for run in runs),
        k=k,
        pass_at_1=sum(sum(results) / len(results) for results in by_name.values()) / count,
        pass_hat_k=sum(pass_hat(sum(results), len(results), k) for results in by_name.values()) / count,
        latency_p50_ms=percentile(latency, 50),
        latency_p95_ms=percentile(latency, 95),
        cost=sum(run.cost for run in runs),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0
