"""Other ears and voices: the real libraries, with tiny models of our own, and what is said when one lacks."""

import asyncio
import logging
import os
import re
import sys
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from helpline.audio.resample import resample
from helpline.engine.ears import check_ears, heard_in, load_ears, processes_for, to_be_fetched
from helpline.engine.ears.faster_whisper import WhisperEars
from helpline.engine.ears.port import Ears, plain
from helpline.engine.ears.sherpa_onnx import find_model
from helpline.engine.lexicon import Expected
from helpline.engine.listening import Began, Ended, Growing, Listener, ListeningFailed, ListenSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, options_of
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser, Voice, check_voice, make_voice, spoken_in
from helpline.engine.workers import Workers
from helpline.errors import BackendError, MissingPartError, SettingsError
from helpline.settings import Settings, load_settings
from tests.engine import models
from tests.engine.talk import SHOP_TOOLS, level, talking


def speech(sentence: str = "hello there thank you very much") -> bytes:
    return resample(Synthesiser().speak(sentence), 24_000, 16_000)


def heard(ears: Ears, pcm16k: bytes) -> tuple[list[str], tuple[str, ...]]:
    """The growing words and the final ones."""
    ears.begin()
    growing = [ears.hear(pcm16k[at : at + 6400], 20.0) for at in range(0, len(pcm16k), 6400)]
    return growing, ears.finish()


def settings(**named: str) -> Settings:
    return load_settings(named, {}, env_file="", desk_file="")


# --- ears -------------------------------------------------------------------------------------------------


def test_whisper_hears_whole_utterances(tmp_path: Path) -> None:
    folder = models.whisper_model(tmp_path, "Where", "is", "my", "Order", "1,004?")
    ears = load_ears(f"faster-whisper:{folder}")()
    growing, final = heard(ears, speech())
    assert set(growing) == {""}
    assert final == ("where is my order 1004",)
    ears.begin()
    ears.hear(speech(), 20.0)
    ears.cancel()
    assert ears.finish() == ()
    ears.expect(Expected(keywords=("walnut desk",)))
    assert len(heard(ears, speech())[1]) == 1


@pytest.mark.parametrize("kind", ["ctc", "transducer"])
def test_sherpa_hears_while_somebody_speaks(tmp_path: Path, kind: str) -> None:
    if kind == "ctc":
        folder, words = models.nemo_ctc_model(tmp_path, ["HELLO", "MY", "FRIEND"]), "hello my friend"
    else:
        folder, words = models.lstm_transducer(tmp_path, "HELLO"), "hello"
    make = load_ears(f"sherpa-onnx:{folder}")
    one, other = make(), make()
    growing, final = heard(one, speech())
    assert growing[0] == "hello"
    assert all(later.startswith(sooner) for sooner, later in pairwise(growing))
    assert final == (words,)
    assert heard(other, speech())[1] == (words,)
    assert heard(one, speech())[1] == (words,)
    one.begin()
    one.cancel()
    assert one.finish() == ()


class Whisper:
    """A model that keeps what it was given."""

    supported_languages = ("en",)

    def __init__(self) -> None:
        self.heard = np.zeros(0, np.float32)
        self.hotwords: str | None = None

    def transcribe(
        self, heard: npt.NDArray[np.float32], *, hotwords: str | None, **_: Any
    ) -> tuple[tuple[Any, ...], None]:
        self.heard, self.hotwords = heard, hotwords
        return (), None


def test_whisper_is_given_the_sound_and_the_sessions_names() -> None:
    model = Whisper()
    ears = WhisperEars(model)
    ears.expect(Expected(keywords=("walnut desk", "oak chair")))
    half = np.full(16_000, -16_384, "<i2")
    heard(ears, half.tobytes())
    assert model.hotwords == "walnut desk, oak chair"
    assert model.heard.dtype == np.float32
    assert model.heard.tolist() == [-0.5] * 16_000
    ears.expect(Expected())
    heard(ears, half.tobytes())
    assert model.hotwords is None


def test_whisper_is_given_two_minutes_of_one_utterance_at_most() -> None:
    model = Whisper()
    ears = WhisperEars(model)
    ears.begin()
    for _ in range(20):
        ears.hear(bytes(2 * 16_000 * 10), 20.0)
    ears.finish()
    assert 120 <= len(model.heard) / 16_000 <= 140


def test_sherpa_hears_to_the_end_of_what_was_said(tmp_path: Path) -> None:
    """The last chunk is not full: silence is put behind it."""
    folder = models.nemo_ctc_model(tmp_path, [f"W{at}" for at in range(30)], each=1)
    growing, final = heard(load_ears(f"sherpa-onnx:{folder}")(), bytes(2 * 16_000))
    assert len(final[0].split()) > len(growing[-1].split()) > 0


def test_of_several_precisions_the_smallest_is_taken(tmp_path: Path) -> None:
    models.nemo_ctc_model(tmp_path, ["HELLO"])
    (tmp_path / "model.onnx").rename(tmp_path / "model.int8.onnx")
    models.nemo_ctc_model(tmp_path, ["HELLO"], comment="x" * 1000)
    kind, files = find_model(str(tmp_path))
    assert (kind, Path(files["model"]).name) == ("nemo_ctc", "model.int8.onnx")


def test_words_that_stay_are_told_before_the_end(tmp_path: Path) -> None:
    folder = models.nemo_ctc_model(tmp_path, [f"W{at}" for at in range(12)], each=1)
    listener = Listener(load_ears(f"sherpa-onnx:{folder}")(), VoiceDetector())
    listener.configure(ListenSettings())
    pcm24k = (
        bytes(48 * 300) + Synthesiser().speak("hello there, thank you very much, my friend") + bytes(48_000)
    )
    events = [event for at in range(0, len(pcm24k), 960) for event in listener.feed(pcm24k[at : at + 960])]
    assert isinstance(events[0], Began)
    assert any(isinstance(event, Growing) and event.text.startswith("w0") for event in events)
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert ended.text == " ".join(f"w{at}" for at in range(12))


async def test_other_ears_listen_in_a_process_of_their_own(tmp_path: Path) -> None:
    folder = models.nemo_ctc_model(tmp_path, ["THANK", "YOU"])
    engine = Engine(EngineOptions(ears=f"sherpa-onnx:{folder}", workers=1, pace=Pace(times=0)))
    async with talking(engine) as talker:
        await talker.configure(tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "m"}}})
        await talker.speak("good morning to you all")
        assert (await talker.reply()).transcript == "Thank you."
    await asyncio.to_thread(engine.close)


async def test_a_model_that_ends_its_process_is_told(tmp_path: Path) -> None:
    """The real library calls `exit` over a model that it cannot use."""
    folder = models.nemo_ctc_model(tmp_path, ["HELLO"])
    (folder / "tokens.txt").write_text("nonsense\n")
    workers = Workers(1, f"sherpa-onnx:{folder}")
    with pytest.raises(ListeningFailed, match="its ears end while they are loaded"):
        await asyncio.to_thread(workers.check)
    await asyncio.to_thread(workers.close)


def test_what_a_model_lacks_is_named_before_it_is_loaded(tmp_path: Path) -> None:
    for spec, says in (
        (f"sherpa-onnx:{tmp_path}/no", "there is no folder"),
        (f"sherpa-onnx:{tmp_path}", "lacks tokens.txt"),
        (f"faster-whisper:{tmp_path}", "lacks model.bin and config.json and tokenizer.json"),
        (f"faster-whisper:{tmp_path}/no", "there is no folder"),
        ("faster-whisper:Somebody/model", "there is no folder"),
    ):
        with pytest.raises(MissingPartError, match=says):
            check_ears(spec)
        assert not to_be_fetched(spec)
    models.tokens_file(tmp_path, ["a"])
    with pytest.raises(MissingPartError, match="holds no model"):
        check_ears(f"sherpa-onnx:{tmp_path}")
    (tmp_path / "model.onnx").write_bytes(b"\xff" * 1000)
    with pytest.raises(MissingPartError, match="does not stream"):
        check_ears(f"sherpa-onnx:{tmp_path}")
    models.piper_voice(tmp_path).rename(tmp_path / "model.onnx")
    with pytest.raises(MissingPartError, match="does not stream"):
        check_ears(f"sherpa-onnx:{tmp_path}")
    with pytest.raises(SettingsError, match="HELPLINE_ENGINE_EARS"):
        check_ears("trumpet")


def test_whisper_without_its_tokenizer_is_refused_and_fetches_nothing(tmp_path: Path) -> None:
    models.whisper_model(tmp_path, "yes")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(MissingPartError, match=r"lacks tokenizer\.json"):
        load_ears(f"faster-whisper:{tmp_path}")


def test_a_damaged_whisper_model_is_named(tmp_path: Path) -> None:
    models.whisper_model(tmp_path, "yes")
    (tmp_path / "model.bin").write_bytes(b"nothing")
    with pytest.raises(MissingPartError, match="cannot be loaded"):
        load_ears(f"faster-whisper:{tmp_path}")


def test_written_text_becomes_words() -> None:
    assert plain(" Where's my order, #1,004? [BLANK_AUDIO] ") == "where's my order #1004"
    assert plain("HELLO — “Yes!” (laughs)") == "hello — “yes!”"
    assert plain("It’s $24.50.") == "it's $24.50"


def test_how_many_processes_listen() -> None:
    assert [processes_for("pocketsphinx", cores) for cores in (1, 8)] == [1, 8]
    assert [processes_for("faster-whisper:base.en", cores) for cores in (1, 8)] == [1, 2]


# --- voices -----------------------------------------------------------------------------------------------


def brought(kind: str, folder: Path) -> str:
    if kind == "piper":
        return f"piper:{models.piper_voice(folder)}"
    return f"kokoro:{models.kokoro_voices(folder, 'af_one', 'bf_two')}"


@pytest.mark.parametrize("kind", ["piper", "kokoro"])
def test_a_voice_speaks_at_24_khz_and_at_the_speed_that_is_asked(tmp_path: Path, kind: str) -> None:
    voice = make_voice(brought(kind, tmp_path))
    assert voice is not None
    sentence = "Your order is on its way to you today."
    normal, fast, slow = (voice.speak(sentence, speed=speed) for speed in (1.0, 1.5, 0.5))
    assert level(normal) > 500
    assert len(fast) < 0.8 * len(normal)
    assert len(slow) > 1.5 * len(normal)
    assert voice.speak("") == voice.speak("… !") == b""


def test_a_piper_voice_of_another_rate_is_as_long_as_it_was(tmp_path: Path) -> None:
    lengths = []
    for rate in (16_000, 22_050):
        (folder := tmp_path / str(rate)).mkdir()
        spoken = spoken_by(f"piper:{models.piper_voice(folder, rate=rate)}", "hello")
        lengths.append(len(spoken) * rate)
    assert lengths[0] == pytest.approx(lengths[1], rel=0.02)


def test_a_kokoro_voice_is_as_high_as_it_was(tmp_path: Path) -> None:
    """The tiny model's wave turns by 0.1 a sample, at 24 kHz."""
    pcm = np.frombuffer(spoken_by(f"kokoro:{models.kokoro_voices(tmp_path, 'af_one')}", "hello"), "<i2")
    loudest = int(np.argmax(np.abs(np.fft.rfft(pcm.astype(float))))) * 24_000 / len(pcm)
    assert loudest == pytest.approx(0.1 * 24_000 / (2 * np.pi), rel=0.02)


def test_a_kokoro_voice_reads_the_language_of_its_name(tmp_path: Path) -> None:
    lengths = []
    for name in ("af_one", "ff_one"):
        (folder := tmp_path / name).mkdir()
        lengths.append(len(spoken_by(f"kokoro:{models.kokoro_voices(folder, name)}", "beaucoup d'oiseaux")))
    assert lengths[0] > 1.2 * lengths[1], "English spells out what French leaves silent"


def spoken_by(spec: str, text: str) -> bytes:
    voice: Voice | None = make_voice(spec)
    assert voice is not None
    return voice.speak(text)


def test_one_of_many_voices_is_taken_by_name_or_number(tmp_path: Path) -> None:
    folder = models.kokoro_voices(tmp_path, "af_one", "bf_two")
    assert spoken_by(f"kokoro:{folder}", "hello") == spoken_by(f"kokoro:{folder}#af_one", "hello")
    assert spoken_by(f"kokoro:{folder}#bf_two", "hello") != spoken_by(f"kokoro:{folder}#af_one", "hello")
    with pytest.raises(MissingPartError, match="has no voice nobody; it has af_one, bf_two"):
        make_voice(f"kokoro:{folder}#nobody")
    (several := tmp_path / "several").mkdir()
    model = models.piper_voice(several, speakers=3)
    first, third = (len(spoken_by(f"piper:{model}#{number}", "hello")) for number in (0, 2))
    assert third == pytest.approx(3 * first, rel=0.01)
    for wrong in ("3", "x"):
        with pytest.raises(MissingPartError, match="HELPLINE_ENGINE_VOICE"):
            make_voice(f"piper:{model}#{wrong}")


def test_what_a_voice_lacks_is_named(tmp_path: Path) -> None:
    model = models.piper_voice(tmp_path, phoneme_type="pinyin")
    for spec, says in (
        (f"piper:{tmp_path}/no.onnx", "there is no file"),
        (f"piper:{model}", "needs more models"),
        (f"kokoro:{tmp_path}/no", "there is no folder"),
        (f"kokoro:{tmp_path}", "lacks its voices"),
        ("espeak:en-us+nobody", "espeak has no voice 'en-us\\+nobody'"),
    ):
        with pytest.raises(MissingPartError, match=says):
            make_voice(spec)
        with pytest.raises(MissingPartError, match=says):
            check_voice(spec)
    Path(f"{model}.json").unlink()
    with pytest.raises(MissingPartError, match="there is no file"):
        check_voice(f"piper:{model}")
    Path(f"{model}.json").write_text("{")
    with pytest.raises(MissingPartError, match="no description"):
        check_voice(f"piper:{model}")
    with pytest.raises(SettingsError, match="HELPLINE_ENGINE_VOICE"):
        make_voice("flute:x")


async def test_a_reply_is_spoken_by_the_voice_that_was_brought(tmp_path: Path) -> None:
    engine = Engine(EngineOptions(voice=brought("piper", tmp_path), pace=Pace(times=0)))
    async with talking(engine) as talker:
        await talker.tell('Say to the customer: "One moment please. Here it is."')
        reply = await talker.reply()
    assert reply.text == "One moment please. Here it is."
    assert reply.response["status"] == "completed"
    assert len(reply.pcm24k) > 48 * 500
    engine.close()


@pytest.mark.parametrize("kind", ["espeak", "piper", "kokoro"])
async def test_a_session_asks_every_voice_for_its_speed(tmp_path: Path, kind: str) -> None:
    spec = "espeak:en-gb+f2" if kind == "espeak" else brought(kind, tmp_path)
    engine = Engine(EngineOptions(voice=spec, pace=Pace(times=0)))
    lengths = []
    async with talking(engine) as talker:
        for speed in (1.0, 1.5):
            await talker.configure(audio={"output": {"speed": speed}})
            await talker.tell('Say to the customer: "Your order is on its way to you."')
            lengths.append(len((await talker.reply()).pcm24k))
    assert 0 < lengths[1] < 0.85 * lengths[0]
    engine.close()


async def test_a_long_sentence_is_made_in_parts_and_said_as_one(tmp_path: Path) -> None:
    made: list[str] = []

    class Slow:
        slow = True

        def speak(self, text: str, *, speed: float = 1.0) -> bytes:
            made.append(text)
            return bytes(4800)

    sentence = "I have found your order number 1004, it left the warehouse today, and it comes on Tuesday."
    engine = Engine(EngineOptions(pace=Pace(times=0)), voice_of=lambda spec: Slow())
    async with talking(engine) as talker:
        await talker.tell(f'Say to the customer: "{sentence}"')
        reply = await talker.reply()
    assert reply.text == sentence == "".join(made)
    assert len(made) == 2
    assert reply.response["status"] == "completed"
    engine.close()


async def test_a_slow_voice_is_stopped_after_the_part_that_it_makes(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    class Slow:
        slow = True

        def speak(self, text: str, *, speed: float = 1.0) -> bytes:
            made.append(text)
            begun.set()
            go_on.wait(20)
            return bytes(4800)

    engine = Engine(EngineOptions(pace=Pace(times=0)), voice_of=lambda spec: Slow())
    async with talking(engine) as talker:
        await talker.tell('Say to the customer: "I have found your order number 1004, it comes on Tuesday."')
        await asyncio.to_thread(begun.wait, 20)
        await talker.send("response.cancel")
        reply = await talker.reply()
        go_on.set()
    assert reply.response["status"] == "cancelled"
    assert len(made) == 1
    engine.close()


async def test_a_voice_that_fails_fails_the_reply_and_tells_none_of_its_words(
    tmp_path: Path,
) -> None:
    model = models.piper_voice(tmp_path, speakers=2, num_speakers=1)
    engine = Engine(EngineOptions(voice=f"piper:{model}", pace=Pace(times=0)))
    async with talking(engine) as talker:
        await talker.tell('Say to the customer: "Dear Miss Lovelace."')
        failed = (await talker.reply()).response
        await talker.type("hello", respond=False)
        await talker.until("conversation.item.done")
    assert failed["status"] == "failed"
    message = failed["status_details"]["error"]["message"]
    assert "HELPLINE_ENGINE_VOICE" in message
    assert "Lovelace" not in message
    engine.close()


@pytest.mark.parametrize("kind", ["piper", "kokoro"])
def test_a_voice_logs_nothing_of_what_it_says(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert spoken_by(brought(kind, tmp_path), "Lovelace")
    assert "Lovelace" not in caplog.text
    assert "lʌv" not in caplog.text


# --- packages and settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "spec", "extra"),
    [
        ("faster_whisper", "faster-whisper:base.en", "faster-whisper"),
        ("sherpa_onnx", "sherpa-onnx:x", "sherpa-onnx"),
        ("pocketsphinx", "pocketsphinx", "engine"),
        ("piper", "piper:x", "piper"),
        ("kokoro_onnx", "kokoro:x", "kokoro"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, spec: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    check = check_voice if extra in ("piper", "kokoro") else check_ears
    with pytest.raises(MissingPartError, match=rf'pip install "helpline\[{extra}\]"'):
        check(spec)


@pytest.mark.parametrize(
    ("module", "spec"),
    [
        ("faster_whisper", "faster-whisper:{}"),
        ("sherpa_onnx", "sherpa-onnx:{}"),
        ("piper", "piper:{}/piper/voice.onnx"),
        ("kokoro_onnx", "kokoro:{}"),
    ],
)
def test_a_package_that_is_broken_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, spec: str
) -> None:
    """Another package that it needs is missing, or a library of the system."""
    (broken := tmp_path / "broken" / module).mkdir(parents=True)
    (broken / "__init__.py").write_text("import there_is_none_of_that\n")
    models.nemo_ctc_model(tmp_path, ["HELLO"])
    (tmp_path / "piper").mkdir()
    models.piper_voice(tmp_path / "piper")
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).touch()
    monkeypatch.syspath_prepend(broken.parent)
    monkeypatch.delitem(sys.modules, module, raising=False)
    load = make_voice if module in ("piper", "kokoro_onnx") else load_ears
    with pytest.raises(MissingPartError, match=r"cannot be imported \(ModuleNotFoundError\): pip install"):
        load(spec.format(tmp_path))


# --- parts of one's own -----------------------------------------------------------------------------------

OWN = """
from helpline.engine.ears import Ears


class Polite(Ears):
    def begin(self):
        self._size = 0

    def hear(self, pcm16k, floor_rms):
        self._size += len(pcm16k)
        return ""

    def finish(self, *, hurried=False):
        return ("thank you",) if self._size > 16_000 else ()

    def cancel(self):
        self._size = 0


class Tone:
    slow = False
    chinese = False

    def speak(self, text, *, speed=1.0):
        if "Lovelace" in text:
            raise ValueError(text)
        return b"x" if "odd" in text else b"\\x00\\x40" * 4800


def no_key():
    raise KeyError("secret")


def nothing():
    return object()


make_ears, make_voice, number = Polite, Tone, 7
"""


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A module of the company's own, by its dotted path."""
    package = "shop_" + re.sub(r"\W", "_", tmp_path.name)
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "parts.py").write_text(OWN)
    (tmp_path / package / "leaves.py").write_text("raise SystemExit('secret')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.syspath_prepend(tmp_path)
    return f"{package}.parts"


async def test_ears_and_a_voice_of_ones_own_hold_a_call(own: str) -> None:
    named = settings(engine_ears=f"{own}:make_ears", engine_voice=f"{own}:make_voice")
    options = replace(options_of(named), workers=1, pace=Pace(times=0))
    engine = Engine(options)
    async with talking(engine) as talker:
        await talker.configure(tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "m"}}})
        await talker.speak("good morning to you all")
        reply = await talker.reply()
    assert reply.transcript == "Thank you."
    assert reply.response["status"] == "completed"
    assert set(np.frombuffer(reply.pcm24k, "<i2")) == {0x4000}
    await asyncio.to_thread(engine.close)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere_at_all.parts:make", "cannot be imported (ModuleNotFoundError): install it beside Helpline"),
        ("{}:none", "has no function none"),
        ("{}:number", "has no function number"),
        ("{}:no_key", "failed with KeyError"),
        ("{}:nothing", "lacks "),
        ("{}:os", "has no function os"),
    ],
)
def test_a_part_of_ones_own_that_is_none_is_told_in_one_sentence(own: str, path: str, says: str) -> None:
    spec = path.format(own)
    for load, setting in ((load_ears, "HELPLINE_ENGINE_EARS"), (make_voice, "HELPLINE_ENGINE_VOICE")):
        with pytest.raises(MissingPartError, match=re.escape(says)) as raised:
            load(spec)
        assert str(raised.value).startswith(setting)
        assert "secret" not in str(raised.value)


def test_a_module_that_ends_the_program_does_not_end_the_desk(own: str) -> None:
    leaves = own.replace(".parts", ".leaves:make")
    for load in (load_ears, check_voice):
        with pytest.raises(MissingPartError, match=r"cannot be imported \(SystemExit\)"):
            load(leaves)


def test_what_is_missing_is_told_at_start_without_loading_any_ears(own: str) -> None:
    check_ears(own.replace(".parts", ".leaves:make"))
    for missing in ("nowhere_at_all.parts:make", f"{own}.deeper:make"):
        with pytest.raises(MissingPartError, match="cannot be imported"):
            options_of(settings(engine_ears=missing))


def test_a_voice_of_ones_own_that_fails_tells_none_of_its_words(own: str) -> None:
    voice = make_voice(f"{own}:make_voice")
    assert voice is not None
    for text, says in (("Dear Miss Lovelace", r"failed \(ValueError\)"), ("odd", "gave no pcm16")):
        with pytest.raises(BackendError, match=says) as raised:
            voice.speak(text)
        assert "Lovelace" not in str(raised.value)


def test_of_a_part_of_ones_own_the_language_is_not_known(own: str) -> None:
    assert (heard_in(f"{own}:make_ears"), spoken_in(f"{own}:make_voice")) == ((), ())


def test_the_settings_name_the_parts_and_are_checked_at_start(tmp_path: Path) -> None:
    assert (settings().engine_ears, settings().engine_voice) == ("pocketsphinx", "espeak:en-us")
    folder = models.nemo_ctc_model(tmp_path, ["HELLO"])
    options = options_of(settings(engine_ears=f"sherpa-onnx:{folder}", engine_voice="ESPEAK:en-gb+f2"))
    assert (options.ears, options.voice) == (f"sherpa-onnx:{folder}", "espeak:en-gb+f2")
    for wrong in (
        {"engine_ears": "faster-whisper"},
        {"engine_ears": "pocketsphinx:x"},
        {"engine_ears": "whisper:base"},
        {"engine_ears": "my.package"},
        {"engine_voice": "my.package:"},
        {"engine_voice": "my.package:make()"},
        {"engine_voice": "piper"},
        {"engine_voice": "none:x"},
    ):
        with pytest.raises(SettingsError, match="must be one of"):
            settings(**wrong)
    for missing in ({"engine_ears": f"sherpa-onnx:{tmp_path}/no"}, {"engine_voice": "piper:/no.onnx"}):
        with pytest.raises(MissingPartError):
            options_of(settings(**missing))


def test_an_espeak_variant_is_another_voice() -> None:
    spoken = [np.frombuffer(spoken_by(f"espeak:{name}", "hello"), "<i2") for name in ("en-gb", "en-gb+f2")]
    assert len(spoken[0]) != len(spoken[1]) or bool((spoken[0] != spoken[1]).any())
