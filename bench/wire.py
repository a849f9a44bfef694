"""What the wire costs beside bare msgspec and the vendor's SDK: one audio frame in, one out, in one run.

Ratios, not times: all paths take turns in every round, and the best round of each counts, so that a busy
machine slows them alike.
"""

import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Union

import msgspec
import openai.resources.realtime.realtime as sdk
from openai._models import construct_type_unchecked
from openai.types.realtime import RealtimeServerEvent

from bench.figures import Figure
from helpline.realtime import wire
from helpline.realtime.dialects import VOICE_LIVE
from helpline.realtime.events import InputAppend

ROUNDS = 15
TIMES = 2_000
MS_100 = os.urandom(4800)
MS_40 = os.urandom(1920)


def frame(kind: str, **more: object) -> bytes:
    """A delta of 100 ms of sound, as a vendor writes it."""
    return json.dumps(
        {
            "type": kind,
            "event_id": "event_E4AmeSKqIZ89RWnYjSPVj",
            "response_id": "resp_E4AmexTcfhrLsJgxHePcZ",
            "item_id": "item_E4AmeR6T4h9LkwrfSTCJu",
            "output_index": 0,
            "content_index": 0,
            **more,
            "delta": base64.b64encode(MS_100).decode(),
        }
    ).encode()


GA_FRAME = frame("response.output_audio.delta")
FLAT_FRAME = frame("response.audio.delta")
NOVEL_FRAME = frame("response.output_audio.delta", mood="fine")
WORDS_FRAME = json.dumps(
    {
        "type": "response.output_audio_transcript.delta",
        "event_id": "event_E4AmeSKqIZ89RWnYjSPVj",
        "response_id": "resp_E4AmexTcfhrLsJgxHePcZ",
        "item_id": "item_E4AmeR6T4h9LkwrfSTCJu",
        "output_index": 0,
        "content_index": 0,
        "delta": " order",
    }
).encode()

_bare = msgspec.json.Decoder(Union[tuple(wire.SERVER_EVENTS.values())])  # noqa: UP007 - made at run time
_encoder = msgspec.json.Encoder()
_append = InputAppend(audio=MS_40)


def by_the_sdk(data: bytes) -> bytes:
    """As the SDK's connection parses it, and its sound decoded."""
    event = construct_type_unchecked(value=json.loads(data), type_=RealtimeServerEvent)
    return base64.b64decode(event.delta)


PATHS: Mapping[str, Callable[[], object]] = {
    "bare": lambda: _bare.decode(GA_FRAME),
    "ours": lambda: wire.decode(GA_FRAME),
    "flat": lambda: wire.decode(FLAT_FRAME, VOICE_LIVE),
    "novel": lambda: wire.decode(NOVEL_FRAME),
    "sdk": lambda: by_the_sdk(GA_FRAME),
    "bare words": lambda: _bare.decode(WORDS_FRAME),
    "our words": lambda: wire.decode(WORDS_FRAME),
    "bare out": lambda: _encoder.encode(_append),
    "ours out": lambda: wire.encode(_append),
}


def timed() -> dict[str, float]:
    """Microseconds of each path's best round."""
    best = dict.fromkeys(PATHS, float("inf"))
    for _ in range(ROUNDS):
        for name, path in PATHS.items():
            times = TIMES // 10 if name == "sdk" else TIMES
            started = time.perf_counter()
            for _ in range(times):
                path()
            best[name] = min(best[name], (time.perf_counter() - started) / times * 1e6)
    return best


async def measure() -> list[Figure]:
    """Ratios to bare msgspec, and one to the SDK."""
    assert sdk.AsyncRealtimeConnection.parse_event  # what `by_the_sdk` stands for
    us = timed()
    return [
        Figure("wire: 100 ms of sound decoded, to bare msgspec", 1.15, us["ours"] / us["bare"], "x"),
        Figure("wire: the same in the flat dialect", 1.5, us["flat"] / us["bare"], "x"),
        Figure("wire: the same with a field nobody knows", 3, us["novel"] / us["bare"], "x"),
        Figure("wire: the SDK's time for it, to ours", 8, us["sdk"] / us["ours"], "x", "higher"),
        Figure("wire: 100 ms of sound decoded", 15, us["ours"], "us"),
        Figure("wire: a word decoded", 2, us["our words"], "us"),
        Figure(
            "wire: 40 ms of microphone encoded, to bare msgspec", 1.4, us["ours out"] / us["bare out"], "x"
        ),
    ]
