"""What a session's own tools add to what the ears expect."""

from helpline.engine.ears.pocketsphinx import Decoders, PocketsphinxEars
from helpline.engine.lexicon import Library, expected_from
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
