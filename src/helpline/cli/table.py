"""Rows for a person to read: a line each under their names, in columns that line up."""

from collections.abc import Iterable, Sequence

import click

from helpline.wording import plain

_LONGEST = 60


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print the rows; names go to stderr, so that `sort`, `cut` and `wc` get rows alone."""
    # What a customer said may hold anything, a terminal's own commands too.
    found = [[plain(cell, _LONGEST) for cell in row] for row in rows]
    if not found:
        return
    widths = [max(len(row[at]) for row in (names, *found)) for at in range(len(names))]
    click.echo(click.style(_line(names, widths), bold=True), err=True)
    for row in found:
        click.echo(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
