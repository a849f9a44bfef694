"""The model of any words, with its real weights: what it writes of speech and of anything else, its pace."""

import os
import re
from collections.abc import Callable, Generator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.audio.pcm import from_samples, samples
from helpline.audio.resample import resample
from helpline.engine.ears import load_ahead
from helpline.engine.ears.moonshine import Moonshine, Written, is_here, load_moonshine, read_pieces
from helpline.engine.ears.pocketsphinx import Decoders, PocketsphinxEars
from helpline.engine.lexicon import Expected, Library
from helpline.engine.listening import Ended, Listener, ListeningFailed, ListenSettings
from helpline.engine.trigram import Trigram, load_trigram
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser
from helpline.engine.workers import Workers
from helpline.errors import MissingPartError
from tests.engine.test_trigram import arpa

PIECES_A_SECOND = 6.5
FOLDER = Path("assets", "tiny-en")
ENCODER, DECODER, PIECES = FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
ABSENT = "there_is_no_such_package"


@cache
def model() -> Moonshine:
    found = load_moonshine()
    assert found is not None
    return found


@cache
def customers() -> Trigram:
    """What a shop's customers say."""
    return load_trigram(Library().lexicon(Expected()).trigram)


def expecting(*sentences: str) -> Trigram:
    return Trigram(arpa(*sentences).splitlines())


@cache
def speech(sentence: str, voice: str = "en-us") -> bytes:
    """pcm16k with a little silence around it."""
    silence = bytes(48 * 300)
    return resample(silence + Synthesiser(voice).speak(sentence) + silence, 24_000, 16_000)


def counted(steps: Generator[None, None, Written]) -> tuple[int, Written]:
    """How often it gave others a turn, and what it wrote."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return count, end.value
        count += 1


def write(pcm16k: bytes, trigram: Trigram | None = None) -> Written:
    return counted(model().listen(pcm16k, trigram or customers()))[1]


# --- its files --------------------------------------------------------------------------------------------


def tokenizer(*pieces: str) -> bytes:
    packed = b""
    for piece in pieces:
        raw = piece.encode()
        low, high = len(raw) % 128, len(raw) // 128
        packed += (bytes([len(raw)]) if not high else bytes([low + 128, high])) + raw
    return packed


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), max_size=300)))
def test_pieces_of_any_length_are_read(pieces: list[str]) -> None:
    assert read_pieces(tokenizer(*pieces)) == tuple(pieces)


def test_a_length_is_one_byte_and_from_128_on_two() -> None:
    for length in (0, 1, 127, 128, 129, 255, 256, 1000):
        assert read_pieces(tokenizer("x" * length, "▁order")) == ("x" * length, " order")
    assert tokenizer("x" * 127)[:2] == b"\x7fx"
    assert tokenizer("x" * 128)[:3] == b"\x80\x01x"


def test_a_file_of_pieces_that_is_cut_off_is_an_error() -> None:
    whole = tokenizer("or", "x" * 200)
    for length in range(len(whole)):
        if length in (0, 3):  # between two pieces: there are fewer of them
            assert len(read_pieces(whole[:length])) == bool(length)
            continue
        with pytest.raises(ValueError, match="cut off"):
            read_pieces(whole[:length])


def test_what_is_not_installed_is_not_there_and_the_ears_go_on() -> None:
    assert is_here()
    assert not is_here(ABSENT)
    assert load_moonshine(ABSENT) is None
    decoders = Decoders(any_words=lambda: load_moonshine(ABSENT))
    listener = Listener(PocketsphinxEars(decoders), VoiceDetector())
    listener.configure(ListenSettings())
    said = bytes(48 * 400) + Synthesiser().speak("where is my order one zero zero four") + bytes(48 * 900)
    assert [one.text for one in listener.feed(said) if isinstance(one, Ended)] == [
        "where is my order one zero zero four"
    ]


def installed() -> Path:
    """Where the real files lie."""
    spec = find_spec("moonshine_voice")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / FOLDER


def package(where: Path, name: str, file: str = "", content: bytes | int | None = None) -> Path:
    """A package with the model's files, one with other content: so many bytes of its own, or none at all."""
    folder = where / name / FOLDER
    folder.mkdir(parents=True)
    (where / name / "__init__.py").write_text("raise SystemExit('it is never imported')\n")
    for one in FILES:
        if one != file:
            (folder / one).symlink_to(installed() / one)
        elif content is not None:
            cut = (installed() / one).read_bytes()[:content] if isinstance(content, int) else content
            (folder / one).write_bytes(cut)
    return where


BROKEN = {
    "empty_encoder": (ENCODER, b""),
    "half_an_encoder": (ENCODER, 6_000_000),
    "half_a_decoder": (DECODER, 15_000_000),
    "a_page_for_a_decoder": (DECODER, b"<html>not found</html>"),
    "no_pieces": (PIECES, b""),
    "half_of_the_pieces": (PIECES, 100_000),
    "fewer_pieces": (PIECES, tokenizer("or", "der")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_files_are_told_in_one_sentence_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, f"moonshine_{name}", *BROKEN[name]))
    assert is_here(f"moonshine_{name}")
    with pytest.raises(MissingPartError, match=r"its files are damaged \(\w+\): pip install") as raised:
        load_moonshine(f"moonshine_{name}")
    assert str(raised.value).endswith('"helpline[moonshine]".')
    assert "\n" not in str(raised.value)


def test_a_package_without_the_weights_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, "moonshine_later", DECODER))
    assert not is_here("moonshine_later")
    assert load_moonshine("moonshine_later") is None


def test_a_package_with_whole_files_is_never_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, "moonshine_whole"))
    found = load_moonshine("moonshine_whole")
    assert found is not None
    said = speech("i would like to see the dinosaurs")
    assert counted(found.listen(said, customers()))[1] == write(said)


async def test_who_is_to_be_heard_is_told_that_the_files_are_damaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(package(tmp_path, "moonshine_voice", PIECES, b"")), os.pathsep)
    workers = Workers(1)
    for _ in range(4):  # oftener than a process may die
        hearing = workers.hearing()
        with pytest.raises(ListeningFailed, match=r"its files are damaged \(ValueError\): pip install"):
            await hearing.feed(bytes(48 * 40))
        await hearing.close()
    workers.close()


def test_it_is_loaded_once() -> None:
    load_ahead("pocketsphinx")
    assert load_moonshine() is load_moonshine()


# --- speech -----------------------------------------------------------------------------------------------


def test_words_that_no_shop_knows_are_heard() -> None:
    unknown = {"sandwiches": "can i bring my own sandwiches and eat them in the garden"}
    unknown |= {
        "swimming": "we went swimming in the lake on sunday",
        "dinosaurs": "i would like to see the dinosaurs",
    }
    known = set(re.findall(r"[a-z']+", Library().lexicon(Expected()).dictionary.read_text("utf-8")))
    assert not known & unknown.keys()
    for sentence in unknown.values():
        assert write(speech(sentence)).text == sentence


def test_what_customers_say_is_heard_surely() -> None:
    written = write(speech("my number is one two three four five six seven"))
    assert written.text == "my number is one two three four five six seven"
    assert written.sure


@pytest.mark.parametrize(
    ("said", "alike"),
    [
        ("i will wait for the mail", "i will wait for the male"),
        ("the flour is wet", "the flower is wet"),
        ("the night is long", "the knight is long"),
    ],
)
def test_what_is_expected_is_written_of_what_sounds_alike(said: str, alike: str) -> None:
    pcm16k = speech(said, "en-gb")
    for expected in (said, alike):
        assert write(pcm16k, expecting(expected, "thank you")).text == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "it costs 25 dollars and 30 cents",
        "call me at 10:30 on may 5th",
        "my order is 1004",
        "12345",
        "the year 1984 was cold",
        "£9.99 or $10, 50% off & more",
    ],
)
def test_no_digits_and_no_signs_are_written(sentence: str) -> None:
    for trigram in (customers(), Trigram([])):
        text = write(speech(sentence), trigram).text
        assert re.fullmatch(r"(?:[a-z]+(?:'[a-z]+)*(?: |$))*", text)
        assert text == text.strip()


RUDE = ("what the fuck is this", "this is bullshit", "you bastard where is my order")


@pytest.mark.parametrize("sentence", RUDE)
def test_rude_words_are_left_out_and_the_rest_stays(sentence: str) -> None:
    rude = re.compile(r"fuck|bullshit|bastard")
    kept = " ".join(word for word in sentence.split() if not rude.search(word))
    assert write(speech(sentence), expecting(sentence)).text == kept


def test_words_that_only_begin_like_rude_ones_stay() -> None:
    sentence = "a cocktail in the cockpit"
    assert write(speech(sentence), expecting(sentence)).text == sentence


# --- what is no speech ------------------------------------------------------------------------------------


def noise(rms: float, seconds: float) -> bytes:
    return from_samples(np.random.default_rng(4).normal(0, rms, int(16_000 * seconds)))


def tone(hertz: float, seconds: float) -> bytes:
    at = np.arange(int(16_000 * seconds)) / 16_000
    return from_samples(6000 * np.sin(2 * np.pi * hertz * at))


SOUNDS = {
    "nothing": b"",
    "half of a sample": b"\x01",
    "one sample": b"\x01\x00",
    "a moment": bytes(2 * 3199),
    "hardly long enough": bytes(2 * 3200),
    "silence": bytes(32_000 * 2),
    "12 s of silence": bytes(32_000 * 12),
    "quiet noise": noise(30, 2),
    "white noise": noise(3000, 2),
    "noise that clips": noise(30_000, 2),
    "12 s of noise": noise(3000, 12),
    "hum": tone(50, 3),
    "a tone": tone(440, 3),
    "all at the lower end": b"\x00\x80" * 32_000,
    "clipped speech": from_samples(samples(speech("where is my order")).astype(np.float32) * 50),
    "an odd length": speech("where is my order") + b"\x01",
    "12 s of speech": (speech("we went swimming in the lake on sunday") * 6)[: 32_000 * 12],
}


@pytest.mark.parametrize("name", SOUNDS)
def test_any_sound_is_written_within_its_bound(name: str) -> None:
    seconds = len(SOUNDS[name]) // 2 / 16_000
    for trigram in (customers(), Trigram([])):
        steps, written = counted(model().listen(SOUNDS[name], trigram))
        assert steps <= int(seconds * PIECES_A_SECOND) + 3
        assert len(written.text.split()) <= steps
        assert -20 < written.fit <= 0


def test_of_less_than_a_fifth_of_a_second_nothing_is_written() -> None:
    for name in ("nothing", "half of a sample", "one sample", "a moment"):
        steps, written = counted(model().listen(SOUNDS[name], customers()))
        assert (steps, written.text, written.sure) == (0, "", False)


def test_of_silence_and_noise_it_writes_little_and_is_not_sure() -> None:
    for name in (
        "silence",
        "12 s of silence",
        "quiet noise",
        "white noise",
        "noise that clips",
        "12 s of noise",
        "hum",
    ):
        written = write(SOUNDS[name])
        assert len(written.text.split()) <= 8, name
        assert not written.sure, name


def test_an_odd_byte_at_the_end_changes_nothing() -> None:
    assert write(SOUNDS["an odd length"]) == write(SOUNDS["an odd length"][:-1])


# --- what the voice detector makes of it -------------------------------------------------------------------

LINE_RATE = 24_000
SECONDS = 4
AT = np.arange(LINE_RATE * SECONDS) / LINE_RATE
Wave = npt.NDArray[np.float64]


def band(pick: np.random.Generator, low: float, high: float) -> Wave:
    """Noise of these frequencies alone."""
    spectrum = np.fft.rfft(pick.normal(size=len(AT)))
    hertz = np.fft.rfftfreq(len(AT), 1 / LINE_RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum, len(AT))


def swell(pick: np.random.Generator, hertz: float) -> Wave:
    """Comes and goes so often."""
    return np.clip(np.sin(2 * np.pi * hertz * AT + pick.uniform(0, 6)) - 0.2, 0, 1)


def voiced(hertz: Wave, loudness: Callable[[int], float]) -> Wave:
    """A tone that glides, with so much of each of its overtones."""
    phase = 2 * np.pi * np.cumsum(hertz) / LINE_RATE
    return np.sum([loudness(times) * np.sin(phase * times) for times in range(1, 30)], axis=0)


def vowel(times: int) -> float:
    return float(
        np.exp(-(((times * 130 - 600) / 200) ** 2)) + 0.6 * np.exp(-(((times * 130 - 1200) / 300) ** 2))
    )


def melody(pick: np.random.Generator) -> Wave:
    notes = np.repeat(
        pick.choice([220.0, 247.0, 262.0, 294.0, 330.0, 349.0, 392.0, 440.0], 16), len(AT) // 16
    )
    fading = np.tile(np.exp(-np.linspace(0, 3, len(AT) // 16)), 16)
    return voiced(notes, lambda times: (times <= 4) / times) * fading


STEADY: dict[str, Callable[[np.random.Generator], Wave]] = {
    "white noise": lambda pick: pick.normal(size=len(AT)),
    "mains hum": lambda _: np.sum(
        [np.sin(2 * np.pi * 50 * times * AT) / times for times in range(1, 6)], axis=0
    ),
    "breath": lambda pick: band(pick, 400, 3000) * swell(pick, 0.4),
    "a chord": lambda _: np.sum([np.sin(2 * np.pi * hertz * AT) for hertz in (262, 330, 392)], axis=0),
    "a phone that rings": lambda _: (
        (np.sin(2 * np.pi * 440 * AT) + np.sin(2 * np.pi * 480 * AT)) * (np.sin(2 * np.pi * 0.4 * AT) > 0)
    ),
}
LIKE_A_VOICE: dict[str, Callable[[np.random.Generator], Wave]] = {
    "babble": lambda pick: voiced(120 + 20 * np.sin(2 * np.pi * 0.7 * AT), vowel) * swell(pick, 4),
    "aah": lambda pick: voiced(120 + 20 * np.sin(2 * np.pi * 0.7 * AT), vowel) * swell(pick, 0.6),
    "humming": lambda pick: (
        voiced(120 + 20 * np.sin(2 * np.pi * 0.7 * AT), lambda times: (times < 8) / times**2)
        * swell(pick, 0.8)
    ),
    "a siren": lambda _: voiced(200 + 100 * np.sin(2 * np.pi * 1.3 * AT), lambda times: (times <= 2) / times),
    "a melody": melody,
    "a fan": lambda pick: band(pick, 20, 400),
}


def on_the_line(wave: Wave, rms: float) -> bytes:
    """With a second of a quiet line before and after it."""
    loud = np.pad(wave * rms / np.sqrt(np.mean(wave**2)), LINE_RATE)
    return from_samples(loud + np.random.default_rng(9).normal(0, 20, len(loud)))


def heard_on_a_line(decoders: Decoders, pcm24k: bytes) -> list[str]:
    listener = Listener(PocketsphinxEars(decoders), VoiceDetector())
    listener.configure(ListenSettings())
    return [one.text for one in listener.feed(pcm24k) if isinstance(one, Ended)]


@pytest.mark.parametrize("name", STEADY)
def test_of_noise_hum_and_breath_there_are_no_words(name: str) -> None:
    decoders = Decoders()
    for rms in (300, 1500, 6000):
        wave = STEADY[name](np.random.default_rng(7))
        assert not any(heard_on_a_line(decoders, on_the_line(wave, rms)))


REQUEST = re.compile(r"thank|yes|yeah|okay|sure|second one|first one|i want|bye|hello|help")


def test_of_what_is_like_a_voice_few_requests_are_made_up() -> None:
    """The detector takes it for speech, and what Moonshine makes of it is a request one time in three."""
    decoders = Decoders()
    heard: list[str] = []
    for make in LIKE_A_VOICE.values():
        for seed in range(3):
            for rms in (1500, 6000):
                heard += heard_on_a_line(decoders, on_the_line(make(np.random.default_rng(seed)), rms))
    made_up = [words for words in heard if REQUEST.search(words)]
    assert len(heard) > 20
    assert len(made_up) <= len(heard) // 4, made_up


# --- its pace ---------------------------------------------------------------------------------------------


def test_it_is_done_in_small_steps() -> None:
    steps, written = counted(model().listen(speech("we went swimming in the lake on sunday"), customers()))
    assert steps > len(written.text.split())


def test_the_same_sound_gives_the_same_words() -> None:
    for sentence in ("we went swimming in the lake on sunday", "order ten oh four"):
        assert write(speech(sentence)) == write(speech(sentence))


def test_two_that_are_written_in_turns_are_written_as_each_alone() -> None:
    """Two callers of one process: neither hears anything of the other."""
    sounds = [speech("we went swimming in the lake on sunday"), speech("my order is late", "en-gb")]
    trigrams = [customers(), expecting("my order is late")]
    alone = [write(pcm16k, trigram) for pcm16k, trigram in zip(sounds, trigrams, strict=True)]
    under_way = {
        place: model().listen(pcm16k, trigram)
        for place, (pcm16k, trigram) in enumerate(zip(sounds, trigrams, strict=True))
    }
    together: dict[int, Written] = {}
    while under_way:
        for place, steps in list(under_way.items()):
            try:
                next(steps)
            except StopIteration as end:
                together[place] = end.value
                del under_way[place]
    assert [together[0], together[1]] == alone


def test_what_is_given_up_half_way_leaves_nothing_behind() -> None:
    pcm16k = speech("my order is late")
    before = write(pcm16k)
    for given_up_after in (1, 3, 6):
        steps = model().listen(speech("we went swimming in the lake on sunday"), customers())
        for _ in range(given_up_after):
            next(steps)
        steps.close()
    assert write(pcm16k) == before
