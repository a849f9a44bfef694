"""Numbers and letters as people dictate them, as tokens with their places: PURE."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FILLERS_BETWEEN: Final = 5
"""So many words that mean nothing may stand between two digits of one number."""

_DIGIT_WORDS: Final = {
    **{
        word: str(value)
        for value, word in enumerate("zero one two three four five six seven eight nine".split())
    },
    **dict.fromkeys(("oh", "o", "nought", "naught", "null", "nil"), "0"),
    **{
        word: str(value)
        for value, word in enumerate(
            "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10
        )
    },
    "niner": "9",
    "hundred": "00",
    "thousand": "000",
}
_TENS: Final = {
    word: str(value)
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
} | {"fourty": "4"}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_SOUNDS_LIKE: Final = {"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1", "tree": "3"}
"""What a recogniser writes for a digit: one only with digits on both sides."""
_FILLERS: Final = frozenset(
    "uh uhm um umm er erm ah eh hm hmm mm like then and dash hyphen minus space comma dot point slash okay ok"
    " stop so well wait sorry next followed by its it's is yes yeah right got that let me see check just a"
    " moment now the last first digits digit are numbers number again i think you know here plus rest".split()
)
_WORD: Final = re.compile(r"(?P<plus>\+\s?)?(?P<digits>\d+)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a group of digits at `text[start:end]`."""

    start: int
    end: int
    digits: str = ""
    """The digits it stands for."""
    or_digits: str = ""
    """What it may stand for as well: "seventy eight" is 78, and 70 8."""
    letters: str = ""
    """In capitals, when it is one letter, or typed in a block with digits."""
    filler: bool = False
    """It means nothing between two digits."""
    plus: bool = False


def tokens_of(text: str) -> list[Token]:
    """The words and numbers of a text."""
    words = list(_WORD.finditer(text))
    tokens: list[Token] = []
    at = 0
    while at < len(words):
        taken, token = _token(text, words, at)
        tokens.append(token)
        at += taken
    return tokens


def _token(text: str, words: Sequence[re.Match[str]], at: int) -> tuple[int, Token]:
    match = words[at]
    if match["digits"]:
        return 1, Token(match.start(), match.end(), match["digits"], plus=bool(match["plus"]))
    word = match["word"].lower()
    following = words[at + 1] if at + 1 < len(words) else None
    if word in _TENS:
        unit = _unit_behind(text, match, following)
        if unit and following:
            apart = "" if text[match.end()] == "-" else f"{_TENS[word]}0{unit}"
            return 2, Token(match.start(), following.end(), _TENS[word] + unit, apart)
        return 1, Token(match.start(), match.end(), _TENS[word] + "0")
    if word in _TIMES and following is not None:
        repeated = following["digits"] or _DIGIT_WORDS.get((following["word"] or "").lower(), "")
        if len(repeated) == 1:
            return 2, Token(match.start(), following.end(), repeated * _TIMES[word])
    if word in _DIGIT_WORDS and not (word == "o" and match["word"] == "O" and not _digit_beside(words, at)):
        return 1, Token(match.start(), match.end(), _DIGIT_WORDS[word])
    if word in _SOUNDS_LIKE and _digit_beside(words, at, both=True):
        return 1, Token(match.start(), match.end(), _SOUNDS_LIKE[word])
    letters = word.upper() if len(word) == 1 or (len(word) <= 4 and match["word"].isupper()) else ""
    return 1, Token(match.start(), match.end(), letters=letters, filler=word in _FILLERS)


def _unit_behind(text: str, match: re.Match[str], following: re.Match[str] | None) -> str:
    """The unit of "forty-two" or "forty two"."""
    if following is None or not following["word"]:
        return ""
    between = text[match.end() : following.start()]
    unit = _DIGIT_WORDS.get(following["word"].lower(), "")
    return unit if between in (" ", "-") and len(unit) == 1 and unit != "0" else ""


def _digit_beside(words: Sequence[re.Match[str]], at: int, *, both: bool = False) -> bool:
    sides = [
        0 <= side < len(words)
        and bool(
            words[side]["digits"]
            or words[side]["word"].lower() in _DIGIT_WORDS
            or words[side]["word"].lower() in _TENS
        )
        for side in (at - 1, at + 1)
    ]
    return all(sides) if both else any(sides)


def runs_of(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Each stretch of digits with nothing but fillers in between; only the digits are in it."""
    run: list[Token] = []
    fillers = 0
    for token in tokens:
        if token.digits:
            if token.plus and run:
                yield run
                run = []
            run.append(token)
            fillers = 0
        elif run:
            fillers += 1
            if not token.filler or fillers > FILLERS_BETWEEN:
                yield run
                run = []
    if run:
        yield run


READINGS: Final = 256
"""So many ways to read one number are followed, which is eight times a word that can be read in two."""


def read_on(readings: set[str], token: Token, longest: int) -> set[str]:
    """Each way to read a number, with one more token behind it; those that grow too long are dropped."""
    parts = [part for part in (token.digits or token.letters, token.or_digits) if part]
    longer = {reading + part for reading in readings for part in parts if len(reading) + len(part) <= longest}
    return longer if len(longer) <= READINGS else set(sorted(longer)[:READINGS])


def joined(run: Sequence[Token]) -> str:
    """The digits of a run."""
    return "".join(token.digits for token in run)
