"""What every command starts with: the settings, and a log that goes to stderr."""

import logging
from typing import Any

from helpline.settings import Settings, load_settings
from helpline.telemetry import logs


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
