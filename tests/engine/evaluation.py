"""Measures the engine on the frozen sentences: typed, and spoken by several voices, clean and with noise.

Used by `scripts/engine_report.py` and by a test with a floor. Done: the right tool with the right arguments;
within one repair: also after the customer has answered the engine's question, or said it once more plainly.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from helpline.audio.pcm import from_samples, samples
from helpline.engine.brain import Answered, Call, Called, Entry, PolicyBrain, Said, Say, Turn
from helpline.engine.dialogue import Known
from helpline.engine.ears.pocketsphinx import Decoders, PocketsphinxEars
from helpline.engine.language import find_entities, readable
from helpline.engine.lexicon import Expected, expected_from
from helpline.engine.listening import Ended, Listener, ListenSettings
from helpline.engine.meaning import load_meanings, read_tools
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser
from helpline.numbers import normalise
from helpline.times import find_when
from helpline.tools.shop import shop_tools

NOW = datetime(2026, 11, 18, 12, 0)  # noqa: DTZ001 - a Wednesday, local time
VOICES = ("en-us", "en-us+f3", "en-gb", "en-us+m3")
CALLERS_IDS = tuple(str(number) for number in range(1001, 1031))
PRODUCTS = (
    "trail running shoes", "canvas sneakers", "rain jacket", "wool sweater", "cotton t-shirt", "denim jeans",
    "winter gloves", "knit beanie", "leather belt", "travel backpack", "desk lamp", "floor lamp",
    "reading chair",
    "standing desk", "wall clock", "picture frame", "throw blanket", "bed sheets", "bath towels",
    "scented candle",
    "electric kettle", "pour-over coffee maker", "coffee grinder", "chef's knife", "cutting board",
    "cast iron pan",
    "water bottle", "lunch box", "toaster", "stand blender", "wireless headphones", "bluetooth speaker",
    "wireless mouse", "mechanical keyboard", "phone stand", "usb-c charger", "yoga mat", "bike helmet",
    "camping tent", "garden trowel",
)  # fmt: skip

TOOLS = tuple(
    {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    for tool in shop_tools()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One request and what it asks for."""

    text: str
    tool: str
    """A tool's name, or @ and an intent."""
    key: str = ""
    value: str = ""
    final: bool = False
    """Kept for the final run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one sentence."""

    sentence: Sentence
    heard: str
    got: str
    """The tool that was called, `ask`, `miss` or an intent."""
    done: bool
    repaired: bool
    """Done, at the first try or within one repair."""


@dataclass(slots=True)
class Score:
    """Over many sentences."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def first_try(self) -> float:
        return sum(one.done for one in self.outcomes) / max(len(self.outcomes), 1)

    @property
    def within_one_repair(self) -> float:
        return sum(one.repaired for one in self.outcomes) / max(len(self.outcomes), 1)

    def confusion(self) -> Counter[tuple[str, str]]:
        return Counter((one.sentence.tool, one.got) for one in self.outcomes)


SENTENCES = Path(__file__).with_name("sentences.txt")
HELD_OUT = Path(__file__).with_name("sentences_held_out.txt")
"""Written after those, for one run; spent with it."""
FINAL = Path(__file__).with_name("sentences_final.txt")
"""Written after that run, for the next; spent with it."""
BLIND = Path(__file__).with_name("sentences_blind.txt")
"""Written after that by somebody who knew neither the phrases nor the engine, for the next; spent with it."""
UNSEEN = Path(__file__).with_name("sentences_unseen.txt")
"""Written in the same way after that, before the phrases grew; spent with its run."""
LAST = Path(__file__).with_name("sentences_last.txt")
"""Written in the same way after that; spent with its run."""
SEVENTH = Path(__file__).with_name("sentences_seventh.txt")
"""Written in the same way, before the ears had a model of any words; spent with its run after that."""
EIGHTH = Path(__file__).with_name("sentences_eighth.txt")
"""Written beside it by somebody else: for one run, the newest."""


def load_sentences(path: Path = SENTENCES) -> list[Sentence]:
    """All of a file, in order."""
    tool, key, value = "", "", ""
    found: list[Sentence] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            tool, _, slot = line.strip("[]").partition(" ")
            key, _, value = slot.partition("=")
        elif line.strip() and not line.startswith("#"):
            found.append(
                Sentence(line.strip(), tool, key, value, final=path != SENTENCES or len(found) % 2 == 1)
            )
    return found


class Subject:
    """The engine under measurement: its listener and its brain, without the protocol around them."""

    def __init__(self) -> None:
        self._decoders = Decoders()
        self._expected: Expected = expected_from(PRODUCTS, TOOLS)
        self._tools = read_tools(TOOLS)

    def hear(self, pcm24k: bytes) -> str:
        """The words of one utterance, as a caption."""
        listener = Listener(PocketsphinxEars(self._decoders), VoiceDetector())
        listener.configure(ListenSettings(expected=self._expected, known_ids=CALLERS_IDS))
        heard = listener.feed(pcm24k)
        return " ".join(readable(event.text) for event in heard if isinstance(event, Ended))

    def judge(self, sentence: Sentence, heard: str, repair: Callable[[], str], *, spoken: bool) -> Outcome:
        """What the brain makes of it; `repair` is heard if it went wrong."""
        brain = PolicyBrain()
        entries: tuple[Entry, ...] = (Said("user", heard, spoken=spoken),)
        got, done, entries = self._try(brain, sentence, entries)
        if done:
            return Outcome(sentence, heard, got, True, True)
        entries = (*entries, Said("user", repair(), spoken=spoken))
        _, repaired, _ = self._try(brain, sentence, entries)
        return Outcome(sentence, heard, got, False, repaired)

    def _try(
        self, brain: PolicyBrain, sentence: Sentence, entries: tuple[Entry, ...]
    ) -> tuple[str, bool, tuple[Entry, ...]]:
        parts = brain.decide(Turn(entries, self._tools, NOW, known=Known(CALLERS_IDS, PRODUCTS)))
        calls = [part for part in parts if isinstance(part, Call)]
        said = " ".join(part.text for part in parts if isinstance(part, Say))
        if calls:
            call = calls[0]
            got = call.name
            result = Answered("c", msgspec.json.encode({"say": "That is what I found."}).decode())
            entries = (
                *entries,
                Called("c", call.name, call.arguments),
                result,
                Said("assistant", "That is what I found."),
            )
            return got, _is_right(sentence, call), entries
        entries = (*entries, Said("assistant", said))
        heard = entries[-2]
        assert isinstance(heard, Said)
        got = "ask" if said.endswith("?") or said.startswith("Please") else "say"
        if sentence.tool.startswith("@"):
            ranked = load_meanings().rank(find_entities(heard.text, NOW, PRODUCTS).masked)
            got = f"@{ranked[0].intent}" if ranked else "miss"
            return got, got == sentence.tool, entries
        if "did not understand" in said:
            got = "miss"
        return got, sentence.key == "ask" and _asks(said, sentence.value), entries


def _asks(said: str, what: str) -> bool:
    words = {"when": r"\b(?:when|time)\b", "email": r"e-?mail", "address": r"\baddress\b"}
    return re.search(words[what], said.lower()) is not None and "did not understand" not in said


def _is_right(sentence: Sentence, call: Call) -> bool:
    if call.name != sentence.tool or sentence.key == "ask":
        return False
    if not sentence.key:
        return True
    given = msgspec.json.decode(call.arguments).get(sentence.key)
    return given is not None and _same(sentence.key, str(given), sentence.value)


def _same(key: str, given: str, wanted: str) -> bool:
    if key == "when":
        one, other = find_when(normalise(given), NOW), find_when(_moment(wanted), NOW)
        return one is not None and other is not None and one.at == other.at
    if key == "product":
        return all(any(word.startswith(part) for word in given.lower().split()) for part in wanted.split())
    return given.lower() == wanted


def _moment(wanted: str) -> str:
    return normalise(re.sub(r" (\d\d):(\d\d)$", r" at \1:\2", wanted))


_PLAINLY = {
    "check_order_status": "check order {}", "cancel_order": "cancel order {}",
    "process_return": "return order {}",
    "get_customer_info": "what are my orders", "get_product_info": "tell me about the {}",
    "update_account_info": "change my {}", "schedule_callback": "call me back {}",
}  # fmt: skip
_WORDS = {
    "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight",
    "9": "nine", "0": "zero",
}  # fmt: skip


def plainly(sentence: Sentence) -> str:
    """What a customer says when it went wrong: the request once more, in the plainest words."""
    if sentence.tool.startswith("@"):
        return {"@human": "I want to talk to a person", "@deny": "no", "@affirm": "yes", "@help": "help"}.get(
            sentence.tool, sentence.tool[1:]
        )
    value = sentence.value
    if sentence.key == "ask":
        value = {"when": "", "email": "email address", "address": "address"}[value]
    elif sentence.key == "order_id":
        value = " ".join(_WORDS[digit] for digit in value)
    elif sentence.key == "when":
        value = (
            _moment(value)
            .replace("15:30", "half past three")
            .replace("10:00", "ten")
            .replace("09:00", "nine")
            .replace("14:00", "two p.m.")
        )
    elif sentence.key in ("email", "phone"):
        value = f"{sentence.key} to {value.replace('@', ' at ').replace('.', ' dot ')}"
    return _PLAINLY[sentence.tool].format(value).strip()


@lru_cache(maxsize=2048)
def spoken(text: str, voice: str, noise_db: float | None = None) -> bytes:
    """The sentence as pcm24k with silence around it; `noise_db`: pink noise this far under the speech."""
    pcm24k = bytes(48 * 600) + Synthesiser(voice).speak(text) + bytes(48 * 900)
    if noise_db is None:
        return pcm24k
    speech = samples(pcm24k).astype(float)
    loud = speech[np.abs(speech) > 200]
    level = np.sqrt(np.mean(loud**2)) * 10 ** (-noise_db / 20)
    return from_samples(speech + level * _pink(len(speech)))


def _pink(count: int) -> Any:
    white = np.fft.rfft(np.random.default_rng(3).normal(size=count))
    shaped = np.fft.irfft(white / np.sqrt(np.maximum(np.arange(len(white)), 1)), count)
    return shaped / np.std(shaped)


def measure(
    sentences: Sequence[Sentence],
    *,
    voice: str = "",
    noise_db: float | None = None,
    subject: Subject | None = None,
) -> Score:
    """Typed when no voice is given."""
    subject = subject or Subject()
    return Score(list(_outcomes(subject, sentences, voice, noise_db)))


def _outcomes(
    subject: Subject, sentences: Sequence[Sentence], voice: str, noise_db: float | None
) -> Iterator[Outcome]:
    for sentence in sentences:

        def heard(text: str) -> str:
            return subject.hear(spoken(text, voice, noise_db)) if voice else text

        repair = partial(heard, plainly(sentence))
        yield subject.judge(sentence, heard(sentence.text), repair, spoken=bool(voice))
