"""What `make setup` does where Moonshine has a wheel, where it has none, and where nobody can tell."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from scripts import setup

ALONE = "No wheel of Moonshine runs on this system, so the engine hears with pocketsphinx alone.\n"

UV = """\
#!{python}
import json, sys
from pathlib import Path

here = Path(__file__).parent
asked = sys.argv[1:]
if asked != ["--version"]:
    with (here / "asked").open("a") as log:
        log.write(json.dumps(asked) + "\\n")
if "--dry-run" in asked:
    where = "another" if "--python-platform" in asked else "this"
    code = json.loads((here / "answers").read_text())[where]
    if code:
        print("error: said uv", file=sys.stderr)
    raise SystemExit(code)
"""
"""Writes down what it was asked; ends attempts as `answers` says of this system and of another."""


class Checkout:
    """A repository with nothing but its set-up, a Python that needs no making, and a uv with a script."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("scripts", "requirements", "bin", ".venv/bin"):
            (folder / name).mkdir(parents=True)
        shutil.copy(setup.__file__, folder / "scripts/setup.py")
        for name in ("run.txt", "build.txt", "dev.txt", "moonshine.txt"):
            (folder / "requirements" / name).write_text(f"# {name}\n")
        (folder / "pyproject.toml").touch()
        self._program(".venv/bin/python", "#!/bin/sh\necho True 3.11\n")
        self._program("bin/uv", UV.format(python=sys.executable))

    def _program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def set_up(self, what: str, *, this: int, another: int) -> subprocess.CompletedProcess[str]:
        """Run it where an attempt ends with `this` on this system, and with `another` for another one."""
        (self.folder / "bin/answers").write_text(json.dumps({"this": this, "another": another}))
        (self.folder / "bin/asked").write_text("")
        return subprocess.run(
            [sys.executable, self.folder / "scripts/setup.py", what],
            env={"PATH": str(self.folder / "bin")},
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> list[str]:
        """What uv was asked to install in the last run, not only to attempt, by the names of the locks."""
        asked = [json.loads(line) for line in (self.folder / "bin/asked").read_text().splitlines()]
        return [
            Path(name).name or "helpline"
            for line in asked
            if "--dry-run" not in line
            for option, name in pairwise(line)
            if option in {"-r", "--editable"}
        ]

    def attempts(self) -> int:
        return (self.folder / "bin/asked").read_text().count("--dry-run")


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path / "helpline")


@pytest.mark.parametrize("what", ["run", "dev"])
def test_moonshine_is_installed_after_the_rest(checkout, what):
    done = checkout.set_up(what, this=0, another=0)
    assert done.returncode == 0, done.stderr
    assert checkout.installed() == [f"{what}.txt", "build.txt", "moonshine.txt", "helpline"]
    assert ALONE not in done.stderr


@pytest.mark.parametrize("what", ["run", "dev"])
def test_without_a_wheel_the_set_up_says_so_and_goes_on(checkout, what):
    done = checkout.set_up(what, this=1, another=0)
    assert (done.returncode, done.stderr.endswith(ALONE)) == (0, True), done.stderr
    assert "said uv" not in done.stderr
    assert checkout.installed() == [f"{what}.txt", "build.txt", "helpline"]


def test_a_wheel_is_looked_for_again_when_the_lock_changes_and_not_before(checkout):
    checkout.set_up("run", this=1, another=0)
    again = checkout.set_up("run", this=0, another=0)
    assert (again.returncode, again.stderr, checkout.attempts()) == (0, "", 0)
    (checkout.folder / "requirements/moonshine.txt").write_text("# a version with wheels for this system\n")
    assert checkout.set_up("run", this=0, another=0).returncode == 0
    assert "moonshine.txt" in checkout.installed()


@pytest.mark.parametrize(
    ("this", "another", "attempts"),
    [
        pytest.param(2, 2, 1, id="the index cannot be reached"),
        pytest.param(2, 0, 1, id="it could not be reached for a moment"),
        pytest.param(1, 1, 2, id="the index lacks a package"),
        pytest.param(1, 2, 2, id="the index was lost between"),
    ],
)
def test_what_is_not_the_systems_fault_stops_the_set_up(checkout, this, another, attempts):
    done = checkout.set_up("run", this=this, another=another)
    assert done.returncode != 0
    assert "error: said uv\n" + setup.STOPPED in done.stderr
    assert ALONE not in done.stderr
    assert checkout.attempts() == attempts
    assert not (checkout.folder / ".venv/installed-run").exists()


# The real uv, and an index in a folder.


def wheel(folder: Path, name: str, system: str) -> str:
    """Make the smallest wheel there can be; its line in a lock."""
    path = folder / f"{name}-1.0-py3-none-{system}.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nTag: py3-none-{system}\n")
        archive.writestr(f"{about}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def uv(tmp_path, monkeypatch) -> str:
    """The uv of this checkout, which knows the index in the folder `index` and no other."""
    (tmp_path / "index").mkdir()
    settings = tmp_path / "uv.toml"
    settings.write_text(f"no-index = true\nfind-links = [{json.dumps(str(tmp_path / 'index'))}]\n")
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return setup.find_uv()


def test_uv_finds_wheels_for_every_system(uv, tmp_path):
    (tmp_path / "lock.txt").write_text(wheel(tmp_path / "index", "weights", "any"))
    assert setup.has_wheels(uv, str(tmp_path / "lock.txt"))


def test_uv_finds_no_wheels_for_this_system(uv, tmp_path):
    weights = wheel(tmp_path / "index", "weights", "win_amd64")
    (tmp_path / "lock.txt").write_text(weights + wheel(tmp_path / "index", "runner", "any"))
    assert not setup.has_wheels(uv, str(tmp_path / "lock.txt"))


def test_a_package_that_uv_does_not_find_stops_the_set_up(uv, tmp_path):
    weights = wheel(tmp_path / "index", "weights", "win_amd64")
    runner = wheel(tmp_path, "runner", "any")
    (tmp_path / "lock.txt").write_text(weights + runner)
    with pytest.raises(SystemExit, match="set-up stopped"):
        setup.has_wheels(uv, str(tmp_path / "lock.txt"))


def test_an_index_that_uv_does_not_reach_stops_the_set_up(uv, tmp_path, monkeypatch):
    (tmp_path / "lock.txt").write_text(wheel(tmp_path, "weights", "any"))
    (tmp_path / "uv.toml").write_text("")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(SystemExit, match="set-up stopped"):
        setup.has_wheels(uv, str(tmp_path / "lock.txt"))
