"""What a bench gives back."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside its goal."""

    name: str
    goal: float
    measured: float
    unit: str
    better: Literal["lower", "higher"] = "lower"

    @property
    def reached(self) -> bool:
        """Whether the goal was reached."""
        return self.measured <= self.goal if self.better == "lower" else self.measured >= self.goal

    def __str__(self) -> str:
        sign = "<=" if self.better == "lower" else ">="
        goal, measured = (f"{value:.3g} {self.unit}".strip() for value in (self.goal, self.measured))
        return row(self.name, f"{sign} {goal}", measured, "reached" if self.reached else "MISSED")


def row(name: str, goal: str, measured: str, verdict: str) -> str:
    """A line of the report, in columns."""
    return f"{name:<64} {goal:>16} {measured:>14}  {verdict}"


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 are not above; of few values, the nearest one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * (len(ordered) - 1))))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)
