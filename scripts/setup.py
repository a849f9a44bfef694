"""Make `.venv` ready: `setup.py run` for what `make run` needs, `setup.py dev` for tests and checks.

Every package is installed from requirements/*.txt and must match its hash. What was installed is written down
last, so that an interrupted set-up is finished the next time and a finished one costs a few milliseconds.
Moonshine, the engine's second recogniser, is left out on a system that has no wheel of it.
Needs nothing but Python's own library.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = REPOSITORY / "requirements"
INTERRUPTED = VENV / "installing"
"""There while packages are being installed: who finds it cannot know which of them are whole."""
NEEDS = {"run": ("run.txt", "build.txt"), "dev": ("dev.txt", "build.txt")}
WHERE_IT_CAN = "moonshine.txt"
"""Installed after these, all of it or nothing: not every system has a wheel, and Helpline runs without."""
STOPPED = "The set-up stopped there: mend what is said above (often the network), then run it again."
VERSIONS = ("3.11", "3.12", "3.13")


def main(what: str) -> None:
    """Do what is missing, and nothing that is not."""
    os.chdir(REPOSITORY)
    with alone():
        if INTERRUPTED.exists() or not usable():
            create()
        if not any(stamped(done) for done in {what, "dev"}):
            install(what)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time: a second one waits for the first and finds its work done."""
    folder = os.open(REPOSITORY, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def usable() -> bool:
    """Whether .venv has a Python that runs, of a version we know, and pip."""
    probe = "import pip, sys; print(sys.prefix != sys.base_prefix, '%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([PYTHON, "-c", probe], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.split() in [["True", version] for version in VERSIONS]


def create() -> None:
    """A new .venv in place of whatever is there."""
    say(f"Making .venv with Python {sys.version.split()[0]}")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(VENV)


def install(what: str) -> None:
    """Install what is locked, then Helpline itself, in place and without the network."""
    uv = find_uv()
    INTERRUPTED.touch()
    say(f"Installing {', '.join('requirements/' + name for name in NEEDS[what])}")
    run(*installing(uv, *NEEDS[what]))
    if has_wheels(uv, WHERE_IT_CAN):
        say(f"Installing requirements/{WHERE_IT_CAN}")
        run(*installing(uv, WHERE_IT_CAN))
    else:
        say("No wheel of Moonshine runs on this system, so the engine hears with pocketsphinx alone.")
    run(
        uv, "pip", "install", "--python", PYTHON, "--quiet", "--offline", "--no-deps", "--no-build-isolation",
        "--reinstall-package", "helpline", "--editable", ".",
    )  # fmt: skip
    stamp(what).write_text(fingerprint(what))
    INTERRUPTED.unlink()


def installing(uv: str, *names: str) -> list[str | Path]:
    """The command that installs what these files lock."""
    locks = [argument for name in names for argument in ("-r", LOCKS / name)]
    # No dependencies: the locks are whole, and what they override or leave out is not asked again.
    return [uv, "pip", "install", "--python", PYTHON, "--quiet", "--compile-bytecode", "--no-deps",
            "--require-hashes", *locks]  # fmt: skip


def has_wheels(uv: str, name: str) -> bool:
    """Whether this system has a wheel of each package that the file locks. Stops where that cannot be told.

    That nothing fits here is believed only of an index that has everything for another system: one that is
    out of reach, or lacks a package, is to be mended.
    """
    trying = [*installing(uv, name), "--dry-run"]
    here = attempt(trying)
    if here.returncode == 0:
        return True
    # uv ends with 1 when nothing fits, with 2 when it could not look.
    if here.returncode == 1 and attempt([*trying, "--python-platform", "windows"]).returncode == 0:
        return False
    say(here.stderr.rstrip())
    sys.exit(STOPPED)


def find_uv() -> str:
    """The uv that is on the path and runs, else one of our own in .venv."""
    for uv in (shutil.which("uv"), shutil.which("uv", path=VENV / "bin")):
        if uv and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
            return uv
    say("Installing uv")
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
        "-r", str(LOCKS / "uv.txt"))  # fmt: skip
    return str(VENV / "bin" / "uv")


def stamp(what: str) -> Path:
    return VENV / f"installed-{what}"


def stamped(what: str) -> bool:
    return stamp(what).is_file() and stamp(what).read_text() == fingerprint(what)


def fingerprint(what: str) -> str:
    """Changes with everything that an installation follows from, and when the repository is moved."""
    parts = [str(REPOSITORY).encode(), (REPOSITORY / "pyproject.toml").read_bytes()]
    parts += [(LOCKS / name).read_bytes() for name in (*NEEDS[what], WHERE_IT_CAN)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], check=False)
    if done.returncode:
        sys.exit(STOPPED)


def attempt(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """What came of a command that may fail; it says nothing by itself."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
