"""Token counts as the vendor meters them: audio 1 per 100 ms heard or 50 ms said, text about 4 characters."""

from collections.abc import Iterable
from dataclasses import dataclass

from helpline.engine.history import Item
from helpline.engine.protocol import Json

_CHARACTERS_PER_TOKEN = 4
_HEARD_MS_PER_TOKEN = 100
_SAID_MS_PER_TOKEN = 50


@dataclass(slots=True)
class Usage:
    """Tokens in and out, by kind."""

    text_in: int = 0
    audio_in: int = 0
    text_out: int = 0
    audio_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.text_in + other.text_in,
            self.audio_in + other.audio_in,
            self.text_out + other.text_out,
            self.audio_out + other.audio_out,
        )

    @property
    def output_tokens(self) -> int:
        return self.text_out + self.audio_out

    def text(self, words: str) -> None:
        """Count text that goes out."""
        self.text_out += text_tokens(words)

    def speech(self, ms: int) -> None:
        """Count speech that goes out."""
        self.audio_out += -(-ms // _SAID_MS_PER_TOKEN)

    def body(self) -> Json:
        """The `usage` object; nothing is ever cached here."""
        nothing = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": self.text_in + self.audio_in + self.output_tokens,
            "input_tokens": self.text_in + self.audio_in,
            "output_tokens": self.output_tokens,
            "input_token_details": {
                "text_tokens": self.text_in, "audio_tokens": self.audio_in, "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": nothing,
            },
            "output_token_details": {"text_tokens": self.text_out, "audio_tokens": self.audio_out},
        }  # fmt: skip


def text_tokens(text: str) -> int:
    """About how many tokens a text is."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def usage_of_input(items: Iterable[Item], instructions: str, tools: int) -> Usage:
    """What a response reads: the whole conversation, the instructions and the tools."""
    usage = Usage(text_in=text_tokens(instructions) + 40 * tools)
    for item in items:
        body = item.body
        if item.spoken:
            usage.audio_in += -(-item.audio_ms // _HEARD_MS_PER_TOKEN)
        else:
            usage.text_in += text_tokens(
                item.words + str(body.get("arguments", "")) + str(body.get("output", ""))
            )
    return usage
