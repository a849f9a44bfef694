"""The report of simulated calls: one page of HTML that asks nothing of any server."""

import html
from collections.abc import Iterable, Sequence
from typing import Any, Final

from helpline.simulate.judge import Run, percentile, score

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c2733;
background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;
border-bottom:1px solid #dde3ea;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.cards{display:flex;gap:1rem;flex-wrap:wrap}.cards div{border:1px solid #dde3ea;border-radius:.5rem;
padding:.6rem 1rem}.cards b{display:block;font-size:1.4rem}
.bad{color:#a32020}.good{color:#176b3a}details{border-left:3px solid #dde3ea;padding-left:1rem;margin:.6rem 0}
svg{max-width:100%;height:auto}pre{white-space:pre-wrap;font-size:13px}
@media(prefers-color-scheme:dark){body{background:#12171d;color:#dfe6ee}td,th,.cards div{border-color:#334}
.bad{color:#ff8f8f}.good{color:#7fd6a2}}
"""


def page(runs: Sequence[Run], title: str) -> str:
    """The whole page."""
    total = score(runs)
    cards = (
        (f"{total.passed} of {total.calls}", "calls passed"),
        (f"{total.pass_at_1:.1%}", "pass@1"),
        (f"{total.pass_hat_k:.1%}", f"pass^{total.k}: all {total.k} runs pass"),
        (f"{total.latency_p50_ms:.0f} ms", "latency, p50"),
        (f"{total.latency_p95_ms:.0f} ms", "latency, p95"),
        (f"${total.cost:.4f}", "cost of the models"),
    )
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_safe(title)}</title>",
        "<meta name=viewport content='width=device-width'>",
        f"<style>{_STYLE}</style><h1>{_safe(title)}</h1><div class=cards>",
        *(f"<div><b>{_safe(figure)}</b>{_safe(what)}</div>" for figure, what in cards),
        "</div><h2>How long answers took</h2>",
        histogram([ms for run in runs for ms in run.latency_ms]),
        "<h2>Scenarios</h2>",
        _table(runs),
        "<h2>Calls that failed</h2>",
        *(_failed(run) for run in runs if not run.passed),
        "" if any(not run.passed for run in runs) else "<p class=good>None.</p>",
        "</html>",
    ]
    return "\n".join(parts)


def histogram(values: Sequence[int], bars: int = 30) -> str:
    """A drawing of how values are spread, with p50 and p95 marked."""
    if not values:
        return "<p>There was none.</p>"
    most = max(max(values), 1)
    counts = [0] * bars
    for value in values:
        counts[min(bars - 1, value * bars // most)] += 1
    tallest, width, height = max(counts), 760, 180
    step = width / bars
    drawn = [
        f'<rect x="{index * step + 1:.1f}" y="{height - count / tallest * height:.1f}" '
        f'width="{step - 2:.1f}" height="{count / tallest * height:.1f}" fill="#3b7dd8"/>'
        for index, count in enumerate(counts)
        if count
    ]
    for percent, colour in ((50, "#176b3a"), (95, "#a32020")):
        at = percentile(values, percent) / most * width
        drawn.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{min(at + 4, width - 90):.1f}" y="{14 if percent == 50 else 30}" fill="{colour}" '
            f'font-size="12">p{percent} {percentile(values, percent):.0f} ms</text>'
        )
    axis = (
        f'<text x="0" y="{height + 16}" font-size="12" fill="currentColor">0 ms</text>'
        f'<text x="{width - 60}" y="{height + 16}" font-size="12" fill="currentColor">{most} ms</text>'
    )
    return f'<svg viewBox="0 0 {width} {height + 22}" role="img">{"".join(drawn)}{axis}</svg>'


def _table(runs: Sequence[Run]) -> str:
    rows = []
    for name in dict.fromkeys(run.scenario.name for run in runs):
        own = [run for run in runs if run.scenario.name == name]
        passed = sum(run.passed for run in own)
        latency = [ms for run in own for ms in run.latency_ms]
        rows.append(
            f"<tr><td>{_safe(name)}<td class='n {'good' if passed == len(own) else 'bad'}'>"
            f"{passed} of {len(own)}"
            f"<td>{bar(passed, len(own))}<td class=n>{percentile(latency, 50):.0f}"
            f"<td class=n>{percentile(latency, 95):.0f}"
        )
    head = "<tr><th>Scenario<th class=n>Passed<th><th class=n>p50 ms<th class=n>p95 ms"
    return f"<table>{head}{''.join(rows)}</table>"


def bar(passed: int, runs: int) -> str:
    """How much of the runs passed, as a bar."""
    share = passed / runs * 100
    return (
        '<svg width="100" height="10"><rect width="100" height="10" fill="#e3b6b6"/>'
        f'<rect width="{share:.0f}" height="10" fill="#3f9a63"/></svg>'
    )


def _failed(run: Run) -> str:
    lines = [
        (line["start_ms"], line["speaker"], line["heard"] + ("" if line["heard"] == line["text"] else " …"))
        for line in run.record["lines"]
    ]
    lines += [
        (tool["at_ms"], "tool", f"{tool['name']} {tool['arguments']} -> {tool['say']}")
        for tool in run.record["tools"]
    ]
    lines += [
        (each["at_ms"], "incident", f"{each['kind']} {each['detail']}")
        for each in run.record.get("incidents", ())
    ]
    said = "\n".join(f"{at / 1000:7.1f} {who:>9}: {what}" for at, who, what in sorted(lines))
    why = "".join(f"<li>{_safe(failure)}" for failure in run.failures)
    name = f"{run.scenario.name} ({run.record.get('id', 'no call')})"
    return (
        f"<details><summary class=bad>{_safe(name)}</summary><ul>{why}</ul><pre>{_safe(said)}</pre></details>"
    )


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
