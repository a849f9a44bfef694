"""How near a sentence comes to the phrases of each intent.

Sentences are compared masked ("where is my order {order}") by words, pairs of words and letter trigrams,
weighted by how rare they are. The index over the pack ships with the package, written by
`scripts/train_intents.py`: nothing is learnt at start.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from helpline.engine.intents import features_of
from helpline.engine.phrases import Pack, slotted

INDEX = "nearest.npz"
_SAMPLES = 10
_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Nearest:
    """Phrases by what they have in common with others: for each feature, which have it and how much."""

    intents: Mapping[str, int]
    """How many examples each has, one intent's after the other's."""
    places: Mapping[str, int]
    """Where a feature's examples begin, in the order of `bounds`."""
    rarity: Any
    """How rare each feature is, float32."""
    bounds: Any
    """From where to where its examples are in the arrays below: one more than there are features."""
    examples: Any
    """The numbers of the examples that have it."""
    weights: Any
    """How much of each it is, float32."""

    def near(self, masked: str) -> dict[str, float]:
        """How near the phrases of each intent come, where any of them shares a feature."""
        nearness = np.zeros(sum(self.intents.values()), np.float32)
        for place, weight in self._features(masked):
            shared = slice(self.bounds[place], self.bounds[place + 1])
            nearness[self.examples[shared]] += weight * self.weights[shared]
        scores: dict[str, float] = {}
        at = 0
        for intent, count in self.intents.items():
            nearest = np.sort(nearness[at : at + count])[-_NEIGHBOURS:]
            if nearest[-1] > 0:
                scores[intent] = float(nearest[-1]) * 0.7 + float(nearest.sum()) / _NEIGHBOURS * 0.3
            at += count
        return scores

    def _features(self, masked: str) -> list[tuple[int, float]]:
        """The known features of a sentence with their weights; with the unknown ones its length is one."""
        rarest = math.log(1 + len(self.rarity))
        counted = Counter(features_of(masked))
        weighed = [
            (place, count * (rarest if place is None else float(self.rarity[place])))
            for place, count in ((self.places.get(feature), count) for feature, count in counted.items())
        ]
        length = math.sqrt(sum(weight * weight for _, weight in weighed)) or 1.0
        return [(place, weight / length) for place, weight in weighed if place is not None]

    def save(self, path: Path) -> None:
        """Write it for `load_nearest`."""
        np.savez_compressed(
            path,
            intents=np.array(list(self.intents)),
            counts=np.array(list(self.intents.values()), np.int32),
            features=np.frombuffer("\n".join(self.places).encode(), np.uint8),
            rarity=self.rarity,
            bounds=self.bounds,
            examples=self.examples,
            weights=self.weights.astype(np.float16),
        )


def index(pack: Pack) -> Nearest:
    """The index over a pack; the same pack gives the same."""
    pick = random.Random(7)
    samples: dict[str, str] = {}
    for intent in pack.intents:
        if intent.name == "filler":
            continue  # said beside a request, never one by itself
        for phrase in (*intent.phrases, *intent.plain, *intent.rarer):
            for _ in range(_SAMPLES):
                samples.setdefault(slotted(phrase, pick), intent.name)
    counted = [Counter(features_of(text)) for text in sorted(samples, key=samples.__getitem__)]
    frequency = Counter(feature for features in counted for feature in features)
    rarity = {feature: math.log(1 + len(counted) / count) for feature, count in frequency.items()}
    shared: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, features in enumerate(counted):
        length = math.sqrt(sum((count * rarity[feature]) ** 2 for feature, count in features.items()))
        for feature, count in features.items():
            shared[feature].append((number, count * rarity[feature] / length))
    ordered = [one for feature in rarity for one in shared[feature]]
    return Nearest(
        {intent: len(list(own)) for intent, own in groupby(sorted(samples.values()))},
        {feature: place for place, feature in enumerate(rarity)},
        np.array(list(rarity.values()), np.float32),
        np.cumsum([0, *(len(shared[feature]) for feature in rarity)], dtype=np.int32),
        np.array([number for number, _ in ordered], np.int16),
        np.array([weight for _, weight in ordered], np.float32),
    )


@lru_cache(maxsize=1)
def load_nearest() -> Nearest:
    """The one that ships with the engine."""
    with files("helpline.engine").joinpath(INDEX).open("rb") as source, np.load(source) as kept:
        counts = dict(zip(map(str, kept["intents"]), map(int, kept["counts"]), strict=True))
        features = kept["features"].tobytes().decode().split("\n")
        places = {feature: place for place, feature in enumerate(features)}
        weights = kept["weights"].astype(np.float32)
        return Nearest(counts, places, kept["rarity"], kept["bounds"], kept["examples"], weights)
