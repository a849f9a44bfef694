"""How the offline brain leads a call: with the shop's tools, and with tools it has never seen."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.call.claims import claims_in
from helpline.engine.brain import Answered, Call, Called, Entry, PolicyBrain, Said, Say, Turn, told_to_say
from helpline.engine.dialogue import Known, Situation
from helpline.engine.language import find_entities
from helpline.engine.meaning import intent_of, likeliness, nearest_tool, read_tools, tool_for
from helpline.engine.offers import STAYS, at_its_hour
from helpline.engine.results import last_price, question_in, say_result
from helpline.engine.slots import fit, kind_of, snap, unwrapped
from tests.engine.talk import SHOP_TOOLS, function

NOW = datetime(2026, 11, 18, 12, 0)  # noqa: DTZ001 - a Wednesday, local time


class Caller:
    """A typed (or spoken) conversation with the brain."""

    def __init__(
        self, *tools: dict[str, Any], ids: tuple[str, ...] = (), spoken: bool = False, choice: str = "auto"
    ) -> None:
        self._brain = PolicyBrain()
        self._tools = read_tools(tools or SHOP_TOOLS)
        self._known = Known(ids)
        self._spoken = spoken
        self._choice = choice
        self.entries: list[Entry] = []

    def says(self, text: str) -> "Caller":
        self.entries.append(Said("user", text, spoken=self._spoken))
        return self.hears()

    def told(self, text: str) -> "Caller":
        self.entries.append(Said("system", text))
        return self.hears()

    def gets(self, output: Any) -> "Caller":
        called = next(entry for entry in reversed(self.entries) if isinstance(entry, Called))
        self.entries.append(
            Answered(called.call_id, output if isinstance(output, str) else json.dumps(output))
        )
        return self.hears()

    def hears(self) -> "Caller":
        parts = self._brain.decide(
            Turn(tuple(self.entries), self._tools, NOW, self._choice, known=self._known)
        )
        self.said = " ".join(part.text for part in parts if isinstance(part, Say))
        self.calls = [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, Call)]
        if self.said:
            self.entries.append(Said("assistant", self.said))
        self.entries += [Called(f"c{len(self.entries)}", name, json.dumps(args)) for name, args in self.calls]
        return self


# --- the shop --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("where is my order 1004?", ("check_order_status", {"order_id": "1004"})),
        ("please cancel my order 1005", ("cancel_order", {"order_id": "1005"})),
        (
            "cancel order 1005 because it is too expensive",
            ("cancel_order", {"order_id": "1005", "reason": "it is too expensive"}),
        ),
        ("what did I order?", ("get_customer_info", {})),
        (
            "I want to return order 1002, it is broken",
            ("process_return", {"order_id": "1002", "reason": "it is broken"}),
        ),
        ("tell me about the trail shoes", ("get_product_info", {"query": "trail shoes"})),
        ("can I buy a desk lamp here", ("get_product_info", {"query": "desk lamp"})),
        ("I want to buy a desk lamp, what does it cost", ("get_product_info", {"query": "desk lamp"})),
        (
            "change my email address to ann@x.com",
            ("update_account_info", {"field": "email", "value": "ann@x.com"}),
        ),
        (
            "my phone number is 555 123 4567",
            ("update_account_info", {"field": "phone", "value": "5551234567"}),
        ),
        ("call me back tomorrow at ten", ("schedule_callback", {"when": "tomorrow at 10"})),
        ("1004", ("check_order_status", {"order_id": "1004"})),
    ],
)
def test_a_request_becomes_a_call(said: str, call: tuple[str, Any]) -> None:
    assert Caller().says(said).calls == [call]


def test_what_is_missing_is_asked_for_and_filled_in() -> None:
    caller = Caller().says("I want to return something")
    assert caller.said == "What is the order number?"
    assert caller.says("it's 1002").said == "What is the reason?"
    assert caller.says("they are too small").calls == [
        ("process_return", {"order_id": "1002", "reason": "they are too small"})
    ]


def test_it_remembers_what_is_being_talked_about() -> None:
    caller = Caller().says("where is order 1004")
    caller.gets({"say": "Order 1004 is being prepared.", "total": 84.5})
    assert caller.says("how much is that").said == "It is 84.50."
    assert caller.says("cancel it please").calls == [("cancel_order", {"order_id": "1004"})]


def test_a_price_is_of_what_is_talked_about() -> None:
    caller = Caller().says("what did I order").gets({"say": "You have one order.", "amount": 100})
    assert "100" not in caller.says("how much is that").said


def test_a_choice_needs_a_word_of_its_own() -> None:
    why = {"type": "string", "enum": ["no longer needed", "found it cheaper", "takes too long"]}
    tool = function("cancel_order", "Cancel an order.", ["order_id"], order_id="Its number.", reason=why)
    caller = Caller(tool).says("where is order 1004").says("cancel it")
    assert caller.calls == [("cancel_order", {"order_id": "1004"})]
    assert (
        Caller(tool).says("cancel order 1005, I found it cheaper").calls[0][1]["reason"] == "found it cheaper"
    )


def test_a_correction_repeats_the_call_with_what_was_meant() -> None:
    caller = Caller().says("cancel order 1004")
    caller.gets({"say": "Shall I cancel order 1004?"})
    assert caller.says("no, I said order 1005").calls == [("cancel_order", {"order_id": "1005"})]


def test_a_refusal_that_asks_is_answered() -> None:
    caller = Caller().says("cancel order 1005")
    caller.gets({"say": "Why shall I cancel it?", "status": "refused", "reason": "missing:reason"})
    assert caller.said == "Why shall I cancel it?"
    assert caller.says("I found it cheaper").calls == [
        ("cancel_order", {"order_id": "1005", "reason": "i found it cheaper"})
    ]


def test_another_request_takes_over_from_a_question() -> None:
    caller = Caller().says("I want to return something")
    assert caller.says("where is my order 1004").calls == [("check_order_status", {"order_id": "1004"})]


def test_a_question_can_be_dropped() -> None:
    caller = Caller().says("call me back")
    assert caller.says("never mind").said == "All right. What else can I do for you?"
    assert caller.says("yes").calls == []


def test_two_misses_offer_a_person() -> None:
    caller = Caller().says("purple monkeys dream loudly")
    assert "did not understand" in caller.said
    assert caller.says("gargle blaster").said.endswith("Would you like a person to call you back?")
    assert caller.says("yes please").said == "Please tell me when to call."
    assert caller.says("tomorrow at ten").calls == [("schedule_callback", {"when": "tomorrow at 10"})]


def test_who_asks_for_a_person_is_called_back_where_nobody_can_be_connected() -> None:
    caller = Caller().says("I want to talk to a human")
    assert caller.said == "A person can call you back. Please tell me when to call."
    assert caller.says("tomorrow at ten").calls == [("schedule_callback", {"when": "tomorrow at 10"})]


def test_a_question_is_asked_again_in_other_words() -> None:
    caller = Caller().says("cancel my order please")
    assert caller.said == "What is the order number?"
    assert (
        caller.says("the blue one").said
        == "Sorry, I did not get that. Please say the order number digit by digit."
    )
    assert "person" in caller.says("the other one").said


def test_it_says_what_it_is() -> None:
    assert "offline engine" in Caller().hears().said
    assert "English" in Caller().says("are you a robot").said


def test_the_app_has_the_word() -> None:
    caller = Caller().says("cancel order 1005").gets({"say": "Shall I cancel order 1005?"})
    caller.entries.append(Said("user", "yes"))
    assert (
        caller.told('The customer said yes. Say to the customer: "Done. It is \\"gone\\"."').said
        == 'Done. It is "gone".'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Say to the customer: "Hello."', "Hello."),
        ('x Say to the customer: "a \\"b\\" \\\\ c" and more', 'a "b" \\ c'),
        ("Say to the customer: “Hello.” Thanks", "Hello."),
        ('Say to the customer: "open', "open"),
        ("Say to the customer: plainly this", "plainly this"),
        ("Say to the customer:", ""),
        ("Be nice to the customer.", ""),
    ],
)
def test_what_stands_in_quotes(text: str, said: str) -> None:
    assert told_to_say(text) == said


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=80))
def test_any_sentence_survives_its_quotes(sentence: str) -> None:
    quoted = sentence.replace("\\", "\\\\").replace('"', '\\"')
    assert told_to_say(f'Say to the customer: "{quoted}"') == sentence.strip()


# --- tools it has never seen -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("what's the weather in London?", ("get_weather", {"city": "London"})),
        ("what's the weather in New York tomorrow?", ("get_weather", {"city": "New York"})),
        ("turn off the kitchen light", ("set_light", {"room": "kitchen", "state": "off"})),
        (
            "book a table for four people tomorrow at seven in the evening",
            ("book_table", {"people": 4, "time": "2026-11-19T19:00"}),
        ),
        ("which films are playing", ("list_films", {})),
    ],
)
def test_any_apps_tools_are_served(said: str, call: tuple[str, Any]) -> None:
    tools = (
        function("get_weather", "Get the current weather for a city.", ["city"], city="City name"),
        function(
            "set_light",
            "Turn a light on or off.",
            ["room", "state"],
            room={"type": "string", "enum": ["kitchen", "bedroom"]},
            state={"type": "string", "enum": ["on", "off"]},
        ),
        function(
            "book_table",
            "Book a table at the restaurant.",
            ["people", "time"],
            people={"type": "integer", "minimum": 1, "maximum": 12},
            time={"type": "string", "format": "date-time"},
        ),
        function("list_films", "List the films that are playing."),
    )
    assert Caller(*tools).says(said).calls == [call]


def test_a_choice_that_only_one_tool_knows_names_it_and_another_asks_again() -> None:
    city = {"type": "string", "enum": ["Berlin", "Boston"]}
    hours = function("store_hours", "Say when one of our stores is open.", ["city"], city=city)
    pages = function(
        "search_help", "Look up how the shop does things.", ["question"], question="The question."
    )
    caller = Caller(*SHOP_TOOLS, pages, hours).says("when are you open in Boston")
    assert caller.calls == [("store_hours", {"city": "Boston"})]
    caller.gets({"say": "In Boston we are open from 10 to 20."})
    assert caller.says("and in Berlin?").calls == [("store_hours", {"city": "Berlin"})]


def test_a_price_is_in_the_currency_of_the_result() -> None:
    assert last_price('{"price": 84.5, "currency": "EUR"}') == "€84.50"
    assert last_price('{"price": 84.5, "currency": "SEK"}') == "84.50 SEK"
    assert last_price('{"price": 84.5}') == "84.50"


def test_choices_and_numbers_are_checked() -> None:
    tool = function(
        "book_table",
        "Book a table.",
        ["people"],
        people={"type": "integer", "maximum": 12, "description": "How many people come"},
    )
    caller = Caller(tool).says("book a table")
    assert caller.said == "How many people come?"
    assert caller.says("thirty").calls == []
    assert caller.says("six").calls == [("book_table", {"people": 6})]


def test_a_tool_may_be_demanded() -> None:
    assert Caller(choice="cancel_order").says("1005").calls == [("cancel_order", {"order_id": "1005"})]
    assert Caller(choice="none").says("cancel order 1005").calls == []
    assert Caller(function("log_it", "Log a message."), choice="required").says("blah").calls == [
        ("log_it", {})
    ]


def test_tools_are_known_by_their_names() -> None:
    tools = read_tools(SHOP_TOOLS)
    assert [intent_of(tool) for tool in tools] == [
        "customer_info",
        "order_status",
        "return_item",
        "product_info",
        "update_account",
        "cancel_order",
        "callback",
    ]
    assert tool_for("cancel_order", tools) == tools[5]
    assert tool_for("greeting", tools) is None
    assert nearest_tool("", tools) == (None, 0.0)


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("order_id", {"type": "string"}, "reference"),
        ("email", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "email"),
        ("when", {"type": "string"}, "when"),
        ("x", {"type": "string", "format": "date-time"}, "when"),
        ("n", {"type": "integer"}, "number"),
        ("city", {"type": "string"}, "place"),
        ("kind", {"enum": ["a"]}, "choice"),
        ("sure", {"type": ["boolean", "null"]}, "boolean"),
        ("refund_to", {"type": "string"}, "method"),
        ("q", {"type": "string", "description": "The order's number"}, "reference"),
    ],
)
def test_what_a_property_asks_for(name: str, schema: dict[str, Any], kind: str) -> None:
    assert kind_of(name, schema) == kind


def test_a_value_fits_its_schema_or_is_not_used() -> None:
    assert fit("1004", {"type": "integer"}) == 1004
    assert fit("w12", {"type": "string", "pattern": "^W[0-9]+$"}) == "W12"
    assert fit("x", {"type": "string", "pattern": "^W[0-9]+$"}) is None
    assert fit(13, {"type": "integer", "maximum": 12}) is None
    assert fit("4.5", {"type": "number"}) == 4.5
    assert fit("x", {"type": "string", "pattern": "("}) == "x"
    assert (
        unwrapped({"oneOf": [{"type": "null"}, {"type": "integer"}], "description": "d"})["type"] == "integer"
    )


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("1004", "1004"), ("104", "1004"), ("10042", "1004"), ("1099", "1099"), ("99", "99")],
)
def test_a_misheard_reference_is_matched_by_its_length(heard: str, meant: str) -> None:
    assert snap(heard, ("1001", "1002", "1003", "1004")) == meant


def test_only_spoken_references_are_matched() -> None:
    ids = ("1001", "1004")
    assert Caller(ids=ids, spoken=True).says("cancel order 104").calls == [
        ("cancel_order", {"order_id": "1004"})
    ]
    assert Caller(ids=ids).says("cancel order 104").calls == [("cancel_order", {"order_id": "104"})]


def test_words_like_requests_are_likelier_than_noise() -> None:
    assert likeliness("where is my order one zero zero four") > 0.8
    assert likeliness("kill we yoga far") < 0.5
    assert likeliness("cancel order one zero zero four", (), ("1005",)) < likeliness(
        "cancel order one zero zero five", (), ("1005",)
    )


# --- results ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('{"say": "It is here.", "x": 1}', "It is here."),
        ("It is foggy.", "It is foggy."),
        ('"quoted"', "quoted"),
        ('{"status": "on_its_way", "order_id": 7, "items": 2}', "Status: on its way. Items: 2."),
        ('{"temperature": 12.5}', "Temperature: 12.5."),
        ('["red", "blue"]', "red; blue."),
        ("[]", "I found nothing."),
        ("true", "Yes."),
        ("42", "It is 42."),
        ("null", "Water plants is done."),
        ("{}", "Water plants is done."),
    ],
)
def test_results_in_words(output: str, said: str) -> None:
    assert say_result(output, "water_plants") == said


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_result_can_be_said(value: Any) -> None:
    output = json.dumps(value)
    assert isinstance(say_result(output), str)
    assert len(say_result(output)) <= 620
    last_price(output)
    question_in(output)


def test_a_question_that_makes_no_sense_of_its_own_is_looked_up_in_the_pages_of_help():
    text = {"type": "string", "description": "The customer's question, in their words."}
    pages = function("search_help", "Look up how the shop does things.", ["question"], question=text)
    caller = Caller(*SHOP_TOOLS, pages).says("where can I park")
    ((name, arguments),) = caller.calls
    assert name == "search_help"
    assert "park" in arguments["question"]
    assert Caller(*SHOP_TOOLS, pages).says("mumble the other").calls == []


@pytest.mark.parametrize(
    "question",
    [
        "my aunt lives overseas will you post it to her",
        "until when may I bring a buggy",
        "I need it for my taxes where would I find a receipt",
    ],
)
def test_a_question_is_one_wherever_in_the_sentence_it_is_asked(question: str) -> None:
    text = {"type": "string", "description": "The customer's question, in their words."}
    pages = function("search_help", "Look up how the shop does things.", ["question"], question=text)
    assert [name for name, _ in Caller(*SHOP_TOOLS, pages).says(question).calls] == ["search_help"]


def test_what_no_tool_of_the_session_serves_is_looked_up_if_it_is_a_question() -> None:
    text = {"type": "string", "description": "The visitor's question."}
    pages = function("search_help", "Look up how the museum does things.", ["question"], question=text)
    assert Caller(pages).says("what does a pair of headphones cost").calls
    assert "cannot do that" in Caller(pages).says("cancel order 1004").said


# --- several requests, corrections -----------------------------------------------------------------------


def test_two_requests_of_one_sentence_are_done_one_after_the_other() -> None:
    caller = Caller().says("cancel 1004 and tell me where 1005 is")
    assert caller.calls == [("cancel_order", {"order_id": "1004"})]
    caller.gets({"say": "Shall I cancel order 1004?", "status": "not_done_yet"})
    assert (caller.said, caller.calls) == ("Shall I cancel order 1004?", [])
    caller.entries.append(Said("user", "yes"))
    caller.told('The customer said yes. It is done: receipt R-1. Say to the customer: "It is cancelled."')
    assert caller.said == "It is cancelled."
    assert caller.calls == [("check_order_status", {"order_id": "1005"})]
    assert caller.gets({"say": "Order 1005 is on its way."}).said == "Order 1005 is on its way."
    assert caller.calls == []


def test_a_no_to_the_first_request_leaves_the_second() -> None:
    caller = Caller().says("please cancel order 1004 and also return order 1005 because it is broken")
    caller.gets({"say": "Shall I cancel order 1004?", "status": "not_done_yet"})
    caller.entries.append(Said("user", "no"))
    caller.told('The customer said no. Say to the customer: "I left it as it was."')
    assert caller.calls == [("process_return", {"order_id": "1005", "reason": "it is broken"})]


def test_what_only_the_first_request_lacks_is_asked_before_the_second() -> None:
    caller = Caller().says("cancel my order and tell me what the desk lamp costs")
    assert caller.said == "What is the order number?"
    assert caller.says("1004").calls == [("cancel_order", {"order_id": "1004"})]
    assert caller.gets({"say": "Order 1004 cannot be cancelled."}).calls == [
        ("get_product_info", {"query": "desk lamp"})
    ]


def test_the_second_request_may_be_about_the_first() -> None:
    caller = Caller().says("where is order 1004 and can you cancel it")
    assert caller.calls == [("check_order_status", {"order_id": "1004"})]
    assert caller.gets({"say": "It is being packed."}).calls == [("cancel_order", {"order_id": "1004"})]


def test_who_goes_on_to_something_else_has_left_the_second_request() -> None:
    caller = Caller().says("cancel 1004 and tell me where 1005 is")
    caller.gets({"say": "Shall I cancel order 1004?", "status": "not_done_yet"})
    assert caller.says("what did I order").calls == [("get_customer_info", {})]
    assert caller.gets({"say": "You have two orders."}).calls == []


@pytest.mark.parametrize(
    "said",
    [
        "order 1004 is broken and I want my money back",
        "I am not happy with order 1004 and want to return it",
        "go ahead and cancel order 1004",
        "I moved house and need to update my address",
        "return order 1004 because it is broken and too small",
        "cancel order one thousand and four",
    ],
)
def test_most_of_what_and_joins_is_one_request(said: str) -> None:
    caller = Caller().says(said)
    assert len(caller.calls) <= 1
    assert caller.gets({"say": "Done."}).calls == [] if caller.calls else True


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ("no, I meant 1005", "1005"),
        ("I meant 1005", "1005"),
        ("sorry, order 1005", "1005"),
        ("not that, 1005", "1005"),
        ("no, the other one", "1002"),
        ("not that order, the other one", "1002"),
        ("no, the blue one", "1007"),
    ],
)
def test_a_correction_says_which_one_is_meant(said: str, order: str) -> None:
    caller = Caller().says("where is order 1002").gets({"say": "Order 1002 has left."})
    caller.says("what did I order")
    rows = [{"number": "1004", "items": ["red lamp"]}, {"number": "1007", "items": ["blue lamp"]}]
    caller.gets({"say": "You have two orders.", "orders": rows})
    caller.says("cancel order 1004").gets({"say": "Shall I cancel order 1004?", "status": "not_done_yet"})
    assert caller.says(said).calls == [("cancel_order", {"order_id": order})]


def test_another_of_two_orders_of_ones_own_is_the_other_one() -> None:
    caller = Caller(ids=("1004", "1005")).says("where is order 1004").gets({"say": "Order 1004 has left."})
    assert caller.says("no, the other one").calls == [("check_order_status", {"order_id": "1005"})]


def test_which_other_one_is_asked_when_there_are_many() -> None:
    caller = Caller(ids=("1004", "1005", "1006")).says("cancel order 1004").gets({"say": "Shall I?"})
    assert caller.says("no, the other one").said == "What is the order number?"
    assert caller.says("1006").calls == [("cancel_order", {"order_id": "1006"})]


def test_another_product_of_the_kind_is_meant() -> None:
    caller = Caller().says("tell me about the kettle").gets({"say": "It is red.", "price": 20})
    assert caller.says("not that, the blue one").calls == [("get_product_info", {"query": "blue kettle"})]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is Sara, S A R A, Lee", "Sara Lee"),
        ("my name is Sara Lee, that's L E I G H", "Sara Leigh"),
        ("the name is John Smith please", "John Smith"),
    ],
)
def test_a_name_spelled_in_a_sentence(said: str, name: str) -> None:
    tool = function(
        "identify_caller", "Find the customer by name.", ["full_name"], full_name="The customer's name."
    )
    caller = Caller(tool).says("identify me")
    assert caller.says(said).calls == [("identify_caller", {"full_name": name})]


def test_an_unknown_caller_is_asked_who_they_are_before_what_is_theirs():
    proof = function("verify_by_email", required=["email"], email="The e-mail address.")
    caller = Caller(proof).says("where is my order 1004")
    assert caller.said.startswith("For that I have to know who you are.")
    assert caller.says("maya@example.com").calls == [("verify_by_email", {"email": "maya@example.com"})]
    caller = Caller(proof).says("my email is maya@example.com")
    assert (caller.said, caller.calls) == ("", [("verify_by_email", {"email": "maya@example.com"})])


@pytest.mark.parametrize(
    "said", ["what do you know about me?", "tell me about me", "What do you know about us?"]
)
def test_the_caller_is_no_product(said: str) -> None:
    assert Caller().says(said).calls == [("get_customer_info", {})]


def test_neither_is_the_engine() -> None:
    caller = Caller().says("tell me about you")
    assert (caller.calls, "offline engine" in caller.said) == ([], True)


@pytest.mark.parametrize("said", ["my order 1007", "my order 1007 please", "it's order number 1007"])
def test_an_order_alone_means_where_it_is(said: str) -> None:
    assert Caller().says(said).calls == [("check_order_status", {"order_id": "1007"})]
    asked = Caller().says("I want to return something").says(said)
    assert (asked.said, asked.calls) == ("What is the reason?", [])


PROOF = function("verify_by_email", required=["email"], email="The e-mail address.")


class Guest(Caller):
    """One to whom the shop's tools are offered once they are verified."""

    def verified(self, output: Any) -> "Guest":
        self._tools = read_tools((*SHOP_TOOLS, PROOF))
        self.gets(output)
        return self


def test_what_a_guest_asked_for_goes_on_once_they_are_verified() -> None:
    guest = Guest(PROOF)
    assert guest.says("where is my order 1004").said.startswith("For that I have to know who you are.")
    assert guest.says("maya@example.com").calls == [("verify_by_email", {"email": "maya@example.com"})]
    guest.gets({"say": "I cannot find that.", "status": "refused", "reason": "not_verified"})
    assert guest.calls == []
    guest.says("maya.lee@example.com").verified({"say": "Thank you, Maya. How can I help?", "verified": True})
    assert guest.said == "Thank you, Maya."
    assert guest.calls == [("check_order_status", {"order_id": "1004"})]
    assert guest.gets({"say": "It is on its way."}).calls == []


def test_what_is_theirs_is_not_looked_up_in_pages_of_help() -> None:
    pages = function("search_help", required=["question"], question="The customer's question.")
    guest = Guest(PROOF, pages).says("where is my order 1004")
    assert guest.said.startswith("For that I have to know who you are.")


def test_a_guest_who_is_sent_a_code_is_served_after_it() -> None:
    send = function("send_code", required=["email"], email="The e-mail address of the account.")
    check = function("verify_code", required=["code"], code="Its six digits.")
    guest = Guest(send, check)
    guest.says("where is my order 1004").says("maya@example.com").gets({"say": "I have sent a code."})
    assert (guest.said, guest.calls) == ("I have sent a code.", [])
    assert guest.says("123456").calls == [("verify_code", {"code": "123456"})]
    assert guest.verified({"say": "Thank you.", "verified": True}).calls == [
        ("check_order_status", {"order_id": "1004"})
    ]


# --- a call back that is booked --------------------------------------------------------------------------

CALL = function(
    "schedule_callback", "Have somebody call back.", ["when"], when="ISO 8601.", topic="What it is about."
)


def booked(*others: dict[str, Any]) -> Caller:
    """Somebody who is called back on Monday at half past three, and knows it."""
    caller = Caller(CALL, *others).says("please call me back on Monday at half past three")
    caller.gets({"status": "not_done_yet", "say": "We can call you on Monday at 3:30 PM. Shall I book it?"})
    return caller.told(
        'The customer said yes. It is done: receipt R1. Say to the customer: "Done. We will call you."'
    )


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("make it four", "2026-11-23T16:00"),
        ("can you make that four o'clock instead", "2026-11-23T16:00"),
        ("move the callback to ten please", "2026-11-23T10:00"),
        ("no, at five", "2026-11-23T17:00"),
        ("Tuesday would be better", "2026-11-24T15:30"),
        ("please call me back on Friday at ten", "2026-11-20T10:00"),
    ],
)
def test_another_call_back_is_said_to_be_another(said: str, when: str) -> None:
    caller = booked().says(said)
    assert caller.calls == [("schedule_callback", {"when": when})]
    assert caller.said == STAYS
    caller.gets({"status": "not_done_yet", "say": "We can call you then. Shall I book it?"})
    assert caller.says("make it six").said == "", "it was said with the offer"


def test_no_claim_is_made_of_an_offer() -> None:
    assert claims_in(STAYS) == ()


def test_a_tool_that_moves_a_call_back_makes_it_no_other() -> None:
    moves = function("move_callback", "Move a call back.", ["when"], when="ISO 8601.")
    assert STAYS not in booked(moves).says("please call me back on Friday at ten").said


def test_four_may_be_how_many() -> None:
    table = function(
        "reserve_table", "A table.", ["guests", "day"], guests={"type": "integer"}, day={"format": "date"}
    )
    [tool] = read_tools([table])
    said = find_entities("make it four", NOW)
    assert at_its_hour(said, tool, Situation((tool,), NOW)).when is None


def test_a_call_back_is_not_cancelled_by_booking_one() -> None:
    caller = booked().says("cancel the callback")
    assert caller.calls == []
    assert caller.said.startswith("I cannot cancel a call that is booked.")


def test_a_tool_may_cancel_a_call_back() -> None:
    cancels = function("cancel_callback", "Cancel a call back.")
    assert "cannot" not in booked(cancels).says("cancel the callback").said
