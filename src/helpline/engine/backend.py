"""The engine as a backend of the desk: no key, no network, no socket."""

import asyncio
import logging

from msgspec.structs import replace

from helpline.engine.ears import heard_in
from helpline.engine.languages import lacking
from helpline.engine.server import Engine, EngineOptions, options_of
from helpline.errors import BackendError, MissingPartError
from helpline.realtime.connection import Connection, FramedConnection, memory_frames
from helpline.realtime.dialects import GA
from helpline.realtime.events import SessionSettings, Transcription
from helpline.sentences import ENGINE_ANSWERS, ENGINE_HEARS_MORE, ENGINE_WITH_A_MODEL
from helpline.settings import Settings
from helpline.wording import Saying

_log = logging.getLogger(__name__)

EARS = "gpt-transcribe"
"""What the engine calls its own recognition: a name that may be given keywords."""


class EngineBackend:
    """Opens sessions with an engine in this process; its sessions are its own tasks until `aclose`."""

    name = "engine"
    transcribes = True

    def __init__(self, options: EngineOptions | None = None, *, engine: Engine | None = None) -> None:
        self._engine = engine or Engine(options)
        self._sessions: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, settings: Settings) -> "EngineBackend":
        """With the parts that the settings name. Raises SettingsError for a part that does not exist."""
        options = options_of(settings)
        lacks = lacking(
            options.ears, options.voice, model=options.chat is not None, language=settings.language
        )
        if lacks:
            _log.warning("%s", lacks)
        return cls(options)

    @property
    def answers(self) -> str:
        """One line for the page."""
        return self.answering.in_("en")

    @property
    def answering(self) -> Saying:
        """The same in each language."""
        chat = self._engine.options.chat
        if chat is not None:
            return ENGINE_WITH_A_MODEL(model=chat.model)
        return ENGINE_ANSWERS if self.languages == ("en",) else ENGINE_HEARS_MORE

    @property
    def languages(self) -> tuple[str, ...]:
        """Which it hears; empty when that is up to a model of the company's own."""
        return heard_in(self._engine.options.ears)

    async def connect(self) -> Connection:
        """A new session."""
        try:
            await asyncio.to_thread(self._engine.prepare)
        except MissingPartError as missing:
            raise BackendError(str(missing), setting="HELPLINE_BACKENDS", retry=False) from missing
        if self._engine.full:
            raise BackendError("The engine has as many calls as it may have.", retry=True)
        client, server = memory_frames()
        session = asyncio.create_task(self._engine.serve(server), name="engine-session")
        self._sessions.add(session)
        session.add_done_callback(self._ended)
        return FramedConnection(client, GA, _with_our_ears)

    def _ended(self, session: "asyncio.Task[None]") -> None:
        self._sessions.discard(session)
        if not session.cancelled() and (failure := session.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an engine session failed", "exception": failure, "task": session}
            )

    async def aclose(self) -> None:
        """End all sessions and let the engine go."""
        for session in tuple(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._engine.close()


def _with_our_ears(settings: SessionSettings) -> SessionSettings:
    """The model by name: with none the keywords are left out, as for a vendor's model that takes none."""
    asked = settings.transcription
    if not isinstance(asked, Transcription) or asked.model:
        return settings
    return replace(settings, transcription=replace(asked, model=EARS))
