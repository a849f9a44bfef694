"""Input transcription: deltas while somebody speaks, the whole once they have spoken."""

from helpline.engine.history import Item
from helpline.engine.language import readable
from helpline.engine.reply import Emit
from helpline.numbers import normalise

_EVENTS = "conversation.item.input_audio_transcription"


class Captions:
    """One session's transcripts of what the customer says."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._given = ""

    def begin(self) -> None:
        """Another utterance."""
        self._given = ""

    async def grow(self, item_id: str, words: str, language: str) -> None:
        """A stable beginning of the transcript; a number waits until it is complete."""
        caption = readable(words, language=language)[:-1]
        grown = caption.startswith(self._given) and len(caption) > len(self._given)
        if grown and not _ends_in_number(words):
            await self._delta(item_id, caption[len(self._given) :])
            self._given = caption

    async def complete(self, item: Item) -> None:
        """The rest of the transcript, and all of it; should it begin otherwise now, the whole is right."""
        transcript = item.heard
        item.body["content"][0]["transcript"] = transcript
        if transcript.startswith(self._given) and len(transcript) > len(self._given):
            await self._delta(item.id, transcript[len(self._given) :])
        self._given = ""
        usage = {"type": "duration", "seconds": round(item.audio_ms / 1000, 2)}
        await self._emit(
            f"{_EVENTS}.completed", item_id=item.id, content_index=0, transcript=transcript, usage=usage
        )

    async def _delta(self, item_id: str, delta: str) -> None:
        await self._emit(f"{_EVENTS}.delta", item_id=item_id, content_index=0, delta=delta)


def _ends_in_number(words: str) -> bool:
    last = words.split()[-1:]
    return not last or normalise(f"one {last[0]}") != f"one {last[0]}"
