"""Words shown as Markdown are those words, whatever is in them."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.channels.web.markup import code, indented, partly_heard, plain

UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[*_`\[\]<>~#|]")


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Order 1004 is on its way.", "Order 1004 is on its way."),
        ("It costs $5, not *7*.", r"It costs \$5, not \*7\*."),
        ("![x](http://evil/p.png)", "\\!\\[x\\]\\(http\\:\u2060//evil/p.png\\)"),
        ("see www.evil.example", "see www\u2060.evil.example"),
        ("<img src=x onerror=alert(1)>", r"\<img src\=x onerror\=alert\(1\)\>"),
        ("1. first", r"1\. first"),
        ("# title\n\n- a list\n\n```js", r"\# title \- a list \`\`\`js"),
        ("a\u200bb", "ab"),
    ],
)
def test_markup_loses_its_meaning(text, markdown):
    assert plain(text) == markdown


@given(st.text())
def test_nothing_special_is_left_unescaped(text):
    shown = plain(text)
    assert not UNESCAPED.search(shown)
    assert "\n" not in shown


def test_what_was_not_heard_is_struck_out():
    assert partly_heard("It comes on Tuesday. Anything else?", "It comes on Tuesday.") == (
        "It comes on Tuesday. ~~Anything else?~~"
    )


def test_a_line_of_which_nothing_was_heard_is_struck_out_whole():
    assert partly_heard("It comes on Tuesday.", "") == "~~It comes on Tuesday.~~"


def test_a_line_that_was_heard_is_not_struck_out():
    assert partly_heard("It comes on Tuesday. ", "It comes on Tuesday.") == "It comes on Tuesday."


def test_heard_words_that_are_not_in_the_text_are_shown_as_heard():
    assert partly_heard("It comes on Tuesday.", "It came") == "It came ~~…~~"


def test_code_cannot_leave_its_block():
    shown = code({"note": "```\n![x](http://evil/p.png)"})
    assert "`" not in shown
    assert json.loads(shown) == {"note": "```\n![x](http://evil/p.png)"}


def test_long_code_is_cut():
    assert len(code({"note": "x" * 10_000})) < 4100


@pytest.mark.parametrize("arguments", ["", "{", "null", '{"order_id": "1004"}', "not json `at all`"])
def test_arguments_are_shown_whatever_the_model_wrote(arguments):
    assert "`" not in indented(arguments)
