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

Few = tuple[Any, Any]
"""Places of words, and the logarithms of their probabilities."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A sentence as far as it has come."""

    before: tuple[int, int]
    """The last two whole words, by their places; -1 for one that is not known."""
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
        grams: dict[int, list[list[str]]] = {1: [], 2: [], 3: []}
        for order, fields in _grams(lines):
            grams[order].append(fields)
        # "a." and "m." are letters: written without their dot.
        unigrams = sorted(grams[1], key=lambda fields: fields[1].rstrip("."))
        self._spelled = [fields[1].rstrip(".") for fields in unigrams]
        places = {fields[1]: place for place, fields in enumerate(unigrams)}
        self._alone = np.array([float(fields[0]) for fields in unigrams]) * _TO_NATURAL
        self._back_off: dict[tuple[int, ...], float] = {
            (place,): _back_off(fields, 2) for place, fields in enumerate(unigrams) if len(fields) > 2
        }
        self._following: dict[tuple[int, ...], Few] = {}
        for order in (2, 3):
            found: dict[tuple[int, ...], list[tuple[int, float]]] = {}
            for fields in grams[order]:
                *history, word = (places[one] for one in fields[1 : order + 1])
                found.setdefault(tuple(history), []).append((word, float(fields[0]) * _TO_NATURAL))
                if len(fields) > order + 1:
                    self._back_off[(*history, word)] = _back_off(fields, order + 1)
            for history_of, few in found.items():
                self._following[history_of] = (
                    np.array([word for word, _ in few]),
                    np.array([likely for _, likely in few]),
                )
        self._start = places.get("<s>", -1)
        self._row = lru_cache(maxsize=_ROWS_KEPT)(self._make_row)
        self._between = lru_cache(maxsize=_ROWS_KEPT * 16)(self._find_between)

    def start(self) -> Progress:
        """Nothing is said yet."""
        return Progress((-1, self._start))

    def grow(self, progress: Progress, text: str) -> Progress:
        """With more letters; a space or a hyphen ends a word, other signs say nothing."""
        for letter in text.lower():
            if letter.isalpha() or letter == "'":
                begun = progress.begun + letter
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
        known = first if first < end else -1
        likely = self._likely(progress.before, first, end)
        return Progress((progress.before[1], known), "", progress.whole + max(likely, _UNHEARD_OF))

    def _likely(self, before: tuple[int, int], first: int, end: int) -> float:
        """The logarithm of the probability that one of these words follows."""
        if first >= end:
            return _UNHEARD_OF
        row = self._row(before)
        return math.log(float(row[end] - row[first]) + _NOTHING)

    def _find_between(self, low: str, high: str) -> tuple[int, int]:
        return bisect_left(self._spelled, low), bisect_left(self._spelled, high)

    def _make_row(self, before: tuple[int, int]) -> Any:
        """The probabilities of the words after these two, added up."""
        likely = self._alone.copy()
        histories: tuple[tuple[int, ...], ...] = (before[1:], before)
        for history in histories:
            if -1 in history:
                break
            likely += self._back_off.get(history, 0.0)
            if few := self._following.get(history):
                likely[few[0]] = few[1]
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


def _back_off(fields: list[str], place: int) -> float:
    return float(fields[place]) * _TO_NATURAL
