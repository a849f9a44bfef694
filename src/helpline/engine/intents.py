"""The intent of a sentence by a linear classifier over words, pairs of words and letter trigrams.

Its weights ship with the package and are trained from the phrase pack by `scripts/train_intents.py`: nothing
is trained at start. It looks at the whole of a sentence, where the nearest phrase looks at its best part.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np

BUCKETS = 4096
SCALE = 8.0
WEIGHTS = "intents.npz"


def features_of(masked: str) -> Iterable[str]:
    """What a masked sentence is compared by."""
    words = masked.split()
    yield from words
    yield from (f"{one} {two}" for one, two in pairwise(["^", *words, "$"]))
    for word in words:
        if not word.startswith("{"):
            edged = f"<{word}>"
            yield from (edged[at : at + 3] for at in range(len(edged) - 2))


def hashed(masked: str) -> Mapping[int, float]:
    """The features by bucket, of length one."""
    counts: dict[int, int] = {}
    for feature in features_of(masked):
        bucket = zlib.crc32(feature.encode()) % BUCKETS
        counts[bucket] = counts.get(bucket, 0) + 1
    length = sum(count * count for count in counts.values()) ** 0.5 or 1.0
    return {bucket: count / length for bucket, count in counts.items()}


@dataclass(frozen=True, slots=True)
class Classifier:
    """Weights by bucket and intent."""

    intents: Sequence[str]
    weights: Any

    def likely(self, masked: str) -> dict[str, float]:
        """Each intent's probability."""
        found = hashed(masked)
        buckets, values = list(found), np.array(list(found.values()), np.float32)
        scores = SCALE * (values @ self.weights[buckets]) if buckets else np.zeros(len(self.intents))
        raised = np.exp(scores - scores.max())
        return dict(zip(self.intents, (raised / raised.sum()).tolist(), strict=True))


@lru_cache(maxsize=1)
def load_classifier() -> Classifier:
    """The one that ships with the engine."""
    with files("helpline.engine").joinpath(WEIGHTS).open("rb") as source, np.load(source) as kept:
        return Classifier([str(name) for name in kept["intents"]], kept["weights"].astype(np.float32))
