"""A lexicon's trigram as probabilities of words that are only begun: for ears that spell what they hear.

A recogniser of any English writes word by word in pieces ("or", "der"). What customers say tells how likely
each beginning is, so that "order ten oh three" wins over "harder ten oh three" while it is written. Pure.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

_UNHEARD_OF = -11.0
"""The logarithm of the probability of a word that nobody expects."""
_ROWS_KEPT = 1024
_BEYOND = "\uffff"
_NOTHING = 1e-12
_TO_NATURAL = math.log(10.0)
_SECTIONS = {"\\1-grams:": 1, "\\2-grams:": 2, "\\3-grams:": 3}


@dataclass(frozen=True, slots=True)
class Progress:
    """A sentence as far as it has come."""

    before: tuple[str, str]
    """The last two whole words; empty for one that is not known."""
    begun: str = ""
    """The letters of the word that is being written."""
    whole: float = 0.0
    """The logarithm of the probability of the whole words."""
    beginning: float = 0.0
    """That of a word that begins so."""

    @property
    def likely(self) -> float:
        return self.whole + self.beginning


class Trigram:
    """What follows two words, from the text of an ARPA file."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._back_off: dict[tuple[str, ...], str] = {}
        self._following: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for order, fields in _grams(lines):
            *history, word = fields[1 : order + 1]
            self._following.setdefault(tuple(history), []).append((word, fields[0]))
            if len(fields) > order + 1:
                self._back_off[(*history, word)] = fields[order + 1]
        # "a." and "m." are letters: written without their dot.
        alone = sorted(self._following.pop((), []), key=lambda one: one[0].rstrip("."))
        self._words = [word for word, _ in alone]
        self._spelled = [word.rstrip(".") for word in self._words]
        self._longest = max(map(len, self._spelled), default=0)
        self._places = {word: place for place, word in enumerate(self._words)}
        self._alone = _numbers(likely for _, likely in alone)
        self._row = lru_cache(maxsize=_ROWS_KEPT)(self._make_row)
        self._between = lru_cache(maxsize=_ROWS_KEPT * 16)(self._find_between)

    def start(self) -> Progress:
        """Nothing is said yet."""
        return Progress(("", "<s>"))

    def grow(self, progress: Progress, text: str) -> Progress:
        """With more letters; a space or a hyphen ends a word, other signs say nothing."""
        for letter in text.casefold():  # a letter by itself: "lower" looks at those beside it
            if letter.isalpha() or letter == "'":
                begun = (progress.begun + letter)[: self._longest + 1]  # longer ones are none of its words
                likely = self._likely(progress.before, *self._between(begun, begun + _BEYOND))
                progress = Progress(progress.before, begun, progress.whole, max(likely, _UNHEARD_OF))
            elif letter in " -":
                progress = self._close(progress)
        return progress

    def end(self, progress: Progress) -> float:
        """The logarithm of the probability of the sentence, ended here."""
        closed = self._close(progress)
        likely = self._likely(closed.before, *self._between("</s>", "</s>" + _BEYOND))
        return closed.whole + max(likely, _UNHEARD_OF)

    def _close(self, progress: Progress) -> Progress:
        """With its begun word taken for a whole one."""
        if not progress.begun:
            return progress
        first, end = self._between(progress.begun, progress.begun + " ")
        known = ""
        if first < end:  # "a" and "a." are written alike: what follows is after the likelier
            known = self._words[first + int(np.argmax(np.diff(self._row(progress.before)[first : end + 1])))]
        likely = self._likely(progress.before, first, end)
        return Progress((progress.before[1], known), "", progress.whole + max(likely, _UNHEARD_OF))

    def _likely(self, before: tuple[str, str], first: int, end: int) -> float:
        """The logarithm of the probability that one of these words follows."""
        if first >= end:
            return _UNHEARD_OF
        row = self._row(before)
        return math.log(float(row[end] - row[first]) + _NOTHING)

    def _find_between(self, low: str, high: str) -> tuple[int, int]:
        return bisect_left(self._spelled, low), bisect_left(self._spelled, high)

    def _make_row(self, before: tuple[str, str]) -> Any:
        """The probabilities of the words after these two, added up."""
        likely = self._alone.copy()
        for history in ((before[1],), before):
            if not history[0]:
                break
            if back_off := self._back_off.get(history):
                likely += _numbers([back_off])
            if few := self._following.get(history):
                likely[[self._places[word] for word, _ in few]] = _numbers(one for _, one in few)
        return np.concatenate([[0.0], np.cumsum(np.exp(likely))])


@lru_cache(maxsize=8)
def load_trigram(path: Path) -> Trigram:
    """The trigram of a lexicon; the last few are kept."""
    with path.open(encoding="utf-8") as lines:
        return Trigram(lines)


def _grams(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    order = 0
    for line in lines:
        if line.startswith("\\"):
            order = _SECTIONS.get(line.strip(), 0)
        elif order and (fields := line.split()):
            yield order, fields


def _numbers(logarithms: Iterable[str]) -> Any:
    """The natural logarithms of what an ARPA file gives by ten; numbers are read when they are wanted."""
    return np.array([float(one) for one in logarithms]) * _TO_NATURAL
