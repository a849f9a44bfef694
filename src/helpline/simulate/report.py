"""The report of simulated calls: one page of HTML without a script, which asks nothing of any server.

Everything in it that anybody said, wrote or named is escaped, and a policy in its head forbids the rest.
"""

import html
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from helpline.records import story
from helpline.simulate.judge import Run, percentile, score
from helpline.simulate.scenario import as_yaml

SHOWN_WHEN_PASSED: Final = 100
"""So many calls that passed are told too, the first of each scenario first."""

_STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b2430;--soft:#5a6676;--line:#dfe4ea;--card:#f6f8fa;
--good:#1a7f4b;--bad:#c0362c;--accent:#2f6fd0;--tool:#8a5a00;--good-bg:#dff3e6;--bad-bg:#fbe3e0}
@media(prefers-color-scheme:dark){:root{--paper:#10151b;--ink:#e3e9f0;--soft:#98a5b5;--line:#2a3440;
--card:#18202a;--good:#5ecb8d;--bad:#ff8a80;--accent:#7fb0ff;--tool:#e0b060;--good-bg:#163526;--bad-bg:#432220}}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;max-width:68rem;margin:0 auto;
padding:2rem 1.25rem 4rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.5rem 0 .75rem}
p{margin:.25rem 0}.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1.5rem 0 0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}
.figures b{display:block;font-size:1.45rem;line-height:1.3;font-variant-numeric:tabular-nums}
.figures span{color:var(--soft);font-size:.85rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-weight:600;font-size:.8rem;color:var(--soft);white-space:nowrap}
td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid var(--line);vertical-align:middle}
td:first-child,th:first-child{padding-left:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.runs{display:flex;flex-wrap:wrap;gap:3px;min-width:5rem;max-width:16rem}
.run{width:14px;height:14px;border-radius:3px;background:var(--good);display:block}
.run.failed{background:var(--bad)}
figure{margin:0}figcaption{color:var(--soft);font-size:.85rem;margin-top:.25rem}
svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.strip text{font-size:13px;fill:var(--ink)}
details{border:1px solid var(--line);border-radius:.6rem;margin:.6rem 0;background:var(--card)}
details details{background:var(--paper);margin:.75rem 0 0}
summary{cursor:pointer;padding:.6rem .9rem;font-weight:600}
details>:not(summary){margin-left:.9rem;margin-right:.9rem}details>:last-child{margin-bottom:.9rem}
summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
ul.why{margin-top:0;padding-left:1.1rem;color:var(--bad)}
.story{display:grid;grid-template-columns:auto auto 1fr;gap:.15rem .8rem;font-size:14px}
.story time,.story .who{color:var(--soft);font-variant-numeric:tabular-nums;text-align:right;
white-space:nowrap}
.story .customer{color:var(--accent)}.story .tool{color:var(--tool)}.story .change{color:var(--good)}
.story .trouble{color:var(--bad)}.story .aside{color:var(--soft)}
.story p{margin:0;overflow-wrap:anywhere;min-width:0}
.story small{display:block;color:var(--soft)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.5 ui-monospace,monospace;max-height:28rem;
overflow-y:auto;padding:.6rem;background:var(--paper);border:1px solid var(--line);border-radius:.4rem}
@media(max-width:560px){body{padding:1.25rem .9rem 3rem}.opt{display:none}
.story{grid-template-columns:auto 1fr}.story .who{text-align:left}
.story p{grid-column:1/-1;margin-bottom:.4rem}
td,th{padding:.4rem .3rem}.runs{min-width:0;max-width:5rem}}
@media print{details{break-inside:avoid}pre{max-height:none}}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(runs: Sequence[Run], title: str) -> str:
    """The whole page."""
    total = score(runs)
    failed = [run for run in runs if not run.passed]
    figures = (
        (f"{total.passed} of {total.calls}", "calls passed"),
        (f"{total.pass_at_1:.1%}", "pass@1: one run of a scenario passes"),
        (f"{total.pass_hat_k:.1%}", f"pass^{total.k}: {total.k} runs of it all pass"),
        (story.span(total.latency_p50_ms), "to an answer, p50"),
        (story.span(total.latency_p95_ms), "to an answer, p95"),
        (_money(total.cost, runs), "cost of the models"),
    )
    numbers = {id(run): number for number, run in enumerate(runs, 1)}
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<meta name=viewport content='width=device-width'><title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style></head><body><main><h1>{_safe(title)}</h1>",
        _verdict(runs, failed),
        "<div class=figures>",
        *(f"<div><b>{_safe(figure)}</b><span>{_safe(what)}</span></div>" for figure, what in figures),
        "</div><h2>Scenarios</h2>",
        _table(runs, numbers),
        "<h2>How long answers took</h2>",
        histogram([ms for run in runs for ms in run.latency_ms]),
        strips(runs),
    ]
    if failed:
        parts += ["<h2>Calls that failed</h2>", *(_call(run, numbers[id(run)]) for run in failed)]
    if passed := _told(runs):
        parts += ["<h2>Calls that passed</h2>", *(_call(run, numbers[id(run)]) for run in passed)]
    return "\n".join([*parts, "</main></body></html>"])


def _verdict(runs: Sequence[Run], failed: Sequence[Run]) -> str:
    if not failed:
        return "<p class=good>Every call went as its scenario expects.</p>"
    names = len({run.scenario.name for run in failed})
    which = "1 scenario" if names == 1 else f"{names} scenarios"
    return f"<p class=bad>{len(failed)} of {len(runs)} calls failed, in {which}.</p>"


def _money(cost: float, runs: Sequence[Run]) -> str:
    usages = [run.record.get("usage", {}) for run in runs]
    if any(usage.get("unpriced_models") for usage in usages):
        if not cost:
            return "unknown"
        least = "at least "
    else:
        least = ""
    currencies = {usage.get("currency", "") for usage in usages} - {""}
    return f"{least}{Decimal(str(round(cost, 4))).normalize():f} {'/'.join(sorted(currencies))}".strip()


def _told(runs: Sequence[Run]) -> list[Run]:
    """The calls that passed and are told: of each scenario one, then more while there is room."""
    passed = [run for run in runs if run.passed]
    firsts = {run.scenario.name: run for run in reversed(passed)}
    chosen = [run for run in passed if firsts[run.scenario.name] is run]
    return (chosen + [run for run in passed if firsts[run.scenario.name] is not run])[:SHOWN_WHEN_PASSED]


# --- plots -----------------------------------------------------------------------------------------------


def histogram(values: Sequence[int], bars: int = 40) -> str:
    """A drawing of how values are spread, with p50 and p95 marked."""
    if not values:
        return "<p class=soft>Nothing was answered.</p>"
    most = max(max(values), 1)
    counts = [0] * bars
    for value in values:
        counts[min(bars - 1, value * bars // most)] += 1
    tallest, width, height, top = max(counts), 760, 170, 24
    step = width / bars
    drawn = [
        f'<rect x="{index * step + 1:.1f}" y="{top + height - count / tallest * height:.1f}" rx="1.5" '
        f'width="{step - 2:.1f}" height="{count / tallest * height:.1f}" style="fill:var(--accent)">'
        f"<title>{count} answers, {most * index // bars} to {most * (index + 1) // bars} ms</title></rect>"
        for index, count in enumerate(counts)
        if count
    ]
    marks = [(percent, percentile(values, percent) / most * width) for percent in (50, 95)]
    for percent, at in marks:
        ms = percentile(values, percent)
        left = at > width - 110 or (percent == 50 and marks[1][1] - at < 110)
        drawn.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 12}" y2="{top + height}" stroke-dasharray="4 3" '
            f'style="stroke:var(--ink)"/><text x="{at - 5 if left else at + 5:.1f}" y="{top - 4}" '
            f'text-anchor="{"end" if left else "start"}">p{percent} {ms:.0f} ms</text>'
        )
    base = top + height
    axis = (
        f'<line x1="0" x2="{width}" y1="{base}" y2="{base}" style="stroke:var(--line)"/>'
        f'<text x="0" y="{base + 16}">0 ms</text>'
        f'<text x="{width}" y="{base + 16}" text-anchor="end">{most} ms</text>'
    )
    return (
        f'<figure><svg viewBox="0 0 {width} {base + 22}" role="img" aria-label="How long answers took">'
        f"{''.join(drawn)}{axis}</svg><figcaption>From the end of the customer’s words to the first sound or "
        f"word of the answer; {len(values)} answers.</figcaption></figure>"
    )


def strips(runs: Sequence[Run]) -> str:
    """Each scenario's answers as dots on one line: what is slow stands out."""
    names = list(dict.fromkeys(run.scenario.name for run in runs))
    most = max((ms for run in runs for ms in run.latency_ms), default=0)
    if not most:
        return ""
    width, left, row = 760, 300, 22
    drawn = []
    for index, name in enumerate(names):
        y = index * row + 14
        shown = name if len(name) <= 38 else f"{name[:37]}…"
        drawn.append(
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{_safe(shown)}</text>'
            f'<line x1="{left}" x2="{width}" y1="{y}" y2="{y}" style="stroke:var(--line)"/>'
        )
        drawn += [
            f'<circle cx="{left + ms / most * (width - left - 6):.1f}" cy="{y}" r="4" '
            f'style="fill:var({"--accent" if run.passed else "--bad"});fill-opacity:.55">'
            f"<title>{ms} ms</title></circle>"
            for run in runs
            if run.scenario.name == name
            for ms in run.latency_ms
        ]
    return (
        f'<figure class="strip opt"><svg viewBox="0 0 {width} {len(names) * row + 8}" role="img" '
        f'aria-label="Answers by scenario">{"".join(drawn)}</svg>'
        "<figcaption>The same by scenario; those of failed calls in red.</figcaption></figure>"
    )


# --- scenarios and calls ---------------------------------------------------------------------------------


def _table(runs: Sequence[Run], numbers: dict[int, int]) -> str:
    rows = []
    told = {id(run) for run in (*_told(runs), *(run for run in runs if not run.passed))}
    for name in dict.fromkeys(run.scenario.name for run in runs):
        own = [run for run in runs if run.scenario.name == name]
        passed = sum(run.passed for run in own)
        latency = [ms for run in own for ms in run.latency_ms]
        cells = "".join(_cell(run, numbers[id(run)], told=id(run) in told) for run in own)
        rows.append(
            f"<tr><td>{_safe(name)}<td class='n {'good' if passed == len(own) else 'bad'}'>"
            f"{passed} of {len(own)}<td><div class=runs>{cells}</div>"
            f"<td class='n opt'>{percentile(latency, 50):.0f} ms<td class=n>{percentile(latency, 95):.0f} ms"
            f"<td class='n opt'>{_money(sum(run.cost for run in own), own)}"
        )
    head = (
        "<tr><th>Scenario<th class=n>Passed<th>Runs<th class='n opt'>p50<th class=n>p95<th class='n opt'>Cost"
    )
    return f"<div class=wide><table>{head}{''.join(rows)}</table></div>"


def _cell(run: Run, number: int, *, told: bool) -> str:
    kind = "run" if run.passed else "run failed"
    what = "passed" if run.passed else "; ".join(run.failures)
    label = _safe(f"call {number}: {what}")
    if told:
        return f"<a class='{kind}' href='#call-{number}' title=\"{label}\" aria-label=\"{label}\"></a>"
    return f"<span class='{kind}' title=\"{label}\"></span>"


def _call(run: Run, number: int) -> str:
    why = "".join(f"<li>{_safe(failure)}" for failure in run.failures)
    name = f"{number}. {run.scenario.name}"
    mark = "<span class=good>✓</span>" if run.passed else "<span class=bad>✗</span>"
    opened = "" if run.passed else " open"
    parts = [
        f"<details id='call-{number}'{opened}><summary>{mark} {_safe(name)}</summary>",
        f"<ul class=why>{why}</ul>" if why else "",
        _story(run),
        f"<details><summary>The scenario</summary><pre>{_safe(as_yaml(run.scenario))}</pre></details>",
    ]
    if run.trace:
        parts.append(f"<details><summary>The trace</summary><pre>{_safe(run.trace)}</pre></details>")
    return "\n".join([*parts, "</details>"])


def _story(run: Run) -> str:
    """What happened in it: the same lines as `helpline calls show`."""
    if "id" not in run.record:
        return "<p class=soft>The call did not come about.</p>"
    rows = [
        f"<time>{story.clock(event.at_ms)}</time><span class=who>{_safe(event.who)}</span>"
        f"<p class={event.manner}>{_safe(event.text)}"
        f"{f'<small>{_safe(event.detail)}</small>' if event.detail else ''}</p>"
        for event in story.events(run.record)
    ]
    facts = [f"{name}: {text}" for name, text in story.heading(run.record) if name in _FACTS]
    return f"<p class=soft>{_safe(' · '.join(facts))}</p><div class=story>{''.join(rows)}</div>"


_FACTS: Final = ("outcome", "answers", "barge-in", "links", "cost")


def _safe(text: Any) -> str:
    return html.escape(str(text))


def lines_of(runs: Sequence[Run]) -> Iterable[str]:
    """The same for a terminal."""
    total = score(runs)
    for name in dict.fromkeys(run.scenario.name for run in runs):
        own = [run for run in runs if run.scenario.name == name]
        yield f"{sum(run.passed for run in own):>3} of {len(own):<3} {name}"
        for failure in dict.fromkeys(failure for run in own for failure in run.failures):
            yield f"           {failure}"
    yield (
        f"{total.passed} of {total.calls} calls passed; pass@1 {total.pass_at_1:.1%}, "
        f"pass^{total.k} {total.pass_hat_k:.1%}; "
        f"latency p50 {total.latency_p50_ms:.0f} ms, p95 {total.latency_p95_ms:.0f} ms; cost {total.cost:.4f}"
    )


def as_json(runs: Sequence[Run]) -> dict[str, Any]:
    """The same for other programs: the figures, and each call with what was not as expected."""
    total = score(runs)
    return {
        "calls": total.calls,
        "passed": total.passed,
        "pass_at_1": total.pass_at_1,
        "k": total.k,
        "pass_hat_k": total.pass_hat_k,
        "latency_p50_ms": total.latency_p50_ms,
        "latency_p95_ms": total.latency_p95_ms,
        "cost": total.cost,
        "runs": [
            {
                "scenario": run.scenario.name,
                "passed": run.passed,
                "failures": list(run.failures),
                "latency_ms": run.latency_ms,
                "record": dict(run.record),
            }
            for run in runs
        ],
    }
