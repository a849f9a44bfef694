"""The desk's settings: one frozen value, read once at start and handed down.

A value comes from the first of these that has it: the command line, the environment, `.env`, `desk.toml`,
the default. An empty value counts as unset. Keys and tokens are never read from `desk.toml`, which a company
keeps under version control. `SETTINGS` is the one table of them all: `docs/settings.md` is written from it.
"""

import dataclasses
import ipaddress
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from helpline import settings_text as text
from helpline.colours import read_accent
from helpline.errors import SettingsError
from helpline.hours import OpenHours, read_hours
from helpline.mcp_settings import McpServer
from helpline.redact import KINDS
from helpline.settings_sources import Setting, sources_of, value_of
from helpline.settings_text import Reader, Secret, nearest_hint

__all__ = ["BACKENDS", "SETTINGS", "Secret", "Setting", "Settings", "load_settings"]

log = logging.getLogger(__name__)

BACKENDS: Final = ("azure", "openai", "voice_live", "realtime", "engine")
"""Every backend that can be named, in the order in which they are chosen when none is."""

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "azure": ("azure_endpoint", "azure_deployment"),
    "openai": ("openai_key",),
    "voice_live": ("voice_live_endpoint",),
    "realtime": ("realtime_url",),
    "engine": (),
}

_TRACES: Final = ("no", "yes", "audio")
_END_OF_UTTERANCE: Final = ("none", "default", "english", "multilingual")
_LEVELS: Final = ("low", "medium", "high")
_YES_NO: Final = ("yes", "no")
_TURN_TAKING: Final = ("desk", "vendor")
_TURN_DETECTION: Final = ("server_vad", "semantic_vad", "azure_semantic_vad", "push_to_talk")
_EAGERNESS: Final = ("auto", "low", "medium", "high")
_NOISE: Final = ("none", "near_field", "far_field", "azure_deep_noise_suppression")
_EFFORT: Final = ("minimal", "low", "medium", "high", "xhigh")
_SENDS_CODES: Final = ("no", "mail", "webhook")
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")

_REDACTED: Final = (*KINDS, "none")

T = TypeVar("T")


def _setting(default: T, env: str, read: Reader, group: str, meaning: str, *, unset: str = "") -> T:
    """A field of `Settings` that carries its row of the table."""
    row = {"env": env, "read": read, "group": group, "meaning": meaning, "unset": unset}
    shown = not isinstance(default, Secret) and env != "HELPLINE_DATABASE_URL"
    return dataclasses.field(default=default, repr=shown, metadata=row)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a desk; `load_settings` makes one, and it never changes."""

    host: str = _setting("127.0.0.1", "HELPLINE_HOST", text.line, "Desk", "Address the desk listens on.")
    port: int = _setting(8000, "HELPLINE_PORT", text.whole(0, 65535), "Desk", "Port of the page.")
    origins: tuple[str, ...] = _setting(
        (), "HELPLINE_ORIGINS", text.origins, "Desk",
        "Where the page is reached when that is not its own address, such as the name of a reverse proxy: "
        "a list of origins. With any, the demo customer is not signed in.",
        unset="its own address",
    )  # fmt: skip
    sign_in_header: str = _setting(
        "", "HELPLINE_SIGN_IN_HEADER", text.header_name, "Desk",
        "The header in which a reverse proxy that has signed a customer in tells their id, such as "
        "`X-Customer-Id`. Believed only beside HELPLINE_SIGN_IN_SECRET; the proxy must remove it from what "
        "browsers send.",
        unset="nobody is signed in by a proxy",
    )  # fmt: skip
    sign_in_secret: Secret = _setting(
        Secret(), "HELPLINE_SIGN_IN_SECRET", text.secret, "Desk",
        "What the proxy has to send as `X-Helpline-Secret` beside that header: at least 16 characters.",
    )  # fmt: skip
    shop: str = _setting(
        "demo", "HELPLINE_SHOP", text.line, "Desk",
        "Which shop is served. `demo` is seeded with fictional data; its demo customer is signed in only "
        "when the desk listens on this machine alone.",
    )  # fmt: skip
    data_dir: Path = _setting(
        Path("var"),
        "HELPLINE_DATA_DIR",
        text.path,
        "Desk",
        "Folder of the database and of what the desk keeps.",
    )
    database_url: str = _setting(
        "", "HELPLINE_DATABASE_URL", text.database_url, "Desk",
        "Database: `sqlite:///file.db` or `postgresql://user:password@host/name`.",
        unset="SQLite in the data folder",
    )  # fmt: skip
    prompt_file: Path | None = _setting(
        None, "HELPLINE_PROMPT_FILE", text.existing_file, "Desk",
        "Your own system prompt, a text file.", unset="the one that comes with Helpline",
    )  # fmt: skip
    policy_file: Path | None = _setting(
        None, "HELPLINE_POLICY_FILE", text.existing_file, "Desk",
        "Your own policy, a TOML file: who may do what, and within which bounds.",
        unset="the demo shop's",
    )  # fmt: skip
    knowledge_dir: Path | None = _setting(
        None, "HELPLINE_KNOWLEDGE_DIR", text.existing_dir, "Desk",
        "Folder of Markdown pages that `search_help` answers from.", unset="the demo shop's",
    )  # fmt: skip
    name: str = _setting(
        "ShopMe", "HELPLINE_NAME", text.short, "Desk", "The name of the shop that the desk speaks for."
    )
    welcome: str = _setting(
        "", "HELPLINE_WELCOME", text.line, "Desk",
        "The first line on the page, in every language; `{shop}` stands for the name.",
        unset="a welcome in the customer's language",
    )  # fmt: skip
    logo: Path | None = _setting(
        None, "HELPLINE_LOGO", text.picture, "Desk",
        "Your logo, an SVG or PNG file of at most 200 kB; in the folder of `desk.toml` or below it.",
        unset="the name beside a mark",
    )  # fmt: skip
    logo_dark: Path | None = _setting(
        None, "HELPLINE_LOGO_DARK", text.picture, "Desk",
        "The logo for the dark page, where the other could not be read on it.", unset="the same logo",
    )  # fmt: skip
    accent: str = _setting(
        "", "HELPLINE_ACCENT", read_accent, "Desk",
        "The colour of buttons and links, such as `#1158bc`. In the dark a lighter one of the same hue is "
        "used.",
        unset="#1158bc",
    )  # fmt: skip
    suggestions: tuple[str, ...] = _setting(
        (), "HELPLINE_SUGGESTIONS", text.suggestions, "Desk",
        "What the page offers to begin with, a press each: at most 6 sentences, with commas between them.",
        unset="a few of what the desk's tools do",
    )  # fmt: skip
    hours: tuple[OpenHours, ...] = _setting(
        (), "HELPLINE_HOURS", read_hours, "Desk",
        "Opening hours, when people are there, in the time zone of the policy: a list such as "
        "`Mon-Fri 9:00-18:00, Sat 10:00-14:00`. Callbacks are for these hours; outside them the desk says so "
        "and offers one.",
        unset="never closed; callbacks Mon-Fri 9:00-18:00",
    )  # fmt: skip
    tools_file: Path | None = _setting(
        None, "HELPLINE_TOOLS_FILE", text.existing_file, "Desk",
        "Your Python file of tools and hooks, when `helpline run` names none.", unset="none",
    )  # fmt: skip
    tools: tuple[str, ...] = _setting(
        (), "HELPLINE_TOOLS", text.words, "Desk",
        "The tools that the desk offers, by name: a list. The ways to say who one is stay, as the policy has "
        "them.", unset="all",
    )  # fmt: skip
    language: str = _setting("en", "HELPLINE_LANGUAGE", text.language, "Desk", "Language of the calls.")
    voice: str = _setting("marin", "HELPLINE_VOICE", text.line, "Desk", "Voice of a vendor's model.")
    log_level: str = _setting(
        "INFO", "HELPLINE_LOG_LEVEL", text.one_of(_LOG_LEVELS, upper=True), "Desk",
        "How much is logged: DEBUG, INFO, WARNING or ERROR.",
    )  # fmt: skip

    backends: tuple[str, ...] = _setting(
        (), "HELPLINE_BACKENDS", text.names_of(BACKENDS), "Backends",
        "Who answers: a list of azure, openai, voice_live, realtime and engine, tried in order.",
        unset="each that has a key, else engine",
    )  # fmt: skip
    azure_endpoint: str = _setting(
        "", "AZURE_OPENAI_ENDPOINT", text.url("https", "wss"), "Backends",
        "Azure OpenAI resource: https or wss, with or without a slash at the end.",
    )  # fmt: skip
    azure_key: Secret = _setting(
        Secret(), "AZURE_OPENAI_API_KEY", text.secret, "Backends", "Azure OpenAI key."
    )
    azure_deployment: str = _setting(
        "", "AZURE_OPENAI_DEPLOYMENT", text.line, "Backends", "Azure deployment of a realtime model."
    )
    azure_transcription_deployment: str = _setting(
        "", "AZURE_OPENAI_TRANSCRIPTION_DEPLOYMENT", text.line, "Backends",
        "Azure deployment of a transcription model. Without it the customer's words are not shown and a "
        "spoken yes cannot be read: the desk asks for the button.",
    )  # fmt: skip
    openai_key: Secret = _setting(Secret(), "OPENAI_API_KEY", text.secret, "Backends", "OpenAI key.")
    openai_model: str = _setting(
        "gpt-realtime-2.1", "OPENAI_REALTIME_MODEL", text.line, "Backends", "OpenAI realtime model."
    )
    openai_transcription: str = _setting(
        "gpt-live-transcribe", "OPENAI_TRANSCRIPTION_MODEL", text.line, "Backends",
        "OpenAI model that writes the customer's words down.",
    )  # fmt: skip
    voice_live_endpoint: str = _setting(
        "", "AZURE_VOICE_LIVE_ENDPOINT", text.url("https", "wss"), "Backends", "Azure Voice Live resource."
    )
    voice_live_key: Secret = _setting(
        Secret(), "AZURE_VOICE_LIVE_API_KEY", text.secret, "Backends", "Azure Voice Live key."
    )
    voice_live_model: str = _setting(
        "gpt-realtime", "VOICE_LIVE_MODEL", text.line, "Backends", "Azure Voice Live model."
    )
    voice_live_voice: str = _setting(
        "", "VOICE_LIVE_VOICE", text.line, "Backends",
        "Voice on Azure Voice Live: one of Azure's, such as `en-US-Ava:DragonHDLatestNeural`, or, with a "
        "realtime model, one of OpenAI's.",
        unset="HELPLINE_VOICE with a realtime model, else Azure's choice",
    )  # fmt: skip
    voice_live_voice_endpoint: str = _setting(
        "", "VOICE_LIVE_VOICE_ENDPOINT", text.line, "Backends",
        "Endpoint id of a custom voice that Azure trained for you; VOICE_LIVE_VOICE is its name.",
    )  # fmt: skip
    voice_live_personal_model: str = _setting(
        "", "VOICE_LIVE_PERSONAL_MODEL", text.line, "Backends",
        "What speaks with a personal voice, such as `DragonLatestNeural`; VOICE_LIVE_VOICE is its speaker "
        "profile.",
    )  # fmt: skip
    voice_live_temperature: float | None = _setting(
        None, "VOICE_LIVE_VOICE_TEMPERATURE", text.share, "Backends",
        "How lively a voice of Azure's speaks, 0 to 1. Its rate is HELPLINE_SPEED.",
        unset="Azure's choice",
    )  # fmt: skip
    voice_live_style: str = _setting(
        "", "VOICE_LIVE_VOICE_STYLE", text.line, "Backends",
        "Style of a voice of Azure's that has some, such as `cheerful`.",
    )  # fmt: skip
    voice_live_transcription: str = _setting(
        "azure-speech", "VOICE_LIVE_TRANSCRIPTION_MODEL", text.line, "Backends",
        "What writes the customer's words down on Azure Voice Live.",
    )  # fmt: skip
    realtime_url: str = _setting(
        "", "HELPLINE_REALTIME_URL", text.url("wss", "https", "ws", "http"), "Backends",
        "Any server of the Realtime protocol, such as `ws://127.0.0.1:8765/v1/realtime`.",
    )  # fmt: skip
    realtime_key: Secret = _setting(
        Secret(), "HELPLINE_REALTIME_KEY", text.secret, "Backends", "Its key, if it asks for one."
    )
    realtime_model: str = _setting(
        "", "HELPLINE_REALTIME_MODEL", text.line, "Backends", "Its model, if it asks for one."
    )
    realtime_transcription: str = _setting(
        "", "HELPLINE_REALTIME_TRANSCRIPTION_MODEL", text.line, "Backends",
        "Its model that writes the customer's words down, if it asks for one.",
    )  # fmt: skip

    turn_taking: str = _setting(
        "desk", "HELPLINE_TURN_TAKING", text.one_of(_TURN_TAKING), "Talking",
        "Who decides whose turn it is: `desk` (an mhm does not interrupt) or `vendor` (one round trip "
        "faster).",
    )  # fmt: skip
    turn_detection: str = _setting(
        "server_vad", "HELPLINE_TURN_DETECTION", text.one_of(_TURN_DETECTION), "Talking",
        "What ends the customer's turn: `server_vad` (silence), `semantic_vad` (meaning), "
        "`azure_semantic_vad` (Azure Voice Live's own; elsewhere `semantic_vad`), or `push_to_talk` (the "
        "customer holds a button, or the space bar, while speaking).",
    )  # fmt: skip
    silence_ms: int = _setting(
        500, "HELPLINE_SILENCE_MS", text.whole(100, 5000, "ms"), "Talking",
        "Silence after which the customer has finished, in milliseconds.",
    )  # fmt: skip
    vad_threshold: float = _setting(
        0.5, "HELPLINE_VAD_THRESHOLD", text.share, "Talking", "How sure speech detection must be, 0 to 1."
    )
    vad_prefix_ms: int = _setting(
        300, "HELPLINE_VAD_PREFIX_MS", text.whole(0, 2000, "ms"), "Talking",
        "Sound from before the speech that still belongs to it, in milliseconds.",
    )  # fmt: skip
    vad_idle_ms: int = _setting(
        0, "HELPLINE_VAD_IDLE_MS", text.whole(0, 30_000, "ms"), "Talking",
        "Silence after which a vendor that takes the turns (`server_vad`) speaks by itself, 5000 to 30000 "
        "milliseconds; 0 is never. The desk asks a silent caller itself: HELPLINE_IDLE_S.",
    )  # fmt: skip
    eagerness: str = _setting(
        "auto", "HELPLINE_EAGERNESS", text.one_of(_EAGERNESS), "Talking",
        "How soon `semantic_vad` takes a turn for finished: `low` waits up to 8 s, `medium` 4 s, `high` 2 s.",
    )  # fmt: skip
    remove_filler_words: str = _setting(
        "no", "HELPLINE_REMOVE_FILLER_WORDS", text.one_of(_YES_NO), "Talking",
        "Whether `azure_semantic_vad` takes an um or an uh for no speech: `yes` or `no`.",
    )  # fmt: skip
    end_of_utterance: str = _setting(
        "none", "HELPLINE_END_OF_UTTERANCE", text.one_of(_END_OF_UTTERANCE), "Talking",
        "How `azure_semantic_vad` judges whether a customer who pauses has finished: `none` (by silence), "
        "`default`, `english` or `multilingual` (by what they said).",
    )  # fmt: skip
    end_of_utterance_level: str = _setting(
        "", "HELPLINE_END_OF_UTTERANCE_LEVEL", text.one_of(_LEVELS), "Talking",
        "How sure it must be: `low`, `medium` or `high`.", unset="Azure's choice",
    )  # fmt: skip
    end_of_utterance_ms: int = _setting(
        0, "HELPLINE_END_OF_UTTERANCE_MS", text.whole(0, 10_000, "ms"), "Talking",
        "How long it may wait for more, in milliseconds; 0 is Azure's choice.",
    )  # fmt: skip
    barge_in_ms: int = _setting(
        400, "HELPLINE_BARGE_IN_MS", text.whole(0, 5000, "ms"), "Talking",
        "Speech that commits an interruption when no words came, in milliseconds.",
    )  # fmt: skip
    idle_s: int = _setting(
        30, "HELPLINE_IDLE_S", text.whole(5, 600, "s"), "Talking",
        "Silence of the customer after which the desk asks whether they are still there; the third time it "
        "hangs up.",
    )  # fmt: skip
    dead_air_ms: int = _setting(
        4000, "HELPLINE_DEAD_AIR_MS", text.whole(500, 60_000, "ms"), "Talking",
        "Wait for a tool after which the desk says that it takes a moment, in milliseconds.",
    )  # fmt: skip
    noise_reduction: str = _setting(
        "", "HELPLINE_NOISE_REDUCTION", text.one_of(_NOISE), "Talking",
        f"What the vendor takes out of the microphone's sound: {', '.join(f'`{kind}`' for kind in _NOISE)}. "
        "The last is Azure Voice Live's; elsewhere it is `near_field`.",
        unset="the deep one on Azure Voice Live, else the vendor's choice",
    )  # fmt: skip
    echo_cancellation: str = _setting(
        "yes", "HELPLINE_ECHO_CANCELLATION", text.one_of(_YES_NO), "Talking",
        "Whether Azure Voice Live takes its own voice out of the microphone's sound: `yes` or `no`.",
    )  # fmt: skip
    transcription_languages: tuple[str, ...] = _setting(
        (), "HELPLINE_TRANSCRIPTION_LANGUAGES", text.languages, "Talking",
        "Languages in which customers may speak: a list. Models that take one are given the first.",
        unset="the language of the call",
    )  # fmt: skip

    speed: float | None = _setting(
        None, "HELPLINE_SPEED", text.number(0.25, 1.5), "Model",
        "How fast it speaks: 1 is as usual, 0.25 to 1.5.", unset="as usual",
    )  # fmt: skip
    output_modality: str = _setting(
        "audio", "HELPLINE_OUTPUT_MODALITY", text.one_of(("audio", "text")), "Model",
        "How spoken questions are answered: `audio`, or `text` alone. Typed ones are answered in text.",
    )  # fmt: skip
    reasoning_effort: str = _setting(
        "", "HELPLINE_REASONING_EFFORT", text.one_of(_EFFORT), "Model",
        f"How long a model that reasons thinks: {', '.join(_EFFORT)}. Models known not to reason are not "
        "sent it.", unset="the model's own",
    )  # fmt: skip
    truncation: str = _setting(
        "", "HELPLINE_TRUNCATION", text.truncation, "Model",
        "What happens when a conversation outgrows the model: `auto`, `disabled` (an error), or the share of "
        "it that is kept, such as `0.8`.", unset="the model's own",
    )  # fmt: skip
    max_output_tokens: str = _setting(
        "", "HELPLINE_MAX_OUTPUT_TOKENS", text.tokens, "Model",
        "The longest answer in tokens, 1 to 4096, or `inf`.", unset="the model's own",
    )  # fmt: skip
    tool_choice: str = _setting(
        "auto", "HELPLINE_TOOL_CHOICE", text.tool_choice, "Model",
        "Whether the model calls tools: `auto`, `none`, `required` (one before each answer), or the name of "
        "the one that it calls before each answer.",
    )  # fmt: skip

    max_call_minutes: int = _setting(
        60, "HELPLINE_MAX_CALL_MINUTES", text.whole(1, 1440, "minutes"), "Limits",
        "A call that takes longer ends with a sentence.",
    )  # fmt: skip
    max_call_money: Decimal = _setting(
        Decimal(0), "HELPLINE_MAX_CALL_MONEY", text.money, "Limits",
        "A call that has cost as much, in US dollars by the price list, ends with a sentence; 0 is no limit. "
        "What a model costs of which no price is known (`helpline doctor` names it) is not counted.",
    )  # fmt: skip
    max_tool_calls: int = _setting(
        100, "HELPLINE_MAX_TOOL_CALLS", text.whole(1, 10_000), "Limits",
        "A call in which the model has called so many tools ends with a sentence.",
    )  # fmt: skip

    engine_host: str = _setting(
        "127.0.0.1", "HELPLINE_ENGINE_HOST", text.line, "Engine",
        "Address of `helpline engine`; any but this machine's own needs HELPLINE_ENGINE_KEY.",
    )  # fmt: skip
    engine_key: Secret = _setting(
        Secret(), "HELPLINE_ENGINE_KEY", text.secret, "Engine",
        "The key that clients of `helpline engine` are to send; without one any is taken and none needed.",
    )  # fmt: skip
    engine_port: int = _setting(
        8765, "HELPLINE_ENGINE_PORT", text.whole(0, 65535), "Engine", "Port of `helpline engine`."
    )
    engine_ears: str = _setting(
        "pocketsphinx", "HELPLINE_ENGINE_EARS",
        text.part("pocketsphinx", "faster-whisper:MODEL_OR_PATH", "sherpa-onnx:PATH"), "Engine",
        "The embedded engine's recogniser: `pocketsphinx`, `faster-whisper:MODEL_OR_PATH`, "
        "`sherpa-onnx:PATH` or `package.module:function` of your own ([how](engine.md)).",
    )  # fmt: skip
    engine_voice: str = _setting(
        "espeak:en-us", "HELPLINE_ENGINE_VOICE",
        text.part("espeak[:VARIANT]", "piper:PATH", "kokoro:PATH", "none"), "Engine",
        "The embedded engine's voice: `espeak:VARIANT`, `piper:PATH`, `kokoro:PATH`, "
        "`package.module:function` of your own, or `none` ([how](engine.md)).",
    )  # fmt: skip
    chat_url: str = _setting(
        "", "HELPLINE_CHAT_URL", text.url("https", "http"), "Engine",
        "An OpenAI-compatible chat endpoint, the engine's brain.", unset="the engine's own",
    )  # fmt: skip
    chat_model: str = _setting("", "HELPLINE_CHAT_MODEL", text.line, "Engine", "Its model.")
    chat_key: Secret = _setting(Secret(), "HELPLINE_CHAT_KEY", text.secret, "Engine", "Its key.")

    keep_calls_days: int = _setting(
        90, "HELPLINE_KEEP_CALLS_DAYS", text.whole(0, 3650, "days"), "Records",
        "How long the records of calls are kept; 0 keeps none.",
    )  # fmt: skip
    keep_work_days: int = _setting(
        30, "HELPLINE_KEEP_WORK_DAYS", text.whole(0, 3650, "days"), "Records",
        "How long it is remembered which summaries were made and which messages delivered.",
    )  # fmt: skip
    keep_reads_days: int = _setting(
        365, "HELPLINE_KEEP_READS_DAYS", text.whole(0, 3650, "days"), "Records",
        "How long it is remembered who looked at calls.",
    )  # fmt: skip
    keep_traces_days: int = _setting(
        14, "HELPLINE_KEEP_TRACES_DAYS", text.whole(0, 3650, "days"), "Records",
        "How long the traces in the data folder are kept.",
    )  # fmt: skip
    trace_calls: str = _setting(
        "no", "HELPLINE_TRACE_CALLS", text.one_of(_TRACES), "Records",
        "Whether every event of every call is written into the data folder's `traces`: `no`, `yes`, or "
        "`audio` with its sound.",
    )  # fmt: skip
    redact_lines: tuple[str, ...] = _setting(
        (), "HELPLINE_REDACT_LINES", text.names_of(_REDACTED), "Records",
        f"What is taken out of what was said: {', '.join(KINDS)}, or none.", unset="all kinds",
    )  # fmt: skip
    redact_tools: tuple[str, ...] = _setting(
        (), "HELPLINE_REDACT_TOOLS", text.names_of(_REDACTED), "Records",
        "The same of tools' arguments and results, proposals and receipts.", unset="all kinds",
    )  # fmt: skip
    redact_summary: tuple[str, ...] = _setting(
        (), "HELPLINE_REDACT_SUMMARY", text.names_of(_REDACTED), "Records",
        "The same of summaries and notices.", unset="all kinds",
    )  # fmt: skip

    webhook_url: str = _setting(
        "", "HELPLINE_WEBHOOK_URL", text.url("https"), "Messages",
        "Where receipts, callbacks, tickets and ended calls are sent to.",
    )  # fmt: skip
    webhook_secret: Secret = _setting(
        Secret(), "HELPLINE_WEBHOOK_SECRET", text.signing_secret, "Messages", "Signs them, by HMAC-SHA256."
    )
    smtp_host: str = _setting("", "HELPLINE_SMTP_HOST", text.line, "Messages", "Mail server for the same.")
    smtp_port: int = _setting(
        587, "HELPLINE_SMTP_PORT", text.whole(1, 65535), "Messages",
        "Its port; 465 speaks TLS from the start, others where the server offers it. A password needs TLS.",
    )  # fmt: skip
    smtp_user: str = _setting("", "HELPLINE_SMTP_USER", text.line, "Messages", "Its user.")
    smtp_password: Secret = _setting(
        Secret(), "HELPLINE_SMTP_PASSWORD", text.secret, "Messages", "Its password."
    )
    mail_from: str = _setting("", "HELPLINE_MAIL_FROM", text.line, "Messages", "Who the mails are from.")
    mail_to: str = _setting("", "HELPLINE_MAIL_TO", text.line, "Messages", "Who gets them.")
    send_codes: str = _setting(
        "no", "HELPLINE_SEND_CODES", text.one_of(_SENDS_CODES), "Messages",
        "How customers get one-time codes to say who they are, if the policy takes codes: `no`, `mail` "
        "by the mail server above to the address on file, or `webhook` for a company that sends them itself.",
    )  # fmt: skip

    slack_bot_token: Secret = _setting(
        Secret(), "SLACK_BOT_TOKEN", text.secret, "Messengers",
        "The desk in Slack: the app's bot token. Slack posts to `/slack/events`.",
    )  # fmt: skip
    slack_signing_secret: Secret = _setting(
        Secret(), "SLACK_SIGNING_SECRET", text.secret, "Messengers", "What Slack signs its posts with."
    )
    slack_websocket_token: Secret = _setting(
        Secret(), "SLACK_WEBSOCKET_TOKEN", text.secret, "Messengers",
        "An app-level token for Socket Mode: the desk connects to Slack, and nothing is posted to it.",
    )  # fmt: skip
    teams_app_id: str = _setting(
        "", "TEAMS_APP_ID", text.line, "Messengers",
        "The desk in Microsoft Teams: the bot's app id. Its messaging endpoint is `/teams/events`.",
    )  # fmt: skip
    teams_app_password: Secret = _setting(
        Secret(), "TEAMS_APP_PASSWORD", text.secret, "Messengers", "Its client secret."
    )
    teams_tenant_id: str = _setting(
        "", "TEAMS_APP_TENANT_ID", text.line, "Messengers", "Its tenant, of a bot for one tenant."
    )
    discord_bot_token: Secret = _setting(
        Secret(), "DISCORD_BOT_TOKEN", text.secret, "Messengers",
        "The desk in Discord: the bot's token. The desk connects to Discord.",
    )  # fmt: skip

    drain_s: int = _setting(
        300, "HELPLINE_DRAIN_S", text.whole(0, 86_400, "s"), "Operation",
        "How long live calls may go on after SIGTERM or `helpline drain`, in seconds.",
    )  # fmt: skip
    log_format: str = _setting(
        "text", "HELPLINE_LOG_FORMAT", text.one_of(("text", "json")), "Operation",
        "How log lines are written: `text` or `json`.",
    )  # fmt: skip
    otlp_url: str = _setting(
        "", "HELPLINE_OTLP_URL", text.url("https", "http"), "Operation",
        "Where OpenTelemetry traces of calls are sent to, such as `http://127.0.0.1:4318/v1/traces`.",
    )  # fmt: skip
    metrics_token: Secret = _setting(
        Secret(), "HELPLINE_METRICS_TOKEN", text.secret, "Operation",
        "What a reader of `/metrics` has to show (`Authorization: Bearer …`). Without one it is served on "
        "this machine alone.",
    )  # fmt: skip

    mcp: tuple[McpServer, ...] = ()
    """MCP servers whose tools the desk offers: the tables `[mcp.NAME]` of `desk.toml`, and there alone."""

    def __post_init__(self) -> None:
        """Fill in what follows from other settings; refuse a backend that lacks its address."""
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite+aiosqlite:///{self.data_dir / 'helpline.db'}")
        if not self.backends:
            object.__setattr__(self, "backends", tuple(self._with_a_key()) or ("engine",))
        self._check_backends()
        self._check_turns()
        self._check_azure_speech()
        self._check_messengers()
        self._check_codes()

    def _check_backends(self) -> None:
        for backend in self.backends:
            for field in _NEEDS[backend]:
                if not getattr(self, field):
                    raise SettingsError(
                        f"{_BY_FIELD[field].env} is not set, and the {backend} backend needs it: "
                        f"set it, or choose another in HELPLINE_BACKENDS."
                    )

    def _check_turns(self) -> None:
        if self.turn_taking == "vendor" and self.turn_detection == "push_to_talk":
            raise SettingsError(
                "HELPLINE_TURN_DETECTION is push_to_talk, which leaves a vendor no turns to take: set "
                "HELPLINE_TURN_TAKING to desk."
            )
        if self.vad_idle_ms and (self.turn_taking, self.turn_detection) != ("vendor", "server_vad"):
            raise SettingsError(
                "HELPLINE_VAD_IDLE_MS is for a vendor that takes the turns by server_vad: set "
                "HELPLINE_TURN_TAKING to vendor, or set HELPLINE_IDLE_S in its place."
            )
        if 0 < self.vad_idle_ms < 5000:
            raise SettingsError("HELPLINE_VAD_IDLE_MS must be 0, or from 5000 to 30000 ms.")

    def _check_azure_speech(self) -> None:
        more = {
            "VOICE_LIVE_VOICE_ENDPOINT": self.voice_live_voice_endpoint,
            "VOICE_LIVE_PERSONAL_MODEL": self.voice_live_personal_model,
            "VOICE_LIVE_VOICE_TEMPERATURE": self.voice_live_temperature is not None,
            "VOICE_LIVE_VOICE_STYLE": self.voice_live_style,
        }
        named = next((name for name, given in more.items() if given), "")
        if named and not self.voice_live_voice:
            raise SettingsError(f"{named} needs the name of a voice of Azure's: set VOICE_LIVE_VOICE too.")
        if self.voice_live_voice_endpoint and self.voice_live_personal_model:
            raise SettingsError(
                "VOICE_LIVE_VOICE_ENDPOINT is for a custom voice, VOICE_LIVE_PERSONAL_MODEL for a personal: "
                "leave one out."
            )
        asks = self.end_of_utterance != "none"
        if (asks or self.remove_filler_words == "yes") and self.turn_detection != "azure_semantic_vad":
            name = "HELPLINE_END_OF_UTTERANCE" if asks else "HELPLINE_REMOVE_FILLER_WORDS"
            raise SettingsError(f"{name} is for azure_semantic_vad: set HELPLINE_TURN_DETECTION to it.")
        if (self.end_of_utterance_level or self.end_of_utterance_ms) and not asks:
            name = f"HELPLINE_END_OF_UTTERANCE_{'LEVEL' if self.end_of_utterance_level else 'MS'}"
            raise SettingsError(f"{name} needs HELPLINE_END_OF_UTTERANCE: set it too.")

    def _check_messengers(self) -> None:
        if self.slack_bot_token and not (self.slack_signing_secret or self.slack_websocket_token):
            raise SettingsError(
                "SLACK_BOT_TOKEN needs SLACK_SIGNING_SECRET, or SLACK_WEBSOCKET_TOKEN for Socket Mode: "
                "set one too."
            )
        if self.teams_app_id and not self.teams_app_password:
            raise SettingsError("TEAMS_APP_ID needs TEAMS_APP_PASSWORD: set it too.")

    def _check_codes(self) -> None:
        needs = {"mail": "smtp_host", "webhook": "webhook_url"}.get(self.send_codes)
        if needs and not getattr(self, needs):
            raise SettingsError(
                f"HELPLINE_SEND_CODES is {self.send_codes}, which needs {_BY_FIELD[needs].env}: set it too."
            )

    def _with_a_key(self) -> Iterator[str]:
        keys = {
            "azure": self.azure_key,
            "openai": self.openai_key,
            "voice_live": self.voice_live_key,
            "realtime": self.realtime_url,
        }
        return (backend for backend in BACKENDS if keys.get(backend))

    @property
    def loopback(self) -> bool:
        """Whether the desk can be reached from this machine alone, and through no proxy on it."""
        return not self.origins and is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether this address is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


SETTINGS: Final[tuple[Setting, ...]] = tuple(
    Setting(field.name, default=field.default, **field.metadata)
    for field in dataclasses.fields(Settings)
    if field.metadata
)
"""The table of all settings, in the order in which they are documented."""

_BY_FIELD: Final = {setting.field: setting for setting in SETTINGS}
_BY_ENV: Final = {setting.env: setting for setting in SETTINGS}


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    env_file: str | Path = ".env",
    desk_file: str | Path = "desk.toml",
) -> Settings:
    """Read the settings of this desk; `overrides` (by field name, None for not given) is the command line.

    Raises SettingsError, in one sentence that names the setting, its place and what it must be. Warns, once
    per load, of each HELPLINE_* name that nobody reads.
    """
    environment = os.environ if env is None else env
    sources = sources_of(_BY_FIELD, overrides or {}, environment, Path(env_file), Path(desk_file))
    for source in sources:
        for warning in unknown_names(source.names):
            log.warning("%s (in %s)", warning, source.name)
    values = {setting.field: value_of(setting, sources) for setting in SETTINGS}
    return Settings(**values, mcp=sources[-1].mcp)


def where_set(
    env: Mapping[str, str] | None = None, env_file: str | Path = ".env", desk_file: str | Path = "desk.toml"
) -> dict[str, str]:
    """The place of each setting that is set somewhere, by its name in the environment."""
    environment = os.environ if env is None else env
    sources = sources_of(_BY_FIELD, {}, environment, Path(env_file), Path(desk_file))
    return {
        setting.env: source.name
        for setting in SETTINGS
        for source in reversed(sources)
        if source.values.get(setting.field, "").strip()
    }


def unknown_names(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each HELPLINE_* name that no setting has, with the nearest that one has."""
    for name in sorted(names):
        if name.startswith("HELPLINE_") and name not in _BY_ENV:
            yield f"{name} is no setting and was ignored{nearest_hint(name, _BY_ENV)}"


def database_shown(settings: Settings) -> str:
    """Where the database is, fit for a log: without user, password or options."""
    scheme, _, rest = settings.database_url.partition("://")
    place = rest.split("?")[0].rpartition("@")[2]
    return f"{scheme.partition('+')[0]}://{place}"
