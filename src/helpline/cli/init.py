"""`helpline init`: a folder with everything that a desk of one's own begins with."""

import shutil
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from helpline.errors import LocalError


@click.command()
@click.argument("folder", default="my-desk")
def command(folder: str) -> None:
    """Write a desk of your own into FOLDER (my-desk): settings, tool, policy, help pages; ready to run."""
    if not folder.strip():
        raise click.UsageError("Name a folder: helpline init my-desk")
    begin(Path(folder))
    click.echo(f"A desk is in {folder}. Next:\n\n  cd {folder}\n  {_this_command()} run\n")
    click.echo("desk.toml says what to change; my_desk.py is where your own tools go.")


def _this_command() -> str:
    """How this command is called from another folder: by its path where the shell would not find it."""
    called = Path(sys.argv[0])
    found = shutil.which("helpline")
    if called.name != "helpline" or (found and Path(found).resolve() == called.resolve()):
        return "helpline"
    return str(called.resolve())


def begin(folder: Path) -> None:
    """Write the files, none over another. Raises LocalError, and then nothing was written."""
    contents = dict(_contents())
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise LocalError(
            f"{folder / there[0]} is there already, and is not written over: choose another folder."
        )
    try:
        for name, text in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LocalError(f"{folder} cannot be written: {error.strerror}.") from None


def _contents() -> Iterator[tuple[str, str]]:
    data = files("helpline.data")
    yield from _below(data / "new_desk", "")
    yield "policy.toml", (data / "policy.toml").read_text(encoding="utf-8")
    for page in (data / "help").iterdir():
        if page.name.endswith(".md"):
            yield f"help/{page.name}", page.read_text(encoding="utf-8")
    yield ".gitignore", ".env\nvar/\n"


def _below(folder: Traversable, under: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry, f"{under}{entry.name}/")
        elif not entry.name.endswith(".pyc"):
            yield f"{under}{entry.name}", entry.read_text(encoding="utf-8")
