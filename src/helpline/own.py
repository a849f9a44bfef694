"""What a company brings in a Python file of its own."""

import importlib.util
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from helpline.errors import SettingsError
from helpline.hooks import Hooks, hooks_in
from helpline.store import Shop
from helpline.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Own:
    """What the file brings."""

    tools: tuple[Tool, ...] = ()
    """In the order in which they stand there."""
    hooks: Hooks = field(default_factory=Hooks)
    open_shop: Callable[[], object] | None = None
    """Gives the company's order system: a `helpline.store.Shop`, or an async context manager around one."""

    @asynccontextmanager
    async def shop(self) -> AsyncIterator[Shop | None]:
        """The company's order system, closed again at the end; None when it brings none.

        Raises SettingsError when there is none to be had.
        """
        if self.open_shop is None:
            yield None
            return
        async with AsyncExitStack() as opened:
            try:
                given = self.open_shop()
                if isinstance(given, AbstractAsyncContextManager):
                    given = await opened.enter_async_context(given)
            except SettingsError:
                raise
            except KeyError as wrong:  # A variable of the environment, most likely.
                raise SettingsError(f"open_shop found nothing under the name {wrong}.") from wrong
            except Exception as wrong:
                # Its text may hold an address with a password.
                raise SettingsError(f"open_shop failed with {type(wrong).__name__}.") from wrong
            missing = [name for name in _SHOP if not callable(getattr(given, name, None))]
            if missing:
                raise SettingsError(f"open_shop must give a shop, and this one lacks {', '.join(missing)}.")
            yield cast(Shop, given)


_SHOP = tuple(name for name in vars(Shop) if not name.startswith("_"))


def own_in(path: Path) -> Own:
    """The tools, hooks and shop that a Python file defines.

    Raises SettingsError with the line that is wrong.
    """
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
    open_shop = vars(module).get("open_shop")
    if open_shop is not None and not callable(open_shop):
        raise SettingsError(f"{path}: open_shop must be a function that gives the shop.")
    if not tools and not hooks and open_shop is None:
        raise SettingsError(f"{path} has no tool: put @tool from helpline.tools above a typed function.")
    return Own(tools, hooks, open_shop)


def _why(wrong: BaseException) -> str:
    match wrong:
        case SystemExit() | KeyboardInterrupt():
            return "it ends the program; define tools and hooks alone"
        case UnicodeDecodeError() | SyntaxError() if "null byte" in str(wrong) or "utf-8" in str(wrong):
            return "it is not a text in UTF-8"
        case SyntaxError():
            return f"{type(wrong).__name__}: {wrong.msg}"  # the line is named by itself
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
