"""Plain text as Markdown that shows exactly that text.

Chainlit renders what the desk says as Markdown. Words of a model, a tool or a customer are text and nothing
else: no emphasis, link, image, table, directive or code may come of them.
"""

import json
import re
from typing import Any, Final

# Everything CommonMark lets a backslash escape, but for punctuation that starts nothing within a line.
_SPECIAL: Final = {ord(char): f"\\{char}" for char in "\\`*_{}[]()<>#+-!|~:$&=^@"}
_LIST_NUMBER: Final = re.compile(r"^(\s*\d+)([.)])", re.MULTILINE)
# Chainlit replaces this character by a blinking cursor, wherever it stands.
_CURSOR: Final = "\u200b"
# Markdown makes links of bare addresses too. A word joiner, which nobody sees, keeps them text: a link that a
# model was talked into is not one click away.
_ADDRESS: Final = re.compile(r"(?i)(https?:|www)(?=[/.])")
_JOINER: Final = "\u2060"


def plain(text: str) -> str:
    """Markdown that shows `text` as it is, as one paragraph."""
    line = " ".join(text.replace(_CURSOR, "").split())
    line = _ADDRESS.sub(rf"\1{_JOINER}", line)
    return _LIST_NUMBER.sub(r"\1\\\2", line.translate(_SPECIAL))


def partly_heard(text: str, heard: str) -> str:
    """Markdown of a line that was interrupted: what was not heard is struck out."""
    # Words that are no part of the text were worded anew: show them, and that more was said.
    unheard = text[len(heard) :] if text.startswith(heard) else " …"
    if not unheard.strip():
        return plain(heard)
    return " ".join(part for part in (plain(heard), f"~~{plain(unheard)}~~") if part)


def code(value: Any, limit: int = 4000) -> str:
    """`value` as indented JSON that cannot end the code block it is shown in, cut at `limit` characters."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    # In JSON a backtick is the same character written as an escape; only in strings can it stand at all.
    text = text.replace("`", "\\u0060").replace(_CURSOR, "")
    return text if len(text) <= limit else text[:limit] + "\n…"


def indented(arguments: str) -> str:
    """The JSON text of a tool's arguments, made readable; text that is no JSON is shown as it is."""
    try:
        return code(json.loads(arguments))
    except ValueError:
        return code(arguments)
