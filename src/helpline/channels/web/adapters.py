"""Slack, Microsoft Teams and Discord, through Chainlit's adapters for them.

An adapter checks that a message comes from its platform, makes a Chainlit session of it that lives for this
one message, and calls the same hooks as the page's. What is ours: tokens come from the settings (the adapters
read them from the environment while they are imported); only messages get in, without files and reactions;
their sessions leave nothing behind; nothing goes to Chainlit's data layer, since the call has its own record.
"""

import asyncio
import json
import logging
import os
import re
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from helpline.channels.web.markup import plain
from helpline.channels.web.messenger import Letter, Say
from helpline.errors import MissingPartError
from helpline.settings import Settings

log = logging.getLogger(__name__)

MESSENGERS: Final = ("slack", "teams", "discord")
_MAX_BODY_BYTES: Final = 200_000
_PROFILES: Final = 1000
"""Names of senders that an adapter may remember."""


class Adapters:
    """The adapters that the settings have tokens for: their paths, and what runs beside the page."""

    def __init__(self, settings: Settings) -> None:
        """Raises MissingPartError when the library of one is not installed."""
        self._settings = settings
        self.slack: Any = _slack(settings) if settings.slack_bot_token else None
        self.teams: Any = _teams(settings) if settings.teams_app_id else None
        self.discord: Any = _discord(settings) if settings.discord_bot_token else None

    @property
    def routes(self) -> list[Route]:
        """The paths that the platforms post to."""
        found = []
        if self.slack and not self._settings.slack_websocket_token:
            found.append(Route("/slack/events", self._slack_posted, methods=["POST"]))
        if self.teams:
            found.append(Route("/teams/events", self._teams_posted, methods=["POST"]))
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the connections that go out from here, to Discord and to Slack in Socket Mode."""
        async with AsyncExitStack() as opened:
            if self.slack and self._settings.slack_websocket_token:
                await opened.enter_async_context(self._slack_socket())
            if self.discord:
                await opened.enter_async_context(self._discord_socket())
            yield

    def forget(self, session_id: str) -> None:
        """A message was answered: Chainlit would keep its session's values and texts for ever."""
        from chainlit.chat_context import chat_contexts
        from chainlit.user_session import user_sessions

        user_sessions.pop(session_id, None)
        chat_contexts.pop(session_id, None)
        for adapter in (self.slack, self.teams, self.discord):
            people = getattr(adapter, f"users_by_{adapter.__name__.split('.')[1]}_id") if adapter else {}
            if len(people) > _PROFILES:
                people.clear()

    async def _slack_posted(self, request: Request) -> Response:
        if not _is_bounded(request):
            return Response(status_code=413)
        answer: Response = await self.slack.slack_app_handler.handle(request)
        return answer

    async def _teams_posted(self, request: Request) -> Response:
        from botbuilder.schema import Activity  # type: ignore[import-untyped]

        if not _is_bounded(request):
            return Response(status_code=413)
        try:
            activity = Activity().deserialize(json.loads(await request.body()))
            # It would load any address that stands here.
            activity.attachments = None
            activity.text = activity.text or ""
            if activity.text in ("like", "dislike"):
                activity.text += "."  # The adapter takes these words for its own buttons.
            authorization = request.headers.get("authorization", "")
            await self.teams.adapter.process_activity(activity, authorization, self.teams.bot.on_turn)
        except PermissionError:
            return Response(status_code=401)
        except Exception as wrong:  # noqa: BLE001 - the adapter raises anything, and its words may be personal
            log.error("a message from Teams was not taken: %s", type(wrong).__name__)
            return Response(status_code=400)
        return JSONResponse({})

    @asynccontextmanager
    async def _slack_socket(self) -> AsyncIterator[None]:
        from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

        token = self._settings.slack_websocket_token.reveal()
        handler: Any = AsyncSocketModeHandler(self.slack.slack_app, token)
        try:
            async with _beside("Slack", handler.connect_async(), "SLACK_WEBSOCKET_TOKEN"):
                yield
        finally:
            await handler.close_async()

    @asynccontextmanager
    async def _discord_socket(self) -> AsyncIterator[None]:
        client = self.discord.client
        connecting = client.start(self._settings.discord_bot_token.reveal())
        try:
            async with _beside("Discord", connecting, "DISCORD_BOT_TOKEN"):
                yield
        finally:
            await client.close()


@asynccontextmanager
async def _beside(name: str, work: Any, setting: str) -> AsyncIterator[None]:
    """Let a connection live beside the page; one that fails is logged, and the page goes on."""

    async def hold() -> None:
        try:
            await work
        except Exception as failed:  # noqa: BLE001 - the edge of a task; its words may hold the token
            log.error("%s is not connected: %s; check %s", name, type(failed).__name__, setting)

    task = asyncio.create_task(hold(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def letter_of(messenger: str, held: Mapping[str, Any], text: str) -> Letter | None:
    """The message that an adapter has put into a session's values; None when it is no customer's."""
    match messenger:
        case "slack":
            event = held["slack_event"]
            if not event.get("user") or event.get("bot_id"):
                return None
            return Letter(
                "slack",
                str(event["user"]),
                str(event["channel"]),
                event.get("channel_type") == "im",
                str(event["ts"]),
                _without_escapes(text),
            )
        case "teams":
            activity = held["teams_turn_context"].activity
            private = (
                activity.channel_id == "msteams" and activity.conversation.conversation_type == "personal"
            )
            sender, place = activity.from_property.id, activity.conversation.id
            return Letter("teams", str(sender), str(place), private, str(activity.id), text)
        case "discord":
            message = held["discord_message"]
            if message.author.bot:
                return None
            sender, place = str(message.author.id), str(message.channel.id)
            return Letter("discord", sender, place, message.guild is None, str(message.id), text)
    return None


def say_by(messenger: str, emitter: Any) -> Say:
    """How a text goes out to where a message came from: as the text that it is, whatever marks are in it."""
    as_is = _for_slack if messenger == "slack" else plain

    async def say(text: str) -> None:
        await emitter.send_step({"id": "", "type": "assistant_message", "output": as_is(text)})

    return say


def _for_slack(text: str) -> str:
    """Slack's own marks, all of which begin with one of three characters, made text; addresses stay text."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(?i)(https?:|www)(?=[/.])", "\\1\u2060", safe)


def _without_escapes(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _is_bounded(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdigit() and int(length) <= _MAX_BODY_BYTES


def _slack(settings: Settings) -> Any:
    tokens = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.reveal(),
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret.reveal() or None,
    }
    with _importing("slack", "Slack", tokens):
        from chainlit.slack import app
    adapter: Any = app
    if not hasattr(adapter, "helpline"):
        adapter.helpline = True
        adapter.get_data_layer = _no_data_layer
        adapter.slack_app.use(_messages_alone)
    return adapter


async def _messages_alone(body: dict[str, Any], next_: Any) -> Any:
    """Slack's middleware: other events, buttons and files do not get in."""
    from slack_bolt import BoltResponse

    event = body.get("event") or {}
    asked = event.get("type") == "app_mention"
    written = event.get("type") == "message" and event.get("channel_type") == "im"
    if not (asked or written) or event.get("subtype") not in (None, "file_share"):
        return BoltResponse(status=200)
    event.pop("files", None)
    return await next_()


def _teams(settings: Settings) -> Any:
    tokens = {
        "TEAMS_APP_ID": settings.teams_app_id,
        "TEAMS_APP_PASSWORD": settings.teams_app_password.reveal(),
        "TEAMS_APP_TENANT_ID": settings.teams_tenant_id or None,
    }
    with _importing("teams", "Teams", tokens):
        from chainlit.teams import app
    adapter: Any = app
    adapter.get_data_layer = _no_data_layer
    return adapter


def _discord(settings: Settings) -> Any:
    with _importing("discord", "Discord", {}):
        from chainlit.discord import app
    adapter: Any = app
    adapter.get_data_layer = _no_data_layer
    adapter.download_discord_files = _no_files
    return adapter


def _no_data_layer() -> None:
    """What an adapter finds of Chainlit's data layer."""


async def _no_files(session: Any, files: Any) -> list[Any]:
    """What an adapter finds of files: it would load them whole, whatever their size."""
    return []


@contextmanager
def _importing(extra: str, name: str, tokens: Mapping[str, str | None]) -> Iterator[None]:
    """Import an adapter with its tokens in the environment, where they are for no longer than that."""
    before = {key: os.environ.get(key) for key in tokens}
    try:
        _put(tokens)
        with warnings.catch_warnings():
            # What its library finds outdated is its own to mend.
            warnings.simplefilter("ignore")
            yield
    except ImportError as missing:
        raise MissingPartError(
            f"The desk in {name} needs a library: install it with `pip install 'helpline[{extra}]'`."
        ) from missing
    finally:
        _put(before)


def _put(values: Mapping[str, str | None]) -> None:
    for key, value in values.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
