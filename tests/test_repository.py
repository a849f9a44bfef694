"""The repository as a stranger finds it: complete, true, and speaking of nothing but the project."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked file that is text, by its path in the repository."""
    files = tracked()
    if not files:
        pytest.skip("no git here, so no list of what belongs to the repository")
    found = {}
    for path in files:
        data = path.read_bytes()
        if b"\0" not in data:
            found[str(path.relative_to(ROOT))] = data.decode()
    return found


def offenders(texts: dict[str, str], pattern: str) -> list[str]:
    return [
        f"{name}:{text[: found.start()].count(chr(10)) + 1}"
        for name, text in texts.items()
        if name != "tests/test_repository.py"
        for found in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        (
            "a package registry's host",
            r"(?i)\bpypi\.(org|python)|pythonhosted|npmjs\.(org|com)|index-url\s*=",
        ),
        ("a path of one machine", r"(?<![\w.:/])/(work|home|root|Users|mnt|opt)/\w"),
        ("something left to do", r"\b(TODO|FIXME|XXX)\b"),
        ("a bare except", r"except\s*:"),
        ("a conflict that was not merged", r"(?m)^(<<<<<<<|>>>>>>>) "),
    ],
)
def test_no_file_names(texts, what, pattern):
    assert offenders(texts, pattern) == [], f"these name {what}"


def test_the_licence_is_there_and_is_the_one_that_the_package_names():
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert project()["license"] == "Apache-2.0"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"])
def test_what_a_stranger_looks_for_is_there(name):
    assert len((ROOT / name).read_text()) > 200


def test_the_changelog_knows_the_version():
    assert project()["version"] in (ROOT / "CHANGELOG.md").read_text()


def test_each_make_command_that_a_page_names_exists(texts):
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", texts["Makefile"]))
    pages = {name: text for name, text in texts.items() if name.endswith(".md")}
    named = {
        (name, target) for name, text in pages.items() for target in re.findall(r"`?make ([a-z0-9-]+)`", text)
    }
    named |= {("README.md", target) for target in re.findall(r"(?m)^make ([a-z0-9-]+)", pages["README.md"])}
    assert {"run", "test"} <= {target for name, target in named if name == "README.md"}
    assert [where for where in sorted(named) if where[1] not in targets] == []


def test_each_helpline_command_that_a_page_names_exists(texts):
    from helpline.cli import COMMANDS

    named = {
        (name, command)
        for name, text in texts.items()
        if name.endswith(".md")
        for command in re.findall(r"(?:`|^\s*|\$ )helpline ([a-z-]+)", text, flags=re.MULTILINE)
    }
    assert named
    assert [where for where in sorted(named) if where[1] not in COMMANDS] == []


def test_each_link_to_a_file_leads_somewhere(texts):
    broken = []
    for name, text in texts.items():
        if name.endswith(".md"):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" not in target and not (ROOT / name).parent.joinpath(target).exists():
                    broken.append(f"{name}: {target}")
    assert broken == []


def test_each_test_and_setting_that_a_page_names_exists(texts):
    code = {name: text for name, text in texts.items() if name.endswith((".py", ".js"))}
    tests = {Path(name).stem for name in code} | {
        name for text in code.values() for name in re.findall(r"def (test_\w+)", text)
    }
    settings = set(re.findall(r"HELPLINE_[A-Z0-9_]+", "".join(code.values())))
    missing = []
    for name, text in texts.items():
        if name.endswith(".md"):
            named = set(re.findall(r"`(test_\w+?)(?:\.py)?`", text)) - tests
            named |= set(re.findall(r"HELPLINE_[A-Z0-9_]*[A-Z0-9]", text)) - settings
            missing += [f"{name}: {each}" for each in sorted(named)]
    assert missing == []


def test_the_page_of_settings_is_the_table_in_the_code():
    from scripts.settings_page import page

    assert (ROOT / "docs/settings.md").read_text() == page(), "write it anew with `make docs`"


def locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text))


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt", "moonshine.txt"])
def test_the_locks_hold_what_the_package_asks_for(lock):
    versions = locked(lock)
    extras = project()["optional-dependencies"]
    asked = [*project()["dependencies"], *extras["web"], *extras["engine"], *extras["espeak"]]
    for line in extras["moonshine"] if lock == "moonshine.txt" else asked:
        requirement = Requirement(line)
        version = versions.get(requirement.name.lower().replace("_", "-"))
        assert version, f"{requirement.name} is not locked: make lock"
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: make lock"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_what_is_installed_after_a_lock_has_its_versions(lock):
    before, after = locked(lock), locked("moonshine.txt")
    assert {name: after[name] for name in before.keys() & after} == {
        name: before[name] for name in before.keys() & after
    }


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt", "moonshine.txt", "build.txt", "uv.txt"])
def test_every_locked_package_has_its_hashes(lock):
    text = (ROOT / "requirements" / lock).read_text()
    packages = re.split(r"(?m)^(?=[a-zA-Z0-9])", text)[1:]
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


HEAVY = ("chainlit", "sqlalchemy", "numpy", "fastapi", "pocketsphinx", "openai")


@pytest.mark.parametrize("module", ["helpline", "helpline.settings", "helpline.cli"])
def test_importing_stays_light(module):
    """A look at what was loaded, not at a clock: `make bench` has the clock."""
    program = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [], f"import {module} loads more than it needs"
