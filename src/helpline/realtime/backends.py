"""The backends that are reached over a WebSocket: Azure OpenAI, OpenAI, Azure Voice Live, any other server.

Keys travel in headers, never in the URL of ours, and never to another host: redirects are not followed.
Whatever keeps a session from opening becomes a BackendError of one sentence that names the setting to change.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import UNSET
from msgspec.structs import replace

from helpline.errors import BackendError
from helpline.realtime.address import service_url, url_of_server
from helpline.realtime.connection import Backend, FramedConnection
from helpline.realtime.dialects import GA, PREVIEW, VOICE_LIVE, Dialect
from helpline.realtime.events import AzureVoice, SessionSettings, Transcription
from helpline.realtime.faults import Vendor
from helpline.realtime.websocket import TIMEOUTS, Timeouts, open_websocket
from helpline.sentences import NAMELESS_SERVER_ANSWERS, SERVER_ANSWERS, SOMEBODY_ANSWERS
from helpline.settings import Settings
from helpline.settings_text import Secret
from helpline.wording import Saying

VOICE_LIVE_VERSION = "2026-07-15"
OPENAI_VOICES = frozenset("alloy ash ballad coral echo sage shimmer verse marin cedar".split())
ENTRA_SCOPE = "https://ai.azure.com/.default"

AZURE = Vendor("Azure OpenAI", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT")
OPENAI = Vendor("OpenAI", "OPENAI_API_KEY", "the network", "OPENAI_REALTIME_MODEL")
LIVE = Vendor("Azure Voice Live", "AZURE_VOICE_LIVE_API_KEY", "AZURE_VOICE_LIVE_ENDPOINT", "VOICE_LIVE_MODEL")
SERVER = Vendor(
    "The realtime server", "HELPLINE_REALTIME_KEY", "HELPLINE_REALTIME_URL", "HELPLINE_REALTIME_MODEL"
)


class Credential(Protocol):
    """A credential of `azure-identity`: signs in with Entra ID instead of a key."""

    def get_token(self, *scopes: str) -> Any:
        """Something with a `.token`, valid now. May block, may raise."""


@dataclass(frozen=True, slots=True)
class AzureBackend:
    """A realtime deployment of Azure OpenAI, by its GA protocol.

    `endpoint` is the resource's address as the portal shows it, with any path; without `key` it signs in
    with Entra ID. Without `transcription` (a deployment's name) nobody writes the customer's words down.
    """

    endpoint: str
    deployment: str
    key: Secret = field(default_factory=Secret)
    transcription: str = ""
    credential: Credential | None = None
    timeouts: Timeouts = TIMEOUTS
    name: str = field(default="azure", init=False)

    def __post_init__(self) -> None:
        _ = self.url  # A wrong endpoint is told at once.

    @property
    def url(self) -> str:
        return service_url(self.endpoint, "/openai/v1/realtime", AZURE.endpoint, model=self.deployment)

    @property
    def answers(self) -> str:
        return self.answering.in_("en")

    @property
    def answering(self) -> Saying:
        return SOMEBODY_ANSWERS(who="Azure OpenAI", model=self.deployment)

    @property
    def transcribes(self) -> bool:
        return bool(self.transcription)

    async def connect(self) -> FramedConnection:
        headers = await _azure_headers(self.key, self.credential, AZURE)
        frames = await open_websocket(self.url, headers, AZURE, self.timeouts)
        return FramedConnection(frames, GA, self._tune)

    def _tune(self, settings: SessionSettings) -> SessionSettings:
        settings = _for_model(settings, self.deployment)
        if not self.transcription and settings.transcription is not UNSET:
            return replace(settings, transcription=UNSET)  # Asked for all the same, each turn's fails.
        return _with_transcription(settings, self.transcription)


@dataclass(frozen=True, slots=True)
class OpenAIBackend:
    """OpenAI's own Realtime API."""

    model: str
    key: Secret
    transcription: str = "gpt-live-transcribe"
    url_base: str = "https://api.openai.com"
    timeouts: Timeouts = TIMEOUTS
    name: str = field(default="openai", init=False)
    transcribes: bool = field(default=True, init=False)

    @property
    def url(self) -> str:
        return service_url(self.url_base, "/v1/realtime", OPENAI.endpoint, model=self.model)

    @property
    def answers(self) -> str:
        return self.answering.in_("en")

    @property
    def answering(self) -> Saying:
        return SOMEBODY_ANSWERS(who="OpenAI", model=self.model)

    async def connect(self) -> FramedConnection:
        if not self.key:
            raise BackendError("OpenAI needs a key: set OPENAI_API_KEY.", setting=OPENAI.key, retry=False)
        headers = {"Authorization": f"Bearer {_clean(self.key, OPENAI)}"}
        frames = await open_websocket(self.url, headers, OPENAI, self.timeouts)
        return FramedConnection(frames, GA, self._tune)

    def _tune(self, settings: SessionSettings) -> SessionSettings:
        return _with_transcription(_for_model(settings, self.model), self.transcription)


@dataclass(frozen=True, slots=True)
class VoiceLiveBackend:
    """Azure Voice Live, in its flat dialect, with Azure's own ears in front of the model."""

    endpoint: str
    model: str
    key: Secret = field(default_factory=Secret)
    transcription: str = "azure-speech"
    voice: str | AzureVoice = ""
    """In the place of the session's; without one, OpenAI's voices stay with realtime models."""
    clean_sound: bool = True
    """Deep noise suppression and the server's echo cancellation, unless the session says otherwise."""
    credential: Credential | None = None
    timeouts: Timeouts = TIMEOUTS
    name: str = field(default="voice_live", init=False)
    transcribes: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        _ = self.url

    @property
    def url(self) -> str:
        query = {"api-version": VOICE_LIVE_VERSION, "model": self.model}
        return service_url(self.endpoint, "/voice-live/realtime", LIVE.endpoint, **query)

    @property
    def answers(self) -> str:
        return self.answering.in_("en")

    @property
    def answering(self) -> Saying:
        return SOMEBODY_ANSWERS(who="Azure Voice Live", model=self.model)

    async def connect(self) -> FramedConnection:
        headers = await _azure_headers(self.key, self.credential, LIVE)
        frames = await open_websocket(self.url, headers, LIVE, self.timeouts)
        return FramedConnection(frames, VOICE_LIVE, self._tune)

    def _tune(self, settings: SessionSettings) -> SessionSettings:
        settings = _with_transcription(_for_model(settings, self.model), self.transcription)
        if settings.voice is not UNSET and self.voice:
            settings = replace(settings, voice=self.voice)
        elif settings.voice in OPENAI_VOICES and "realtime" not in self.model:
            settings = replace(settings, voice=UNSET)
        if self.clean_sound and settings.noise_reduction is UNSET:
            settings = replace(settings, noise_reduction="azure_deep_noise_suppression")
        if self.clean_sound and settings.echo_cancellation is UNSET:
            settings = replace(settings, echo_cancellation=True)
        return settings


@dataclass(frozen=True, slots=True)
class UrlBackend:
    """Any server of the Realtime protocol, at the address as given; its key, if any, goes as a bearer token.

    An address of Azure's preview (`api-version=…&deployment=…`) is spoken to in the preview's dialect.
    """

    address: str
    key: Secret = field(default_factory=Secret)
    model: str = ""
    transcription: str = ""
    dialect: Dialect | None = None
    timeouts: Timeouts = TIMEOUTS
    name: str = field(default="realtime", init=False)
    transcribes: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        _ = self.url

    @property
    def url(self) -> str:
        return url_of_server(self.address, self.model, SERVER.endpoint)

    @property
    def answers(self) -> str:
        return self.answering.in_("en")

    @property
    def answering(self) -> Saying:
        return SERVER_ANSWERS(model=self.model) if self.model else NAMELESS_SERVER_ANSWERS

    async def connect(self) -> FramedConnection:
        headers = {"Authorization": f"Bearer {_clean(self.key, SERVER)}"} if self.key else {}
        preview = "api-version=" in self.url and "deployment=" in self.url
        if preview and self.key:
            headers = {"api-key": _clean(self.key, SERVER)}
        frames = await open_websocket(self.url, headers, SERVER, self.timeouts)
        return FramedConnection(frames, self.dialect or (PREVIEW if preview else GA), self._tune)

    def _tune(self, settings: SessionSettings) -> SessionSettings:
        return _with_transcription(_for_model(settings, self.model), self.transcription)


def backend_of(name: str, settings: Settings) -> Backend:
    """The backend of that name, as the settings describe it. Raises SettingsError; KeyError for "engine"."""
    match name:
        case "azure":
            return AzureBackend(
                settings.azure_endpoint,
                settings.azure_deployment,
                settings.azure_key,
                transcription=settings.azure_transcription_deployment,
            )
        case "openai":
            return OpenAIBackend(
                settings.openai_model, settings.openai_key, transcription=settings.openai_transcription
            )
        case "voice_live":
            return VoiceLiveBackend(
                settings.voice_live_endpoint,
                settings.voice_live_model,
                settings.voice_live_key,
                transcription=settings.voice_live_transcription,
                voice=_voice_live_voice(settings),
            )
        case "realtime":
            return UrlBackend(
                settings.realtime_url,
                settings.realtime_key,
                settings.realtime_model,
                transcription=settings.realtime_transcription,
            )
        case _:
            raise KeyError(name)


def _voice_live_voice(settings: Settings) -> str | AzureVoice:
    """The voice by its name, or with what else is to be said of it."""
    voice = AzureVoice(
        name=settings.voice_live_voice,
        endpoint_id=settings.voice_live_voice_endpoint or None,
        model=settings.voice_live_personal_model or None,
        temperature=settings.voice_live_temperature,
        style=settings.voice_live_style or None,
    )
    return voice.name if voice == AzureVoice(name=voice.name) else voice


_REASONS_NOT = re.compile(r"gpt-(4|realtime(?!-[2-9])|audio)|phi")


def _for_model(settings: SessionSettings, model: str) -> SessionSettings:
    """Without what a model of that name is known to refuse; one of an unknown name is asked."""
    if _REASONS_NOT.match(model):
        return replace(settings, reasoning_effort=UNSET, parallel_tool_calls=UNSET)
    return settings


def _with_transcription(settings: SessionSettings, model: str) -> SessionSettings:
    """The session's transcription with the backend's model, if it names none of its own."""
    asked = settings.transcription
    if isinstance(asked, Transcription) and not asked.model and model:
        return replace(settings, transcription=replace(asked, model=model))
    return settings


def _clean(key: Secret, vendor: Vendor) -> str:
    """The key's text, fit for a header."""
    text = key.reveal()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise BackendError(
            f"{vendor.key} holds characters that no key has: copy it again.", setting=vendor.key, retry=False
        )
    return text


async def _azure_headers(key: Secret, credential: Credential | None, vendor: Vendor) -> dict[str, str]:
    """The key, or a token that is valid now: tokens live about an hour, so each connect asks again."""
    if key:
        return {"api-key": _clean(key, vendor)}
    credential = credential or _default_credential(vendor)
    try:
        token = await asyncio.to_thread(credential.get_token, ENTRA_SCOPE)
    except Exception:  # noqa: BLE001 - a credential's own errors are of many kinds and quote its answers.
        message = f"{vendor.who} could not be signed in to with Entra ID: sign in again, or set {vendor.key}."
        raise BackendError(message, setting=vendor.key, retry=True) from None
    return {"Authorization": f"Bearer {token.token}"}


def _default_credential(vendor: Vendor) -> Credential:
    try:
        from azure.identity import DefaultAzureCredential  # An optional part, and slow to import.
    except ImportError:
        message = (
            f"{vendor.who} has no key: set {vendor.key}, or install azure-identity to sign in with Entra ID."
        )
        raise BackendError(message, setting=vendor.key, retry=False) from None
    credential: Credential = DefaultAzureCredential()
    return credential
