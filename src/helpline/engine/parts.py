"""What an optional part needs before it can be used, and the sentence for what is not there."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from helpline.errors import MissingPartError


def need_package(module: str, part: str, extra: str) -> None:
    """Raises MissingPartError with what to install, unless the module can be imported."""
    try:
        there = find_spec(module) is not None
    except ValueError:  # a module that is marked as absent
        there = False
    if not there:
        raise MissingPartError(f'{part} is not installed: pip install "helpline[{extra}]".')


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
