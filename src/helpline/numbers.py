"""Numbers as people say them, written in digits: "ten oh four", "one double zero four", "P zero zero one"."""

import re

_DIGITS = {
    "zero": 0, "oh": 0, "o": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000}
_REPEATS = {"double": 2, "triple": 3}
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip

# What a recogniser makes of a last digit.
_ENDINGS = {"for": 4, "far": 4, "to": 2, "too": 2, "won": 1, "ate": 8}

_NUMBER_WORDS = {*_DIGITS, *_TEENS, *_TENS, *_SCALES, *_REPEATS}
_TOKEN = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address, whole
    r"|\d{4}-\d{2}-\d{2}(?:t\d{2}:\d{2})?"
    r"|[$€£]\s?\d[\d,]*(?:\.\d+)?|\d{1,2}:\d{2}|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+"
    r"|[^\W_]+(?:'[^\W_]+)*"
)
_LETTER_ALONE = re.compile(r"[b-hj-z]")


def normalise(text: str) -> str:
    """Lower-case words and digits with one blank between: what every parser here reads."""
    return " ".join(_join_numbers(tokens(text)))


def tokens(text: str) -> list[str]:
    """The words, numbers and addresses of a text, in lower case, without punctuation."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"\b([a-z])\.(?=\s|$)", r"\1", text)  # the recogniser writes the letter b as "b."
    return [token.replace(",", "") for token in _TOKEN.findall(text)]


def cardinal(words: str) -> int | None:
    """The value of a normalised number phrase ("7", "forty 5", "a dozen", "the third"), if it is one."""
    for token in words.split():
        if token.isdecimal() and len(token) < 10:
            return int(token)
        if token in _DIGITS and token not in ("o", "oh"):
            return _DIGITS[token]
        if token in ORDINALS:
            return ORDINALS[token]
        if token in ("dozen",):
            return 12
        if token in ("couple", "both"):
            return 2
    return None


def ordinal_day(words: str) -> int | None:
    """The day of a month in "the twelfth", "the 21st", "twenty first"."""
    if match := re.search(r"\b(\d{1,2})(?:st|nd|rd|th)\b", words):
        return int(match[1])
    tens = 0
    for token in words.split():
        if token in ("20", "30", *_TENS):
            tens = int(token) if token.isdecimal() else _TENS[token]
        elif token in ORDINALS:
            return tens + ORDINALS[token] if ORDINALS[token] < 10 else ORDINALS[token]
        else:
            tens = 0
    return None


def _join_numbers(words: list[str]) -> list[str]:
    joined: list[str] = []
    at = 0
    while at < len(words):
        end = _run_end(words, at)
        if end == at:
            joined.append(words[at])
            at += 1
            continue
        joined.append(_written(words[at:end]))
        at = end
    return _join_prefixes(joined)


def _run_end(words: list[str], start: int) -> int:
    """Where a run of number words that starts here ends; `start` itself when there is none."""
    end = start
    while end < len(words):
        word = words[end]
        if (
            word in _NUMBER_WORDS
            or (word.isdecimal() and len(word) == 1)
            or (
                word == "and" and end > start and words[end - 1] in _SCALES and _starts_number(words, end + 1)
            )
        ):
            end += 1
        else:
            break
    run = words[start:end]
    if end == len(words) - 1 and words[end] in _ENDINGS and len(run) >= 2 and set(run) <= _DIGITS.keys():
        return end + 1  # nobody ends a sentence in "one zero zero for"
    if len(run) == 1 and run[0] not in _TEENS and run[0] not in _TENS:
        return start  # "one", "oh", "double": most often no number at all
    return end if any(word in _NUMBER_WORDS for word in run) or len(run) >= 3 else start


def _starts_number(words: list[str], at: int) -> bool:
    return at < len(words) and words[at] in _NUMBER_WORDS


def _written(run: list[str]) -> str:
    if any(word in _SCALES for word in run):
        return _cardinal_digits(run)
    digits, at = "", 0
    while at < len(run):
        word = run[at]
        following = run[at + 1] if at + 1 < len(run) else ""
        if word in _REPEATS and _digit(following) is not None:
            digits += str(_digit(following)) * _REPEATS[word]
            at += 2
        elif word in _TENS and (_digit(following) or 0) > 0:
            digits += str(_TENS[word] + (_digit(following) or 0))
            at += 2
        else:
            digits += _atom(word)
            at += 1
    return digits


def _atom(word: str) -> str:
    for table in (_DIGITS, _TEENS, _TENS, _ENDINGS):
        if word in table:
            return str(table[word])
    return word if word.isdecimal() else ""


def _digit(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) == 1 else _DIGITS.get(word)


def _cardinal_digits(run: list[str]) -> str:
    """ "one thousand and four" is 1004, "ten hundred" 1000, "one thousand one two" 1012."""
    total, current, tail = 0, 0, ""
    for place, word in enumerate(run):
        if word == "thousand":
            total += max(current, 1) * 1000
            current = 0
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _TEENS or word in _TENS:
            current += {**_TEENS, **_TENS}[word]
        elif (digit := _digit(word)) is not None:
            if digit == 0 or (current % 10 and place and run[place - 1] not in _SCALES):
                tail += str(digit)
            else:
                current += digit
    return (
        str(total + current) + tail
        if not total
        else str(total + (int(f"{current}{tail}") if tail else current))
    )


def _join_prefixes(words: list[str]) -> list[str]:
    """ "p", "001" is the reference p001; so is "w", "2417020"."""
    joined: list[str] = []
    for word in words:
        alone = bool(joined) and _LETTER_ALONE.fullmatch(joined[-1]) is not None
        if alone and re.fullmatch(r"\d{2,}", word):
            joined[-1] += word
        else:
            joined.append(word)
    return joined
