"""A chat model behind an OpenAI-compatible address: for summaries and simulated customers."""

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from helpline.errors import RemoteError
from helpline.settings import Settings

TIMEOUT_S: Final = 25.0
Role = Literal["system", "user", "assistant"]

_COMPLETIONS: Final = "/chat/completions"
_AZURE: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


class ChatError(RemoteError):
    """The chat model cannot be used: check HELPLINE_CHAT_URL, HELPLINE_CHAT_MODEL and HELPLINE_CHAT_KEY."""


def completions_at(url: str) -> str:
    """Where chat completions are asked for; `url` with or without `/v1` and `/chat/completions`.

    A query (Azure's `?api-version=…`) stays as it is.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(_COMPLETIONS)
    if not path:
        path = "/openai/v1" if (parts.hostname or "").endswith(_AZURE) else "/v1"
    return urlunsplit(parts._replace(path=path + _COMPLETIONS, fragment=""))


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


class ChatModel:
    """Asks one model. It keeps no conversation: each question brings all of it."""

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = completions_at(settings.chat_url)
        self._model = settings.chat_model
        self._key = settings.chat_key
        self._transport = transport

    async def ask(self, messages: Sequence[tuple[Role, str]], *, as_json: bool = False) -> str:
        """The model's answer. Raises ChatError."""
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": role, "content": text} for role, text in messages],
        }
        if as_json:
            body["response_format"] = {"type": "json_object"}
        key = self._key.reveal()
        headers = {"authorization": f"Bearer {key}", "api-key": key} if key else {}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, transport=self._transport) as client:
                answer = await client.post(self._url, json=body, headers=headers)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=_Answer).choices[0].message.content
        except (httpx.HTTPError, msgspec.MsgspecError, IndexError) as error:
            raise ChatError from error
