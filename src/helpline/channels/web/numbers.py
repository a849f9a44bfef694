"""Numbers that a customer was given, a receipt's or a ticket's: spoken one way and written another."""

import re
from collections.abc import Callable

from helpline.wording import spelled


class Numbers:
    """Those of one conversation."""

    def __init__(self) -> None:
        self._by_sound: dict[str, str] = {}

    def give(self, number: str) -> None:
        """The customer is shown this number; an empty one is none."""
        if number:
            self._by_sound[spelled(number)] = number

    def written(self, text: str, marked: Callable[[str], str] = str) -> str:
        """`text` with these numbers as one writes them: "R 4 2" is "R-42". `marked` puts one there."""
        for sound, number in self._by_sound.items():
            there = marked(number).replace("\\", r"\\")  # what `sub` reads, not what it puts there
            # Chinese has no blank before it.
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(sound)}(?![A-Za-z0-9])", there, text)
        return text
