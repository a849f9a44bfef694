"""`helpline doctor`: what is configured, what works, and what to do about what does not."""

import asyncio
import platform
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Final, Literal
from urllib.parse import urlsplit

import click
from msgspec.structs import replace

from helpline.call.link import FIELD, OPTIONAL
from helpline.cli.start import prepare
from helpline.desk import backends_of
from helpline.engine.brain import Call, Said, Turn
from helpline.engine.chat import ChatBrain, ChatSettings
from helpline.engine.ears import beside, check_ears, load_ahead, to_be_fetched
from helpline.engine.espeak import espeak_is_there
from helpline.engine.languages import lacking
from helpline.engine.meaning import Tool
from helpline.engine.server import chat_of
from helpline.engine.voice import make_voice
from helpline.engine.workers import Workers
from helpline.errors import BackendError, ConnectionLost, HelplineError
from helpline.own import Own, own_in
from helpline.policy import load_policy
from helpline.private import is_open_to_others
from helpline.realtime.asked import session_asked, transcription_asked
from helpline.realtime.connection import Backend, Connection
from helpline.realtime.cost import prices
from helpline.realtime.events import ErrorReceived, SessionCreated, SessionUpdate, SessionUpdated
from helpline.records.records import model_of
from helpline.settings import SETTINGS, Settings, database_shown, where_set
from helpline.store import Store
from helpline.store.database import database_url, sqlite_file

Verdict = Literal["ok", "note", "fail"]
MARKS: Final = {"ok": "ok  ", "note": "note", "fail": "FAIL"}
LIVE_TIMEOUT_S: Final = 15.0
ACK_TIMEOUT_S: Final = 5.0
CHAT_TIMEOUT_S: Final = 60.0
"""A model on this machine may have to be loaded first."""
_IN_DESK_FILE: Final = {setting.env: setting.field for setting in SETTINGS}
_ASKS: Final = "Where is my order 1004?"
_AN_ORDER: Final = {
    "type": "object",
    "properties": {"order_id": {"type": "string", "description": "The order's number."}},
    "required": ["order_id"],
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    verdict: Verdict
    sentence: str


@click.command()
@click.option("--live", is_flag=True, help="Open a session on each backend, and try the chat model.")
def command(live: bool) -> None:
    """Say what is configured, what works, and what to do about what does not; exit 1 if anything fails."""
    settings = prepare(quiet=True)
    if asyncio.run(report(settings, live=live)):
        raise click.exceptions.Exit(1)


async def report(settings: Settings, *, live: bool) -> bool:
    """Print each finding as it is found; whether any of them is a failure."""
    failed = False
    async for finding in examine(settings, live=live):
        failed = failed or finding.verdict == "fail"
        click.echo(f"{MARKS[finding.verdict]}  {finding.what}: {finding.sentence}")
    return failed


async def examine(settings: Settings, *, live: bool) -> AsyncIterator[Finding]:
    """Every finding about a desk with these settings."""
    for look in (_settings, _page, _own, _engine, _backends, _prices, _policy):
        for finding in look(settings):
            yield finding
    yield await _store(settings)
    if live:
        if settings.chat_url and settings.chat_model:
            yield await try_chat(settings)
        async with backends_of(settings) as backends:
            for backend in backends:
                yield await _live(backend, settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()}.")
    stand: dict[str, list[str]] = {}
    for name, place in where_set().items():
        known_as = _IN_DESK_FILE[name] if place.endswith(".toml") else name
        stand.setdefault(place, []).append(known_as)
    said = "; ".join(f"in {place}: {', '.join(sorted(names))}" for place, names in stand.items())
    yield Finding("settings", "ok", f"{said}." if said else "none is set; the defaults hold.")


def _page(settings: Settings) -> Iterator[Finding]:
    if find_spec("chainlit") is None:
        yield Finding("page", "fail", "Chainlit is not installed: pip install 'helpline[web]'.")
        return
    url = f"http://{settings.host}:{settings.port}"
    if taken(settings.host, settings.port):
        sentence = f"{url} is in use, perhaps by a desk that runs: stop that, or set HELPLINE_PORT."
        yield Finding("page", "note", sentence)
    else:
        yield Finding("page", "ok", f"`helpline run` serves it at {url}.")
    if settings.loopback:
        yield Finding("microphone", "ok", "works at localhost; from elsewhere a browser asks for HTTPS.")
    else:
        sentence = (
            f"browsers give none to {url}: put HTTPS in front of it, or set HELPLINE_HOST to 127.0.0.1."
        )
        yield Finding("microphone", "note", sentence)


def _own(settings: Settings) -> Iterator[Finding]:
    """The company's own file, and how its customers sign in."""
    own = Own()
    if settings.tools_file is not None:
        try:
            own = own_in(settings.tools_file)
        except HelplineError as wrong:
            yield Finding("tools file", "fail", str(wrong))
        else:
            brought = [each.name for each in own.tools] or (["hooks alone"] if own.open_shop is None else [])
            if own.open_shop is not None:
                brought.append("an order system of your own (open_shop)")
            yield Finding("tools file", "ok", f"{settings.tools_file}: {', '.join(brought)}.")
    if find_spec("chainlit") is not None:
        yield from _sign_in(settings, own)


def _sign_in(settings: Settings, own: Own) -> Iterator[Finding]:
    from helpline.channels.web import oauth
    from helpline.channels.web.signing_in import SignIn

    oauth.heed_env_file()
    ways, wrong = [], list(oauth.wrong_in_environment(settings))
    try:
        if SignIn.of(settings):
            ways.append(f"by the proxy's header {settings.sign_in_header}")
        if own.hooks.sign_in is not None:
            ways.append("by name and password")
        ways += [f"with {name}" for name in oauth.configured_providers(settings)]
    except HelplineError as refused:
        wrong.append(str(refused))
    yield from (Finding("sign-in", "fail", sentence) for sentence in wrong)
    if ways or not wrong:
        yield Finding(
            "sign-in", "ok", f"{', '.join(ways) or 'none: customers are guests until they verify'}."
        )


def _engine(settings: Settings) -> Iterator[Finding]:
    """Parts of the embedded engine, really loaded; only a failure where the engine is to answer."""
    bad: Verdict = "fail" if "engine" in settings.backends else "note"
    yield _ears(settings.engine_ears, bad)
    yield _voice(settings.engine_voice, bad)
    try:
        chat = chat_of(settings)
    except HelplineError as wrong:
        yield Finding("engine's brain", bad, str(wrong))
        return
    brain = f"the chat model {chat.model}." if chat else "its own: English, the shop's requests."
    yield Finding("engine's brain", "ok", brain)
    ears, voice, language = settings.engine_ears, settings.engine_voice, settings.language
    if lacks := lacking(ears, voice, model=chat is not None, language=language):
        yield Finding("engine's languages", "note", lacks)


def _ears(spec: str, bad: Verdict) -> Finding:
    try:
        check_ears(spec)
        if to_be_fetched(spec):
            sentence = f"{spec}, which is fetched from the internet when it first listens."
            return Finding("engine's ears", "note", sentence)
        began = time.monotonic()
        with closing(Workers(1, spec)) as workers:
            workers.check()
        load_ahead(spec)
    except HelplineError as wrong:
        return Finding("engine's ears", bad, str(wrong))
    second, loaded = beside(spec), f"loaded in {time.monotonic() - began:.1f} s"
    if second == "":
        more = 'pip install "helpline[moonshine]" and they hear any words, where it has a wheel'
        return Finding("engine's ears", "note", f"{spec} alone, {loaded}: {more}.")
    return Finding(
        "engine's ears", "ok", f"{spec} with {second}, {loaded}." if second else f"{spec}, {loaded}."
    )


def _voice(spec: str, bad: Verdict) -> Finding:
    try:
        voice = make_voice(spec)
        if voice is None:
            return Finding("engine's voice", "note", "none: replies are shown as text, without sound.")
        began = time.monotonic()
        sound = voice.speak("Hello, how can I help you?")
        took_ms = (time.monotonic() - began) * 1000
    except HelplineError as wrong:
        if spec.startswith("espeak") and not espeak_is_there():
            return Finding("engine's voice", "note", f"{wrong} Without it replies are shown as text.")
        return Finding("engine's voice", bad, str(wrong))
    if not any(sound):
        return Finding(
            "engine's voice", bad, f"{spec} makes no sound: choose another in HELPLINE_ENGINE_VOICE."
        )
    sentence = f"{spec}, {len(sound) / 48_000:.1f} s of speech made in {took_ms:.0f} ms."
    return Finding("engine's voice", "ok", sentence)


def _backends(settings: Settings) -> Iterator[Finding]:
    yield Finding("backends", "ok", f"{', then '.join(settings.backends)}.")
    keys = {"azure": settings.azure_key, "voice_live": settings.voice_live_key}
    for name in settings.backends:
        if name in keys and not keys[name]:
            yield Finding(name, "note", "no key is set: it signs in with Entra ID (azure-identity).")
    if "azure" in settings.backends and not settings.azure_transcription_deployment:
        yield Finding(
            "azure",
            "note",
            "AZURE_OPENAI_TRANSCRIPTION_DEPLOYMENT is not set: the customer's words are not shown, and a "
            "change is confirmed by button or by typing.",
        )


def _prices(settings: Settings) -> Iterator[Finding]:
    """Models of which no price is known: what they cost is said to be unknown, and no limit counts it."""
    listed, model = prices(), model_of(settings)
    named = (model(backend, kind) for backend in settings.backends for kind in ("response", "transcription"))
    unknown = sorted({name for name in named if listed.of(name) is None})
    if unknown:
        limit = " HELPLINE_MAX_CALL_MONEY cannot count them." if settings.max_call_money else ""
        sentence = f"none is known of {', '.join(unknown)}: what they cost is shown as unknown.{limit}"
        yield Finding("prices", "note", sentence)
    else:
        yield Finding("prices", "ok", f"known of every model, as of {listed.as_of}.")


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        load_policy(settings.policy_file)
        yield Finding("policy", "ok", f"{settings.policy_file or 'the one that comes with Helpline'}.")
    except HelplineError as wrong:
        yield Finding("policy", "fail", str(wrong))


async def _store(settings: Settings) -> Finding:
    try:
        store = await Store.open(
            settings.database_url, data_dir=settings.data_dir, demo=settings.shop == "demo"
        )
        await store.close()
    except HelplineError as wrong:
        return Finding("store", "fail", str(wrong))
    file = sqlite_file(database_url(settings.database_url))
    if file is not None and is_open_to_others(file):
        sentence = f"every user of this machine may read {file}: chmod 600 it, or 700 its folder."
        return Finding("store", "note", sentence)
    return Finding("store", "ok", f"{database_shown(settings)} can be read and written.")


async def _live(backend: Backend, settings: Settings) -> Finding:
    """Open a session and ask for all that the settings ask for, as a call does; nothing is said in it."""
    what, began = f"{backend.name}, live", time.monotonic()
    try:
        async with asyncio.timeout(LIVE_TIMEOUT_S):
            connection = await backend.connect()
            try:
                while not isinstance(await connection.receive(), SessionCreated):
                    continue
                took_ms = (time.monotonic() - began) * 1000
                refused = await _refused(connection, backend, settings)
            finally:
                await connection.close()
    except (BackendError, ConnectionLost) as wrong:
        return Finding(what, "fail", str(wrong))
    except TimeoutError:
        return Finding(what, "fail", f"no answer within {LIVE_TIMEOUT_S:.0f} s.")
    if refused:
        return Finding(what, "note" if refused.plain else "fail", refused.sentence)
    return Finding(what, "ok", f"a session opened in {took_ms:.0f} ms and took every setting.")


async def try_chat(settings: Settings) -> Finding:
    """Ask the chat model for something that takes a tool, as the engine asks."""
    what, began = "engine's brain, live", time.monotonic()
    bad: Verdict = "fail" if "engine" in settings.backends else "note"
    chat = ChatSettings(settings.chat_url, settings.chat_model, settings.chat_key.reveal())
    tools = (Tool("check_order_status", "The status of an order.", _AN_ORDER),)
    turn = Turn((Said("user", _ASKS),), tools, datetime.now(UTC), instructions="Call the function.")
    try:
        async with asyncio.timeout(CHAT_TIMEOUT_S):
            parts = [part async for part in ChatBrain(chat).answer(turn)]
    except BackendError as wrong:
        return Finding(what, bad, str(wrong))
    except TimeoutError:
        return Finding(what, bad, f"no whole answer within {CHAT_TIMEOUT_S:.0f} s.")
    took_ms = (time.monotonic() - began) * 1000
    answered = f"{chat.model} at {urlsplit(chat.url).netloc} answered in {took_ms:.0f} ms"
    calls = [part for part in parts if isinstance(part, Call)]
    if not calls:
        sentence = f"{answered}, but did not call the tool: take a model that calls tools."
        return Finding(what, bad, sentence)
    if not any(call.name == tools[0].name and "1004" in call.arguments for call in calls):
        sentence = f"{answered}, but called the tool with something else: take a model that calls tools well."
        return Finding(what, bad, sentence)
    return Finding(what, "ok", f"{answered} and called the tool.")


@dataclass(frozen=True, slots=True)
class _Refused:
    sentence: str
    plain: bool
    """A call does without it."""


async def _refused(connection: Connection, backend: Backend, settings: Settings) -> _Refused | None:
    """What keeps the session from being as the settings want it."""
    words = transcription_asked(settings, settings.language) if backend.transcribes else None
    await connection.send(SessionUpdate(session=replace(session_asked(settings), transcription=words)))
    try:
        async with asyncio.timeout(ACK_TIMEOUT_S):
            while True:
                match await connection.receive():
                    case SessionUpdated():
                        return None
                    case ErrorReceived(error=error):
                        # Of the vendor's own words only the place of a field: they may quote what was sent.
                        found = FIELD.search(f"{error.param or ''} {error.message or ''}")
                        place = found[0].rstrip(".") if found else (error.code or "the session")[:80]
                        optional = any(word in place for word in OPTIONAL)
                        told = ": calls do without it" if optional else ""
                        return _Refused(f"a session opened, but {place} was refused{told}.", optional)
    except TimeoutError:
        return _Refused("a session opened; the server did not say whether it took the settings.", True)


def taken(host: str, port: int) -> bool:
    """Whether something listens at this port already."""
    if port == 0:
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
