"""Numbers as they are said: what a read-back was about, and where a sentence ends."""

import pytest

from helpline.call.claims import sentences
from helpline.call.confirm import asks_for, spoken_digits

from .talk import proposal


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("order ten oh five", "order 1005"),
        ("one double zero five", "1005"),
        ("twenty five", "25"),
        ("twenty oh five", "2005"),
        ("twenty ten", "2010"),
        ("five twenty", "520"),
        ("order 10 05", "order 1005"),
        ("1005 and 1006", "1005 and 1006"),
        ("double trouble", "trouble"),
    ],
)
def test_number_words_are_written_as_digits(said: str, read: str):
    assert spoken_digits(said) == read


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You get 84.", [("You get 84.", False)]),
        ("You get 84. ", [("You get 84. ", False)]),
        ("You get 84.50 back.", [("You get 84.50 back.", True)]),
        ("It is order 1005. It is", [("It is order 1005. ", True), ("It is", False)]),
        ("Order 1005? Yes", [("Order 1005? ", True), ("Yes", False)]),
        ("Order 1005!", [("Order 1005!", True)]),
        ("订单1005已取消。", [("订单1005已取消。", True)]),
    ],
)
def test_a_number_at_the_end_of_what_has_come_may_go_on(text: str, found: list[tuple[str, bool]]):
    assert [(sentence, complete) for _, sentence, complete in sentences(text)] == found


@pytest.mark.parametrize(
    ("turn", "asks"),
    [
        ("", False),
        ("  ", False),
        ("I can cancel order 1005. Shall I?", True),
        ("I can cancel order 1005. Is there anything else?", False),
        ("I can cancel order 1005. Or would you rather have something else?", False),
        ("Something else first: I can cancel order 1005. Shall I?", True),
    ],
)
def test_a_turn_that_ends_with_anything_else_asks_for_no_change(turn: str, asks: bool):
    assert asks_for(proposal(), turn) is asks
