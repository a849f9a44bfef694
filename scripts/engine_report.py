"""Measures the embedded engine on the frozen sentences and writes `docs/engine-quality.md`.

`python scripts/engine_report.py` measures on the half that may be looked at; `--final` on the newest of the
sets that are kept for one run (the older ones are spent). Takes some ten minutes on a quiet machine.
`--keep FOLDER` keeps what each run gave: the next one goes on where the first was stopped, and several may
share the work (`--only clean:en-gb`); `--kept` then writes the page of what is there and
names what was not run.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine.evaluation import (  # noqa: E402
    EIGHTH,
    VOICES,
    Outcome,
    Score,
    Sentence,
    Subject,
    load_sentences,
    measure,
)

PAGE = ROOT / "docs" / "engine-quality.md"
NOISE_DB = 15.0
GOALS = {"typed": (0.90, None), "clean": (0.75, 0.90), "noise": (None, None)}
NAMES = {"typed": "typed", "clean": "spoken, clean", "noise": f"spoken, pink noise {NOISE_DB:.0f} dB"}
MARK = "<!-- measured: everything below is written by `make engine-report` -->"


def main() -> None:
    """Measure, print as it goes, write the page."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--final", action="store_true", help="the newest sentences that are kept for one run")
    asked.add_argument("--keep", type=Path, help="a folder for what each voice gave")
    asked.add_argument(
        "--only", action="append", default=[], help="this run alone: typed, clean:en-gb, noise:en-us"
    )
    asked.add_argument("--kept", action="store_true", help="measure nothing: write the page of what is kept")
    asked.add_argument("--typed", action="store_true", help="typed only: seconds")
    options = asked.parse_args()
    sentences = load_sentences(EIGHTH) if options.final else [o for o in load_sentences() if not o.final]
    runs = [("typed", "", None)]
    if not options.typed:
        runs += [("clean", voice, None) for voice in VOICES]
        runs += [("noise", voice, NOISE_DB) for voice in VOICES]
    scores: list[tuple[str, str, Score]] = []
    subject = Subject()
    for kind, voice, noise_db in runs:
        kept = options.keep and options.keep / f"{kind}-{voice or 'typed'}.json"
        if kept and kept.exists():
            score = Score(msgspec.json.decode(kept.read_bytes(), type=list[Outcome]))
        elif options.kept or (options.only and f"{kind}:{voice}".rstrip(":") not in options.only):
            continue
        else:
            score = measure(sentences, voice=voice, noise_db=noise_db, subject=subject)
            if kept:
                options.keep.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(msgspec.json.encode(score.outcomes))
        scores.append((kind, voice, score))
        figures = f"first {score.first_try:.3f}  one repair {score.within_one_repair:.3f}"
        print(f"{kind:6} {voice or '-':10} {figures}", flush=True)
    if not options.typed and not options.only:
        head = PAGE.read_text("utf-8").partition(MARK)[0].rstrip()
        missing = [
            (kind, voice) for kind, voice, _ in runs if (kind, voice) not in {one[:2] for one in scores}
        ]
        page = _report(scores, sentences, missing, final=options.final)
        PAGE.write_text(f"{head}\n\n{MARK}\n\n{page}", "utf-8")


def _report(
    scores: list[tuple[str, str, Score]],
    sentences: list[Sentence],
    missing: list[tuple[str, str]],
    *,
    final: bool,
) -> str:
    half = f"kept for one run (`{EIGHTH.name}`)" if final else "that were looked at while tuning"
    lines = [f"Measured on {len(sentences)} sentences {half}.", ""]
    lines += ["| input | voice | first try | within one repair |", "|---|---|---|---|"]
    for kind, voice, score in scores:
        named = NAMES[kind]
        lines.append(f"| {named} | {voice or '-'} | {score.first_try:.1%} | {score.within_one_repair:.1%} |")
    if missing:
        lines += ["", f"Not run: {', '.join(f'{NAMES[kind]}, {voice}' for kind, voice in missing)}."]
    lines += ["", "| goal | wanted | measured | verdict |", "|---|---|---|---|", *_verdicts(scores)]
    for kind in dict.fromkeys(kind for kind, _, _ in scores):
        lines += ["", f"## What was asked and what was understood: {NAMES[kind]}", ""]
        lines += _confusion(scores, kind)
    return "\n".join(lines) + "\n"


def _verdicts(scores: list[tuple[str, str, Score]]) -> list[str]:
    rows = []
    for kind, (first, repaired) in GOALS.items():
        mine = [score for each, _, score in scores if each == kind]
        if not mine:
            continue
        got_first = sum(score.first_try for score in mine) / len(mine)
        got_repaired = sum(score.within_one_repair for score in mine) / len(mine)
        for name, goal, got in (
            ("first try", first, got_first),
            ("within one repair", repaired, got_repaired),
        ):
            if goal is not None:
                rows.append(
                    f"| {kind}, {name} | {goal:.0%} | {got:.1%} | {'met' if got >= goal else 'not met'} |"
                )
    return rows


def _confusion(scores: list[tuple[str, str, Score]], kind: str) -> list[str]:
    counted: Counter[tuple[str, str]] = Counter()
    for each, _, score in scores:
        if each == kind:
            counted.update(score.confusion())
    got = sorted({one for _, one in counted})
    rows = [f"| asked \\ got | {' | '.join(got)} |", f"|---|{'---|' * len(got)}"]
    for tool in sorted({one for one, _ in counted}):
        rows.append(f"| {tool} | {' | '.join(str(counted[tool, one] or '') for one in got)} |")
    return rows


if __name__ == "__main__":
    main()
