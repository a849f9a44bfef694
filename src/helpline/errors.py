"""Errors that say whose fault it is, each with one sentence that names what to change.

`LocalError` is ours to mend (a setting, a file, a port); `RemoteError` is the other side's (a backend, a
shop's server). A `ToolError` carries a sentence fit to be spoken to a customer. Messages never hold secrets
or personal data: they are written to the log. A customer is told the desk's own sentences, by `Trouble`.
"""

from typing import Literal

from helpline.wording import Saying, said

Trouble = Literal["away", "busy", "deaf", "out_of_order"]
"""Why nobody answers, as far as it concerns a customer: later, soon, or when it was mended."""


class HelplineError(Exception):
    """Something went wrong at the desk."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0])


class LocalError(HelplineError):
    """Something on this side is wrong."""


class SettingsError(LocalError):
    """A setting is wrong; the message names the setting and what to change."""


class StoreError(LocalError):
    """The shop's database cannot be used."""


class DeskDraining(LocalError):
    """The desk is about to close and takes no new calls: please call again in a few minutes."""


class MissingPartError(LocalError):
    """An optional part is not installed; the message names what to install."""


class RemoteError(HelplineError):
    """The other side refused or failed."""


class BackendError(RemoteError):
    """A backend could not be reached or refused us; the message names the setting to check."""

    def __init__(
        self, message: str | None = None, *, setting: str = "", retry: bool = True, trouble: Trouble = "away"
    ) -> None:
        super().__init__(message)
        self.setting = setting
        self.retry = retry
        self.trouble: Trouble = trouble if retry else "out_of_order"


class ConnectionLost(RemoteError):
    """The live session with the backend ended."""

    def __init__(self, message: str | None = None, *, code: int = 1006) -> None:
        super().__init__(message)
        self.code = code


class ToolError(HelplineError):
    """A tool refused or failed, with a sentence fit to be spoken to a customer."""

    def __init__(self, say: str | Saying, *, reason: str = "failed") -> None:
        super().__init__(said(say, "en"))
        self._say = say
        self.reason = reason

    @property
    def say(self) -> str:
        """The sentence in English, or as its author wrote it."""
        return self.say_in("en")

    def say_in(self, language: str) -> str:
        """The sentence in the call's language, if it is one of the desk's own."""
        return said(self._say, language)
