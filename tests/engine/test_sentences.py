"""The frozen sentences: kept apart from the phrases, and understood at least this well when typed."""

from itertools import pairwise

from helpline.engine.lexicon import Expected, draw_sentences
from helpline.engine.numbers import normalise
from helpline.engine.phrases import load_pack
from tests.engine.evaluation import load_sentences, measure


def test_there_are_300_and_half_are_kept() -> None:
    sentences = load_sentences()
    assert len({sentence.text for sentence in sentences}) == 300
    assert sum(sentence.final for sentence in sentences) == 150


def test_no_sentence_stands_in_the_phrase_pack() -> None:
    drawn = {normalise(text) for text in draw_sentences(load_pack(), Expected(), framed=False)}
    assert not [one.text for one in load_sentences() if normalise(one.text) in drawn]


def test_typed_requests_are_understood_at_once() -> None:
    score = measure([one for one in load_sentences() if not one.final])
    assert score.first_try >= 0.95
    assert score.within_one_repair >= 0.98


def test_a_confusion_table_counts_every_sentence() -> None:
    score = measure(load_sentences()[:20])
    assert sum(score.confusion().values()) == 20
    assert all(one.repaired for one in score.outcomes if one.done)
    assert [a.sentence for a, _ in pairwise(score.outcomes)] == load_sentences()[:19]
