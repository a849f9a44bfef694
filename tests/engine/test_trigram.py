"""What customers say as probabilities of words that are only begun: the file's numbers, and properties."""

import math
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pocketsphinx.lm import ArpaBoLM

from helpline.engine.lexicon import Expected, Library
from helpline.engine.trigram import Progress, Trigram, load_trigram

SENTENCES = (
    "where is my order",
    "where is my parcel",
    "cancel my order",
    "my order is late",
    "i'd like a refund",
    "at ten a. m. please",
    "at nine a. m. please",
    "order ten oh four",
)
FLOOR = -11.0
"""The logarithm of what a word costs that nobody expects."""


def arpa(*sentences: str) -> str:
    model = ArpaBoLM(text="\n".join(sentences), add_start=True, discount_mass=0.3)
    model.compute()
    out = StringIO()
    model.write(out)
    return out.getvalue()


ARPA = arpa(*SENTENCES)
TRIGRAM = Trigram(ARPA.splitlines())


def read_grams(text: str) -> dict[tuple[str, ...], tuple[float, float]]:
    """The file's numbers by their words: the probability, and the weight of what backs off to it."""
    found, order = {}, 0
    for line in text.splitlines():
        if line.startswith("\\"):
            order = int(line[1]) if line[1:].endswith("-grams:") else 0
        elif order and line:
            likely, *rest = line.split()
            weight = float(rest[order]) if len(rest) > order else 0.0
            found[tuple(rest[:order])] = 10 ** float(likely), 10**weight
    return found


GRAMS = read_grams(ARPA)
WORDS = sorted(word for (word, *more) in GRAMS if not more and word[0] != "<")
SPELLED = sorted({word.rstrip(".") for word in WORDS})


def likely_after(before: tuple[str, ...], word: str) -> float:
    """As the file has it: the longest that it knows, backed off to what is shorter."""
    if (*before, word) in GRAMS or not before:
        return GRAMS[*before, word][0]
    return GRAMS.get(before, (0.0, 1.0))[1] * likely_after(before[1:], word)


def likely_in_file(sentence: str) -> float:
    """The logarithm of the probability of a sentence without words that are written alike."""
    words = ["<s>", *sentence.split(), "</s>"]
    before = [tuple(words[max(place - 2, 0) : place]) for place in range(len(words))]
    return sum(math.log(likely_after(before[place], words[place])) for place in range(1, len(words)))


def written(text: str) -> Progress:
    return TRIGRAM.grow(TRIGRAM.start(), text)


def cost(text: str, following: str) -> float:
    """What a whole word adds behind a text."""
    return written(f"{text} {following} ").whole - written(f"{text} ").whole


# --- the file's own numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", SENTENCES[:4] + SENTENCES[-1:])
def test_a_sentence_is_as_likely_as_the_file_says(sentence: str) -> None:
    assert TRIGRAM.end(written(sentence)) == pytest.approx(likely_in_file(sentence), abs=1e-3)


@given(st.lists(st.sampled_from([word for word in SPELLED if word not in "am"]), min_size=1, max_size=6))
def test_any_sentence_of_its_words_is_as_likely_as_the_file_says(words: list[str]) -> None:
    sentence = " ".join(words)
    assert TRIGRAM.end(written(sentence)) == pytest.approx(likely_in_file(sentence), abs=1e-3)


def test_what_was_not_said_is_backed_off_by_hand() -> None:
    # "cancel my parcel": after "cancel my" only "order" was said, after "my" a parcel once in four.
    assert ("cancel", "my", "parcel") not in GRAMS
    by_hand = GRAMS["cancel", "my"][1] * GRAMS["my", "parcel"][0]
    assert GRAMS["my", "parcel"][0] == pytest.approx(0.7 / 4, abs=1e-4)
    assert cost("cancel my", "parcel") == pytest.approx(math.log(by_hand), abs=1e-3)
    # "my refund": never after "my", so the word alone, twice backed off.
    by_hand = GRAMS["cancel", "my"][1] * GRAMS["my",][1] * GRAMS["refund",][0]
    assert cost("cancel my", "refund") == pytest.approx(math.log(by_hand), abs=1e-3)


def test_a_sentence_that_was_said_is_likelier_than_one_that_sounds_like_it() -> None:
    said, alike = (TRIGRAM.end(written(words)) for words in ("order ten oh four", "harder ten oh four"))
    assert said > alike + 3


# --- properties -------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from([*SPELLED, "orde", "xylophone", "Where", "-", "'", "ten,", "4", "🙂"]), max_size=8
    ).map(" ".join),
)


@given(st.lists(TEXTS, max_size=4))
@example(["ΑΣ", "Α"])  # at the end of a word its small letter is another one
@example(["İ", "ß"])
def test_letters_in_pieces_are_letters_at_once(pieces: list[str]) -> None:
    progress = TRIGRAM.start()
    for piece in pieces:
        progress = TRIGRAM.grow(progress, piece)
    assert progress == written("".join(pieces))


@given(TEXTS, st.sampled_from(SPELLED), st.integers(1, 4))
def test_a_beginning_is_as_likely_as_all_that_begin_so(before: str, word: str, letters: int) -> None:
    begun = word[:letters]
    every = [cost(before, whole) for whole in SPELLED if whole.startswith(begun)]
    alike = max(math.log(sum(map(math.exp, every))), FLOOR)
    assert written(f"{before} {begun}").beginning == pytest.approx(alike, abs=1e-6)


@given(TEXTS, st.sampled_from(SPELLED))
def test_a_beginning_becomes_no_likelier_with_more_letters(before: str, word: str) -> None:
    growing = [written(f"{before} {word[:length]}").beginning for length in range(1, len(word) + 1)]
    assert all(after <= earlier + 1e-9 for earlier, after in pairwise(growing))


def mass(trigram: Trigram, progress: Progress, words: list[str]) -> float:
    """Of all that may follow: each word, and the end."""
    following = [trigram.grow(progress, f"{word} ").whole - progress.whole for word in words]
    return sum(math.exp(one) for one in (*following, trigram.end(progress) - progress.whole))


@given(st.sampled_from([*SPELLED, "xylophone"]), st.sampled_from([*SPELLED, "xylophone"]))
def test_what_follows_any_two_words_adds_up_to_one(first: str, second: str) -> None:
    """Nearly: the file keeps 0.3 of the mass of words that nothing follows, and the start of a sentence."""
    assert 0.5 < mass(TRIGRAM, written(f"{first} {second} "), SPELLED) < 1.001


def test_what_follows_adds_up_to_one_with_all_that_customers_say() -> None:
    lexicon = Library().lexicon(Expected())
    trigram = load_trigram(lexicon.trigram)
    grams = read_grams(lexicon.trigram.read_text("utf-8"))
    words = sorted({word.rstrip(".") for (word, *more) in grams if not more and word[0] != "<"})
    for before in ("where is", "my order", "order ten", "thank you", "sandwiches and", "you sandwiches"):
        # Each word that nobody says after these costs the floor and no more: 0.00002.
        assert 0.5 < mass(trigram, trigram.grow(trigram.start(), f"{before} "), words) < 1.03


def test_a_word_that_is_not_known_costs_the_floor_and_the_next_goes_on_from_nothing() -> None:
    assert cost("cancel my", "xylophone") == FLOOR
    assert written("cancel my xyl").beginning == FLOOR
    alone = math.log(GRAMS["order",][0])
    assert cost("cancel my xylophone", "order") == pytest.approx(alone, abs=1e-3)
    assert cost("xylophone order", "is") == pytest.approx(math.log(GRAMS["order", "is"][0]), abs=1e-3)


def test_a_letter_is_written_without_its_dot() -> None:
    assert {"a", "a.", "m."} <= set(WORDS)
    either = likely_after(("i'd", "like"), "a") + likely_after(("i'd", "like"), "a.")
    assert cost("i'd like", "a") == pytest.approx(math.log(either), abs=1e-3)
    assert written("at ten a. m.") == written("at ten a m")


def test_of_two_that_are_written_alike_the_likelier_was_said() -> None:
    """ "a" and "a.": what follows is after the one that somebody would say here."""
    assert cost("at ten a", "m") == pytest.approx(math.log(GRAMS["ten", "a.", "m."][0]), abs=1e-3)
    assert cost("i'd like a", "refund") == pytest.approx(math.log(GRAMS["like", "a", "refund"][0]), abs=1e-3)


def test_a_hyphen_parts_words_and_signs_say_nothing() -> None:
    assert written("order-ten oh, four?!") == written("order ten oh four")
    assert written("ORDER 10 ten") == written("order  ten")
    assert written(" -  - ") == TRIGRAM.start()
    assert TRIGRAM.end(written("order ")) == TRIGRAM.end(written("order"))


@given(st.text())
@example("🙂 1004 £5,- \x00 \uffff \ud800 𝐀 中文 naïve")
@example("a" * 10_000)
@example("order " * 2000)
@example("\uffff" * 20 + "'")
def test_any_text_is_taken(text: str) -> None:
    progress = written(text)
    assert -math.inf < TRIGRAM.end(progress) <= 0
    assert progress.likely <= 0


def test_letters_without_end_are_not_kept() -> None:
    long = written("order" * 2000)
    assert len(long.begun) < 20
    assert long.beginning == FLOOR
    assert written("order" * 2000 + " ") == written("xylophone ")


def test_what_expects_nothing_takes_any_text() -> None:
    empty = Trigram([])
    assert empty.end(empty.grow(empty.start(), "where is my order")) == 5 * FLOOR
    assert empty.end(empty.start()) == FLOOR
