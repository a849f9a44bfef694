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
    **dict(zip("零〇一幺二两三四五六七八九", "0011223456789", strict=True)),
    **dict(zip("eins zwei zwo drei vier fünf sechs sieben acht neun".split(), "1223456789", strict=True)),
    **dict(zip("cero uno dos tres cuatro cinco seis siete ocho nueve".split(), "0123456789", strict=True)),
    **dict(zip("zéro deux trois quatre cinq huit neuf".split(), "0234589", strict=True)),
    **dict.fromkeys(("hundred", "hundert"), "00"),
    "thousand": "000",
}
_TENS: Final = {
    word: str(value)
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
} | {"fourty": "4"}
_GERMAN_TENS: Final = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
_GERMAN_TEENS: Final = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split()
_DIGIT_WORDS.update({word: str(value) for value, word in enumerate(_GERMAN_TEENS, 10)})
_DIGIT_WORDS.update({word: f"{tens}0" for tens, word in enumerate(_GERMAN_TENS, 2)})
_DIGIT_WORDS.update(
    {
        f"{unit}und{word}": f"{tens}{value}"
        for tens, word in enumerate(_GERMAN_TENS, 2)
        for value, unit in enumerate("ein zwei drei vier fünf sechs sieben acht neun".split(), 1)
    }
)
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_SOUNDS_LIKE: Final = {"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1", "tree": "3",
                      "un": "1", "sept": "7"}  # fmt: skip
"""What a recogniser writes for a digit: one only with digits on both sides."""
_FILLERS: Final = frozenset(
    "uh uhm um umm er erm ah eh hm hmm mm like then and dash hyphen minus space comma dot point slash okay ok"
    " stop so well wait sorry next followed by its it's is yes yeah right got that let me see check just a"
    " moment now the last first digits digit are numbers number again i think you know here plus rest"
    " äh ähm und dann also euh et puis eh luego 嗯 然后".split()
)
_LETTERS: Final = {
    word: word[0].upper()
    for word in (
        "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november"
        " oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu"
    ).split()
}
"""As pilots spell."""
_HAN: Final = "零〇一幺二两三四五六七八九"
"""Each is a word of its own, with no space around it."""
_WORD: Final = re.compile(
    rf"(?P<plus>\+\s?)?(?P<digits>\d+)|(?P<word>[{_HAN}]|[^\W\d_{_HAN}]+(?:'[^\W\d_]+)?)"
)
_MEANING_DIGITS: Final = frozenset({*_DIGIT_WORDS, *_TENS, *_TIMES})
"""Every word that may stand for digits."""


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


_PIECE: Final = re.compile(rf"\d+|[{_HAN}]|[^\W\d_{_HAN}]+")


def digits_at_most(small: str) -> tuple[int, int]:
    """So many digits may stand in a text of small letters, and so many in one run of it.

    It is a bound, found fast: most texts have few digits.
    """
    total = run = longest = gap = 0
    for piece in _PIECE.findall(small):
        if piece.isdecimal():
            worth = len(piece)
        elif piece in _MEANING_DIGITS:
            worth = 3
        else:
            gap += 1
            if gap > FILLERS_BETWEEN or not (piece in _FILLERS or piece in _SOUNDS_LIKE):
                run = 0
            continue
        gap = 0
        total += worth
        run += worth
        longest = max(longest, run)
    return total, longest


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
    letters = _LETTERS.get(word, "")
    block = len(word) <= 4 and (match["word"].isupper() or _touches_digits(text, match))
    if len(word) == 1 or block:
        letters = word.upper()
    return 1, Token(match.start(), match.end(), letters=letters, filler=word in _FILLERS)


def _unit_behind(text: str, match: re.Match[str], following: re.Match[str] | None) -> str:
    """The unit of "forty-two" or "forty two"."""
    if following is None or not following["word"]:
        return ""
    between = text[match.end() : following.start()]
    unit = _DIGIT_WORDS.get(following["word"].lower(), "")
    return unit if between in (" ", "-") and len(unit) == 1 and unit != "0" else ""


def _touches_digits(text: str, match: re.Match[str]) -> bool:
    """Typed in one with digits: the "de" of "de89", and the "nwbk" of "gb29 nwbk 6016"."""
    return text[match.end() : match.end() + 2].strip()[:1].isdigit() and (
        text[match.end() : match.end() + 1].isdigit() or text[: match.start()].rstrip()[-1:].isdigit()
    )


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
