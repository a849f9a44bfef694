"""The command line: `helpline run`, `call`, `engine`, `doctor` and the commands for a shop's data.

A command's module is imported when it is called, so that `helpline --help` and `import helpline` stay light.
Whatever goes wrong with a setting, a file, a port or a backend is one sentence and an exit code: 2 when a
setting or an argument is wrong, 1 for the rest.
"""

import importlib
import io
import sys
from typing import Any, Final, TextIO

import click

from helpline import __version__
from helpline.errors import HelplineError, SettingsError

COMMANDS: Final = {
    "init": "Write a desk of your own into a new folder, ready to run.",
    "run": "Start the desk and its page.",
    "call": "Place a call from the terminal, spoken or typed.",
    "engine": "Start the embedded engine alone, for any client of the Realtime protocol.",
    "doctor": "Say what is configured, what works, and what to do about what does not.",
    "replay": "Live through a call again that was written down, and print what came of it.",
    "shop": "Bring a shop's data in, and take it out again.",
    "ledger": "Check the record of every change that was made.",
    "policy": "Check what the shop allows.",
    "calls": "List, show, search and export what happened on every call.",
    "callbacks": "Whom to call back, and when.",
    "tickets": "What a person still has to answer or take over.",
    "simulate": "Put simulated customers on the desk, and judge what it did.",
    "trace-to-test": "Turn a recorded call into a scenario.",
    "data-of": "Print everything that is kept about a customer.",
    "forget": "Erase a customer from everything that the desk keeps.",
    "drain": "Let a running desk finish its calls, take no new ones, and stop.",
}


class Failed(click.ClickException):
    """One sentence on stderr."""


class Misconfigured(Failed):
    """A setting or an argument is wrong."""

    exit_code = 2


class Commands(click.Group):
    """Finds a command by its name in COMMANDS, and turns our errors into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"helpline.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Misconfigured(str(error)) from None
        except HelplineError as error:
            raise Failed(str(error)) from None


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="helpline")
def main() -> None:
    """A voice desk for customer service: it talks, acts on real orders, and proves what it did."""
    for stream in (sys.stdout, sys.stderr):
        any_letters(stream)


def any_letters(stream: TextIO) -> None:
    """What customers say is printed whatever a system's own encoding lacks: a file is UTF-8 then, a terminal
    shows what it can.
    """
    if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
