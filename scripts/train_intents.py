"""Trains the intent classifier from the phrase pack, indexes its phrases, and writes both into the package.

Run it after a change to `phrases.toml`; a test compares. The same pack gives the same weights: what is drawn
is drawn from a fixed seed. What they were made from is written beside them, which is compared in a moment.
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from helpline.engine.intents import BUCKETS, SCALE, WEIGHTS, Classifier, hashed  # noqa: E402
from helpline.engine.nearest import INDEX, index  # noqa: E402
from helpline.engine.phrases import Pack, load_pack, slotted  # noqa: E402

DRAWN = 500
ROUNDS = 150
STEP = 0.5
MOMENTUM = 0.9
DECAY = 1e-4


def main() -> None:
    """Train and write."""
    classifier = train(load_pack())
    target = ROOT / "src" / "helpline" / "engine" / WEIGHTS
    np.savez_compressed(
        target,
        intents=np.array(classifier.intents),
        weights=classifier.weights,
        made_from=np.array(made_from(load_pack())),
    )
    nearest = target.with_name(INDEX)
    index(load_pack()).save(nearest)
    print(f"{nearest.name}: {nearest.stat().st_size / 1000:.0f} kB")
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB, {len(classifier.intents)} intents")


def train(pack: Pack) -> Classifier:
    """A softmax over hashed features, each intent of the same weight; by gradients with momentum."""
    names = names_in(pack)
    examples = list(examples_from(pack, names))
    inputs = np.zeros((len(examples), BUCKETS), np.float32)
    for row, (masked, _) in enumerate(examples):
        for bucket, value in hashed(masked).items():
            inputs[row, bucket] = value
    wanted = np.array([names.index(intent) for _, intent in examples])
    balance = (len(wanted) / len(names) / np.bincount(wanted, minlength=len(names)))[wanted][:, None]
    target = np.eye(len(names), dtype=np.float32)[wanted]
    weights = np.zeros((BUCKETS, len(names)), np.float32)
    moving = np.zeros_like(weights)
    for _ in range(ROUNDS):
        scores = SCALE * (inputs @ weights)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = (raised / raised.sum(axis=1, keepdims=True) - target) * balance
        slope = SCALE * (inputs.T @ error.astype(np.float32)) / len(examples) + DECAY * weights
        moving = MOMENTUM * moving + slope
        weights = weights - STEP * moving
    return Classifier(names, weights.astype(np.float16))


def made_from(pack: Pack) -> str:
    """A digest of all that weights depend on: the examples' features, and how they are learned from."""
    digest = hashlib.sha256(repr((SCALE, BUCKETS, ROUNDS, STEP, MOMENTUM, DECAY)).encode())
    for masked, intent in examples_from(pack, names_in(pack)):
        digest.update(repr((intent, sorted(hashed(masked).items()))).encode())
    return digest.hexdigest()


def names_in(pack: Pack) -> list[str]:
    """The intents to be told apart."""
    return [intent.name for intent in pack.intents if intent.name != "filler"]


def examples_from(pack: Pack, names: list[str]) -> Iterator[tuple[str, str]]:
    """Phrases as they are, framed, and with a word missing, as a recogniser may lose one."""
    pick = random.Random(11)
    seen: set[tuple[str, str]] = set()
    for intent in pack.intents:
        phrases = (*intent.phrases, *intent.plain, *intent.rarer)
        for _ in range(DRAWN if intent.name in names else 0):
            masked = slotted(pick.choice(phrases), pick)
            chance = pick.random() if " " in masked else 1.0  # a word by itself is no request
            if chance < 0.3:
                masked = f"{pick.choice(pack.before)} {masked}"
            elif chance < 0.4:
                masked = f"{masked} {pick.choice(pack.after)}"
            words = masked.split()
            if pick.random() < 0.3 and len(words) > 2:
                words.pop(pick.randrange(len(words)))
            example = (" ".join(words), intent.name)
            if example not in seen:
                seen.add(example)
                yield example


if __name__ == "__main__":
    main()
