"""Order numbers: settled between several hearings, and matched against the caller's own."""

import pytest

from helpline.engine.references import asks_for_reference, grammar_for, own_reference, settle_reference
from helpline.numbers import normalise
from tests.engine.talk import SHOP_TOOLS, Talker


@pytest.mark.parametrize(
    ("opinions", "known", "meant"),
    [
        # The first was chosen; another heard the caller's own, or most heard no digit behind the last one.
        (("cancel order one zero zero one eight", "one zero zero one"), ("1001",), "cancel order 1001"),
        (("cancel order one zero zero one eight", *["one zero zero one"] * 4), (), "cancel order 1001"),
        (("cancel order one zero zero five", "one zero zero fine"), (), "cancel order 1005"),
        # A word stood for the joint of two digits.
        (("order one two three four five", "order one two three four are five"), (), "order 12345"),
        # Somebody heard one that is the caller's.
        (("where is one zero zero nine", "where is one zero zero five"), ("1005", "1007"), "where is 1005"),
        # They agree, or there is nothing to agree about.
        (("cancel order ten oh five", "cancel order ten oh five"), ("1004",), "cancel order 1005"),
        (("cancel order 1001 and 1002", "cancel order 1001"), (), "cancel order 1001 and 1002"),
        (("cancel it", "cancel order 1001"), ("1001",), "cancel it"),
    ],
)
def test_hearings_settle_on_a_number(opinions: tuple[str, ...], known: tuple[str, ...], meant: str) -> None:
    settled = settle_reference(opinions[0], opinions, known)
    assert normalise(settled) == meant


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("it's one zero zero four", "1004"),
        ("one double zero four", "1004"),
        ("one zero four", "1004"),
        ("one zero zero four five", "1004"),
        ("one five zero four", "1004"),
        ("five five five five", ""),
        ("one zero zero eight", ""),  # as near to 1004 as to 1007
        ("i do not know", ""),
    ],
)
def test_what_was_all_but_said_is_the_callers_own(words: str, own: str) -> None:
    assert own_reference(words, ("1004", "1007", "2291")) == own


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("What is the order number?", True),
        ("Sorry, I did not get that. Please say the order number digit by digit.", True),
        ("Which order do you mean?", True),
        ("Could you tell me your order number, please?", True),
        ("Your order number is 1004. Anything else?", False),
        ("What is the reason?", False),
        ("", False),
    ],
)
def test_a_question_for_a_number_is_known(said: str, asks: bool) -> None:
    assert asks_for_reference(said) is asks


def test_a_grammar_has_the_shape_of_the_callers_own() -> None:
    assert grammar_for(()) == ""
    assert grammar_for(("x",)) == ""
    assert "<pairs>" in grammar_for(("1004", "1005"))
    assert "p. ( <digit> <digit> <digit>" in grammar_for(("p001",))


async def ask_for_the_number(talker: Talker) -> None:
    """A session that knows the caller's numbers has asked for one."""
    transcription = {"model": "helpline", "keywords": ["1004", "2291", "7350"]}
    await talker.configure(
        tools=SHOP_TOOLS, audio={"input": {"transcription": transcription}}, output_modalities=["text"]
    )
    await talker.type("cancel my order please")
    assert (await talker.reply()).text == "What is the order number?"


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-gb", "en-us+m3"])
async def test_a_number_that_is_asked_for_is_heard_as_the_callers_own(talker: Talker, voice: str) -> None:
    await ask_for_the_number(talker)
    await talker.speak("it's seven three five zero", voice)
    assert (await talker.reply()).calls == [("cancel_order", {"order_id": "7350"})]


async def test_who_says_something_else_is_understood(talker: Talker) -> None:
    await ask_for_the_number(talker)
    await talker.speak("I want to talk to a person")
    assert (await talker.reply()).text == "A person can call you back. Please tell me when to call."
