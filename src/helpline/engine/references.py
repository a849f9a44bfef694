"""Order numbers and the like while one is asked for: a grammar of their shape, and the caller's own.

The caller's references are known by their keywords. What was heard is theirs when it is the same but for one
character, and only one of theirs is; else it stands as it was heard, and the app says that it knows none.
"""

import re
from collections.abc import Iterable, Sequence

from helpline.numbers import normalise

_DIGIT = "( zero | oh | one | two | three | four | five | six | seven | eight | nine )"
_GRAMMAR = """#JSGF V1.0;
grammar reference;
public <reference> = [ <before> ] ( {shapes} ) [ please | thank you ];
<before> = it is | it's | that's | that is | yes | the number is | [ my | the ] order number [ is ] | order;
<unit> = one | two | three | four | five | six | seven | eight | nine;
<teen> = ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen;
<tens> = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety;
<below> = <teen> | <tens> [ <unit> ];
<digit> = {digit};
<pairs> = <below> ( <below> | oh <unit> | hundred ) | <unit> thousand [ [ and ] ( <unit> | <below> ) ];
"""
_ASKED = re.compile(
    r"\b(?:order|reference|return|ticket|receipt)(?:'s)? (?:number|id)\b[^.?!]*\?|\bwhich order\b[^.?!]*\?"
    r"|(?:say|tell me|give me|repeat|need|have)\b[^.?!]*\b(?:order|reference|return|ticket) (?:number|id)\b"
)
_REFERENCE = re.compile(r"(?<!\w)[a-z]{0,2}\d{3,12}(?!\w)")
_USUAL_LENGTH = 4
"""What is shorter has lost a digit rather than that the other has gained one."""
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UNIT = re.compile(rf"\b(?:{'|'.join(_UNITS)})\b")
_PARTS = re.compile(r"([a-z]*)(\d+)")


def asks_for_reference(said: str) -> bool:
    """Whether the words of a reply ask for an order number or the like."""
    return _ASKED.search(said.lower()) is not None


def grammar_for(known_ids: Sequence[str]) -> str:
    """A JSGF grammar of the shapes that these have ("p and three digits"); empty without any."""
    shapes = sorted({(match[1], len(match[2])) for match in _parted(known_ids) if 3 <= len(match[2]) <= 10})
    if not shapes:
        return ""
    return _GRAMMAR.format(shapes=" | ".join(_shape(*shape) for shape in shapes), digit=_DIGIT)


def _parted(ids: Iterable[str]) -> Iterable[re.Match[str]]:
    return [match for one in ids if (match := _PARTS.fullmatch(one.lower()))]


def _shape(letters: str, length: int) -> str:
    one_by_one = ["<digit>"] * length
    ways = [" ".join(one_by_one)]
    ways += [
        " ".join([*one_by_one[:at], "double <digit>", *one_by_one[at + 2 :]]) for at in range(length - 1)
    ]
    ways += ["<pairs>"] if length == 4 else []
    before = "".join(f"{letter}. " for letter in letters)
    return f"{before}( {' | '.join(ways)} )"


def own_reference(words: str, known_ids: Sequence[str]) -> str:
    """The caller's own reference that these words name, or all but name; empty when not one is."""
    found: list[str] = re.findall(r"[a-z]{0,2}\d{2,12}", normalise(words))
    for heard in found:
        if heard in known_ids:
            return heard
        if len(near := [known for known in known_ids if _one_apart(heard, known)]) == 1:
            return near[0]
    return ""


def _one_apart(one: str, other: str) -> bool:
    """One character was left out, put in or taken for another."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return len(long) - len(short) == 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def settle_reference(words: str, opinions: Sequence[str], known_ids: Sequence[str]) -> str:
    """The words with their one reference as most opinions heard it: "10018" is 1001 if another heard that.

    These words were chosen, so their own counts twice. A recogniser adds a digit where a sentence ends more
    often than it loses one.
    """
    named: list[str] = _REFERENCE.findall(normalise(words))
    if len(set(named)) != 1:
        return words
    heard = named[0]
    others = [numbers_in(normalise(opinion)) for opinion in opinions]
    lengths = {len(known) for known in known_ids}

    def weight(reference: str) -> tuple[float, int, int]:
        exact = sum(reference in one for one in others) + (reference == heard)
        near = sum(any(_one_apart(reference, other) for other in one) for one in others)
        own = 2.0 * (reference in known_ids) + 0.5 * (len(reference) in lengths)
        return exact + 0.5 * near + own, min(len(reference), _USUAL_LENGTH), -len(reference)

    possible = {
        other
        for one in others
        for other in one
        if other == heard or other in known_ids or _one_apart(heard, other)
    }
    best = max(sorted(possible), key=weight, default=heard)
    return words if best == heard else normalise(words).replace(heard, best, 1)


def numbers_in(text: str) -> set[str]:
    """References in a normalised text; also such as a misheard word has cut: "1234 are five"."""
    whole = re.sub(r"(\d) [a-z']+ (?=\d)", r"\1", _UNIT.sub(lambda unit: str(_UNITS.index(unit[0])), text))
    return {*_REFERENCE.findall(text), *_REFERENCE.findall(whole)}
