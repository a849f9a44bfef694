"""What a session's own tools add to what the ears expect."""

import os
import time
from pathlib import Path

from helpline.engine.ears.pocketsphinx import Decoders, PocketsphinxEars
from helpline.engine.lexicon import Expected, Library, expected_from
from helpline.engine.listening import Ended, Listener, ListenSettings
from helpline.engine.sounds import read_sounds
from helpline.engine.vad import VoiceDetector
from tests.engine.evaluation import TOOLS, spoken
from tests.engine.talk import function

GARDEN = function(
    "plan_visit",
    "Water the orchids in the greenhouse. Ask (politely) first.",
    ["visitors"],
    visitors={"type": "integer", "description": "How many gardeners will visit; at most 9"},
)


def test_the_words_of_a_tool_that_nobody_knows_are_expected() -> None:
    expected = expected_from((), [GARDEN])
    known = read_sounds(Library().lexicon(expected).dictionary).phones
    assert {"water", "orchids", "greenhouse", "visitors", "gardeners"} <= known.keys()
    assert "politely" not in known


def test_a_shops_tools_add_no_words_of_their_descriptions() -> None:
    assert not [one for one in expected_from((), TOOLS).phrases if "latest orders" in one]


def test_hostile_descriptions_are_words_like_any_other() -> None:
    rude = function("x" * 200, "[a|b (c {order} \x00 \ud83d " * 500, ["y"], y="} ] ) |" * 99)
    assert Library().lexicon(expected_from((), [rude])).trigram.exists()


def test_a_request_in_the_words_of_a_description_is_heard() -> None:
    listener = Listener(PocketsphinxEars(Decoders()), VoiceDetector())
    listener.configure(ListenSettings(expected=expected_from((), [GARDEN])))
    heard = listener.feed(spoken("please water the orchids in the greenhouse", "en-us"))
    words = " ".join(one.text for one in heard if isinstance(one, Ended))
    assert "the orchids in the greenhouse" in words


def keep(directory: Path, key: str, age_s: float) -> None:
    """A lexicon that was used so long ago."""
    for kind in ("arpa", "dict", "gb.dict"):
        path = directory / f"{key}.{kind}"
        path.write_text("")
        os.utime(path, (time.time() - age_s,) * 2)


def kept(directory: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in directory.iterdir()}


def test_the_lexicons_that_were_used_last_are_kept(tmp_path: Path) -> None:
    directory = tmp_path / "lexicons"
    directory.mkdir(mode=0o700)
    old = [f"{number:024x}" for number in range(70)]
    for number, key in enumerate(old):
        keep(directory, key, 1000 + number)
    (directory / "any17.dict").write_text("")
    used, new = Expected(("orchids",)), Expected()
    keep(directory, used.key(), 5000)
    Library(directory).lexicon(used)
    Library(directory).lexicon(new)
    assert kept(directory) == {*old[:58], used.key(), new.key(), "any17"}


def test_a_lexicon_that_is_in_use_is_kept_however_many_there_are(tmp_path: Path) -> None:
    directory = tmp_path / "lexicons"
    directory.mkdir(mode=0o700)
    young = [f"{number:024x}" for number in range(70)]
    for key in young:
        keep(directory, key, -600)  # however slow this machine is
    Library(directory).lexicon(Expected())
    assert kept(directory) == {*young, Expected().key()}
