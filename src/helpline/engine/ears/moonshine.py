"""Moonshine's smallest English model beside pocketsphinx: it hears any words, and writes what customers say.

The weights come with a wheel (`pip install "helpline[moonshine]"`; `docs/decisions/0012`) and run in
onnxruntime, a step at a time, so that nobody else's call waits long. The sound is encoded as a whole; then a
few ways of writing it are kept, the likeliest of the sound and of the trigram together.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from helpline.audio.pcm import samples
from helpline.engine.parts import load_package
from helpline.engine.trigram import Progress, Trigram
from helpline.errors import HelplineError, MissingPartError

_PART, _EXTRA = "The model of any words", "moonshine"
_PACKAGE = "moonshine_voice"
_MODEL = Path("assets", "tiny-en")
_FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
_RATE = 16_000
_WAYS = 4
_TRIGRAM_WEIGHT = 0.6
_WORD_BONUS = 2.0
"""For each word: the trigram makes long sentences less likely than short ones. All three: measured."""
_PIECES_WEIGHED = 16
_LEAST_LIKELY = -12.0
_PIECES_A_SECOND = 6.5
"""More are not said: whoever writes more repeats itself (the model's own rule, from its paper)."""
_SHORTEST = _RATE // 5
_SURE = -0.35
"""Half of what it writes right fits the sound better than this, and a quarter of what it does not."""
_POOR = -0.9
"""Of what it writes right one in twenty fits worse than this, of what it makes of no speech two thirds."""
_BEGIN, _END = 1, 2
_HEADS, _HEAD_SIZE = 8, 36
_SPACE = "▁"
# No digits: "ten oh three" is what the trigram knows and what was said, "10:03" is a guess.
_WRITABLE = re.compile(r"[ A-Za-z',.?!-]+")
_DOT = re.compile(r"(?<=[a-z]{2})\.(?=[a-z]{2})")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
# What nobody wants to read as theirs by mistake.
_RUDE = re.compile(
    r"(?:mother|bull|horse|dip)?(?:fuck|shit|cunt|nigg(?:er|a)|faggot|bitch|asshole|whore|slut|bastard|wank).*"
    r"|(?:dick|cock|tit|piss|fag)s?"
)


def is_here(package: str = _PACKAGE) -> bool:
    """Whether the model, which comes in this package, and what runs it are installed."""
    return find_spec("onnxruntime") is not None and _folder(package) is not None


def _folder(package: str) -> Path | None:
    """Where the files lie; the package itself is not imported."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / _MODEL
        if all((folder / name).is_file() for name in _FILES):
            return folder
    return None


@lru_cache(maxsize=1)
def load_moonshine(package: str = _PACKAGE) -> "Moonshine | None":
    """The model, once for this process; None where it is not installed.

    Raises MissingPartError, in one sentence, for one whose files are damaged or which cannot be run.
    """
    folder = _folder(package)
    if folder is None or not is_here(package):
        return None
    try:
        return Moonshine(folder)
    except HelplineError:
        raise
    except Exception as broken:
        raise MissingPartError(
            f"{_PART} is installed, but its files are damaged ({type(broken).__name__}):"
            f' pip install --force-reinstall "helpline[{_EXTRA}]".'
        ) from broken


@dataclass(frozen=True, slots=True)
class Written:
    """What was heard, in lower case without signs, and how well that fits the sound."""

    text: str
    fit: float
    """The mean of the logarithms of the likelihoods of its pieces: 0 is certain."""

    @property
    def sure(self) -> bool:
        """One word alone never is: music is "you"."""
        return self.fit > _SURE and " " in self.text

    @property
    def poor(self) -> bool:
        """It may be of no speech at all."""
        return self.fit < _POOR


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of writing what is heard."""

    pieces: tuple[int, ...]
    heard: float
    """The logarithm of its likelihood by the sound."""
    progress: Progress
    words: int = 0
    likely: float = 0.0
    """By the trigram."""
    place: int = 0
    """Of the way that it goes on from."""

    @property
    def worth(self) -> float:
        return self.heard + _TRIGRAM_WEIGHT * self.likely + _WORD_BONUS * self.words

    @property
    def ended(self) -> bool:
        return self.pieces[-1] == _END


class Moonshine:
    """An encoder, a decoder and the pieces of words that it writes."""

    def __init__(self, folder: Path) -> None:
        library = load_package("onnxruntime", _PART, _EXTRA)
        options = library.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._encoder, self._decoder = (
            library.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
            for name in _FILES[:2]
        )
        self._pieces = read_pieces((folder / _FILES[2]).read_bytes())
        if len(self._pieces) != self._decoder.get_outputs()[0].shape[-1]:
            raise ValueError("the pieces are not this decoder's")
        self._writable = np.array([bool(_WRITABLE.fullmatch(piece)) for piece in self._pieces])
        self._writable[_END] = True
        self._outputs = [
            one.name.replace("present", "past_key_values") for one in self._decoder.get_outputs()
        ]

    def listen(self, pcm16k: bytes, trigram: Trigram) -> Generator[None, None, Written]:
        """The words of an utterance, as what the generator returns.

        A step takes some 5 ms of a core, the first one 8 ms for each second of sound.
        """
        sound = samples(pcm16k).astype(np.float32) / 32768
        if len(sound) < _SHORTEST:
            return Written("", _LEAST_LIKELY)
        decoding = _Decoding(self._decoder, self._outputs, self._encode(sound), len(sound))
        yield
        ways = [_Way((_BEGIN,), 0.0, trigram.start())]
        ended: list[_Way] = []
        for _ in range(int(len(sound) / _RATE * _PIECES_A_SECOND) + 2):
            likely = decoding.step([way.pieces[-1] for way in ways])
            grown = sorted(self._grown(ways, likely, trigram), key=lambda way: -way.worth)
            following, best = _kept(grown)
            ended += best
            if not following or max((way.worth for way in ended), default=-np.inf) >= following[0].worth:
                break
            ways = following
            decoding.keep([way.place for way in ways])
            yield
        return self._written(max(ended or ways, key=lambda way: way.worth))

    def _encode(self, sound: Any) -> Any:
        given = {"input_values": sound[None], "attention_mask": np.ones((1, len(sound)), np.int64)}
        return self._encoder.run(None, given)[0]

    def _grown(self, ways: list[_Way], likely: Any, trigram: Trigram) -> Iterator[_Way]:
        """Every way with each of the pieces that may come next, by what is heard."""
        for place, way in enumerate(ways):
            mine = likely[place]
            first = np.argpartition(mine, -_PIECES_WEIGHED)[-_PIECES_WEIGHED:]
            for piece in first[(mine[first] > _LEAST_LIKELY) & self._writable[first]].tolist():
                pieces, heard = (*way.pieces, piece), way.heard + float(mine[piece])
                if piece == _END:
                    yield _Way(pieces, heard, way.progress, way.words, trigram.end(way.progress), place)
                    continue
                text = self._pieces[piece]
                progress = trigram.grow(way.progress, text)
                words = way.words + text.startswith(" ")
                yield _Way(pieces, heard, progress, words, progress.likely, place)

    def _written(self, way: _Way) -> Written:
        pieces = way.pieces[1:-1] if way.ended else way.pieces[1:]
        words = _WORD.findall(_DOT.sub(" dot ", "".join(self._pieces[piece] for piece in pieces).lower()))
        text = " ".join(word for word in words if not _RUDE.fullmatch(word))
        return Written(text, way.heard / max(len(way.pieces) - 1, 1))


def _kept(grown: list[_Way]) -> tuple[list[_Way], list[_Way]]:
    """The best to go on with, and what ended among them: worse ends are of sentences cut short."""
    ways: list[_Way] = []
    ended: list[_Way] = []
    for way in grown:
        if len(ways) == _WAYS:
            break
        (ended if way.ended else ways).append(way)
    return ways, ended


class _Decoding:
    """The decoder on one utterance: what it remembers of each way's pieces."""

    def __init__(self, decoder: Any, outputs: list[str], encoded: Any, length: int) -> None:
        self._decoder = decoder
        self._outputs = outputs
        self._encoded = encoded
        self._length = length
        self._past: dict[str, Any] = {}

    def step(self, pieces: list[int]) -> Any:
        """The logarithms of how likely each piece is next, a row a way."""
        count = len(pieces)
        given = {
            "input_ids": np.array(pieces, np.int64)[:, None],
            "encoder_hidden_states": np.repeat(self._encoded, count, axis=0),
            "encoder_attention_mask": np.ones((count, self._length), np.int64),
            "use_cache_branch": np.array([bool(self._past)]),
            **(self._past or self._nothing()),
        }
        scores, *present = self._decoder.run(None, given)
        for name, value in zip(self._outputs[1:], present, strict=True):
            if ".decoder." in name or name not in self._past:  # the sound stays the same
                self._past[name] = value
        scores = scores[:, -1]
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def keep(self, places: list[int]) -> None:
        """Go on with these ways, in this order."""
        for name, value in self._past.items():
            if ".decoder." in name or len(value) != len(places):
                self._past[name] = value[places]

    def _nothing(self) -> dict[str, Any]:
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        return dict.fromkeys(self._outputs[1:], empty)


def read_pieces(tokenizer: bytes) -> tuple[str, ...]:
    """The pieces of words: each with its length before it, in one byte or, from 128 on, in two.

    Raises ValueError when the last one is cut off.
    """
    pieces: list[str] = []
    at = 0
    while at < len(tokenizer):
        length = tokenizer[at]
        at += 1
        if length >= 128:
            length += int.from_bytes(tokenizer[at : at + 1]) * 128 - 128
            at += 1
        pieces.append(tokenizer[at : at + length].decode("utf-8", "replace").replace(_SPACE, " "))
        at += length
    if at > len(tokenizer):
        raise ValueError("the pieces are cut off")
    return tuple(pieces)
