"""The classifier and the index that ship are their script's; they sort what nobody trained them on."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from helpline.engine.intents import load_classifier
from helpline.engine.nearest import index, load_nearest
from helpline.engine.phrases import load_pack
from helpline.numbers import normalise
from tests.engine.evaluation import FINAL, HELD_OUT, SENTENCES, load_sentences

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_intents.py"
WEIGHTS = SCRIPT.parents[1] / "src" / "helpline" / "engine" / "intents.npz"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_intents", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_weights_are_made_from_the_pack_and_from_no_frozen_sentence(script: ModuleType) -> None:
    with np.load(WEIGHTS) as kept:
        assert str(kept["made_from"]) == script.made_from(load_pack()), "run scripts/train_intents.py"
    names = script.names_in(load_pack())
    assert list(load_classifier().intents) == names
    frozen = {normalise(one.text) for path in (SENTENCES, HELD_OUT, FINAL) for one in load_sentences(path)}
    drawn = {normalise(text) for text, _ in script.examples_from(load_pack(), names)}
    assert frozen & drawn == set()


@pytest.mark.soak
def test_the_weights_are_those_that_the_script_trains(script: ModuleType) -> None:
    trained = script.train(load_pack())
    assert np.allclose(trained.weights.astype(np.float32), load_classifier().weights, atol=0.02)


def test_the_index_is_that_of_the_pack() -> None:
    made, shipped = index(load_pack()), load_nearest()
    assert (made.intents, made.places) == (shipped.intents, shipped.places)
    assert np.array_equal(made.bounds, shipped.bounds)
    assert np.array_equal(made.examples, shipped.examples)
    assert np.allclose(made.rarity, shipped.rarity)
    assert np.allclose(made.weights, shipped.weights, atol=1e-3)
    assert sum(shipped.intents.values()) > 4000
    near = shipped.near("please cancel order {order}")
    assert max(near, key=near.__getitem__) == "cancel_order"
    assert near["cancel_order"] > 0.7


@pytest.mark.parametrize(
    ("masked", "intent"),
    [
        ("so where has my order {order} ended up", "order_status"),
        ("kindly cancel order {order} for me", "cancel_order"),
        ("i need to talk to some human being", "human"),
        ("yes please go on", "affirm"),
    ],
)
def test_a_sentence_gets_its_intent(masked: str, intent: str) -> None:
    likely = load_classifier().likely(masked)
    assert max(likely, key=lambda one: likely[one]) == intent
    assert abs(sum(likely.values()) - 1) < 1e-3


def test_no_words_have_no_likely_intent() -> None:
    assert max(load_classifier().likely("").values()) < 0.2
