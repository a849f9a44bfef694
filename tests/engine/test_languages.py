"""Languages: what a session says of its own reaches the ears, and what a part lacks is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpline.cli.doctor import examine
from helpline.engine.backend import EngineBackend
from helpline.engine.chat import ChatSettings
from helpline.engine.ears import heard_in, load_ears
from helpline.engine.ears.faster_whisper import WhisperEars
from helpline.engine.language import readable
from helpline.engine.languages import lacking
from helpline.engine.lexicon import Expected
from helpline.engine.listening import ListenSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.spoken import speakable
from helpline.engine.voice import make_voice, spoken_in
from helpline.settings import Settings, load_settings
from tests.engine import models
from tests.engine.chat_server import ChatServer, Nobody, line, streams
from tests.engine.talk import SHOP_TOOLS, Talker, level, talking


def settings(**named: str) -> Settings:
    return load_settings(named, {}, env_file="", desk_file="")


# --- the session's language reaches the ears --------------------------------------------------------------


class Whisper:
    """A model that keeps in which languages it was asked."""

    def __init__(self, *languages: str) -> None:
        self.supported_languages = list(languages)
        self.asked: list[str | None] = []

    def transcribe(self, heard: Any, *, language: str | None, **_: Any) -> tuple[Iterator[Any], None]:
        self.asked.append(language)
        return iter(()), None


def test_whisper_is_told_the_language_that_it_knows() -> None:
    model = Whisper("en", "de", "zh")
    ears = WhisperEars(model)
    for language in ("", "de", "zh", "xx"):
        ears.expect(Expected(language=language))
        ears.begin()
        ears.hear(bytes(32_000), 20.0)
        ears.finish()
    assert model.asked == [None, "de", "zh", None]


@pytest.mark.parametrize("language", ["", "zh", "xx"])
def test_a_real_whisper_of_english_takes_any(tmp_path: Path, language: str) -> None:
    folder = models.whisper_model(tmp_path, "你好", "1004")
    ears = load_ears(f"faster-whisper:{folder}")()
    ears.expect(Expected(language=language))
    ears.begin()
    ears.hear(bytes(range(256)) * 250, 20.0)
    assert ears.finish() == ("你好 1004",)


class Listens(Nobody):
    """Keeps how it is to listen."""

    def __init__(self) -> None:
        self.settings = ListenSettings()

    async def configure(self, settings: ListenSettings) -> None:
        self.settings = settings


@pytest.mark.parametrize(
    ("asked", "offline", "with_a_model"),
    [
        ({}, "en", ""),
        ({"language": "zh"}, "zh", "zh"),
        ({"language": "pt-BR"}, "pt", "pt"),
        ({"languages": ["de"]}, "de", "de"),
        ({"languages": ["de", "en"]}, "", ""),
        ({"languages": ["en-GB", "en-US"]}, "en", "en"),
        ({"language": None}, "en", ""),
    ],
)
async def test_the_ears_are_told_what_the_session_says(
    asked: dict[str, Any], offline: str, with_a_model: str
) -> None:
    for chat, expected in ((None, offline), (ChatSettings("http://127.0.0.1:1", "m"), with_a_model)):
        hearing = Listens()
        engine = Engine(EngineOptions(pace=Pace(times=0), chat=chat), make_hearing=lambda one=hearing: one)
        async with talking(engine) as talker:
            await talker.configure(audio={"input": {"transcription": {"model": "m", **asked}}})
            await talker.type("hello", respond=False)
            await talker.until("conversation.item.done")
        assert hearing.settings.expected.language == expected
        engine.close()


async def test_what_is_no_language_is_refused(talker: Talker) -> None:
    for wrong in ("english!", "", "e", "<|zh|>", "x" * 500):
        for asked, param in (
            ({"language": wrong}, "session.audio.input.transcription.language"),
            ({"languages": ["en", wrong]}, "session.audio.input.transcription.languages[1]"),
        ):
            transcription = {"model": "m", **asked}
            await talker.send(
                "session.update",
                session={"type": "realtime", "audio": {"input": {"transcription": transcription}}},
            )
            error = (await talker.until("error"))["error"]
            assert (error["code"], error["param"]) == ("invalid_value", param)


# --- what is heard and said in another ---------------------------------------------------------------------


def test_a_caption_is_in_the_language_that_was_spoken() -> None:
    for heard, language, caption in (
        ("where is order one zero zero four", "en", "Where is order 1004?"),
        ("wo ist meine bestellung 1004", "de", "Wo ist meine bestellung 1004."),
        ("one ou two", "fr", "One ou two."),
        ("我的订单1004到哪了", "zh", "我的订单1004到哪了。"),
        ("到哪了？", "", "到哪了？"),
        ("", "de", ""),
    ):
        assert readable(heard, language=language) == caption


def test_a_voice_reads_numbers_in_its_own_language() -> None:
    assert speakable("Order 1004 costs $24.50.") == "Order 1 0 0 4 costs 24 dollars and 50 cents."
    assert speakable("Bestellung P0001 kostet *24,50 €*.", "de") == "Bestellung P 0 0 0 1 kostet  24,50 € ."
    assert speakable("订单1004已取消，退款$24.50。", "zh") == "订单1 0 0 4已取消，退款$24.50。"


async def test_a_call_in_chinese_with_parts_that_have_it(tmp_path: Path, chat: ChatServer) -> None:
    """Whisper hears, a chat model thinks, a Chinese voice speaks: nobody is told of English."""
    (tmp_path / "ears").mkdir()
    ears = models.whisper_model(tmp_path / "ears", "我的订单", "1004", "到哪了")
    voice = models.piper_voice(tmp_path, espeak={"voice": "cmn"})
    options = EngineOptions(
        ears=f"faster-whisper:{ears}",
        voice=f"piper:{voice}",
        chat=ChatSettings(chat.url, "m", first_word_s=10),
        pace=Pace(times=0),
    )
    chat.scripts = [
        streams(line(content="您的订单已发货。"), line(content="明天送到！"), b"data: [DONE]\n\n")
    ]
    engine = Engine(options)
    backend = EngineBackend(engine=engine)
    assert backend.languages == ()
    assert "英语" not in backend.answering.in_("zh")
    async with talking(engine) as talker:
        await talker.configure(
            tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "m", "languages": ["zh"]}}}
        )
        await talker.speak("hello there, thank you very much")
        reply = await talker.reply()
    assert reply.transcript == "我的订单 1004 到哪了。"
    assert chat.asked[0]["messages"][-1]["content"] == reply.transcript
    assert reply.text == "您的订单已发货。明天送到！"
    assert level(reply.pcm24k) > 100
    engine.close()


# --- what a part lacks is told -----------------------------------------------------------------------------


def test_what_is_known_of_parts_without_loading_them(tmp_path: Path) -> None:
    heard = {"pocketsphinx": ("en",), "faster-whisper:base.en": ("en",), "faster-whisper:large-v3": ()}
    heard |= {
        "faster-whisper:distil-large-v3": ("en",),
        "sherpa-onnx:/zh": (),
        "faster-whisper:/m/tiny.en": ("en",),
    }
    assert {spec: heard_in(spec) for spec in heard} == heard
    voice = models.piper_voice(tmp_path, espeak={"voice": "cmn"})
    spoken = {"espeak:en-gb+f2": ("en", "zh"), "espeak:de": ("de", "zh"), "espeak:cmn": ("zh",), "none": ()}
    spoken |= {f"piper:{voice}": ("zh",), f"piper:{voice}#0": ("zh",), "piper:/no.onnx": ()}
    spoken |= {"kokoro:/k": ("en",), "kokoro:/k#ff_siwis": ("fr",), "kokoro:/k#bf_emma": ("en",)}
    assert {spec: spoken_in(spec) for spec in spoken} == spoken
    loaded = make_voice(f"piper:{voice}")
    assert loaded is not None
    assert loaded.chinese


def test_each_part_that_lacks_the_language_is_named_in_one_sentence() -> None:
    offline = lacking("pocketsphinx", "espeak:en-us", model=False, language="zh-CN")
    assert offline == (
        "Calls are in Simplified Chinese, but of the engine's parts its ears hear English"
        " (HELPLINE_ENGINE_EARS); its own brain knows English, and a little typed Chinese"
        " (HELPLINE_CHAT_URL)."
    )
    german = lacking("faster-whisper:turbo", "espeak:en-us", model=True, language="de")
    assert german == (
        "Calls are in German, but of the engine's parts its voice speaks English and Simplified Chinese"
        " (HELPLINE_ENGINE_VOICE)."
    )
    for ears, voice, language in (
        ("pocketsphinx", "espeak:en-us", "en"),
        ("pocketsphinx", "espeak:en-us", "en-GB"),
    ):
        assert lacking(ears, voice, model=False, language=language) == ""
    assert lacking("faster-whisper:turbo", "espeak:de", model=True, language="de-AT") == ""


async def test_it_is_told_at_start_and_by_the_doctor(caplog: pytest.LogCaptureFixture) -> None:
    chinese = settings(language="zh", backends="engine", chat_url="http://127.0.0.1:1", chat_model="m")
    backend = EngineBackend.of(chinese)
    assert "its ears hear English" in caplog.text
    assert backend.languages == ("en",), "a customer who speaks Chinese is told that it is not heard"
    found = [finding async for finding in examine(chinese, live=False)]
    assert [one.verdict for one in found if one.what == "engine's languages"] == ["note"]
    caplog.clear()
    EngineBackend.of(settings(backends="engine"))
    assert "Calls are in" not in caplog.text


def test_it_says_what_it_is() -> None:
    offline, hears_more = EngineBackend(), EngineBackend(EngineOptions(ears="faster-whisper:turbo"))
    assert "speaks English" in offline.answers
    assert "只听得懂英语" in offline.answering.in_("zh")
    assert "只听得懂英语" not in hears_more.answering.in_("zh")
    assert "in English" in hears_more.answers
