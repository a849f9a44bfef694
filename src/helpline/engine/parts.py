"""What an optional part needs before it can be used, and the sentence for what is not there.

A part of a company's own is named by where it is made: `package.module:function`, as `own_part` reads it.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from helpline.errors import HelplineError, MissingPartError
from helpline.settings_text import OWN_PART


def need_package(module: str, part: str, extra: str) -> None:
    """Raises MissingPartError with what to install, unless the module can be imported."""
    try:
        there = find_spec(module) is not None
    except ValueError:  # a module that is marked as absent
        there = False
    if not there:
        raise MissingPartError(f'{part} is not installed: pip install "helpline[{extra}]".')


def load_package(module: str, part: str, extra: str) -> Any:
    """The module; raises MissingPartError with what to install, for one that is broken too."""
    need_package(module, part, extra)
    try:
        return import_module(module)
    except Exception as broken:
        raise MissingPartError(
            f"{part} is installed but cannot be imported ({type(broken).__name__}):"
            f' pip install --force-reinstall "helpline[{extra}]".'
        ) from broken


def is_own(spec: str) -> bool:
    """Whether this names a part of the company's own."""
    return OWN_PART.fullmatch(spec) is not None


def need_own(spec: str, setting: str) -> None:
    """Raises MissingPartError unless the module of such a part is there; it is not imported."""
    module, _, _ = spec.partition(":")
    try:
        there = find_spec(module) is not None
    except Exception as broken:  # noqa: BLE001 - the packages around it are imported, and are not ours
        raise _no_module(module, setting, type(broken).__name__) from None
    if not there:
        raise _no_module(module, setting, "ModuleNotFoundError")


def own_part(spec: str, setting: str) -> Callable[[], Any]:
    """What makes such a part; raises MissingPartError."""
    module, _, name = spec.partition(":")
    try:
        make = getattr(import_module(module), name, None)
    except (Exception, SystemExit) as broken:
        raise _no_module(module, setting, type(broken).__name__) from broken
    if not callable(make):
        raise MissingPartError(f"{setting}: {module} has no function {name}.")
    return make  # type: ignore[no-any-return]


def made_by(make: Callable[[], Any], spec: str, setting: str, port: type) -> Any:
    """A part that does all of `port`, a Protocol; raises MissingPartError for what does not."""
    try:
        part = make()
    except HelplineError:
        raise
    except Exception as failed:  # its text may hold a key
        raise MissingPartError(f"{setting}: {spec} failed with {type(failed).__name__}.") from failed
    names = {*vars(port), *port.__annotations__}
    lacks = sorted(name for name in names if not name.startswith("_") and not hasattr(part, name))
    if lacks:
        raise MissingPartError(f"{setting}: what {spec} gives lacks {', '.join(lacks)}.")
    return part


def _no_module(module: str, setting: str, why: str) -> MissingPartError:
    return MissingPartError(
        f"{setting}: {module} cannot be imported ({why}): install it beside Helpline, or name its folder in"
        " PYTHONPATH."
    )


def existing_file(path: str, setting: str, what: str) -> Path:
    """The file; raises MissingPartError."""
    found = Path(path).expanduser()
    if not found.is_file():
        raise MissingPartError(f"{setting}: there is no file {path}; it should be {what}.")
    return found


def folder_with(path: str, files: Iterable[str], setting: str, what: str) -> Path:
    """The folder, with these files in it; raises MissingPartError."""
    found = Path(path).expanduser()
    if not found.is_dir():
        raise MissingPartError(f"{setting}: there is no folder {path}; it should hold {what}.")
    missing = [name for name in files if not (found / name).is_file()]
    if missing:
        raise MissingPartError(f"{setting}: {path} lacks {' and '.join(missing)} of {what}.")
    return found
