"""A scenario: who calls, what they say or want, and what must be true afterwards. Written in YAML.

name: cancel an order that was not sent yet
customer: maya
steps:
  - cancel order 1005
  - yes please
expect:
  orders: {"1005": cancelled}
  receipts: [cancel_order]
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from helpline.errors import LocalError
from helpline.records.outcome import Outcome


class BadScenario(LocalError):
    """A scenario cannot be read; the message says where."""


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """One thing that the customer does. A bare sentence is a `say`."""

    say: str = ""
    interrupt: str = ""
    """Said while the desk speaks."""
    after_ms: int = 700
    """So long into its reply."""
    silence_ms: int = 0
    """Say nothing for so long. Typed customers do not wait."""
    press: Literal["yes", "no"] | None = None
    """The button of what is proposed."""
    cut: bool = False
    """The network between the desk and its backend breaks."""


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """Names or words that must, and that must not, occur."""

    must: list[str] = []
    must_not: list[str] = []


class Expect(msgspec.Struct, forbid_unknown_fields=True):
    """What must be true when the call is over; what is left out is not looked at."""

    orders: dict[str, str] = {}
    """The status of orders, by number."""
    receipts: list[str] | None = None
    """Exactly these actions were done, in this order; `[]` for none."""
    tools: Words = msgspec.field(default_factory=Words)
    """Tools that ran."""
    heard: Words = msgspec.field(default_factory=Words)
    """What the customer heard of the desk, in any case of letters."""
    outcome: Outcome | None = None
    turns_at_most: int | None = None
    """Lines of the customer."""
    latency_ms_at_most: int | None = None
    """The 95th percentile of the call's turns."""


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    customer: str = "guest"
    """A customer of the demo shop by id or name, or `guest`."""
    steps: list[str | Step] = []
    brief: str = ""
    """Instead of steps: what a chat model that plays the customer is told."""
    most_turns: int = 12
    """After so many lines a model's customer hangs up."""
    voice: str = "en-us"
    """espeak-ng's voice of a spoken customer."""
    noise_db: float | None = None
    """How far noise on the line is below the speech; None for a quiet line."""
    speech: bool = True
    """Whether it makes sense spoken."""
    expect: Expect = msgspec.field(default_factory=Expect)

    @property
    def plan(self) -> tuple[Step, ...]:
        return tuple(Step(say=step) if isinstance(step, str) else step for step in self.steps)


def read_scenario(text: str, name: str = "The scenario") -> Scenario:
    """Raises BadScenario."""
    try:
        scenario = msgspec.yaml.decode(text, type=Scenario)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadScenario(f"{name}: {error}.") from None
    if bool(scenario.steps) == bool(scenario.brief):
        raise BadScenario(f"{name} must have either steps or a brief.")
    return scenario


def read_scenarios(paths: list[Path]) -> list[Scenario]:
    """The scenarios of files and of whole folders, in the order of their names. Raises BadScenario."""
    files = [file for path in paths for file in (sorted(path.glob("*.y*ml")) if path.is_dir() else [path])]
    if not files:
        raise BadScenario("There is no scenario there: name files in YAML, or a folder of them.")
    scenarios = []
    for file in files:
        try:
            scenarios.append(read_scenario(file.read_text(encoding="utf-8"), str(file)))
        except (OSError, UnicodeDecodeError):
            raise BadScenario(f"{file} cannot be read.") from None
    return scenarios


def as_yaml(scenario: Scenario) -> str:
    """The scenario as a file, without what is as it would be anyway."""
    data = msgspec.to_builtins(scenario)
    plain = msgspec.to_builtins(Scenario(name="x"))
    kept = {key: value for key, value in data.items() if key in ("name", "steps") or value != plain[key]}
    if "expect" in kept:
        usual = plain["expect"]
        kept["expect"] = {key: value for key, value in kept["expect"].items() if value != usual[key]}
    return msgspec.yaml.encode(kept).decode()
