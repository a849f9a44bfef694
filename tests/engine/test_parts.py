"""Other ears and voices: the real libraries, with tiny models of our own, and what is said when one lacks."""

import asyncio
import logging
import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from helpline.audio.resample import resample
from helpline.engine.ears import check_ears, load_ears, processes_for, to_be_fetched
from helpline.engine.ears.port import Ears, plain
from helpline.engine.lexicon import Expected
from helpline.engine.listening import Began, Ended, Growing, Listener, ListeningFailed, ListenSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, options_of
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Synthesiser, Voice, check_voice, make_voice
from helpline.engine.workers import Workers
from helpline.errors import MissingPartError, SettingsError
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
    assert spoken_by(f"piper:{model}#2", "hello")
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


def test_the_settings_name_the_parts_and_are_checked_at_start(tmp_path: Path) -> None:
    assert (settings().engine_ears, settings().engine_voice) == ("pocketsphinx", "espeak:en-us")
    folder = models.nemo_ctc_model(tmp_path, ["HELLO"])
    options = options_of(settings(engine_ears=f"sherpa-onnx:{folder}", engine_voice="ESPEAK:en-gb+f2"))
    assert (options.ears, options.voice) == (f"sherpa-onnx:{folder}", "espeak:en-gb+f2")
    for wrong in (
        {"engine_ears": "faster-whisper"},
        {"engine_ears": "pocketsphinx:x"},
        {"engine_ears": "whisper:base"},
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
