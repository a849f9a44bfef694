"""A Python file given to the desk: which tools a file brings, and what is said of one that is wrong."""

import re
from pathlib import Path

import pytest

from helpline.errors import SettingsError
from helpline.own import own_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "my_desk.py"
        path.write_text(text)
        return path

    return write


def test_the_example_in_the_docs_is_a_desk_that_loads(file):
    page = (ROOT / "docs/tools.md").read_text()
    example = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)[0]
    hours, points, catalogue = own_in(file(example)).tools
    assert hours.name == "store_hours"
    assert hours.description == "Say when one of our stores is open."
    assert hours.parameters["properties"]["city"]["enum"] == ["Berlin", "Boston"]
    assert points.parameters["properties"] == {}
    assert (points.changes, catalogue.changes) == (False, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "has no tool"),
        ("x = 1\ndef f(:\n", r"line 2: SyntaxError"),
        ("import os\n\nraise RuntimeError('no catalogue')\n", r"line 3: RuntimeError: no catalogue"),
        ("import sys\nsys.exit(0)\n", r"line 2: it ends the program"),
        ("raise KeyboardInterrupt\n", r"line 1: it ends the program"),
        ("x = 1\0\n", r"it is not a text in UTF-8"),
        ("import no_such_module\n", r"line 1: ModuleNotFoundError"),
        (
            "from helpline.tools import tool\n@tool\ndef f(city): ...\n",
            r"line 2: TypeError: .*city has no type",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(file, text, words):
    with pytest.raises(SettingsError, match=rf"my_desk\.py.*{words}"):
        own_in(file(text))


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "my_desk.py"
    path.write_bytes("greeting = 'Grüezi'\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"my_desk\.py.*it is not a text in UTF-8"):
        own_in(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.py is no Python file"):
        own_in(tmp_path / "absent.py")
