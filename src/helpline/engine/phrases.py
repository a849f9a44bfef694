"""The phrase pack: what customers say, as templates that can be listed or drawn from at random."""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_PIECE = re.compile(r"\(|\)|\[|\]|\||\{\w+\}|[^()\[\]|{}]+")

_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEEN_NAMES = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS_NAMES = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@dataclass(frozen=True, slots=True)
class Template:
    """A phrase with choices: a sequence of words, slots and choices of sequences."""

    parts: "tuple[str | Choice, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences."""

    options: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that customers want, the ways they say it, and the names of tools that serve it."""

    name: str
    tools: str
    """A pattern for tool names; empty when the engine answers by itself."""
    phrases: tuple[Template, ...]
    plain: tuple[Template, ...] = ()
    """What is said in a hurry, and by who was not understood."""
    rarer: tuple[Template, ...] = ()
    """What is said as well, in more unusual words."""
    cues: tuple[tuple[re.Pattern[str], float], ...] = ()
    """Patterns over masked sentences, and what each adds to the intent's likeness."""


@dataclass(frozen=True, slots=True)
class Pack:
    """All intents, and what may stand in their slots."""

    intents: tuple[Intent, ...]
    slots: Mapping[str, tuple[Template, ...]]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """What stands before and after requests."""


def parse_template(text: str) -> Template:
    """A template from its text; raises ValueError when a bracket has no partner."""
    pieces = _PIECE.findall(text)
    template, at = _sequence(pieces, 0)
    if at != len(pieces):
        raise ValueError(f"unbalanced template: {text!r}")
    return template


@lru_cache(maxsize=1)
def load_pack() -> Pack:
    """The pack that ships with the engine."""
    table = tomllib.loads(files("helpline.engine").joinpath("phrases.toml").read_text("utf-8"))
    intents = tuple(
        Intent(
            entry["name"],
            entry.get("tools", ""),
            tuple(map(parse_template, entry["phrases"])),
            tuple(map(parse_template, entry.get("plain", ()))),
            tuple(map(parse_template, entry.get("rarer", ()))),
            tuple((re.compile(pattern), bonus) for pattern, bonus in entry.get("cues", ())),
        )
        for entry in table["intent"]
    )
    slots = {name: tuple(map(parse_template, fills)) for name, fills in table["slots"].items()}
    frames = table["frames"]
    return Pack(intents, slots, tuple(frames["before"]), tuple(frames["after"]))


def draw(template: Template, pick: random.Random, fill: "Fills") -> str:
    """One sentence at random, slots filled."""
    words = [
        draw(pick.choice(part.options), pick, fill)
        if isinstance(part, Choice)
        else fill.words(part[1:-1], pick)
        if part.startswith("{")
        else part
        for part in template.parts
    ]
    return " ".join(" ".join(words).split())


def slotted(template: Template, pick: random.Random) -> str:
    """One sentence at random, with slots left as their names: `where is order {order}`."""
    words = [
        slotted(pick.choice(part.options), pick) if isinstance(part, Choice) else part
        for part in template.parts
    ]
    return " ".join(" ".join(words).split())


class Fills:
    """Draws what stands in a slot: from the pack, from words sent by the session, or generated."""

    def __init__(
        self, slots: Mapping[str, Sequence[Template]], products: Sequence[str] = (), ids: Sequence[str] = ()
    ) -> None:
        self._slots = slots
        self._products = tuple(products)
        self._ids = tuple(ids)

    def words(self, slot: str, pick: random.Random) -> str:
        """Words for a slot, as they are said."""
        match slot:
            case "order":
                if self._ids and pick.random() < 0.6:
                    return say_reference(pick.choice(self._ids), pick)
                return say_reference(_any_reference(pick), pick)
            case "phone":
                return " ".join(_one_by_one(f"{pick.randrange(10**9, 10**10)}"[: pick.choice((7, 10))], pick))
            case "email":
                return self._email(pick)
            case "when":
                return _when(pick)
            case "number":
                return pick.choice(
                    (pick.choice(_DIGIT_NAMES[1:]), say_reference(f"{pick.randrange(10, 1000)}", pick))
                )
            case "product" if self._products and pick.random() < 0.95:
                return pick.choice(self._products)
        return draw(pick.choice(self._slots[slot]), pick, self) if slot in self._slots else slot

    def _email(self, pick: random.Random) -> str:
        first, last = draw(pick.choice(self._slots["name"]), pick, self).split()
        local = pick.choice(
            (first, f"{first} dot {last}", " ".join(f"{c}." for c in first[:6]), f"{first} {last}")
        )
        domain = pick.choice(("example", "gmail", "yahoo", "hotmail", "outlook", "mail", "post", "shop"))
        return f"{local} at {domain} dot {pick.choice(('com', 'com', 'com', 'net', 'org', 'co dot u. k.'))}"


def say_reference(digits: str, pick: random.Random) -> str:
    """Digits in one of the ways that people read them aloud."""
    spell = " ".join(_one_by_one(digits, pick))
    if not digits.isdecimal() or digits.startswith("0") or len(digits) > 4 or pick.random() < 0.5:
        return spell
    if len(digits) == 4:
        return pick.choice((_in_pairs(digits, pick), _in_pairs(digits, pick), _in_thousands(digits, pick)))
    return _below_thousand(int(digits)) if len(digits) <= 3 else spell


def ways_to_say(reference: str) -> tuple[str, ...]:
    """A reference in each of the ways that people read it aloud; one by one first."""
    pick = random.Random(reference)
    ways = dict.fromkeys(" ".join(_one_by_one(reference, pick)) for _ in range(8))
    ways.update(dict.fromkeys(say_reference(reference, pick) for _ in range(16)))
    return tuple(ways)


def _any_reference(pick: random.Random) -> str:
    shape = pick.random()
    if shape < 0.35:
        return f"10{pick.randrange(100):02}"
    return f"{pick.randrange(1000, 10_000)}" if shape < 0.75 else f"{pick.randrange(10_000, 1_000_000)}"


def _one_by_one(text: str, pick: random.Random) -> list[str]:
    zero = pick.choice(("zero", "zero", "oh"))
    words: list[str] = []
    at = 0
    while at < len(text):
        character = text[at].lower()
        name = (
            f"{character}."
            if not character.isdecimal()
            else zero
            if character == "0"
            else _DIGIT_NAMES[int(character)]
        )
        doubled = character.isdecimal() and text[at : at + 2] == character * 2 and pick.random() < 0.15
        words += ("double", name) if doubled else (name,)
        at += 2 if doubled else 1
    return words


def _in_pairs(digits: str, pick: random.Random) -> str:
    return " ".join(_pair(digits[at : at + 2], pick) for at in (0, 2))


def _pair(pair: str, pick: random.Random) -> str:
    if pair == "00":
        return pick.choice(("hundred", "double oh", "oh oh"))
    if pair[0] == "0":
        return f"oh {_DIGIT_NAMES[int(pair[1])]}"
    return _below_thousand(int(pair))


def _in_thousands(digits: str, pick: random.Random) -> str:
    rest = int(digits[1:])
    joint = " and " if rest and rest < 100 and pick.random() < 0.5 else " "
    return f"{_DIGIT_NAMES[int(digits[0])]} thousand{joint + _below_thousand(rest) if rest else ''}"


def _below_thousand(value: int) -> str:
    if value >= 100:
        rest = value % 100
        return f"{_DIGIT_NAMES[value // 100]} hundred{' ' + _below_thousand(rest) if rest else ''}"
    if value < 10:
        return _DIGIT_NAMES[value]
    if value < 20:
        return _TEEN_NAMES[value - 10]
    return _TENS_NAMES[value // 10 - 2] + (f" {_DIGIT_NAMES[value % 10]}" if value % 10 else "")


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS = ("morning", "afternoon", "evening")


def _when(pick: random.Random) -> str:
    weekday, part = pick.choice(_DAYS), pick.choice(_PARTS)
    day = pick.choice((
        "tomorrow", "tomorrow", "today", "on monday", f"on {weekday}", f"on {weekday}", weekday, weekday,
        f"next {weekday}", "next week", f"this {part}", f"tomorrow {part}", f"{weekday} {part}", "tonight",
        "the day after tomorrow", "later today",
        f"on the {pick.choice(('fifth', 'tenth', 'twelfth', 'fifteenth', 'twenty first'))}",
    ))  # fmt: skip
    hour = pick.choice((*_DIGIT_NAMES[1:], "ten", "eleven", "twelve"))
    half = pick.choice(("", "", "", " a. m.", " p. m.", " o'clock", f" in the {part}"))
    at = pick.choice(("at", "at", "at", "at", "around", "about", "for", "by", "after", "before"))
    clock = pick.choice((
        f"{at} {hour}{half}", f"{at} {hour}{half}", f"{at} half past {hour}", f"{at} {hour} thirty",
        f"{at} quarter past {hour}", f"{at} {hour} {pick.choice(('fifteen', 'forty five'))}",
        f"{at} quarter to {hour}", f"{at} {pick.choice(('noon', 'midday', 'lunchtime'))}",
    ))  # fmt: skip
    minutes = pick.choice((
        "five", "ten", "fifteen", "twenty", "twenty five", "thirty", "thirty five", "forty", "forty five",
        "fifty", "ninety",
    ))  # fmt: skip
    span = pick.choice((
        f"{minutes} minutes", f"{minutes} minutes", "half an hour", "an hour", "two hours", "three hours",
        "an hour and a half", "a couple of hours", "two days",
    ))  # fmt: skip
    return pick.choice((
        day, f"{day} {clock}", f"{day} {clock}", f"{day} {clock}", clock, f"in {span}", f"in {span}",
        f"{span} from now", f"{clock} {day}",
    ))  # fmt: skip


def _sequence(pieces: Sequence[str], at: int) -> tuple[Template, int]:
    parts: list[str | Choice] = []
    while at < len(pieces) and pieces[at] not in (")", "]", "|"):
        if pieces[at] in ("(", "["):
            choice, at = _choice(pieces, at)
            parts.append(choice)
        else:
            if text := pieces[at].strip():
                parts.append(text)
            at += 1
    return Template(tuple(parts)), at


def _choice(pieces: Sequence[str], at: int) -> tuple[Choice, int]:
    closing = ")" if pieces[at] == "(" else "]"
    options: list[Template] = [Template(())] if closing == "]" else []
    while True:
        option, at = _sequence(pieces, at + 1)
        options.append(option)
        if at >= len(pieces) or pieces[at] not in ("|", closing):
            raise ValueError(f"unbalanced template near {' '.join(pieces)!r}")
        if pieces[at] == closing:
            return Choice(tuple(options)), at + 1
