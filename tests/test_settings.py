"""Settings: which source wins, what is refused and how, and that a key is never shown."""

import colorsys
import copy
import dataclasses
import logging
import pickle
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.colours import contrast, read_accent, themes
from helpline.errors import SettingsError
from helpline.hours import read_hours, spoken
from helpline.settings import SETTINGS, Secret, Settings, database_shown, load_settings, where_set

KEY = "k-0123456789abcdef"


@pytest.fixture
def load(tmp_path: Path):
    """Load from an empty folder, with the environment and the files that the test gives."""

    def load(overrides=None, env=None, dotenv: str = "", desk: str = "") -> Settings:
        env_file, desk_file = tmp_path / ".env", tmp_path / "desk.toml"
        env_file.write_text(dotenv)
        desk_file.write_text(desk)
        return load_settings(overrides, env or {}, env_file, desk_file)

    return load


def test_nothing_set_gives_the_engine_on_this_machine_alone(load):
    settings = load()
    assert settings.backends == ("engine",)
    assert (settings.host, settings.port, settings.loopback) == ("127.0.0.1", 8000, True)
    assert settings.database_url == "sqlite+aiosqlite:///var/helpline.db"


def test_each_source_yields_to_the_one_before_it(load):
    everywhere = {"dotenv": "HELPLINE_PORT=3\n", "desk": "port = 4\n"}
    assert load({"port": 1}, {"HELPLINE_PORT": "2"}, **everywhere).port == 1
    assert load({"port": None}, {"HELPLINE_PORT": "2"}, **everywhere).port == 2
    assert load({}, {"HELPLINE_PORT": " "}, **everywhere).port == 3
    assert load({}, {}, dotenv="HELPLINE_PORT=\n", desk="port = 4\n").port == 4


@pytest.mark.parametrize(
    ("env", "backends"),
    [
        ({"OPENAI_API_KEY": KEY}, ("openai",)),
        ({"HELPLINE_REALTIME_URL": "ws://127.0.0.1:1/v1/realtime"}, ("realtime",)),
        (
            {
                "OPENAI_API_KEY": KEY,
                "AZURE_OPENAI_API_KEY": KEY,
                "AZURE_OPENAI_ENDPOINT": "wss://shop.example/",
                "AZURE_OPENAI_DEPLOYMENT": "realtime",
            },
            ("azure", "openai"),
        ),
        ({"OPENAI_API_KEY": KEY, "HELPLINE_BACKENDS": "engine, Voice-Live,engine",
          "AZURE_VOICE_LIVE_ENDPOINT": "https://shop.example"}, ("engine", "voice_live")),
    ],
)  # fmt: skip
def test_what_has_a_key_answers_unless_backends_are_named(load, env, backends):
    assert load(env=env).backends == backends


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HELPLINE_PORT": "http"}, ["HELPLINE_PORT", "whole number", "65535"]),
        ({"HELPLINE_PORT": "70000"}, ["HELPLINE_PORT", "65535"]),
        ({"HELPLINE_SILENCE_MS": "-1"}, ["HELPLINE_SILENCE_MS", "ms"]),
        ({"HELPLINE_VAD_THRESHOLD": "1.5"}, ["HELPLINE_VAD_THRESHOLD", "0 to 1"]),
        ({"HELPLINE_VAD_THRESHOLD": "nan"}, ["HELPLINE_VAD_THRESHOLD", "0 to 1"]),
        ({"HELPLINE_TURN_TAKING": "vendors"}, ["HELPLINE_TURN_TAKING", "did you mean vendor"]),
        ({"HELPLINE_TURN_DETECTION": "semantic"}, ["HELPLINE_TURN_DETECTION", "semantic_vad"]),
        (
            {"HELPLINE_VAD_IDLE_MS": "6000"},
            ["HELPLINE_VAD_IDLE_MS", "HELPLINE_TURN_TAKING", "HELPLINE_IDLE_S"],
        ),
        (
            {"HELPLINE_VAD_IDLE_MS": "600", "HELPLINE_TURN_TAKING": "vendor"},
            ["HELPLINE_VAD_IDLE_MS", "5000 to 30000"],
        ),
        (
            {"HELPLINE_TURN_DETECTION": "push_to_talk", "HELPLINE_TURN_TAKING": "vendor"},
            ["push_to_talk", "HELPLINE_TURN_TAKING to desk"],
        ),
        ({"HELPLINE_SPEED": "2"}, ["HELPLINE_SPEED", "0.25 to 1.5"]),
        ({"HELPLINE_SPEED": "nan"}, ["HELPLINE_SPEED", "0.25 to 1.5"]),
        ({"HELPLINE_TRUNCATION": "0"}, ["HELPLINE_TRUNCATION", "disabled"]),
        ({"HELPLINE_MAX_OUTPUT_TOKENS": "4097"}, ["HELPLINE_MAX_OUTPUT_TOKENS", "4096"]),
        ({"HELPLINE_TOOL_CHOICE": "any tool"}, ["HELPLINE_TOOL_CHOICE", "name of a tool"]),
        ({"HELPLINE_REASONING_EFFORT": "hard"}, ["HELPLINE_REASONING_EFFORT", "minimal"]),
        ({"HELPLINE_TRANSCRIPTION_LANGUAGES": "en,German"}, ["HELPLINE_TRANSCRIPTION_LANGUAGES", "zh-CN"]),
        ({"HELPLINE_NOISE_REDUCTION": "deep"}, ["HELPLINE_NOISE_REDUCTION", "near_field"]),
        ({"HELPLINE_BACKENDS": "azzure"}, ["HELPLINE_BACKENDS", "did you mean azure"]),
        ({"HELPLINE_BACKENDS": ","}, ["HELPLINE_BACKENDS", "list"]),
        ({"HELPLINE_LANGUAGE": "English"}, ["HELPLINE_LANGUAGE", "zh-CN"]),
        ({"HELPLINE_DATABASE_URL": "mysql://x"}, ["HELPLINE_DATABASE_URL", "sqlite:///"]),
        ({"HELPLINE_PROMPT_FILE": "no/such/file"}, ["HELPLINE_PROMPT_FILE", "exists"]),
        ({"HELPLINE_KNOWLEDGE_DIR": "no/such/dir"}, ["HELPLINE_KNOWLEDGE_DIR", "exists"]),
        ({"HELPLINE_CHAT_URL": "ftp://x"}, ["HELPLINE_CHAT_URL", "https://"]),
        ({"HELPLINE_CHAT_URL": "http://[x"}, ["HELPLINE_CHAT_URL", "https://"]),
        ({"HELPLINE_CHAT_URL": "http://x:y"}, ["HELPLINE_CHAT_URL", "https://"]),
        ({"AZURE_OPENAI_ENDPOINT": "shop.example"}, ["AZURE_OPENAI_ENDPOINT", "wss://"]),
        ({"AZURE_OPENAI_ENDPOINT": "http://shop.example"}, ["AZURE_OPENAI_ENDPOINT", "https://"]),
        ({"HELPLINE_VOICE": "a\x07b"}, ["HELPLINE_VOICE", "one line"]),
        ({"HELPLINE_WEBHOOK_SECRET": "whsec_c2Vjc"}, ["HELPLINE_WEBHOOK_SECRET", "base64"]),
        ({"HELPLINE_BACKENDS": "openai"}, ["OPENAI_API_KEY", "not set"]),
        ({"HELPLINE_BACKENDS": "realtime"}, ["HELPLINE_REALTIME_URL", "not set"]),
        ({"AZURE_OPENAI_API_KEY": KEY}, ["AZURE_OPENAI_ENDPOINT", "not set"]),
        (
            {"AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_ENDPOINT": "https://shop.example"},
            ["AZURE_OPENAI_DEPLOYMENT", "not set"],
        ),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_the_setting(load, env, words):
    with pytest.raises(SettingsError) as refused:
        load(env=env)
    sentence = str(refused.value)
    assert all(word in sentence for word in words), sentence
    assert "\n" not in sentence
    assert KEY not in sentence


def test_a_refusal_says_where_the_value_stands(load):
    with pytest.raises(SettingsError, match=r"^--port must be"):
        load({"port": "x"})
    with pytest.raises(SettingsError, match=r"^HELPLINE_PORT in .*\.env must be"):
        load(dotenv="HELPLINE_PORT=x\n")
    with pytest.raises(SettingsError, match=r"^port in .*desk\.toml, line 3, must be"):
        load(desk='# ours\nvoice = "marin"\nport = "x"\n')


@pytest.mark.parametrize("endpoint", ["https://shop.example", "wss://shop.example/", "http://127.0.0.1:9"])
def test_an_endpoint_may_be_written_in_each_of_its_forms(load, endpoint):
    env = {"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_DEPLOYMENT": "d"}
    assert load(env=env).azure_endpoint == endpoint


@pytest.mark.parametrize(
    ("desk", "words"),
    [
        ("port = \nhost = 1", ["no valid TOML", "line 1"]),
        ("\nprot = 1", ["line 2", "did you mean port"]),
        (f'openai_key = "{KEY}"', ["openai_key", ".env", "OPENAI_API_KEY"]),
        ("[port]\nx = 1", ["port", "not a table"]),
    ],
)
def test_desk_toml_is_checked_with_the_line_and_the_reason(load, desk, words):
    with pytest.raises(SettingsError) as refused:
        load(desk=desk)
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert KEY not in str(refused.value)


def test_desk_toml_takes_a_list(load):
    assert load(desk='backends = ["engine"]').backends == ("engine",)


@pytest.mark.parametrize("name", [".env", "desk.toml"])
def test_a_file_that_is_no_text_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings({}, {}, tmp_path / ".env", tmp_path / "desk.toml")


def test_an_unknown_name_is_warned_of_once_with_the_nearest_and_without_its_value(load, caplog):
    with caplog.at_level(logging.WARNING):
        load(env={"HELPLINE_BACKEND": KEY, "HOME": "/"}, dotenv="HELPLINE_ZZZ=1\n")
    assert caplog.messages[0].startswith(
        "HELPLINE_BACKEND is no setting and was ignored (did you mean HELPLINE_BACKENDS?)"
    )
    assert len(caplog.records) == 2
    assert KEY not in caplog.text


def test_each_setting_that_is_set_is_found_where_it_wins(tmp_path):
    (tmp_path / ".env").write_text("HELPLINE_PORT=3\nHELPLINE_VOICE=alloy\nOTHER=1\n")
    (tmp_path / "desk.toml").write_text("port = 4\nhost = 'localhost'\n")
    places = where_set({"HELPLINE_PORT": "2"}, tmp_path / ".env", tmp_path / "desk.toml")
    assert places == {
        "HELPLINE_PORT": "the environment",
        "HELPLINE_VOICE": str(tmp_path / ".env"),
        "HELPLINE_HOST": str(tmp_path / "desk.toml"),
    }


def test_an_unknown_override_is_refused(load):
    with pytest.raises(SettingsError, match="did you mean port"):
        load({"prot": 1})


def test_a_key_is_used_but_never_shown(load):
    settings = load(env={"OPENAI_API_KEY": KEY})
    assert settings.openai_key.reveal() == KEY
    shown = f"{settings!r} {settings} {settings.openai_key} {settings.openai_key!r}"
    assert KEY not in shown
    assert KEY not in repr(dataclasses.asdict(settings))
    assert bool(settings.openai_key)
    assert not Secret()
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(settings.openai_key)
    assert copy.deepcopy(settings.openai_key) == Secret(KEY) != Secret("other")
    assert settings.openai_key != KEY


@pytest.mark.parametrize("key", ["two words", "caf\u00e9", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(load, key):
    with pytest.raises(SettingsError) as refused:
        load(env={"OPENAI_API_KEY": key})
    assert "OPENAI_API_KEY" in str(refused.value)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "ours", "shown"),
    [
        ("postgres://u:pw@h/d?ssl=x", "postgresql+asyncpg://u:pw@h/d?ssl=x", "postgresql://h/d"),
        ("postgresql://h/d", "postgresql+asyncpg://h/d", "postgresql://h/d"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db", "sqlite:///x.db"),
        ("sqlite+aiosqlite:////a/x.db", "sqlite+aiosqlite:////a/x.db", "sqlite:////a/x.db"),
    ],
)
def test_a_database_address_names_our_driver_and_is_shown_without_its_password(load, url, ours, shown):
    settings = load(env={"HELPLINE_DATABASE_URL": url})
    assert settings.database_url == ours
    assert database_shown(settings) == shown
    assert "pw" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("desk.example", False)],
)
def test_only_an_address_of_this_machine_counts_as_loopback(host, loopback):
    assert Settings(host=host).loopback is loopback


def test_every_field_of_settings_has_one_row_with_a_name_of_its_own_and_a_meaning():
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert [*(row.field for row in SETTINGS), "mcp"] == fields, "MCP servers are tables of desk.toml alone"
    assert len({row.env for row in SETTINGS}) == len(SETTINGS)
    assert all(row.meaning.endswith(".") for row in SETTINGS)


@pytest.mark.parametrize("row", [row for row in SETTINGS if row.default_text], ids=lambda row: row.field)
def test_each_default_would_be_accepted_if_it_were_written_down(row):
    if row.default not in (None, ()) and row.default != "":
        assert row.read(row.default_text) == row.default


def test_origins_are_read_as_browsers_write_them(load):
    settings = load(env={"HELPLINE_ORIGINS": "https://Desk.Example.com/, http://10.0.0.7:8080"})
    assert settings.origins == ("https://desk.example.com", "http://10.0.0.7:8080")


@pytest.mark.parametrize("value", ["desk.example.com", "*", "https://desk.example.com/page", "ftp://x"])
def test_what_is_no_origin_is_refused(load, value):
    with pytest.raises(SettingsError, match="HELPLINE_ORIGINS must be a list, with commas, of origins"):
        load(env={"HELPLINE_ORIGINS": value})


def test_a_desk_behind_a_proxy_is_not_alone_on_its_machine():
    assert not Settings(host="127.0.0.1", origins=("https://desk.example.com",)).loopback


def test_paths_in_desk_toml_are_meant_from_its_folder(load, tmp_path):
    (tmp_path / "prompt.md").write_text("Be kind.")
    settings = load(desk='prompt_file = "prompt.md"\ndata_dir = "kept"\n')
    assert settings.prompt_file == tmp_path / "prompt.md"
    assert settings.data_dir == tmp_path / "kept"


def test_a_table_that_repeats_a_key_does_not_move_its_line(load):
    with pytest.raises(SettingsError, match=r"tools in .*desk\.toml, line 1, must be"):
        load(desk='tools = "a b!"\n\n[mcp.stock]\ncommand = ["x"]\ntools = ["a"]\n')


@pytest.mark.parametrize(
    ("accent", "reason"),
    [
        ("blue", "a colour such as #1158bc"),
        ("#12345", "a colour such as #1158bc"),
        ("#ffd400", "dark enough to be read on white"),
        ("#8ab4f8", "dark enough to be read on white"),
    ],
)
def test_an_accent_that_cannot_be_read_is_refused_with_the_line(load, accent, reason):
    with pytest.raises(SettingsError, match=rf"accent in .*desk\.toml, line 1, must be {reason}"):
        load(desk=f'accent = "{accent}"')


@pytest.mark.parametrize("accent", ["#ffd400", "#8ab4f8", "#ff0000", "#00ff00"])
def test_the_accent_that_is_named_in_its_place_is_taken(accent):
    with pytest.raises(ValueError, match="dark enough") as refused:
        read_accent(accent)
    assert read_accent(re.search("#[0-9a-f]{6}", str(refused.value))[0])


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_an_accent_is_readable_in_both_themes_or_refused(accent):
    try:
        read_accent(accent)
    except ValueError:
        return
    light, dark = (css(text) for text in themes(accent))
    assert contrast(light, (1, 1, 1)) >= 4.4  # CSS has whole degrees and per cents.
    assert contrast(dark, css("222 22% 11%")) >= 4.4
    assert contrast(dark, css("222 40% 12%")) >= 4.4, "what stands on it in the dark"


def css(text):
    hue, saturation, lightness = (float(part.rstrip("%")) for part in text.split())
    return colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logo.svg", b"<html>"),
        ("logo.png", b"<svg/>"),
        ("logo.gif", b"GIF89a"),
        ("logo.svg", b"<svg>" + b" " * 200_000),
    ],
)
def test_a_logo_is_a_picture_of_a_bounded_size(load, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=r"line 1, must be an SVG or PNG file of at most 200 kB"):
        load(desk=f'logo = "{name}"')


def test_a_logo_of_another_folder_is_refused(load, tmp_path):
    outside = tmp_path.parent / "outside.svg"
    outside.write_text("<svg/>")
    (tmp_path / "link.svg").symlink_to(outside)
    for path in ("../outside.svg", str(outside), "link.svg"):
        with pytest.raises(SettingsError, match=r"line 1: logo must be a file in this folder"):
            load(desk=f'logo = "{path}"')


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Mon-Fri 9:00-18:00", "2026-11-27 17:59", "2026-11-27 18:00"),
        ("Mon-Fri 9:00-18:00, Sat 10:00-14:00", "2026-11-28 10:00", "2026-11-28 09:59"),
        ("fri-mon 22:15-23:00", "2026-11-29 22:15", "2026-11-26 22:30"),
    ],
)
def test_hours_are_read(load, text, inside, outside):
    hours = load(desk=f'hours = "{text}"').hours
    assert any(each.holds(datetime.fromisoformat(inside)) for each in hours)
    assert not any(each.holds(datetime.fromisoformat(outside)) for each in hours)
    assert load(desk=f"hours = {text.split(', ')}").hours == hours


@pytest.mark.parametrize("text", ["always", "Mon 18:00-9:00", "Mon 9-18", "Mon 9:00-25:00", "Mo 9:00-10:00"])
def test_hours_that_are_none_are_refused(load, text):
    with pytest.raises(SettingsError, match=r"hours in .*line 1, must be a list of hours such as"):
        load(desk=f'hours = "{text}"')


def test_hours_are_said_in_words():
    hours = read_hours("Mon-Fri 9:00-18:00, Sat 10:00-14:00")
    assert spoken(hours).in_("en") == "Monday to Friday, from 9 AM to 6 PM and Saturday, from 10 AM to 2 PM"
    assert "周" in spoken(hours).in_("zh") or "星期" in spoken(hours).in_("zh")
