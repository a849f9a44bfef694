"""Function calls of a chat model, which arrive in pieces: each server cuts them in its own way.

Seen in the field: pieces by `index` (OpenAI, vLLM); whole calls without an index (Mistral, Ollama); every
call with index 0 and an id of its own; the name in every piece; a new id in every piece; arguments as an
object.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from helpline.engine.brain import Call
from helpline.errors import BackendError

_MOST_CALLS = 16
_MOST_ARGUMENTS = 100_000


@dataclass(slots=True)
class _Growing:
    index: int | None
    id: str
    name: str = ""
    arguments: str = ""

    @property
    def whole(self) -> bool:
        """Whether the arguments are complete."""
        try:
            return isinstance(msgspec.json.decode(self.arguments or "{}"), dict)
        except msgspec.DecodeError:
            return False


class Calls:
    """The calls of one answer; `known` are the names that can be called."""

    def __init__(self, known: set[str]) -> None:
        self._known = known
        self._calls: list[_Growing] = []

    def take(self, pieces: Any) -> None:
        """More of them, as a delta's `tool_calls`; what is none is left out."""
        for piece in pieces if isinstance(pieces, list) else ():
            function = piece.get("function") if isinstance(piece, dict) else None
            if isinstance(function, dict):
                self._take(piece, str(function.get("name") or ""), _text(function.get("arguments")))

    def finished(self) -> list[Call]:
        """All of them; raises BackendError when one is not whole: none is to be made then."""
        calls = [call for call in self._calls if call.name]
        if not all(call.whole for call in calls):
            raise BackendError(
                "The chat model broke off in the middle of a call: check HELPLINE_CHAT_URL.",
                setting="HELPLINE_CHAT_URL",
            )
        return [Call(call.name, call.arguments or "{}") for call in calls]

    def _take(self, piece: dict[str, Any], name: str, arguments: str) -> None:
        index = piece.get("index") if isinstance(piece.get("index"), int) else None
        identity = piece["id"] if isinstance(piece.get("id"), str) else ""
        call = self._of(index, identity, name)
        if call is None:
            if len(self._calls) >= _MOST_CALLS:
                return
            call = _Growing(index, identity)
            self._calls.append(call)
        if name != call.name and (call.name not in self._known or call.name + name in self._known):
            call.name += name
        if call.arguments and call.whole and arguments == call.arguments:
            return  # told once more, as a whole
        call.arguments = (call.arguments + arguments)[:_MOST_ARGUMENTS]

    def _of(self, index: int | None, identity: str, name: str) -> _Growing | None:
        """The call that a piece goes on with; None: it begins one."""
        if not self._calls:
            return None
        by_id = [
            call for call in self._calls if identity and call.id == identity and index in (None, call.index)
        ]
        if by_id:
            return by_id[-1]
        if index is not None:
            same = [call for call in self._calls if call.index == index]
            return same[-1] if same and not (identity and self._is_another(name, same[-1])) else None
        last = self._calls[-1]
        return None if (name and identity) or self._is_another(name, last) else last

    def _is_another(self, name: str, call: _Growing) -> bool:
        """Whether a piece with this name begins a call after that one."""
        if not name:
            return False
        if call.name in self._known and name != call.name and call.name + name not in self._known:
            return True
        return bool(call.arguments) and call.whole


def _text(arguments: Any) -> str:
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments if isinstance(arguments, str) else ""
