"""One-time codes reach the customer on file and nobody else, and nobody can tell who is on file."""

import asyncio
import json
import logging
import re
from contextlib import asynccontextmanager
from email.message import EmailMessage

import pytest

from helpline.actions import GUEST, Identity
from helpline.errors import SettingsError
from helpline.records.delivery import NotDelivered, send_mail
from helpline.settings import Secret
from tests.records.desks import desk_in, settings_in
from tests.records.receiver import receiving
from tests.records.test_work import MailServer

MAYA = "maya.lindqvist@example.com"


@asynccontextmanager
async def mail_server():
    server = MailServer()
    listener = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        yield server, {"send_codes": "mail", "smtp_host": "127.0.0.1", "smtp_port": port}


def guest_at(desk):
    return desk.toolbox.context(call_id="call_1", caller=GUEST, address="203.0.113.7")


async def ask(desk, tool, **arguments):
    return await desk.toolbox.run(guest_at(desk), tool, json.dumps(arguments))


async def test_a_code_comes_by_mail_and_proves_who_calls(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="helpline")
    async with mail_server() as (server, given), desk_in(tmp_path, **given) as desk:
        sent = await ask(desk, "send_code", email=MAYA)
        await server.came.wait()
        (mail,) = server.mails
        code = re.search(r"Your code is (\d{6})", mail)[1]
        assert f"To: {MAYA}" in mail
        result = await ask(desk, "verify_code", code=" ".join(code))
    assert result.caller.customer_id == "maya"
    assert result.caller.identity is Identity.PROVEN
    assert code not in f"{sent}", "the model never sees it"
    assert code not in caplog.text
    assert MAYA not in caplog.text


async def test_a_code_is_asked_for_with_an_address_as_it_is_said(tmp_path):
    async with mail_server() as (server, given), desk_in(tmp_path, **given) as desk:
        await ask(desk, "send_code", email="Maya dot Lindqvist at example dot com")
        await server.came.wait()
    assert f"To: {MAYA}" in server.mails[0]


async def test_a_password_is_not_sent_to_a_server_without_tls(tmp_path):
    async with mail_server() as (server, given):
        settings = settings_in(tmp_path, **given, smtp_user="helpline", smtp_password=Secret("hunter2"))
        mail = EmailMessage()
        mail["From"] = mail["To"] = MAYA
        with pytest.raises(NotDelivered, match="TLS"):
            await asyncio.to_thread(send_mail, settings, mail)
    assert server.verbs[0] == "EHLO"
    assert "AUTH" not in server.verbs
    assert server.mails == []


async def test_a_stranger_and_a_server_that_is_down_sound_like_any_other(tmp_path, caplog):
    async with mail_server() as (server, given), desk_in(tmp_path, **given) as desk:
        known = await ask(desk, "send_code", email=MAYA)
        unknown = await ask(desk, "send_code", email="nobody@example.com")
    async with desk_in(tmp_path / "down", **given) as desk:
        down = await ask(desk, "send_code", email=MAYA)
    assert len(server.mails) == 1
    assert known == unknown == down
    assert "a one-time code was not sent: ConnectionRefusedError" in caplog.text
    assert MAYA not in caplog.text


async def test_a_company_sends_codes_itself(tmp_path):
    async with receiving() as (receiver, url):
        given = {"send_codes": "webhook", "webhook_url": url, "webhook_secret": Secret("whsec_c2VjcmV0")}
        async with desk_in(tmp_path, **given) as desk:
            await ask(desk, "send_code", email=MAYA)
            await receiver.came.wait()
            ((headers, body),) = receiver.attempts
            message = json.loads(body)
            assert message["type"] == "code.wanted"
            assert message["data"]["customer_id"] == "maya"
            assert headers["webhook-signature"].startswith("v1,")
            assert (await ask(desk, "verify_code", code=message["data"]["code"])).caller is not None


async def test_without_a_courier_no_code_is_offered(tmp_path):
    async with desk_in(tmp_path) as desk:
        names = {each.name for each in desk.toolbox.definitions(guest_at(desk))}
    assert "verify_by_email" in names
    assert not {"send_code", "verify_code"} & names


@pytest.mark.parametrize(
    ("how", "missing"), [("mail", "HELPLINE_SMTP_HOST"), ("webhook", "HELPLINE_WEBHOOK_URL")]
)
def test_a_courier_without_its_server_is_refused(tmp_path, how, missing):
    with pytest.raises(SettingsError, match=missing):
        settings_in(tmp_path, send_codes=how)
