"""`make bench`: goal, measured and verdict, a line each.

Each module in this folder with an `async def measure() -> list[Figure]` is run, one after another; names on
the command line choose among them. The exit code is 1 when a goal was missed or a measurement broke off.
"""

import asyncio
import importlib
import os
import platform
import sys
import traceback
from pathlib import Path

from bench.figures import Figure, row

BENCH = Path(__file__).resolve().parent
NOT_MEASURES = {"__init__", "run", "figures"}


def main(chosen: list[str]) -> int:
    names = sorted(path.stem for path in BENCH.glob("*.py") if path.stem not in NOT_MEASURES)
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        print(f"There is no bench {unknown[0]}: {', '.join(names)}.", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform(terse=True)}\n")
    print(row("figure", "goal", "measured", "verdict"))
    missed = False
    for name in chosen or names:
        missed |= not run(name)
    return int(missed)


def run(name: str) -> bool:
    """Print a module's figures; whether it reached all of its goals."""
    try:
        figures: list[Figure] = asyncio.run(importlib.import_module(f"bench.{name}").measure())
    except Exception:  # noqa: BLE001 - one that breaks off must not hide the others
        traceback.print_exc()
        print(row(name, "", "broke off", "MISSED"), flush=True)
        return False
    for figure in figures:
        print(figure, flush=True)
    return all(figure.reached for figure in figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
