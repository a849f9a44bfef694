"""`helpline replay`: live through a call again that was written down."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from helpline.audio.pcm import BYTES_PER_MS
from helpline.call import effects as fx
from helpline.call.replay import Replayed, replay
from helpline.realtime import wire
from helpline.realtime.cost import prices
from helpline.realtime.recordings import read_recording
from helpline.realtime.trace import read_trace


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--effects/--no-effects", default=True, help="Whether to print each thing that the desk did.")
def command(file: Path, effects: bool) -> None:
    """Run a trace (JSON lines) or a recording (YAML) through the conversation and print what came of it.

    A bad call becomes a regression test when its trace is copied into tests/traces.
    """
    read = read_recording if file.suffix in (".yaml", ".yml") else read_trace
    click.echo(
        json.dumps(report(replay(read(file), prices()), effects=effects), indent=2, ensure_ascii=False)
    )


def report(replayed: Replayed, *, effects: bool = True) -> dict[str, Any]:
    """Transcript, tool calls, usage, cost and effects, fit for JSON."""
    bill, listed = replayed.bill, prices()
    found: dict[str, Any] = {
        "transcript": [msgspec.to_builtins(line) for line in replayed.lines],
        "tools": [
            {"call_id": one.id, "name": one.name, "arguments": one.arguments, "output": one.output}
            for one in replayed.tools
        ],
        "usage": {**asdict(bill.tokens), "transcribed_s": float(bill.transcribed_s)},
        "cost": {
            "money": None if bill.total is None else str(bill.total),
            "currency": listed.currency,
            "prices_as_of": listed.as_of.isoformat(),
            "unpriced_models": sorted(bill.unpriced),
        },
    }
    if effects:
        found["effects"] = [{"at_ms": at_ms, **shown(effect)} for at_ms, effect in replayed.effects]
    return found


def shown(effect: fx.Effect) -> dict[str, Any]:
    """An effect as JSON: sound by its length, events as they go over the line."""
    name = type(effect).__name__
    match effect:
        case fx.Send(event):
            return {"effect": name, "event": json.loads(wire.encode(event))}
        case fx.Play(track, pcm24k):
            return {"effect": name, "track": track, "ms": len(pcm24k) // BYTES_PER_MS}
        case fx.Show(what):
            return {"effect": name, "what": type(what).__name__, **_body(what)}
        case fx.Record(fact):
            return {"effect": name, "fact": type(fact).__name__, **_body(fact)}
        case _:
            return {"effect": name, **_body(effect)}


def _body(value: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(value, enc_hook=dict)
    return body
