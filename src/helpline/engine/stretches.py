"""What of an utterance is worth hearing again by a grammar of its own: a number of the caller's, a time.

A trigram hears "one zero zero six" as "one zero real six", and "forty five minutes" as "forty five me its". A
grammar that knows nothing but numbers, or times, does not: it listens to that stretch alone. Pure.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from helpline.engine.phrases import ways_to_say
from helpline.numbers import normalise
from helpline.times import find_when

Kind = Literal["reference", "when"]

NUMBER_WORDS = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
    " double".split()
)
_MOST_BEHIND = 4
_ORDER = ("order", "number")
_DIGIT_FRAMES = 30
_GAP_FRAMES = 55
_TWO_DIGITS = frozenset(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
)
_LONGEST = 8
_MANY_DIGITS = 6
_CALL = re.compile(
    r"\b(?:(?:(?:phone )?call|ring|phone (?:me|us))(?: (?:me|us|back|from|with|someone|somebody|a|person))*"
    r"|callback|called(?: back)?)\b"
)
TIME_WORDS = frozenset(
    "tomorrow today tonight monday tuesday wednesday thursday friday saturday sunday morning afternoon"
    " evening o'clock noon midday minutes hour hours half quarter am pm a. p.".split()
)
_NAMED = re.compile(r"\border number(?: is)?\b")
_FEWEST_DIGITS = 3
_OWN_WEIGHT = 0.9
_ENOUGH = 1.5
_ANY_DAY = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - moments are only compared

_DIGIT = "( zero | oh | one | two | three | four | five | six | seven | eight | nine )"
_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_WHEN = {
    "hour": _HOURS,
    "half": "a. m.|p. m.|o'clock|in the morning|in the afternoon|in the evening",
    "minute": "fifteen|twenty|thirty|forty five",
    "clock": "<hour>|<hour> <half>|<hour> <minute>|<hour> <minute> <half>|half past <hour>"
    "|half past <hour> <half>|quarter past <hour>|quarter to <hour>|noon|midday",
    "weekday": "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "part": "morning|afternoon|evening",
    "day": "tomorrow|tomorrow <part>|today|tonight|this <part>|<weekday>|<weekday> <part>|on <weekday>"
    "|on <weekday> <part>|next <weekday>|for <weekday>|for tomorrow|the day after tomorrow",
    "at": "at|around|about|for|by",
    "minutes": "ten|fifteen|twenty|twenty five|thirty|thirty five|forty|forty five|fifty",
    "span": "in <minutes> minutes|in an hour|in half an hour|in two hours|in three hours"
    "|in an hour and a half",
    "when": "<day>|<day> <at> <clock>|<at> <clock>|<at> <clock> <day>|<span>",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word and its place in the sound, in frames of 10 ms."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words from `first` to before `last`, and the grammar that they should be heard by.

    `lead` is the word before them: it is listened to with them, so that its end is not taken for a beginning.
    """

    kind: Kind
    first: int
    last: int
    grammar: str
    lead: str = ""


def stretches_in(
    opinions: Sequence[Sequence[Word]], own: Sequence[str], spoken: Collection[str]
) -> tuple[Kind | None, list[Stretch | None]]:
    """What kind of stretch the opinions have, and where each has it; `spoken`: what a grammar may say."""
    texts = [[word.text for word in opinion] for opinion in opinions]
    if any(_CALL.search(" ".join(words)) for words in texts):
        rules = _rules(spoken)
        found = [
            _stretch("when", words, _time_in(words), "[ please ] <when> [ please ]", rules) for words in texts
        ]
        if any(found):
            return "when", found
    if not own:
        anybodys = [_stretch("reference", words, _behind_number(words), f"( {_DIGIT} )+") for words in texts]
        return ("reference", anybodys) if any(anybodys) else (None, [])
    theirs = _own_or_alike(own, spoken)
    length = min(len(one) for one in own)
    numbered = [
        _stretch("reference", words, _number_in(opinion, length), theirs)
        for words, opinion in zip(texts, opinions, strict=True)
    ]
    return ("reference", numbered) if any(numbered) else (None, [])


def _stretch(
    kind: Kind, words: Sequence[str], at: tuple[int, int] | None, body: str, rules: str = ""
) -> Stretch | None:
    if at is None:
        return None
    lead = words[at[0] - 1] if at[0] else ""
    text = f"#JSGF V1.0;\ngrammar stretch;\npublic <stretch> = {lead} {body};\n{rules}"
    return Stretch(kind, *at, text, lead)


def _time_in(words: Sequence[str]) -> tuple[int, int] | None:
    """From where the request for a call ends, or the first word of a time, to the end."""
    places = [at for at, word in enumerate(words) if word in TIME_WORDS or word in NUMBER_WORDS]
    text = " ".join(words)
    called = _CALL.search(text)
    first = len(text[: called.end()].split()) if called else places[0] if places else len(words)
    if sum(word in NUMBER_WORDS for word in words) >= _MANY_DIGITS or len(words) - first < 2:
        return None
    return (first, len(words)) if any(at >= first for at in places) else None


def _number_in(words: Sequence[Word], length: int) -> tuple[int, int] | None:
    """From the first word of a number to its last one, and on for as long as its missing digits take."""
    run = _number_run(words)
    if len(run) < 2:
        run = _run_behind_order(words, length)
    if len(run) < 2 or run[-1] - run[0] >= _LONGEST:
        return None
    first, last = run[0], run[-1] + 1
    missing = length - sum(_digits_of(word) for word in words[first:last])
    until = words[last - 1].end + missing * _DIGIT_FRAMES
    while last < min(len(words), run[-1] + 1 + _MOST_BEHIND) and words[last].start < until:
        last += 1
    return None if TIME_WORDS & {word.text for word in words[first:last]} else (first, last)


def _behind_number(words: Sequence[str]) -> tuple[int, int] | None:
    """What follows "order number" or "order number is" to the end, when a digit is among it."""
    text = " ".join(words)
    named = _NAMED.search(text)
    first = len(text[: named.end()].split()) if named else len(words)
    return (first, len(words)) if NUMBER_WORDS & set(words[first:]) else None


def _number_run(words: Sequence[Word]) -> list[int]:
    """Where the first number of two words or more has its words; misheard ones may stand between them."""
    run: list[int] = []
    for at, word in enumerate(words):
        if word.text not in NUMBER_WORDS:
            continue
        if run and word.start - words[run[-1]].end > _GAP_FRAMES:
            if len(run) > 1:
                return run
            run = []
        run.append(at)
    return run


def _run_behind_order(words: Sequence[Word], length: int) -> list[int]:
    """A number behind "order", as long as it takes to say: "order one the old the all three"."""
    for at in range(1, len(words)):
        if words[at].text in NUMBER_WORDS and words[at - 1].text in _ORDER:
            until = words[at].start + length * _DIGIT_FRAMES
            behind = range(at, min(len(words), at + _LONGEST))
            return [one for one in behind if words[one].text in NUMBER_WORDS and words[one].start <= until]
    return []


def _digits_of(word: Word) -> float:
    """How many digits a word stands for; one that is no number, as many as are said in its time."""
    if word.text not in NUMBER_WORDS:
        return (word.end - word.start) / _DIGIT_FRAMES
    return {"hundred": 1, "thousand": 2}.get(word.text, 1) + (word.text in _TWO_DIGITS)


def _rules(spoken: Collection[str]) -> str:
    """The rules of times, without what the model has no sound for."""
    rules = []
    for name, ways in _WHEN.items():
        known = [way for way in ways.split("|") if all(w in spoken or w[0] == "<" for w in way.split())]
        rules.append(f"<{name}> = {' | '.join(known)};")
    return "\n".join(rules)


def _own_or_alike(own: Sequence[str], spoken: Collection[str]) -> str:
    """The caller's own numbers, or else any of their length: what is not theirs is not made theirs."""
    ways = [
        tuple(way.split()) for one in own for way in ways_to_say(one) if all(w in spoken for w in way.split())
    ]
    others = [" ".join([_DIGIT] * length) for length in sorted({len(one) for one in own if one.isdecimal()})]
    if not others:
        return f"( {_tree(ways)} )"
    return f"( /{_OWN_WEIGHT}/ ( {_tree(ways)} ) | /{1 - _OWN_WEIGHT:.1f}/ ( {' | '.join(others)} ) )"


def _tree(ways: Sequence[tuple[str, ...]]) -> str:
    """The ways with their common beginnings written once: a search is as quick as it has few branches."""
    branches: dict[str, list[tuple[str, ...]]] = {}
    for way in ways:
        branches.setdefault(way[0], []).append(way[1:])
    return " | ".join(_branch(word, rest) for word, rest in branches.items())


def _branch(word: str, rest: Sequence[tuple[str, ...]]) -> str:
    further = [way for way in dict.fromkeys(rest) if way]
    if not further:
        return word
    inner = f"( {_tree(further)} )"
    return f"{word} {inner if all(rest) else f'[ {inner} ]'}"


def settled_stretch(kind: Kind, heard: Sequence[str], before: Sequence[str], own: Sequence[str]) -> str:
    """The words of the number or the time that most heard; empty when no two agree.

    `heard` are stretches heard again, `before` the opinions as they were: each of them counts half.
    """
    votes: dict[str, float] = {}
    said: dict[str, str] = {}
    for weight, opinions in ((1.0, heard), (0.5, before)):
        for words in opinions:
            for meant in _meant(kind, words, own):
                votes[meant] = votes.get(meant, 0.0) + weight
                if weight == 1.0:
                    said.setdefault(meant, words)
    ranked = sorted(votes.items(), key=lambda vote: -vote[1])
    if not ranked or ranked[0][1] < _ENOUGH or (ranked[1:] and ranked[1][1] > ranked[0][1] - 0.5):
        return ""
    return said.get(ranked[0][0], "")


def agreed_on(kind: Kind, opinions: Sequence[str], own: Sequence[str]) -> bool:
    """Whether two say the same number or time, and none another: there is nothing to hear again."""
    meant = [tuple(_meant(kind, words, own)) for words in opinions]
    named = [one for one in meant if one]
    return len(named) > 1 and all(len(one) == 1 for one in named) and len(set(named)) == 1


def _meant(kind: Kind, words: str, own: Sequence[str]) -> list[str]:
    """The caller's own numbers that these words name, or any where theirs are not known; or the moment."""
    text = normalise(words)
    if kind == "reference":
        parts = text.split()
        if not own:
            return [part for part in parts if part.isdecimal() and len(part) >= _FEWEST_DIGITS]
        return [known for known in own if known.lower() in parts]
    when = find_when(text, _ANY_DAY)
    return [when.at.isoformat()] if when is not None and when.has_time else []
