"""A desk in a folder of the test's own, with the embedded engine, and calls typed at it."""

from contextlib import asynccontextmanager
from datetime import timedelta

from helpline.clock import SystemClock
from helpline.desk import open_desk
from helpline.settings import load_settings
from helpline.simulate.text import TextChannel

ALWAYS_OPEN = "Mon-Sun 0:00-23:59"
"""Else nobody could be called back tomorrow on a Friday."""


def settings_in(folder, **overrides):
    given = {"data_dir": folder, "backends": "engine", "hours": [ALWAYS_OPEN], **overrides}
    return load_settings(given, env={}, env_file=folder / "no.env", desk_file=folder / "no.toml")


class LaterClock(SystemClock):
    """The real clock, some minutes from now: leases have run out, retries are due."""

    def __init__(self, **span):
        self._later = timedelta(**span)

    def utcnow(self):
        return super().utcnow() + self._later


@asynccontextmanager
async def desk_in(folder, *, clock=None, backends=None, **overrides):
    async with open_desk(settings_in(folder, **overrides), clock=clock, backends=backends) as desk:
        yield desk


async def talk(desk, *sentences, caller=None, notice=None):
    """A typed call from ring to hang-up; gives its id and its document."""
    channel = TextChannel(notice)
    call = await desk.admit(channel, kind="test", caller=caller or desk.demo_customers[0])
    channel.join(call)
    for sentence in sentences:
        assert await channel.say(sentence), f"no answer to {sentence}"
    call.hang_up("the customer hung up")
    await desk.gone(call)
    return call.id, channel.document
