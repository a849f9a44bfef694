"""`helpline simulate`: simulated customers at the desk, before real ones."""

import json
from pathlib import Path

import click

from helpline.cli.start import prepare, wait_for
from helpline.private import write_text
from helpline.simulate.judge import Run
from helpline.simulate.report import as_json as in_json
from helpline.simulate.report import lines_of, page
from helpline.simulate.runner import Plan, play
from helpline.simulate.scenario import read_scenarios

RUNS = 3


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--calls", type=click.IntRange(1, 100_000), help=f"How many in all; {RUNS} of each by default.")
@click.option("--backends", help="Who answers: a list of azure, openai, voice_live, realtime, engine.")
@click.option("--speech/--text", "spoken", default=False, help="Speak in real time, or type (the default).")
@click.option("--at-once", type=click.IntRange(1, 200), default=4, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the figures and each call's record.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Write a page with plots."
)
def command(
    paths: tuple[Path, ...],
    calls: int | None,
    backends: str | None,
    spoken: bool,
    at_once: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Play the scenarios of PATHS (files or folders of YAML); exit 1 when one of the calls failed.

    Each call has a desk and a demo shop of its own: nothing real is touched.
    """
    settings = prepare(quiet=True, backends=backends)
    scenarios = read_scenarios(list(paths))
    plan = Plan(scenarios, calls or RUNS * len(scenarios), spoken=spoken, at_once=at_once)
    runs = wait_for(play(settings, plan, _tell))
    click.echo("", err=True)
    if as_json:
        click.echo(json.dumps(in_json(runs), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(lines_of(runs)))
    if report is not None:
        how = "spoken" if spoken else "typed"
        title = f"{len(runs)} simulated calls, {how}, answered by {settings.backends[0]}"
        write_text(report, page(runs, title))
    if not all(run.passed for run in runs):
        raise click.exceptions.Exit(1)


def _tell(run: Run) -> None:
    click.echo("." if run.passed else "F", nl=False, err=True)
