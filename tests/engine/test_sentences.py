"""The frozen sentences: kept apart from the phrases, and understood at least this well when typed."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from helpline.engine.lexicon import Expected, draw_sentences
from helpline.engine.phrases import load_pack
from helpline.numbers import normalise
from tests.engine.evaluation import (
    BLIND,
    EIGHTH,
    FINAL,
    HELD_OUT,
    LAST,
    SEVENTH,
    UNSEEN,
    load_sentences,
    measure,
)
from tests.engine.free_questions import QUESTIONS, judge, load_questions

_KEPT = {HELD_OUT: 150, FINAL: 150, BLIND: 120, UNSEEN: 117, LAST: 106, SEVENTH: 114, EIGHTH: 116}
_DIGESTS = {
    HELD_OUT: "d2f3468a3406e398f3aa15b95e0bd58163ae36b3d0f8f29b9f0c27010df40683",
    FINAL: "762eec5b79facbf64a1b3c30ff6f3baff8db981d469c39447eb1d9633fe7ba24",
    BLIND: "7edc7dcbeac125af5eda06e106c550b2e2ff96b05b02f17e06941724e048bfd4",
    UNSEEN: "b0339a9ff177fb2e8549908500c4bd576c48d700c1d8c082fc2eca20aa425edf",
    SEVENTH: "348e94a201c085ba41a1ddd1ed567ce4c5a493d06d6f704bebfb0347dd198e42",
    EIGHTH: "eeed9249308f57c4aaa5bd6ba4a4a44ceef594274bc45555a5a1f252044b06d6",
    LAST: "84149ae529a7b1b29e0e0d645101ecf546138dd1a15692f7bdfcaca8a0d4383c",
}


def test_there_are_300_and_half_are_kept() -> None:
    sentences = load_sentences()
    assert len({sentence.text for sentence in sentences}) == 300
    assert sum(sentence.final for sentence in sentences) == 150


def test_no_sentence_stands_in_the_phrase_pack() -> None:
    drawn = {normalise(text) for text in draw_sentences(load_pack(), Expected(), framed=False)}
    for sentences in (load_sentences(), *(load_sentences(path) for path in _KEPT)):
        # which one by its place alone: whoever mends the phrases is not to read the sentences
        assert [place for place, one in enumerate(sentences) if normalise(one.text) in drawn] == []


@pytest.mark.parametrize("kept", _DIGESTS)
def test_the_sentences_kept_for_one_run_are_the_frozen_ones(kept: Path) -> None:
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == _DIGESTS[kept]
    others = [path for path in _DIGESTS if path != kept]
    held_out, looked_at = (
        load_sentences(kept),
        [*load_sentences(), *(one for path in others for one in load_sentences(path))],
    )
    assert len({normalise(one.text) for one in held_out}) == _KEPT[kept]
    assert not {normalise(one.text) for one in held_out} & {normalise(one.text) for one in looked_at}


def test_typed_requests_are_understood_at_once() -> None:
    score = measure([one for one in load_sentences() if not one.final])
    assert score.first_try >= 0.95
    assert score.within_one_repair >= 0.98


def test_a_confusion_table_counts_every_sentence() -> None:
    score = measure(load_sentences()[:20])
    assert sum(score.confusion().values()) == 20
    assert all(one.repaired for one in score.outcomes if one.done)
    assert [a.sentence for a, _ in pairwise(score.outcomes)] == load_sentences()[:19]


def test_questions_in_free_words_are_the_frozen_ones_and_find_their_page_when_typed() -> None:
    digest = hashlib.sha256(QUESTIONS.read_bytes()).hexdigest()
    assert digest == "80a899042465734d2f67cfee34e984ebd9abe7c3ae64fec38f23dfb3648b1ff1"
    questions = load_questions()
    found = judge(questions, [one.text for one in questions], spoken=False)
    assert len(found) == 44
    assert sum(one.done for one in found) >= 30
