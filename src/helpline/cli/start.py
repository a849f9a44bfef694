"""What every command starts with: the settings, and a log that goes to stderr."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from helpline.settings import Settings, load_settings
from helpline.telemetry import logs

T = TypeVar("T")


def prepare(*, quiet: bool = False, **overrides: Any) -> Settings:
    """Load the settings with what the command line gave, and set the log up. Raises SettingsError.

    `quiet` is for a command that talks to a person: only warnings get through.
    """
    logs.set_up("text")  # What is wrong with the settings is said before they say how.
    settings = load_settings(overrides)
    logs.set_up(settings.log_format)
    # Other people's libraries log addresses and payloads at INFO: only our own names are turned up.
    logging.getLogger("helpline").setLevel(logging.WARNING if quiet else settings.log_level)
    return settings


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(work)
