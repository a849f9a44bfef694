"""The engine as a server: one session per peer, over sockets of its own or over a pair in this process."""

import asyncio
import errno
import hmac
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import cast
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Origin, Subprotocol

from helpline.engine.brain import Brain, PolicyBrain
from helpline.engine.chat import ChatBrain, ChatSettings
from helpline.engine.ears import MakeEars, check_ears, load_ears, processes_for
from helpline.engine.espeak import espeak_is_there
from helpline.engine.lexicon import Library
from helpline.engine.listening import Hearing, Listener, LocalHearing
from helpline.engine.meaning import load_meanings
from helpline.engine.protocol import fault_of
from helpline.engine.reply import Pace
from helpline.engine.session import Limits, Parts, Session
from helpline.engine.sockets import LIBRARY_LOG, Door, Peer, SocketFrames, SocketLimits
from helpline.engine.vad import VoiceDetector
from helpline.engine.voice import Voice, check_voice, make_voice
from helpline.engine.workers import Workers
from helpline.errors import LocalError, MissingPartError, SettingsError
from helpline.realtime.connection import Frames
from helpline.settings import Settings

PORT = 8765
_KEY_OFFERED = "openai-insecure-api-key."
"""Before a key among the protocols that a client without headers offers."""
_PATHS = ("/v1/realtime", "/openai/v1/realtime", "/realtime", "/openai/realtime")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine answers. Everything has a default that works offline."""

    ears: str = "pocketsphinx"
    """As HELPLINE_ENGINE_EARS."""
    voice: str = "espeak:en-us"
    """As HELPLINE_ENGINE_VOICE."""
    silence_ms: int = 500
    pace: Pace = field(default_factory=Pace)
    limits: Limits = field(default_factory=Limits)
    sockets: SocketLimits = field(default_factory=SocketLimits)
    most_sessions: int = 64
    workers: int = 0
    """Processes that listen; 0: a thread of this one."""
    greeting: str = ""
    chat: ChatSettings | None = None
    """A chat model as the brain; None: the engine's own policy."""
    library: Library = field(default_factory=Library)


def options_of(settings: Settings) -> EngineOptions:
    """The engine that the settings ask for. Raises SettingsError, and MissingPartError for a part that was
    asked for and is not there.
    """
    if settings.engine_ears != "pocketsphinx":
        check_ears(settings.engine_ears)
    check_voice(settings.engine_voice)
    return EngineOptions(
        ears=settings.engine_ears,
        voice=settings.engine_voice,
        silence_ms=settings.silence_ms,
        workers=processes_for(settings.engine_ears, cores()),
        chat=chat_of(settings),
    )


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chat_of(settings: Settings) -> ChatSettings | None:
    """The chat model that the settings name; None: the engine's own policy. Raises SettingsError."""
    if not settings.chat_url:
        return None
    if not settings.chat_model:
        raise SettingsError("HELPLINE_CHAT_URL is set, but not its model: set HELPLINE_CHAT_MODEL.")
    return ChatSettings(settings.chat_url, settings.chat_model, settings.chat_key.reveal())


class Engine:
    """Everything that sessions share: voice, models, threads. One per process."""

    def __init__(
        self,
        options: EngineOptions | None = None,
        *,
        make_brain: Callable[[], Brain] | None = None,
        make_hearing: Callable[[], Hearing] | None = None,
        voice_of: Callable[[str], Voice | None] = make_voice,
        wall_clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.options = options or EngineOptions()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="engine-ears")
        self._make_ears: MakeEars | None = None
        self._make_brain = make_brain or self._brain
        self._workers = (
            Workers(self.options.workers, self.options.ears)
            if self.options.workers and make_hearing is None
            else None
        )
        self._make_hearing = make_hearing or self._hearing
        self._voice_of = voice_of
        self._wall_clock = wall_clock
        self._voice: Voice | None = None
        self._sessions = 0
        self._ready = False

    def prepare(self) -> None:
        """Load what the first session would wait for; raises MissingPartError when there are no ears."""
        if self._ready:
            return
        check_ears(self.options.ears)
        try:
            self._voice = self._voice_of(self.options.voice)
        except MissingPartError as missing:
            if not self.options.voice.startswith("espeak") or espeak_is_there():
                raise  # it was asked for: nobody wants a silent desk
            _log.warning("%s Replies are transcripts without sound.", missing)
        load_meanings()
        VoiceDetector()
        if self._workers is not None and self.options.ears != "pocketsphinx":
            self._workers.start()  # a large model takes its time
        self._ready = True

    def warm(self) -> None:
        """Start what the first words of a call would wait for."""
        self.prepare()
        if self._workers is not None:
            self._workers.start()

    @property
    def speaks(self) -> bool:
        """Whether replies have sound."""
        return self._voice is not None

    @property
    def full(self) -> bool:
        """Whether another session would be one too many."""
        return self._sessions >= self.options.most_sessions

    async def serve(self, frames: Frames, *, flat: bool = False, transcribes_only: bool = False) -> None:
        """One session, until its peer is gone; `flat`: in the shape of 2024 from the start."""
        if self.full:
            await frames.close(1013, "the engine has as many sessions as it may have")
            return
        self._sessions += 1  # before anything is waited for: those who come meanwhile are to see it
        try:
            await self._serve(frames, flat=flat, transcribes_only=transcribes_only)
        except Exception as failure:  # noqa: BLE001 - the edge: one session's fault is not the others'
            _log.error("an engine session broke off: %s", fault_of(failure))
            await frames.close(1011, "the engine failed")
        finally:
            self._sessions -= 1
            await frames.close()

    async def _serve(self, frames: Frames, *, flat: bool, transcribes_only: bool) -> None:
        await asyncio.to_thread(self.prepare)
        parts = Parts(
            hearing=self._make_hearing(),
            brain=self._make_brain(),
            voice=self._voice,
            pace=self.options.pace,
            limits=self.options.limits,
            silence_ms=self.options.silence_ms,
            language="" if self.options.chat is not None else "en",
            flat=flat,
            transcribes_only=transcribes_only,
            wall_clock=self._wall_clock,
        )
        await Session(frames, parts).run()

    def close(self) -> None:
        """Let the threads and processes go; no session may be running."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._workers is not None:
            self._workers.close()

    def _brain(self) -> Brain:
        if self.options.chat is not None:
            return ChatBrain(self.options.chat)
        return PolicyBrain(greeting=self.options.greeting)

    def _hearing(self) -> Hearing:
        return (
            LocalHearing(self._listener, self._threads) if self._workers is None else self._workers.hearing()
        )

    def _listener(self) -> Listener:
        if self._make_ears is None:
            self._make_ears = load_ears(self.options.ears, self.options.library)
        return Listener(self._make_ears(), VoiceDetector())


class EngineServer:
    """The engine at `ws://host:port/v1/realtime`, for any client of the protocol.

    A browser's page from another host is refused. With a `key`, so is a client that does not send it; else
    any is accepted, and none is needed.
    """

    def __init__(
        self, engine: Engine | None = None, *, host: str = "127.0.0.1", port: int = PORT, key: str = ""
    ) -> None:
        self.engine = engine or Engine()
        self.host = host
        self.port = port
        self._key = key
        self._server: Server | None = None
        self._door = Door(self.engine.options.sockets)

    @property
    def url(self) -> str:
        """Where clients connect; with the real port once it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}/v1/realtime"

    async def __aenter__(self) -> "EngineServer":
        await asyncio.to_thread(self.engine.warm)
        limits = self._door.limits
        try:
            self._server = await serve(
                self._session,
                self.host,
                self.port,
                process_request=self._admit,
                create_connection=cast(type[ServerConnection], partial(Peer, door=self._door)),
                max_size=self.engine.options.limits.frame_bytes,
                max_queue=None,  # in bytes, not in messages: see Peer
                open_timeout=limits.open_s,
                ping_interval=limits.ping_s,
                ping_timeout=limits.pong_s,
                close_timeout=limits.close_s,
                compression=None,
                select_subprotocol=_subprotocol,
                logger=LIBRARY_LOG,
            )
        except OSError as refused:
            self.engine.close()
            if refused.errno == errno.EADDRINUSE:
                why = f"on port {self.port}: it is taken. Choose another with --port."
            else:
                why = f"at {self.host}, port {self.port} ({type(refused).__name__}): check --host and --port."
            raise LocalError(f"The engine cannot listen {why}") from refused
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            await self._close(self._server)
        self.engine.close()

    async def _close(self, server: Server) -> None:
        """With a farewell to those who read, and without to others."""
        server.close()
        try:
            async with asyncio.timeout(self._door.limits.close_s):
                await server.wait_closed()
        except TimeoutError:
            self._door.drop_all()
            await server.wait_closed()

    async def serve_forever(self) -> None:
        """Until it is cancelled."""
        if self._server is not None:
            await self._server.serve_forever()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path.rstrip("/") not in _PATHS:
            return connection.respond(404, "The Realtime protocol is at /v1/realtime.\n")
        origin = request.headers.get("Origin")
        if origin is not None and not _is_own(Origin(origin), request.headers.get("Host", "")):
            return connection.respond(403, "Pages of other sites may not use this engine.\n")
        if self._key and not _brings(self._key, request):
            return connection.respond(401, "This engine takes its own key alone: HELPLINE_ENGINE_KEY.\n")
        if self.engine.full:
            return connection.respond(503, "The engine has as many sessions as it may have.\n")
        return None

    async def _session(self, connection: ServerConnection) -> None:
        if isinstance(connection, Peer):
            connection.let_in()
        request = connection.request
        asked = parse_qs(urlsplit(request.path).query) if request is not None else {}
        beta = request is not None and "realtime=v1" in request.headers.get("OpenAI-Beta", "")
        flat = beta or bool(asked.keys() & {"api-version", "deployment"})
        only = asked.get("intent") == ["transcription"]
        await self.engine.serve(SocketFrames(connection, self._door.limits), flat=flat, transcribes_only=only)


def _subprotocol(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Browsers' clients offer `realtime` beside their key."""
    return Subprotocol("realtime") if "realtime" in offered else None


def _brings(key: str, request: Request) -> bool:
    """Whether a client sends the key as the vendors' clients send theirs; never in the address."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    sent = [token.strip() if kind.lower() == "bearer" else "", request.headers.get("api-key", "")]
    sent += [one.strip().removeprefix(_KEY_OFFERED) for one in offered if _KEY_OFFERED in one]
    return any(hmac.compare_digest(one.encode(errors="replace"), key.encode()) for one in sent)


def _is_own(origin: str, host: str) -> bool:
    """A page served from this very host, any port on loopback included."""
    page = urlsplit(origin).hostname or ""
    here = urlsplit(f"//{host}").hostname or ""
    return page == here or (
        page in ("localhost", "127.0.0.1", "::1") and here in ("localhost", "127.0.0.1", "::1")
    )
