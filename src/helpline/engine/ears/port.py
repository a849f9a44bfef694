"""The engine's ears: speech in, words out. One port, and a file for each part behind it.

Ears are sync and CPU-bound: `listening.py` runs them away from the event loop.
"""

import re
from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

from helpline.engine.lexicon import Expected

_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|♪[^♪]*♪?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


class Ears(Protocol):
    """Recognises one session's speech, an utterance at a time.

    What is not abstract may be left as it is: by ears that have one opinion, and a vocabulary of their own.
    """

    def expect(self, expected: Expected) -> None:
        """What the session may hear, from the next utterance on."""
        return

    def know_references(self, own: tuple[str, ...], *, asked: bool) -> None:
        """The caller's own order numbers; and whether the last reply asked for one."""
        return

    @abstractmethod
    def begin(self) -> None:
        """An utterance begins."""

    @abstractmethod
    def hear(self, pcm16k: bytes, floor_rms: float) -> str:
        """More of it, or nothing; the words so far, or "" from ears that know them only at the end."""

    def settle(self) -> None:
        """The speaker pauses: `think` of all that was heard, in the silence window; more may come."""
        return

    def think(self) -> bool:
        """Do a little of the work ahead, 10 ms of a core, or 60 at most; False: there was nothing.

        Called when nothing is more urgent, and maybe never.
        """
        return False

    def behind(self) -> bool:
        """Whether `think` is to do what the end would else have to wait for; the rest can be left out."""
        return False

    @abstractmethod
    def finish(self, *, hurried: bool = False) -> tuple[str, ...]:
        """It is over: its words, in lower case; numbers as words or digits; the best guess first.

        `hurried`: others wait, so leave out what would take long and is not needed.
        """

    def references(self) -> tuple[str, ...]:
        """What `finish` gave, heard as such a number whatever was said; () where there is no grammar."""
        return ()

    @abstractmethod
    def cancel(self) -> None:
        """Forget the utterance in progress, if any."""


MakeEars = Callable[[], Ears]
"""Ears for one more session, over a model that is loaded once per process."""


def plain(text: str) -> str:
    """A recogniser's written text as `Ears` give it: lower case, without punctuation and remarks."""
    text = _THOUSANDS.sub("", _ASIDE.sub(" ", text.lower().replace("’", "'")))
    words = (word.strip(".,!?;:\"'-…") for word in text.split())
    return " ".join(word for word in words if word)
