"""Imports only point down: words <- thinking <- services <- running <- ways in."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

FLOORS = ("words", "thinking", "services", "running", "ways in")

FLOOR_OF = {
    "helpline": "words",
    "helpline.actions": "words",
    "helpline.audio": "words",
    "helpline.clock": "words",
    "helpline.collector": "words",
    "helpline.colours": "words",
    "helpline.data": "words",
    "helpline.data.new_desk": "ways in",  # a company's own file, as `helpline init` writes it
    "helpline.dictation": "words",
    "helpline.errors": "words",
    "helpline.hours": "words",
    "helpline.mcp_settings": "words",
    "helpline.numbers": "words",
    "helpline.numerals": "words",
    "helpline.chinese_times": "words",
    "helpline.private": "words",
    "helpline.redact": "words",
    "helpline.sentences": "words",
    "helpline.settings": "words",
    "helpline.settings_sources": "words",
    "helpline.settings_text": "words",
    "helpline.storable": "words",
    "helpline.time_zone": "words",
    "helpline.times": "words",
    "helpline.wording": "words",
    "helpline.realtime": "services",
    "helpline.realtime.asked": "words",
    "helpline.realtime.dialects": "words",
    "helpline.realtime.events": "words",
    "helpline.realtime.faults": "words",
    "helpline.realtime.lenient": "words",
    "helpline.realtime.parts": "words",
    "helpline.realtime.session_json": "words",
    "helpline.realtime.wire": "words",
    "helpline.call": "thinking",
    "helpline.store": "services",
    "helpline.tools": "services",
    "helpline.policy": "services",
    "helpline.engine": "services",
    "helpline.chat": "services",
    "helpline.records": "services",
    "helpline.telemetry": "services",
    "helpline.call.call": "running",
    "helpline.call.driver": "running",
    "helpline.call.outbox": "running",
    "helpline.call.meter": "running",
    "helpline.call.replay": "running",
    "helpline.client": "running",
    "helpline.desk": "running",
    "helpline.hooks": "running",
    "helpline.sign_ins": "running",
    "helpline.manner": "running",
    "helpline.own": "running",
    "helpline.__main__": "ways in",
    "helpline.channels": "ways in",
    "helpline.cli": "ways in",
    "helpline.simulate": "ways in",
}
"""The longest name that a module's own name starts with says its floor."""

PORTS = {"helpline.channels.channel"}
"""What a lower floor may import from above: the port that its user calls."""

IMPURE = {"asyncio", "time", "logging", "random", "secrets", "socket", "threading", "os", "subprocess"}
"""What thinking may not import: it takes its time, its luck and its news as arguments."""


def modules() -> list[str]:
    return sorted(
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCE.rglob("*.py")
    )


MODULES = modules()


def imports(module: str) -> Iterator[str]:
    """The full names of what a module imports, wherever in it the import stands."""
    path = SOURCE.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name: write it out"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in MODULES else str(node.module)


def floor(module: str) -> str | None:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = FLOOR_OF.get(".".join(parts[:length]))
        # The bare package is words; a module in it that nobody placed is not.
        if name and (length > 1 or module == "helpline"):
            return name
    return None


@pytest.mark.parametrize("module", MODULES)
def test_every_module_stands_on_a_floor(module):
    assert floor(module), f"{module} stands on no floor: add it to FLOOR_OF"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    # The package's face names what is public on any floor; what others take from it is its version.
    own = "ways in" if module == "helpline" else floor(module)
    for other in imports(module):
        if other.split(".")[0] == "helpline" and other not in PORTS:
            assert FLOORS.index(floor(other)) <= FLOORS.index(own), (
                f"{module} ({own}) imports {other} ({floor(other)}): an arrow that points up"
            )


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("helpline.channels.web")])
def test_only_the_web_channel_knows_chainlit(module):
    above = [name for name in imports(module) if name.split(".")[0] == "chainlit"]
    assert not above, f"{module} imports Chainlit: that belongs in channels/web"


@pytest.mark.parametrize("module", [name for name in MODULES if floor(name) == "thinking"])
def test_thinking_is_pure(module):
    impure = sorted({name.split(".")[0] for name in imports(module)} & IMPURE)
    assert not impure, f"{module} thinks, and imports {', '.join(impure)}: take what it gives as an argument"
