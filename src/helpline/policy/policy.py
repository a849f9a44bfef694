"""A shop's policy, read from a TOML file.

Each table has defaults; an unknown key is an error, so that a typing mistake does not become a permission.
"""

import tomllib
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from helpline.actions import Identity
from helpline.errors import SettingsError
from helpline.hours import OFFICE_HOURS, OpenHours
from helpline.store.records import OrderStatus
from helpline.time_zone import zone_named

Level = Literal["guest", "known", "proven"]
Proof = Literal["sign_in", "demo", "code", "email", "name_postcode"]
Count = Annotated[int, Meta(ge=0)]

LEVELS: dict[Level, Identity] = {
    "guest": Identity.GUEST,
    "known": Identity.KNOWN,
    "proven": Identity.PROVEN,
}


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file."""


class Lockout(_Table, frozen=True):
    """How many wrong answers are allowed before verification stops."""

    failures: Annotated[int, Meta(ge=1)] = 3
    minutes: Annotated[int, Meta(ge=1)] = 30


class Cancel(_Table, frozen=True):
    """Which orders may be cancelled, and why. The first reason is meant when none is given."""

    statuses: tuple[OrderStatus, ...] = ("pending",)
    reasons: Annotated[tuple[str, ...], Meta(min_length=1)] = ("no longer needed", "ordered by mistake")
    reason_required: bool = False


class Edit(_Table, frozen=True):
    """Which orders may still be changed, and how often their items."""

    statuses: tuple[OrderStatus, ...] = ("pending",)
    items_once: bool = True
    after_items: tuple[Literal["cancel", "items", "address", "payment"], ...] = ("address", "payment")
    """What may still be done once the items were changed."""


class Return(_Table, frozen=True):
    """Which orders may be sent back, for how long (0: for ever), and where the money may go."""

    statuses: tuple[OrderStatus, ...] = ("delivered",)
    window_days: Count = 30
    routes: Annotated[tuple[Literal["original", "gift_card"], ...], Meta(min_length=1)] = (
        "original",
        "gift_card",
    )


class Exchange(_Table, frozen=True):
    """Which orders may be exchanged, and for how long (0: for ever)."""

    statuses: tuple[OrderStatus, ...] = ("delivered",)
    window_days: Count = 30
    same_item: bool = True
    """Whether a faulty item may be exchanged for another of its kind."""


class Refunds(_Table, frozen=True):
    """How long a refund takes; to a gift card it is immediate."""

    min_days: Count = 5
    max_days: Count = 7


class Callbacks(_Table, frozen=True):
    """How soon and how far ahead a person calls back, within the desk's opening hours."""

    notice_minutes: Count = 30
    days_ahead: Annotated[int, Meta(ge=1)] = 30


class Limits(_Table, frozen=True):
    """How much may be done."""

    changes_per_call: Annotated[int, Meta(ge=1)] = 20
    changes_per_day: Annotated[int, Meta(ge=1)] = 40
    proposals_per_call: Annotated[int, Meta(ge=1)] = 100
    proposal_minutes: Annotated[int, Meta(ge=1)] = 5


class Policy(_Table, frozen=True):
    """Everything that the shop allows. `load_policy` makes one."""

    time_zone: str = "America/New_York"
    identity: dict[str, Level] = {}
    """What each action needs, by the tool's name; `default` for the others."""
    proofs: dict[Proof, Level] = {}
    """How far each way of proving who calls reaches; a way that is not listed is not offered."""
    lockout: Lockout = Lockout()
    cancel: Cancel = Cancel()
    edit: Edit = Edit()
    returns: Return = Return()
    exchange: Exchange = Exchange()
    refunds: Refunds = Refunds()
    callbacks: Callbacks = Callbacks()
    limits: Limits = Limits()
    hours: tuple[OpenHours, ...] = ()
    """When people are there, in the shop's time zone: the setting HELPLINE_HOURS, never the file."""

    @classmethod
    def load(cls, path: Path | str | None = None, hours: tuple[OpenHours, ...] = ()) -> "Policy":
        """`load_policy`, as the desk calls it: an empty path means the demo shop's policy."""
        return msgspec.structs.replace(load_policy(path or None), hours=hours)

    @property
    def callback_hours(self) -> tuple[OpenHours, ...]:
        """When a person calls back: the opening hours, or office hours where none are set."""
        return self.hours or OFFICE_HOURS

    def is_open(self, now: datetime) -> bool:
        """Whether people are there; always where the company has not said when."""
        at = now.astimezone(self.zone)
        return not self.hours or any(each.holds(at) for each in self.hours)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    def needs(self, action: str, otherwise: Identity) -> Identity:
        """What an action needs; `otherwise` is what its author declared."""
        level = self.identity.get(action)
        return LEVELS[level] if level is not None else otherwise

    def reaches(self, proof: str) -> Identity:
        """How far a way of proving reaches; guest when the policy does not accept it."""
        level = next((level for name, level in self.proofs.items() if name == proof), None)
        return LEVELS[level] if level is not None else Identity.GUEST


def load_policy(path: Path | str | None = None) -> Policy:
    """Read a policy; without a path the demo shop's.

    Raises:
        SettingsError: the file cannot be read or breaks a rule; the message says where.
    """
    source = files("helpline.data") / "policy.toml" if path is None else Path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The policy file {source} cannot be read: set HELPLINE_POLICY_FILE.") from error
    return parse_policy(text, str(source))


def parse_policy(text: str, name: str = "policy.toml") -> Policy:
    """Read a policy from TOML text.

    Raises:
        SettingsError: what is wrong and where.
    """
    try:
        table = tomllib.loads(text)
        if moved := _moved(table):
            raise SettingsError(f"{name}: {moved}.")
        policy = msgspec.convert(table, Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{name}: {error}.") from error
    problem = _contradiction(policy)
    if problem:
        raise SettingsError(f"{name}: {problem}.")
    return policy


def _moved(table: dict[str, Any]) -> str:
    """What stands here and belongs into desk.toml, where it has its one home."""
    callbacks = table.get("callbacks")
    there = {"days", "opens", "closes"} & set(callbacks) if isinstance(callbacks, dict) else set()
    if "shop" in table:
        return "the shop's name is `name` in desk.toml, or HELPLINE_NAME: leave out `shop`"
    if there or "hours" in table:
        return (
            'opening hours are `hours` in desk.toml, or HELPLINE_HOURS, such as ["Mon-Fri 9:00-18:00"]: '
            f"leave out `{min(there, default='hours')}`"
        )
    return ""


def _contradiction(policy: Policy) -> str:
    if zone_named(policy.time_zone) is None:
        return f"there is no time zone {policy.time_zone!r}"
    if policy.refunds.min_days > policy.refunds.max_days:
        return "refunds.min_days must not be more than refunds.max_days"
    if "guest" in policy.proofs.values():
        return "a proof that reaches only `guest` proves nothing: leave it out"
    return ""
