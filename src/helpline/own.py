"""What a company brings in a Python file of its own."""

import importlib.util
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from helpline.errors import SettingsError
from helpline.hooks import Hooks, hooks_in
from helpline.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Own:
    """What the file brings."""

    tools: tuple[Tool, ...] = ()
    """In the order in which they stand there."""
    hooks: Hooks = field(default_factory=Hooks)


def own_in(path: Path) -> Own:
    """The tools and hooks that a Python file defines. Raises SettingsError with the line that is wrong."""
    spec = importlib.util.spec_from_file_location(f"helpline_desk_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SettingsError(f"{path} is no Python file that can be read.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Type hints in it are looked up by its name.
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit, KeyboardInterrupt) as wrong:
        # A file that ends the program while it is read must not end a desk that reads it again.
        raise SettingsError(f"{path}{_line_of(wrong, path)}: {_why(wrong)}.") from wrong
    tools = tuple(value for value in vars(module).values() if isinstance(value, Tool))
    hooks = hooks_in(vars(module), str(path))
    if not tools and not hooks:
        raise SettingsError(f"{path} has no tool: put @tool from helpline.tools above a typed function.")
    return Own(tools, hooks)


def _why(wrong: BaseException) -> str:
    match wrong:
        case SystemExit() | KeyboardInterrupt():
            return "it ends the program; define tools and hooks alone"
        case UnicodeDecodeError() | SyntaxError() if "null byte" in str(wrong) or "utf-8" in str(wrong):
            return "it is not a text in UTF-8"
        case _:
            return f"{type(wrong).__name__}: {wrong}"


def _line_of(wrong: BaseException, path: Path) -> str:
    """Where in the file itself it went wrong, however deep it was raised."""
    if isinstance(wrong, SyntaxError):
        return f", line {wrong.lineno}" if wrong.lineno else ""
    lines = [
        frame.lineno for frame in traceback.extract_tb(wrong.__traceback__) if frame.filename == str(path)
    ]
    return f", line {lines[-1]}" if lines else ""
