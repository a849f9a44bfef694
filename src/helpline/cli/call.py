"""`helpline call`: a call from the terminal, held in real time like any other."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click

from helpline.actions import GUEST, Caller
from helpline.audio.wav import read_wav, write_wav
from helpline.call.call import Call
from helpline.call.shown import Caption, Notice, ReceiptShown, Shown, ToolEnded
from helpline.channels.wav import WavChannel, line_to
from helpline.cli.start import prepare
from helpline.desk import Desk, open_desk
from helpline.engine.voice import Synthesiser
from helpline.errors import BackendError, LocalError, SettingsError
from helpline.own import Own, own_in
from helpline.settings import Settings

PATIENCE_S: Final = 30.0
"""How long a sentence waits for the end of its answer."""

BROKE_OFF: Final = "The call broke off: the log says where."

Turn = str | bytes
"""A sentence to type, or speech: pcm24k."""


@click.command()
@click.argument("sentences", nargs=-1)
@click.option(
    "--customer", metavar="ID", help="Which demo customer calls, or `guest`; the first one by default."
)
@click.option("--text", is_flag=True, help="Type the sentences instead of speaking them.")
@click.option(
    "--wav", "recordings", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Play a recording before the sentences; may be given more than once.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the desk's voice to a wav file."
)
@click.option(
    "--url", metavar="URL", help="Talk to this Realtime server, such as ws://127.0.0.1:8765/v1/realtime."
)
@click.option("--tools", type=click.Path(path_type=Path), metavar="FILE.py", help="Bring tools of your own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the transcript.")
def command(
    sentences: Sequence[str],
    customer: str | None,
    text: bool,
    recordings: Sequence[Path],
    out: Path | None,
    url: str | None,
    tools: Path | None,
    as_json: bool,
) -> None:
    """Place a call: say each sentence, wait until its answer was heard, then say the next."""
    if not sentences and not recordings:
        raise click.UsageError('Say something: helpline call "where is my order 1004"')
    if text and (recordings or out):
        raise click.UsageError("--text has no sound: leave out --wav and --out.")
    if out and (out.is_dir() or not out.parent.is_dir() or not os.access(out.parent, os.W_OK)):
        raise click.UsageError(f"--out: {out} cannot be written: name a file in a folder that is there.")
    backend = {"realtime_url": url, "backends": "realtime"} if url else {}
    with url_named_as_typed(url):
        settings = prepare(quiet=True, **backend)
    if url:  # who cannot be reached is said once, by the command
        logging.getLogger("helpline.call.driver").setLevel(logging.ERROR)
    turns: list[Turn] = [read_wav(path) for path in recordings]
    turns += sentences if text else map(Synthesiser().speak, sentences)
    show = None if as_json else Printer()
    tools = tools or settings.tools_file
    own = own_in(tools) if tools else Own()
    open_ours = partial(open_desk, own=own)
    with url_named_as_typed(url):
        channel = asyncio.run(place_call(settings, turns, customer=customer, show=show, open_desk=open_ours))
    if out:
        write_wav(out, bytes(channel.heard))
    if as_json:
        click.echo(json.dumps(channel.document.as_json(), ensure_ascii=False, indent=2))


@contextmanager
def url_named_as_typed(url: str | None) -> Iterator[None]:
    """Errors name `--url` where that was given, and not the setting that it stands for."""
    try:
        yield
    except (BackendError, SettingsError) as error:
        if url is None:
            raise
        said = str(error).replace("HELPLINE_REALTIME_URL", "--url").replace("--realtime-url", "--url")
        raise type(error)(said) from None


async def place_call(
    settings: Settings,
    turns: Sequence[Turn],
    *,
    customer: str | None = None,
    show: Callable[[Shown], None] | None = None,
    open_desk: Callable[[Settings], AbstractAsyncContextManager[Desk]] = open_desk,
) -> WavChannel:
    """Hold a call at a desk of its own and return its channel. Raises HelplineError when it cannot be."""
    channel = WavChannel(notice=show)
    async with (
        open_desk(settings) as desk,
        line_to(desk, channel, caller_of(desk, customer)) as call,
    ):
        await hold(call, channel, turns)
    return channel


async def hold(call: Call, channel: WavChannel, turns: Sequence[Turn]) -> None:
    """Say or type each turn, and hear its answer to the end."""
    if any(isinstance(turn, bytes) for turn in turns) and not await call.start_voice():
        raise BackendError(channel.document.failure or BROKE_OFF)
    for turn in turns:
        if isinstance(turn, bytes):
            channel.speak(turn)
        else:
            channel.typed()
            call.type(turn)
        answered = await channel.answered(PATIENCE_S)
        if channel.document.failure:
            raise BackendError(channel.document.failure)
        if channel.state == "ended":
            return
        if channel.over:
            raise LocalError(BROKE_OFF)
        if not answered:
            click.echo(f"(no answer came within {PATIENCE_S:.0f} s)", err=True)


def caller_of(desk: Desk, customer: str | None) -> Caller:
    """Whom the command line names: a demo customer by id or name, or a guest. Raises SettingsError."""
    if customer == "guest" or (customer is None and not desk.demo_customers):
        return GUEST
    for caller in desk.demo_customers:
        if customer in (None, caller.customer_id, caller.name):
            return caller
    known = ", ".join(f"{caller.customer_id} ({caller.name})" for caller in desk.demo_customers)
    raise SettingsError(
        f"--customer names nobody of the demo shop: use {known} or guest."
        if known
        else "--customer is for the demo shop on this machine alone: see HELPLINE_SHOP and HELPLINE_HOST."
    )


class Printer:
    """Prints the transcript as it happens: a line when it is whole, a tool or receipt when it is done."""

    def __init__(self) -> None:
        self._printed: set[str] = set()

    def __call__(self, shown: Shown) -> None:
        match shown:
            case Caption(final=True) if shown.text and shown.line_id not in self._printed:
                self._printed.add(shown.line_id)
                cut = shown.heard.strip() != shown.text.strip()
                click.echo(f"{shown.speaker:>8}: {shown.heard + ' (cut short)' if cut else shown.text}")
            case ToolEnded():
                click.echo(f"{'tool':>8}: {shown.name} {shown.arguments} ({shown.took_ms} ms)")
            case ReceiptShown():
                click.echo(f"{'receipt':>8}: {shown.receipt.reference} {shown.receipt.action}")
            case Notice() if shown.kind != "error":
                click.echo(f"{'notice':>8}: {shown.text}", err=True)
