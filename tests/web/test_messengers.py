"""The desk in Slack, Teams and Discord: the adapters' own handlers, against stubs of the platforms."""

import hashlib
import hmac
import json
import time

import httpx
import jwt
import pytest
import yarl
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from helpline.channels.web.app import create_app
from helpline.desk import open_desk
from helpline.errors import SettingsError
from tests.records.desks import settings_in
from tests.web.platform import platform
from tests.web.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASK = "please call me back on tuesday at 3 pm, my number is 617 555 0134"
SECRET = "s" * 32


def served_desk(folder, **overrides):
    return served(create_app(settings_in(folder, **overrides), open_desk))


def is_booked(texts):
    """A read-back, how to answer it, and one receipt."""
    said = "\n".join(texts)
    assert "Tuesday at 3 PM" in said
    assert said.count("Please answer yes or no.") == 1
    assert len([text for text in texts if "Done. We will call you back" in text]) >= 1
    return "R-" in said.replace("\\", "")


# --- Slack ---


def slack_event(text, ts, **event):
    inner = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": ts, "text": text}
    return json.dumps({"type": "event_callback", "team_id": "T1", "event": {**inner, **event}})


def slack_headers(body, secret=SECRET):
    at = str(int(time.time()))
    mac = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={mac}",
    }


async def test_slack(tmp_path):
    answers = {
        "/api/auth.test": {"ok": True, "user_id": "UBOT", "bot_id": "B1", "team_id": "T1"},
        "/api/users.info": {"ok": True, "user": {"profile": {"real_name": "Maya", "email": "m@x.example"}}},
    }
    desk = served_desk(tmp_path, slack_bot_token="xoxb-test", slack_signing_secret=SECRET)
    with platform(answers) as slack:
        async with desk as address, httpx.AsyncClient(base_url=address) as client:
            from chainlit.slack.app import slack_app

            slack_app.client.base_url = f"{slack.address}/api/"

            async def post(body, **headers):
                return await client.post(
                    "/slack/events", content=body, headers={**slack_headers(body), **headers}
                )

            def said():
                return [body["text"] for body in slack.bodies("chat.postMessage")]

            challenge = json.dumps({"type": "url_verification", "challenge": "abc"})
            assert (await post(challenge)).json() == {"challenge": "abc"}
            forged = slack_event("where is my order 1004", "0.1")
            refused = await client.post("/slack/events", content=forged, headers=slack_headers(forged, "x"))
            assert refused.status_code == 401
            first = slack_event(ASK, "1.1", files=[{"url_private": f"{slack.address}/file", "name": "x"}])
            assert (await post(first)).status_code == 200
            await slack.until(lambda: any("yes or no" in text for text in said()))
            assert (await post(first, **{"x-slack-retry-num": "1"})).status_code == 200  # Delivered again.
            await post(slack_event("yes", "1.2"))
            await slack.until(lambda: any("Done. We will call" in text for text in said()))
            await post(slack_event("hello", "1.3", type="app_mention", channel="C1", channel_type=None))
            await slack.until(lambda: any("direct message" in text for text in said()))
            for noise in (
                slack_event("secret", "1.4", channel="C1", channel_type="channel"),
                slack_event("secret", "1.5", subtype="message_changed"),
                json.dumps({"type": "event_callback", "event": {"type": "reaction_added", "user": "U1"}}),
            ):
                assert (await post(noise)).status_code == 200
            await post(slack_event("goodbye <!channel>", "1.6"))
            await slack.until(lambda: said()[-1] not in said()[:-1] and "direct" not in said()[-1])
            assert is_booked(said())
            assert slack.bodies("/file") == []
            assert (await client.post("/teams/events", json={})).status_code in (404, 405)


# --- Teams ---


class Token:
    """Credentials that have their token already."""

    microsoft_app_id = "app-1"
    oauth_scope = "https://api.botframework.com"

    def signed_session(self, session=None):
        session.headers["Authorization"] = "Bearer ours"
        return session


async def test_teams(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    answers = {"/keys": {"keys": [{**public, "kid": "k1", "endorsements": ["msteams"]}]}}
    desk = served_desk(tmp_path, teams_app_id="app-1", teams_app_password="p" * 20)
    with platform(answers) as teams:
        answers["/metadata"] = {"jwks_uri": f"{teams.address}/keys"}
        async with desk as address, httpx.AsyncClient(base_url=address, timeout=30) as client:
            from botframework.connector.auth import ChannelValidation
            from chainlit.teams.app import adapter

            ChannelValidation.open_id_metadata_endpoint = f"{teams.address}/metadata"
            adapter._credentials = Token()

            async def post(text, number, kind="personal", audience="app-1", signed_by=key, **more):
                claims = {
                    "iss": "https://api.botframework.com",
                    "aud": audience,
                    "exp": time.time() + 600,
                    "serviceurl": teams.address,
                }
                token = jwt.encode(claims, signed_by, algorithm="RS256", headers={"kid": "k1"})
                activity = {
                    "type": "message",
                    "id": str(number),
                    "channelId": "msteams",
                    "serviceUrl": teams.address,
                    "from": {"id": "29:maya", "name": "Maya"},
                    "recipient": {"id": "28:bot", "name": "Desk"},
                    "conversation": {"id": f"a:{kind}", "conversationType": kind},
                    "text": text,
                    **more,
                }
                return await client.post(
                    "/teams/events", json=activity, headers={"authorization": f"Bearer {token}"}
                )

            def said():
                return [body["text"] for body in teams.bodies("") if body.get("type") == "message"]

            assert (await client.post("/teams/events", json={"type": "message"})).status_code in (400, 401)
            assert (await post(ASK, 0, audience="another-app")).status_code == 401
            stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            assert (await post(ASK, 0, signed_by=stranger)).status_code in (400, 401)
            assert said() == []
            file = {"contentType": "x", "content": {"downloadUrl": f"{teams.address}/file"}}
            assert (await post(ASK, 1, attachments=[file])).status_code == 200
            assert (await post(ASK, 1)).status_code == 200  # Delivered again.
            assert (await post("yes", 2)).status_code == 200
            assert (await post("hello", 3, kind="groupChat")).status_code == 200
            assert "direct message" in said()[-1]
            assert (await post("like", 4)).status_code == 200
            assert is_booked(said())
            assert teams.bodies("/file") == []


# --- Discord ---


def discord_message(text, number, **more):
    author = {"id": "42", "username": "maya", "discriminator": "0", "avatar": None, "global_name": None}
    return {
        "id": str(number),
        "channel_id": "7",
        "author": author,
        "content": text,
        "timestamp": "2026-11-26T12:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        **more,
    }


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated")
async def test_discord(tmp_path, monkeypatch):
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    bot = {"id": "99", "username": "desk", "discriminator": "0", "avatar": None, "bot": True}
    channel = {
        "id": "7",
        "type": 1,
        "last_message_id": None,
        "recipients": [discord_message("", 0)["author"]],
    }
    sent = {**discord_message("", 100), "author": bot}
    answers = {
        "/api/users/@me": bot,
        "/api/oauth2/applications/@me": {
            "id": "1",
            "name": "desk",
            "description": "",
            "icon": None,
            "bot_public": False,
            "bot_require_code_grant": False,
            "owner": bot,
            "verify_key": "k",
        },
        "/api/channels/7": channel,
        "/api/channels/7/messages": sent,
    }
    desk = served_desk(tmp_path, discord_bot_token="d" * 20)
    with platform(answers) as discord:
        answers["READY"] = {
            "user": bot,
            "session_id": "s",
            "resume_gateway_url": discord.address,
            "guilds": [],
            "private_channels": [],
            "application": {"id": "1", "flags": 0},
            "v": 10,
        }
        monkeypatch.setattr(Route, "BASE", f"{discord.address}/api")
        gateway = yarl.URL(f"{discord.address}/gateway/")
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        async with desk:
            await discord.until(lambda: discord.bodies("IDENTIFY"))
            assert discord.bodies("IDENTIFY")[0]["token"] == "d" * 20
            from chainlit.discord.app import client

            # Its library goes on for two seconds after a connection, even when it is closed meanwhile.
            await client.wait_until_ready()

            def said():
                return [body["content"] for body in discord.bodies("/channels/7/messages")]

            discord.dispatch("MESSAGE_CREATE", discord_message(ASK, 1))
            await discord.until(lambda: any("yes or no" in text for text in said()))
            discord.dispatch("MESSAGE_CREATE", discord_message(ASK, 1))  # Delivered again.
            discord.dispatch("MESSAGE_CREATE", discord_message("yes", 2))
            await discord.until(lambda: any("Done" in text for text in said()))
            assert is_booked(said())


async def test_half_a_configuration_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN needs SLACK_SIGNING_SECRET"):
        settings_in(tmp_path, slack_bot_token="xoxb")
    with pytest.raises(SettingsError, match="TEAMS_APP_ID needs TEAMS_APP_PASSWORD"):
        settings_in(tmp_path, teams_app_id="app")


async def test_nobody_posts_where_no_messenger_is_configured(site):
    async with httpx.AsyncClient(base_url=site) as client:
        for path in ("/slack/events", "/teams/events"):
            assert (await client.post(path, json={})).status_code in (404, 405)
