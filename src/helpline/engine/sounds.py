"""What sounds alike: misheard words as the caller's own order number or the catalogue's name they must be.

"One zero real five" is no number, but it sounds like one of the caller's and like nothing else of theirs.
Distances are over ARPAbet phones: 0 for the same, about 1 for one phone in place of an unlike one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from helpline.engine.phrases import ways_to_say
from helpline.numbers import normalise

Phones = tuple[int, ...]

_KINDS = (
    "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "M N NG",
    "P T K",
    "B D G",
    "F TH S SH HH CH",
    "V DH Z ZH JH",
    "R L W Y",
)
_ALIKE = (
    *("IH IY", "AA AO", "AH UH", "AH IH", "AE EH", "OW UW", "OW AO", "ER R"),
    *("D T", "T DH", "S Z", "M N", "L W"),
)
_NUMBER_WORDS = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
    " double".split()
)
_PHONES = {phone: number for number, phone in enumerate(" ".join(_KINDS).split())}
_GAP = 0.7
_NUMBER_NEAR = 0.25
_NAME_NEAR = 0.3
_REST_NEAR = 0.45
_MARGIN = 0.05
_LONGEST = 8


def _costs() -> Any:
    kinds = {_PHONES[phone]: kind for kind, phones in enumerate(_KINDS) for phone in phones.split()}
    costs = np.array([[0.6 if kinds[a] == kinds[b] else 1.0 for b in sorted(kinds)] for a in sorted(kinds)])
    for pair in _ALIKE:
        one, other = (_PHONES[phone] for phone in pair.split())
        costs[one, other] = costs[other, one] = 0.35
    np.fill_diagonal(costs, 0.0)
    return costs


_COSTS = _costs()


@dataclass(frozen=True, slots=True)
class Sounds:
    """How the words of a model are said."""

    phones: Mapping[str, Phones]
    """In the order of `_PHONES`."""

    def of(self, words: Sequence[str]) -> Phones:
        """The phones of some words; unknown ones have none."""
        return tuple(phone for word in words for phone in self.phones.get(word, ()))


@lru_cache(maxsize=8)
def read_sounds(dictionary: Path) -> Sounds:
    """From a pronouncing dictionary; the first way of each word."""
    lines = (line.split() for line in dictionary.read_text("utf-8").splitlines())
    return Sounds(
        {
            word: tuple(_PHONES[one] for one in phones if one in _PHONES)
            for word, *phones in lines
            if "(" not in word
        }
    )


def own_number(words: str, known_ids: Sequence[str], sounds: Sounds) -> str:
    """The words with what sounds like one of the caller's own numbers in its place; else as they are."""
    heard = words.split()
    lengths = {len(known) for known in known_ids}
    found = [part for part in normalise(words).split() if part.isdecimal() and len(part) > 2]
    if not known_ids or any(part in known_ids or len(part) in lengths for part in found):
        return words
    ways = [(known, way) for known in known_ids for way in ways_to_say(known)]
    best: tuple[float, str, int, int] | None = None
    for start, end in _number_regions(heard):
        distances = _nearness(sounds.of(heard[start:end]), [sounds.of(way.split()) for _, way in ways])
        nearest = int(np.argmin(distances))
        rest = [
            distance
            for (known, _), distance in zip(ways, distances, strict=True)
            if known != ways[nearest][0]
        ]
        clear = not rest or min(rest) - distances[nearest] >= _MARGIN
        if clear and distances[nearest] <= _NUMBER_NEAR and (best is None or distances[nearest] < best[0]):
            best = (float(distances[nearest]), ways[nearest][0], start, end)
    if best is None:
        return words
    _, known, start, end = best
    return " ".join([*heard[:start], *ways_to_say(known)[0].split(), *heard[end:]])


def named(words: str, names: Sequence[str], sounds: Sounds) -> str:
    """The words with what sounds like a name in its place, when half of that name was heard."""
    heard = words.split()
    present = set(heard)
    spoken = {name: name.replace("-", " ").split() for name in names}
    if any(" ".join(parts) in words for parts in spoken.values()):
        return words
    best: tuple[float, str, int, int] | None = None
    for name, parts in spoken.items():
        if len(parts) < 2 or not present & set(parts):
            continue
        target = sounds.of(parts)
        for start, end in _regions_of(heard, parts):
            (distance,) = _nearness(sounds.of(heard[start:end]), [target])
            (rest,) = _nearness(
                sounds.of([one for one in heard[start:end] if one not in parts]),
                [sounds.of([one for one in parts if one not in heard[start:end]])],
            )
            if distance <= _NAME_NEAR and rest <= _REST_NEAR and (best is None or distance < best[0]):
                best = (float(distance), name, start, end)
    if best is None:
        return words
    _, name, start, end = best
    return " ".join([*heard[:start], *spoken[name], *heard[end:]])


def _number_regions(heard: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Stretches that hold every number word, and up to two words more at the end."""
    places = [at for at, word in enumerate(heard) if word in _NUMBER_WORDS]
    if len(places) < 2 or places[-1] - places[0] >= _LONGEST:
        return
    for end in range(places[-1] + 1, min(places[-1] + 3, len(heard)) + 1):
        yield places[0], end


def _regions_of(heard: Sequence[str], parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    for at, word in enumerate(heard):
        if word in parts:
            place = parts.index(word)
            for before in range(place, place + 2 if place else 1):
                for after in range(len(parts) - place, len(parts) - place + 2):
                    if at - before >= 0 and at + after <= len(heard):
                        yield at - before, at + after


def _nearness(heard: Phones, targets: Sequence[Phones]) -> Any:
    """The distance of `heard` to each target, per phone of the longer of the two."""
    longest = max(map(len, targets))
    padded = np.array([[*target, *[0] * (longest - len(target))] for target in targets], dtype=np.intp)
    row = np.tile(np.arange(longest + 1) * _GAP, (len(targets), 1))
    for phone in heard:
        above = row
        row = np.empty_like(above)
        row[:, 0] = above[:, 0] + _GAP
        changed = above[:, :-1] + _COSTS[phone][padded]
        for at in range(1, longest + 1):
            row[:, at] = np.minimum(
                np.minimum(changed[:, at - 1], above[:, at] + _GAP), row[:, at - 1] + _GAP
            )
    ends = np.array([len(target) for target in targets])
    lengths = np.maximum(np.maximum(ends, len(heard)), 1)
    return row[np.arange(len(targets)), ends] / lengths
