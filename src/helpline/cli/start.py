"""What every command starts with: the settings, and a log that goes to stderr."""

import logging
from typing import Any

from helpline.settings import Settings, load_settings

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def prepare(*, quiet: bool = False, **overrides: Any) -> Settings:
    """Load the settings with what the command line gave, and set the log up. Raises SettingsError.

    `quiet` is for a command that talks to a person: only warnings get through.
    """
    logging.basicConfig(format=_FORMAT, level=logging.WARNING, force=True)
    settings = load_settings(overrides)
    # Other people's libraries log addresses and payloads at INFO: only our own names are turned up.
    logging.getLogger("helpline").setLevel(logging.WARNING if quiet else settings.log_level)
    return settings
