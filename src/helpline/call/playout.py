"""What of the desk's voice was received, sent on and heard: PURE.

All replies of a call form one stream of bytes (24 kHz mono s16le). A `Clip` is one item's stretch of it; a
*track* is what the channel knows it by, and changes whenever playback starts anew. Rules:

- sent <= heard + `AHEAD_MS`, so that a flush loses little;
- heard <= sent <= received, always;
- audio is released only up to where its words are known (`cleared`), so that a claim can be stopped unheard;
- `pause` silences but keeps the unheard tail, `resume` plays it again as a new track, `drop` forgets it.

The channel reports what it played, per track; between reports the estimate moves with the clock.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from helpline.audio.pcm import BYTES_PER_MS

AHEAD_MS = 1000
PIECE_MS = 240
"""While enough is ahead, no smaller piece is sent: a reply that comes fast is not cut to crumbs."""
UNREPORTED_LATENCY_MS = 150
"""Until the channel has reported, assume that sound starts this long after it was sent."""
MOST_WAITING_MS = 600_000
"""Nobody listens to an answer for longer: what a server sends beyond it is dropped."""
FASTEST_CHARS_PER_S = 25
"""Faster than anyone speaks: text known covers at least this much sound."""
WORDS_WAIT_MS = 400
"""Sound whose words do not come is released after this long (some servers send no transcript)."""


class Chunk(NamedTuple):
    start: int
    pcm: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.pcm)


class Clip(msgspec.Struct, frozen=True, gc=False):
    """One item's audio. Offsets are stream bytes."""

    item_id: str
    response_id: str
    track: str
    track_start: int
    """Where the current track begins."""
    start: int
    end: int
    """Received so far."""
    chars: int = 0
    """Length of its transcript so far."""
    complete: bool = False
    words_complete: bool = False
    broken: bool = False
    """Its words may go on beyond its sound: it ended before it was whole."""
    first_at_ms: int = 0

    @property
    def received_ms(self) -> int:
        return (self.end - self.start) // BYTES_PER_MS


class Dropped(NamedTuple):
    """What an interruption cut: one item, how much of it was heard."""

    item_id: str
    response_id: str
    heard_ms: int
    received_ms: int
    complete: bool


class Playout(msgspec.Struct, frozen=True, gc=False):
    clips: tuple[Clip, ...] = ()
    unheard: tuple[Chunk, ...] = ()
    """Sent, perhaps not heard yet: kept so that an uncommitted interruption can play it again."""
    unsent: tuple[Chunk, ...] = ()
    received: int = 0
    sent: int = 0
    heard: int = 0
    anchor_ms: int = 0
    """When `heard` was true; it moves on from there while sound is queued."""
    paused: bool = False
    tracks: int = 0

    @property
    def silent(self) -> bool:
        """Nothing is waiting to be heard."""
        return self.heard >= self.received

    def heard_at(self, now_ms: int) -> int:
        """Stream position heard by now, by the last report and the clock."""
        if self.paused or self.heard >= self.sent:
            return self.heard
        moved = max(0, now_ms - self.anchor_ms) * BYTES_PER_MS
        return min(self.sent, self.heard + moved)

    def clip(self, item_id: str) -> Clip | None:
        for clip in self.clips:
            if clip.item_id == item_id:
                return clip
        return None


def heard_ms_of(playout: Playout, item_id: str, now_ms: int) -> int:
    """How much of an item was heard; 0 for one that is not waiting to be heard."""
    clip = playout.clip(item_id)
    return _within(clip, playout.heard_at(now_ms)) // BYTES_PER_MS if clip is not None else 0


def _within(clip: Clip, position: int) -> int:
    return max(0, min(position, clip.end) - clip.start)


def open_clip(playout: Playout, item_id: str, response_id: str, now_ms: int) -> Playout:
    """Begin an item's audio, after all that was received before."""
    track = f"{item_id}.{playout.tracks + 1}"
    at = playout.received
    clip = Clip(item_id, response_id, track, at, at, at, first_at_ms=now_ms)
    return replace(playout, clips=(*playout.clips, clip), tracks=playout.tracks + 1)


def receive(playout: Playout, item_id: str, response_id: str, pcm: bytes, now_ms: int) -> Playout:
    """Take one delta; an item seen for the first time opens its clip (some servers announce none).

    Items speak one after another: sound that comes late for an earlier item is dropped.
    """
    if playout.received - playout.heard > MOST_WAITING_MS * BYTES_PER_MS:
        return playout
    if not playout.clips or playout.clips[-1].item_id != item_id:
        if playout.clip(item_id) is not None:
            return playout
        playout = open_clip(playout, item_id, response_id, now_ms)
    pcm = pcm[: len(pcm) & ~1]  # never half a sample
    end = playout.received + len(pcm)
    return replace(
        playout,
        clips=(*playout.clips[:-1], replace(playout.clips[-1], end=end)),
        unsent=(*playout.unsent, Chunk(playout.received, pcm)),
        received=end,
    )


def note_words(playout: Playout, item_id: str, chars: int, *, complete: bool = False) -> Playout:
    """Say how long an item's transcript is by now."""
    for index, clip in enumerate(playout.clips):
        if clip.item_id == item_id:
            if chars <= clip.chars and complete <= clip.words_complete:
                return playout
            whole = complete or clip.words_complete
            known = replace(clip, chars=max(chars, clip.chars), words_complete=whole)
            return replace(playout, clips=(*playout.clips[:index], known, *playout.clips[index + 1 :]))
    return playout


def finish(playout: Playout, response_id: str, item_id: str | None = None, *, whole: bool = True) -> Playout:
    """Nothing more comes for a response, or for one item of it; not `whole`: it ended in mid-sentence."""
    return _with(
        playout,
        (
            replace(
                clip,
                complete=True,
                words_complete=clip.words_complete or item_id is None,
                broken=clip.broken or (not whole and not clip.complete),
            )
            if clip.response_id == response_id and item_id in (None, clip.item_id)
            else clip
            for clip in playout.clips
        ),
    )


def break_off(playout: Playout, now_ms: int) -> Playout:
    """Nothing more comes for anything: the connection is gone. Sound whose words are not known goes too."""
    limit = max(playout.sent, _cleared(playout, now_ms))
    kept, _ = _split(playout.unsent, limit)
    clips = (
        replace(
            clip,
            end=max(clip.start, min(clip.end, limit)),
            complete=True,
            words_complete=True,
            broken=clip.broken or not clip.complete,
        )
        for clip in playout.clips
    )
    return replace(_with(playout, clips), unsent=tuple(kept), received=min(playout.received, limit))


def _with(playout: Playout, clips: Iterable[Clip]) -> Playout:
    return replace(playout, clips=tuple(clips))


# --- sending on -----------------------------------------------------------------------------------------


def pump(playout: Playout, now_ms: int) -> tuple[Playout, list[tuple[str, bytes]]]:
    """Release what may sound: at most `AHEAD_MS` ahead of what is heard, and only where the words are known.

    Returns (track, pcm24k) pieces in order.
    """
    if playout.paused or not playout.unsent:
        return playout, []
    heard = playout.heard_at(now_ms)
    limit = heard + AHEAD_MS * BYTES_PER_MS
    enough = playout.sent - heard >= AHEAD_MS * BYTES_PER_MS // 2
    if limit <= playout.sent + (PIECE_MS * BYTES_PER_MS if enough else 0):
        return playout, []
    limit = min(limit, _cleared(playout, now_ms))
    if limit <= playout.sent:
        return playout, []
    ran_dry = heard >= playout.sent
    pieces, unsent = _split(playout.unsent, limit)
    playout = replace(
        playout,
        unsent=unsent,
        unheard=(*_still_unheard(playout.unheard, heard), *pieces),
        sent=limit if unsent else playout.received,
        heard=heard,
        anchor_ms=now_ms + UNREPORTED_LATENCY_MS if ran_dry else max(now_ms, playout.anchor_ms),
        clips=tuple([clip for clip in playout.clips if clip.end > heard or not clip.complete]),
    )
    return playout, [(_track_at(playout, piece.start), piece.pcm) for piece in pieces]


def _cleared(playout: Playout, now_ms: int) -> int:
    """How far the words are known, as a stream position."""
    cleared = playout.received
    for clip in playout.clips:
        if clip.words_complete or clip.end <= playout.sent:
            continue
        if now_ms - clip.first_at_ms >= WORDS_WAIT_MS and not clip.chars:
            continue
        cleared = min(cleared, clip.start + clip.chars * 1000 // FASTEST_CHARS_PER_S * BYTES_PER_MS)
        break
    return cleared


def _split(chunks: tuple[Chunk, ...], limit: int) -> tuple[list[Chunk], tuple[Chunk, ...]]:
    before: list[Chunk] = []
    for index, chunk in enumerate(chunks):
        if chunk.end <= limit:
            before.append(chunk)
            continue
        cut = limit - chunk.start
        if cut <= 0:
            return before, chunks[index:]
        before.append(Chunk(chunk.start, chunk.pcm[:cut]))
        return before, (Chunk(limit, chunk.pcm[cut:]), *chunks[index + 1 :])
    return before, ()


def _still_unheard(chunks: tuple[Chunk, ...], heard: int) -> tuple[Chunk, ...]:
    for index, chunk in enumerate(chunks):
        if chunk.end > heard:
            return chunks[index:]
    return ()


def _track_at(playout: Playout, position: int) -> str:
    found = ""
    for clip in playout.clips:
        if clip.start <= position:
            found = clip.track
    return found


def next_pump_ms(playout: Playout, now_ms: int) -> int | None:
    """When `pump` will have something to release, or None."""
    if playout.paused or not playout.unsent:
        return None
    if _cleared(playout, now_ms) <= playout.sent:
        waiting = [clip.first_at_ms for clip in playout.clips if not clip.words_complete and not clip.chars]
        if waiting:
            return max(now_ms + 1, min(waiting) + WORDS_WAIT_MS)
        return None  # the words will say when
    ahead = (playout.sent - playout.heard_at(now_ms)) // BYTES_PER_MS
    # Half of the window at a time: few wake-ups, never dry.
    return now_ms + max(20, ahead - AHEAD_MS // 2)


def silent_at_ms(playout: Playout, now_ms: int) -> int | None:
    """When all that was received will have been heard, or None while paused, unsent or already silent."""
    if playout.paused or playout.unsent or playout.silent:
        return None
    left = (playout.sent - playout.heard) // BYTES_PER_MS
    return max(now_ms, playout.anchor_ms + left + 1)


def sounds_until_ms(playout: Playout) -> int:
    """When all that was sent will have sounded, as far as is known."""
    return playout.anchor_ms + (playout.sent - playout.heard) // BYTES_PER_MS


def report(playout: Playout, track: str, played_ms: int, now_ms: int) -> Playout:
    """Take the channel's word for what it played of a track, clamped to what was sent."""
    clip = next((clip for clip in playout.clips if clip.track == track), None)
    if clip is None or playout.paused:
        return playout
    position = clip.track_start + max(0, played_ms) * BYTES_PER_MS
    position = min(position, playout.sent, clip.end)
    if position < playout.heard:  # the estimate ran ahead: let the sound catch up with it
        return replace(playout, anchor_ms=now_ms + (playout.heard - position) // BYTES_PER_MS)
    return replace(playout, heard=position, anchor_ms=now_ms)


def stopped_at(playout: Playout, track: str, played_ms: int, now_ms: int) -> Playout:
    """The same of a track that was stopped there: what was taken to have sounded since has not."""
    known = report(playout, track, played_ms, now_ms)
    clip = next((clip for clip in known.clips if clip.track == track), None)
    if clip is None or clip.track_start > known.heard:
        return known
    return replace(known, heard=min(known.heard, clip.track_start + max(0, played_ms) * BYTES_PER_MS))


def settle(playout: Playout, now_ms: int) -> Playout:
    """Bring `heard` up to now and forget what was heard."""
    heard = playout.heard_at(now_ms)
    if heard == playout.heard:
        return playout
    return replace(
        playout,
        heard=heard,
        anchor_ms=max(now_ms, playout.anchor_ms),
        unheard=_still_unheard(playout.unheard, heard),
    )


# --- interruption ---------------------------------------------------------------------------------------


def pause(playout: Playout, now_ms: int) -> Playout:
    """Silence, keeping the tail: what was sent but not heard goes back to the front of the queue."""
    heard = playout.heard_at(now_ms)
    _, again = _split(playout.unheard, heard)
    return replace(
        playout, heard=heard, sent=heard, paused=True, unheard=(), unsent=(*again, *playout.unsent)
    )


def resume(playout: Playout, now_ms: int) -> Playout:
    """Play the tail again, as a new track: the channel has muted the old one."""
    clips = []
    tracks = playout.tracks
    for clip in playout.clips:
        if clip.end > playout.heard or not clip.complete:
            tracks += 1
            track = f"{clip.item_id}.{tracks}"
            clip = replace(clip, track=track, track_start=max(clip.start, playout.heard))
        clips.append(clip)
    return replace(playout, clips=tuple(clips), tracks=tracks, paused=False, anchor_ms=now_ms)


def drop(playout: Playout, now_ms: int) -> tuple[Playout, tuple[Dropped, ...]]:
    """Forget all that was not heard, and say what was cut, item by item."""
    heard = playout.heard_at(now_ms)
    cut = tuple(
        Dropped(
            clip.item_id,
            clip.response_id,
            _within(clip, heard) // BYTES_PER_MS,
            clip.received_ms,
            clip.complete,
        )
        for clip in playout.clips
        if clip.end > heard or not clip.complete
    )
    at = playout.received
    return Playout(received=at, sent=at, heard=at, tracks=playout.tracks), cut
