"""Where the values of settings come from: the command line, the environment, `.env`, `desk.toml`.

It knows the rows of a table and not what they mean: `settings` has the table.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from helpline import settings_text as text
from helpline.errors import SettingsError
from helpline.mcp_settings import McpServer, mcp_servers
from helpline.settings_text import Reader, Secret, nearest_hint


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: where a setting is read from, how, and what it means."""

    field: str
    """Its name in `Settings`, in `desk.toml` and, with dashes, on the command line."""
    env: str
    """Its name in the environment and in `.env`."""
    read: Reader
    default: Any
    meaning: str
    group: str
    unset: str = ""
    """What stands in for an empty default, in words."""

    @property
    def secret(self) -> bool:
        return isinstance(self.default, Secret)

    @property
    def default_text(self) -> str:
        if isinstance(self.default, tuple | Secret) or self.default in ("", None):
            return self.unset
        return str(self.default)


Table = Mapping[str, Setting]
"""Every setting by its field."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place that values come from: what it is called, and what it has by field."""

    name: str
    values: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """Every name that stands there, known or not, where names may be anybody's."""
    mcp: tuple[McpServer, ...] = ()

    def describe(self, setting: Setting) -> str:
        """The setting as a person finds it: its name there, and where that is."""
        if self.name == "the command line":
            return f"--{setting.field.replace('_', '-')}"
        if self.name == "the environment":
            return setting.env
        line = self.lines.get(setting.field)
        known_as = setting.env if not self.lines else setting.field
        return f"{known_as} in {self.name}{f', line {line},' if line else ''}"


def value_of(setting: Setting, sources: Iterable[Source]) -> Any:
    """What the first source that has it says, read; else the default. Raises SettingsError."""
    for source in sources:
        text = source.values.get(setting.field, "").strip()
        if not text:
            continue
        try:
            return setting.read(text)
        except ValueError as wrong:
            # The value itself is left out: it may be a key that was pasted into the wrong place.
            raise SettingsError(f"{source.describe(setting)} must be {wrong}.") from None
    return setting.default


def sources_of(
    table: Table, overrides: Mapping[str, Any], env: Mapping[str, str], env_file: Path, desk_file: Path
) -> tuple[Source, ...]:
    """Every place, the first before the others; `overrides` by field, None for not given.

    Raises SettingsError: a file cannot be read, or has what is no setting or must not stand there.
    """
    dotenv = _read_env_file(env_file)
    return (
        Source("the command line", _given(table, overrides)),
        Source("the environment", _by_field(table, env), names=tuple(env)),
        Source(str(env_file), _by_field(table, dotenv), names=tuple(dotenv)),
        _read_desk_file(table, desk_file),
    )


def _given(table: Table, overrides: Mapping[str, Any]) -> dict[str, str]:
    wrong = [name for name in overrides if name not in table]
    if wrong:
        raise SettingsError(f"{wrong[0]} is no setting{nearest_hint(wrong[0], table)}.")
    return {name: _as_text(value) for name, value in overrides.items() if value is not None}


def _as_text(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return str(value)


def _by_field(table: Table, env: Mapping[str, str | None]) -> dict[str, str]:
    return {setting.field: env.get(setting.env) or "" for setting in table.values()}


def _read_env_file(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    try:
        return dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read: it must be a readable UTF-8 text file.") from None


def _read_desk_file(table: Table, path: Path) -> Source:
    if not path.is_file():
        return Source(str(path), {})
    try:
        content = path.read_text(encoding="utf-8")
        entries = tomllib.loads(content)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(f"{path} is no valid TOML: {wrong}.") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read: it must be a readable UTF-8 text file.") from None
    lines = _lines_of(content)
    mcp = mcp_servers(entries.pop("mcp", {}), str(path))
    for name, value in entries.items():
        _check_desk_entry(table, path.parent, f"{path}, line {lines.get(name, 1)}", name, value)
    values = {name: _from(table, path.parent, name, _as_text(value)) for name, value in entries.items()}
    return Source(str(path), values, lines, mcp=mcp)


def _lines_of(content: str) -> dict[str, int]:
    """Where each setting stands: before the first table, whose keys are its own."""
    lines: dict[str, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if re.match(r"\s*\[+\s*[A-Za-z_\"']", line):
            break
        if found := re.match(r"\s*([A-Za-z_]+)\s*=", line):
            lines.setdefault(found[1], number)
    return lines


def _from(table: Table, folder: Path, name: str, value: str) -> str:
    """A path of `desk.toml` is meant from its folder, wherever the desk is started."""
    if table[name].read not in text.PATHS or not value:
        return value
    return str(folder / Path(value).expanduser())


def _is_below(folder: Path, value: str) -> bool:
    """Whether a path leads into the folder, links followed."""
    return (folder / value).resolve().is_relative_to(folder.resolve())


def _check_desk_entry(table: Table, folder: Path, place: str, name: str, value: Any) -> None:
    if name not in table:
        raise SettingsError(f"{place}: {name} is no setting{nearest_hint(name, table)}.")
    if table[name].secret:
        raise SettingsError(f"{place}: {name} is a key; put it into .env as {table[name].env}.")
    if name in ("logo", "logo_dark") and isinstance(value, str) and not _is_below(folder, value):
        raise SettingsError(f"{place}: {name} must be a file in this folder or below it.")
    if isinstance(value, dict):
        raise SettingsError(f"{place}: {name} must be one value, not a table.")
