"""Opening sessions: the right address, the key in a header alone, one sentence for each way it can fail."""

import asyncio
import contextlib
import datetime
import json
import logging
import socket
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import ServerConnection

from helpline.errors import BackendError, SettingsError
from helpline.realtime import events as e
from helpline.realtime.backends import (
    AzureBackend,
    OpenAIBackend,
    UrlBackend,
    VoiceLiveBackend,
    backend_of,
)
from helpline.realtime.connection import Backend
from helpline.realtime.websocket import Timeouts
from helpline.settings import load_settings
from helpline.settings_text import Secret
from tests.realtime.servers import refusing, server

KEY = "sk-4dk29fkKEYxyz"
WITHIN = Timeouts(open_s=20, close_s=0.2)
"""Long enough for a handshake on a machine that has much else to do."""

Make = Callable[[str], Backend]
VENDORS: dict[str, Make] = {
    "azure": lambda at: AzureBackend(at, "gpt-rt", Secret(KEY), timeouts=WITHIN),
    "openai": lambda at: OpenAIBackend("gpt-realtime-2.1", Secret(KEY), url_base=at, timeouts=WITHIN),
    "voice_live": lambda at: VoiceLiveBackend(at, "gpt-realtime", Secret(KEY), timeouts=WITHIN),
    "realtime": lambda at: UrlBackend(at, Secret(KEY), "some-model", timeouts=WITHIN),
}


async def refusal(backend: Backend) -> BackendError:
    with pytest.raises(BackendError) as refused:
        await backend.connect()
    whole = "".join(traceback.format_exception(refused.value)) + repr(backend)
    assert KEY not in whole
    assert str(refused.value).count(".") >= 1
    return refused.value


# --- where to, and with what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://res.openai.azure.com",
        "https://res.openai.azure.com/",
        "wss://res.openai.azure.com/",
        " https://res.openai.azure.com/openai/v1/ ",
        "https://res.openai.azure.com/openai/v1/realtime?model=other",
        "https://res.openai.azure.com/openai/deployments/old/chat/completions?api-version=2024-10-01-preview",
    ],
)
def test_azure_is_found_from_whatever_the_portal_shows(endpoint: str) -> None:
    backend = AzureBackend(endpoint, "gpt rt/1", Secret(KEY))
    assert backend.url == "wss://res.openai.azure.com/openai/v1/realtime?model=gpt%20rt%2F1"


def test_a_foundry_project_and_a_gateway_keep_what_is_theirs() -> None:
    assert AzureBackend("https://r.services.ai.azure.com/api/projects/p", "d").url == (
        "wss://r.services.ai.azure.com/openai/v1/realtime?model=d"
    )
    assert AzureBackend("https://gate.example.com:8443/azure/", "d").url == (
        "wss://gate.example.com:8443/azure/openai/v1/realtime?model=d"
    )


def test_the_other_vendors_addresses() -> None:
    assert OpenAIBackend("gpt-realtime-2.1", Secret(KEY)).url == (
        "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    )
    assert VoiceLiveBackend("https://r.services.ai.azure.com/", "gpt-realtime").url == (
        "wss://r.services.ai.azure.com/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime"
    )


@pytest.mark.parametrize(
    ("address", "model", "url"),
    [
        ("ws://127.0.0.1:8765", "", "ws://127.0.0.1:8765/v1/realtime"),
        ("ws://127.0.0.1:8765/v1/realtime", "", "ws://127.0.0.1:8765/v1/realtime"),
        ("http://[::1]:8080/v1/", "m", "ws://[::1]:8080/v1/realtime?model=m"),
        ("https://x.example/own/path?model=theirs", "ours", "wss://x.example/own/path?model=theirs"),
        ("wss://x.example?tag=", "a b", "wss://x.example/v1/realtime?tag=&model=a%20b"),
    ],
)
def test_any_servers_address_is_taken_as_given(address: str, model: str, url: str) -> None:
    assert UrlBackend(address, model=model).url == url


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "res.openai.azure.com",
        "ftp://res.openai.azure.com",
        "https://",
        "https://res.openai.azure.com:99999",
        f"https://me:{KEY}@res.openai.azure.com",
        "http://res.openai.azure.com",
        "https://[broken",
    ],
)
def test_a_wrong_endpoint_is_told_at_once_without_being_quoted(wrong: str) -> None:
    with pytest.raises(SettingsError, match="AZURE_OPENAI_ENDPOINT") as told:
        AzureBackend(wrong, "d", Secret(KEY))
    assert KEY not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("vendor", "path", "header", "value"),
    [
        ("azure", "/openai/v1/realtime?model=gpt-rt", "api-key", KEY),
        ("openai", "/v1/realtime?model=gpt-realtime-2.1", "Authorization", f"Bearer {KEY}"),
        (
            "voice_live",
            "/voice-live/realtime?api-version=2026-07-15&model=gpt-realtime",
            "api-key",
            KEY,
        ),
        ("realtime", "/v1/realtime?model=some-model", "Authorization", f"Bearer {KEY}"),
    ],
)
async def test_the_key_goes_in_a_header_and_nowhere_else(
    vendor: str, path: str, header: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="websockets.server")  # The double's own log is not ours.
    async with server() as running:
        connection = await VENDORS[vendor](running.http).connect()
        await connection.close()
    request = running.requests[0]
    assert (request.path, request.headers[header]) == (path, value)
    assert request.headers["User-Agent"].startswith("helpline/")
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert KEY not in caplog.text


async def test_a_server_without_a_key_is_sent_none() -> None:
    async with server() as running:
        await (await UrlBackend(running.ws).connect()).close()
    assert not {"Authorization", "api-key"} & set(running.requests[0].headers)


# --- what can go wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vendor", "status", "sentence", "setting", "retry"),
    [
        (
            "azure", 401, "Azure OpenAI refused the key (401): check AZURE_OPENAI_API_KEY.",
            "AZURE_OPENAI_API_KEY", False,
        ),
        (
            "openai", 401, "OpenAI refused the key (401): check OPENAI_API_KEY.", "OPENAI_API_KEY", False,
        ),
        (
            "voice_live", 403,
            "Azure Voice Live does not allow this key to be used here (403): check AZURE_VOICE_LIVE_API_KEY.",
            "AZURE_VOICE_LIVE_API_KEY", False,
        ),
        (
            "azure", 404,
            "Azure OpenAI has no realtime model of that name at that address (404): "
            "check AZURE_OPENAI_DEPLOYMENT.",
            "AZURE_OPENAI_DEPLOYMENT", False,
        ),
        (
            "realtime", 404,
            "The realtime server has no realtime model of that name at that address (404): "
            "check HELPLINE_REALTIME_MODEL.",
            "HELPLINE_REALTIME_MODEL", False,
        ),
        (
            "openai", 429,
            "OpenAI has too many requests or no quota left (429): check OPENAI_REALTIME_MODEL.",
            "OPENAI_REALTIME_MODEL", True,
        ),
        ("azure", 500, "Azure OpenAI had an error of its own (500).", "", True),
        ("azure", 503, "Azure OpenAI had an error of its own (503).", "", True),
        (
            "azure", 418, "Azure OpenAI refused the connection (418): check AZURE_OPENAI_ENDPOINT.",
            "AZURE_OPENAI_ENDPOINT", False,
        ),
    ],
)  # fmt: skip
async def test_a_refusal_is_one_sentence_that_names_the_setting(
    vendor: str, status: int, sentence: str, setting: str, retry: bool
) -> None:
    async with refusing(status) as running:
        refused = await refusal(VENDORS[vendor](running.http))
    assert (str(refused), refused.setting, refused.retry) == (sentence, setting, retry)


@pytest.mark.parametrize(
    ("status", "code", "setting"),
    [
        (404, "DeploymentNotFound", "AZURE_OPENAI_DEPLOYMENT"),
        (404, "ResourceNotFound", "AZURE_OPENAI_ENDPOINT"),
        (401, "PermissionDenied", "AZURE_OPENAI_API_KEY"),
        (400, "OperationNotSupported", "AZURE_OPENAI_DEPLOYMENT"),
        (429, "insufficient_quota", "AZURE_OPENAI_API_KEY"),
    ],
)
async def test_the_code_in_a_refusal_is_more_exact_than_its_status(
    status: int, code: str, setting: str
) -> None:
    async with refusing(status, json.dumps({"error": {"code": code, "message": "x"}})) as running:
        assert (await refusal(VENDORS["azure"](running.http))).setting == setting


@pytest.mark.parametrize("body", ["<html>", "[]", '{"error": 5}', '{"error": {"code": 5}}', "[" * 9999])
async def test_a_refusal_whose_body_makes_no_sense_is_read_by_its_status(body: str) -> None:
    async with refusing(401, body) as running:
        assert (await refusal(VENDORS["azure"](running.http))).setting == "AZURE_OPENAI_API_KEY"


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    async with server() as elsewhere, refusing(307, Location=f"{elsewhere.ws}/openai/v1/realtime") as running:
        refused = await refusal(VENDORS["azure"](running.http))
    assert elsewhere.requests == []
    assert "redirects to another address" in str(refused)


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = await refusal(VENDORS["azure"](f"http://127.0.0.1:{port}"))
    assert str(refused) == "Azure OpenAI cannot be reached: check AZURE_OPENAI_ENDPOINT."
    assert refused.retry


async def test_no_such_host() -> None:
    refused = await refusal(AzureBackend("https://no-such-host.invalid", "d", Secret(KEY)))
    assert "host name does not resolve: check AZURE_OPENAI_ENDPOINT" in str(refused)


async def test_a_host_that_never_answers() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        soon = Timeouts(open_s=0.2, close_s=0.2)
        refused = await refusal(
            AzureBackend(f"http://127.0.0.1:{port}", "gpt-rt", Secret(KEY), timeouts=soon)
        )
        await gone.wait()
    assert str(refused) == "Azure OpenAI did not answer in time: check AZURE_OPENAI_ENDPOINT."
    assert refused.retry


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "cannot be reached"),
        (b"SSH-2.0-x\r\n", "is no Realtime server"),
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
    ],
)
async def test_a_host_that_speaks_something_else(answer: bytes, says: str) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()
    async with await asyncio.start_server(stranger, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        refused = await refusal(VENDORS["azure"](f"http://127.0.0.1:{port}"))
        await gone.wait()
    assert says in str(refused)
    assert refused.setting == "AZURE_OPENAI_ENDPOINT"


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "self-signed.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_certificate_that_nobody_vouches_for(self_signed: ssl.SSLContext) -> None:
    async with server(ssl=self_signed) as running:
        refused = await refusal(VENDORS["azure"](f"https://localhost:{running.port}"))
    assert str(refused) == "Azure OpenAI could not prove who it is (TLS): check AZURE_OPENAI_ENDPOINT."
    assert (running.requests, refused.retry) == ([], False)


@pytest.mark.parametrize("pasted", ["two words", "line\nbreak", "r\u00e9sum\u00e9", "a\x00b"])
async def test_a_key_that_cannot_be_one_never_leaves(pasted: str) -> None:
    async with server() as running:
        with pytest.raises(BackendError, match="OPENAI_API_KEY holds characters that no key has"):
            await OpenAIBackend("m", Secret(pasted), url_base=running.http).connect()
    assert running.requests == []


async def test_openai_without_a_key() -> None:
    with pytest.raises(BackendError, match="set OPENAI_API_KEY") as refused:
        await OpenAIBackend("m", Secret()).connect()
    assert not refused.value.retry


# --- signing in with Entra ID ----------------------------------------------------------------------------


class Credential:
    """Hands out a new token each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_token(self, *scopes: str) -> SimpleNamespace:
        self.asked += scopes
        return SimpleNamespace(token=f"token-{len(self.asked)}")


@pytest.mark.parametrize("vendor", [AzureBackend, VoiceLiveBackend])
async def test_without_a_key_each_connection_has_a_token_of_its_own(vendor: type) -> None:
    credential = Credential()
    async with server() as running:
        backend = vendor(running.http, "m", credential=credential)
        for _ in range(2):
            await (await backend.connect()).close()
    assert [request.headers["Authorization"] for request in running.requests] == [
        "Bearer token-1",
        "Bearer token-2",
    ]
    assert set(credential.asked) == {"https://ai.azure.com/.default"}
    assert "api-key" not in running.requests[0].headers


async def test_a_sign_in_that_fails_is_told_without_what_it_said() -> None:
    class Refused:
        def get_token(self, *scopes: str) -> SimpleNamespace:
            raise PermissionError(f"tenant says no to {KEY}")

    refused = await refusal(AzureBackend("https://res.openai.azure.com", "d", credential=Refused()))
    assert "Entra ID: sign in again, or set AZURE_OPENAI_API_KEY" in str(refused)


# --- what only the backend knows -------------------------------------------------------------------------


async def asked_of(backend: Callable[[str], Backend], session: e.SessionSettings) -> dict[str, object]:
    """The session as the server is asked for it."""
    got: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()

    async def script(socket: ServerConnection) -> None:
        got.set_result(json.loads(await socket.recv())["session"])

    async with server(script) as running:
        connection = await backend(running.http).connect()
        await connection.send(e.SessionUpdate(session=session))
        asked = await got
        await connection.close()
    return asked


async def test_azure_transcribes_by_its_own_deployment_or_not_at_all() -> None:
    wish = e.SessionSettings(instructions="Hi", transcription=e.Transcription(languages=("en",)))
    with_one = await asked_of(lambda at: AzureBackend(at, "d", Secret(KEY), transcription="my-tr"), wish)
    assert with_one["audio"] == {"input": {"transcription": {"model": "my-tr", "language": "en"}}}
    without = await asked_of(lambda at: AzureBackend(at, "d", Secret(KEY)), wish)
    assert without == {"type": "realtime", "instructions": "Hi"}
    assert AzureBackend("https://x.example", "d", transcription="my-tr").transcribes
    assert not AzureBackend("https://x.example", "d").transcribes


async def test_a_transcription_model_that_was_named_stays() -> None:
    wish = e.SessionSettings(transcription=e.Transcription(model="gpt-transcribe"))
    asked = await asked_of(VENDORS["openai"], wish)
    assert asked["audio"] == {"input": {"transcription": {"model": "gpt-transcribe"}}}


async def test_voice_live_cleans_the_sound_unless_told_otherwise() -> None:
    asked = await asked_of(VENDORS["voice_live"], e.SessionSettings(transcription=e.Transcription()))
    assert asked == {
        "input_audio_noise_reduction": {"type": "azure_deep_noise_suppression"},
        "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
        "input_audio_transcription": {"model": "azure-speech"},
    }
    told = e.SessionSettings(noise_reduction=None, echo_cancellation=False)
    assert await asked_of(VENDORS["voice_live"], told) == {
        "input_audio_noise_reduction": None,
        "input_audio_echo_cancellation": None,
    }


async def test_azures_preview_is_spoken_to_in_its_own_dialect() -> None:
    path = "/openai/realtime?api-version=2025-04-01-preview&deployment=d"
    asked = await asked_of(
        lambda at: UrlBackend(at + path, Secret(KEY)), e.SessionSettings(output_modalities=("audio",))
    )
    assert asked == {"modalities": ["text", "audio"]}


# --- by the settings -------------------------------------------------------------------------------------


def test_backends_as_the_settings_describe_them() -> None:
    settings = load_settings(
        env={
            "AZURE_OPENAI_ENDPOINT": "https://res.openai.azure.com/",
            "AZURE_OPENAI_API_KEY": KEY,
            "AZURE_OPENAI_DEPLOYMENT": "gpt-rt",
            "OPENAI_API_KEY": KEY,
            "AZURE_VOICE_LIVE_ENDPOINT": "https://r.services.ai.azure.com",
            "AZURE_VOICE_LIVE_API_KEY": KEY,
            "HELPLINE_REALTIME_URL": "ws://127.0.0.1:9/v1/realtime",
        },
        env_file="none",
        desk_file="none",
    )
    found = {name: backend_of(name, settings) for name in ("azure", "openai", "voice_live", "realtime")}
    assert {name: backend.name for name, backend in found.items()} == {name: name for name in found}
    assert [backend.answers for backend in found.values()] == [
        "Azure OpenAI answers (gpt-rt).",
        "OpenAI answers (gpt-realtime-2.1).",
        "Azure Voice Live answers (gpt-realtime).",
        "A realtime server answers.",
    ]
    assert [backend.transcribes for backend in found.values()] == [False, True, True, True]
    with pytest.raises(KeyError):
        backend_of("engine", settings)
