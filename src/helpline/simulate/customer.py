"""Customers: one who does what the steps say, typed or spoken, and one whom a chat model plays."""

import asyncio
from typing import Final, Protocol

import numpy as np

from helpline.audio.pcm import samples
from helpline.call.call import Call
from helpline.channels.wav import WavChannel
from helpline.chat import ChatModel, Role
from helpline.engine.voice import Synthesiser
from helpline.errors import BackendError
from helpline.simulate.backend import CuttableBackend
from helpline.simulate.scenario import Scenario, Step
from helpline.simulate.text import TextChannel

PATIENCE_S: Final = 30.0
_GOODBYE: Final = "HANG UP"
_PLAY: Final = """\
You play a customer who calls a shop's service desk. Say one short line at a time, as people speak, and
nothing else. Do not help the desk beyond what such a customer would say. When you have what you want, or
will not get it, answer HANG UP."""


class Mouth(Protocol):
    """How a customer makes themself heard, and waits for the answer."""

    def begin(self, text: str) -> None:
        """Say it, and do not wait."""

    async def say(self, text: str) -> bool:
        """Say it and hear the answer to its end; False when none came."""

    async def interrupt(self, text: str, after_ms: int) -> bool: ...

    async def be_silent(self, ms: int) -> None: ...


class Typing:
    """Types each line."""

    def __init__(self, channel: TextChannel, call: Call) -> None:
        self._channel = channel
        self._call = call

    def begin(self, text: str) -> None:
        self._call.type(text)

    async def say(self, text: str) -> bool:
        return await self._channel.say(text)

    async def interrupt(self, text: str, after_ms: int) -> bool:
        # What is answered in writing is there at once: it cannot be cut short.
        return await self._channel.rested() and await self._channel.say(text)

    async def be_silent(self, ms: int) -> None:
        """A typed call does not mind."""


class Speaking:
    """Says each line in real time, on a line that may be noisy."""

    def __init__(self, channel: WavChannel, call: Call, scenario: Scenario) -> None:
        self._channel = channel
        self._call = call
        self._voice = Synthesiser(variant=scenario.voice)
        self._noise_db = scenario.noise_db

    async def start(self) -> None:
        """Switch voice on. Raises BackendError when nobody answers."""
        if not await self._call.start_voice():
            raise BackendError(self._channel.document.failure)

    def begin(self, text: str) -> None:
        self._channel.speak(self._sound(text))

    async def say(self, text: str) -> bool:
        self.begin(text)
        return await self._channel.answered(PATIENCE_S)

    async def interrupt(self, text: str, after_ms: int) -> bool:
        await self._channel.until(lambda: not self._channel.speaker.silent, PATIENCE_S)
        await asyncio.sleep(after_ms / 1000)
        before = self._finished_lines
        self.begin(text)
        # Until these words are written down, the reply that they cut would pass for the answer to them.
        await self._channel.until(lambda: self._finished_lines > before, PATIENCE_S)
        return await self._channel.answered(PATIENCE_S)

    @property
    def _finished_lines(self) -> int:
        lines = self._channel.document.lines
        return sum(line.speaker == "customer" and line.final and bool(line.text) for line in lines)

    async def be_silent(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    def _sound(self, text: str) -> bytes:
        pcm = self._voice.speak(text)
        return pcm if self._noise_db is None else with_noise(pcm, self._noise_db)


def with_noise(pcm24k: bytes, below_db: float) -> bytes:
    """The speech with white noise so many dB below it; the same every time."""
    speech = samples(pcm24k).astype(np.float64)
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-below_db / 20)
    noise = np.random.default_rng(7).normal(0, level, len(speech))
    return np.clip(speech + noise, -32768, 32767).astype("<i2").tobytes()


async def follow(
    steps: tuple[Step, ...],
    mouth: Mouth,
    call: Call,
    channel: TextChannel | WavChannel,
    line: CuttableBackend,
) -> list[str]:
    """Do one step after another until the call is over; a sentence for each answer that did not come."""
    unanswered = []
    for step, following in zip(steps, (*steps[1:], Step()), strict=True):
        if channel.state == "ended":
            break
        if step.cut:
            line.cut()
        if step.silence_ms:
            await mouth.be_silent(step.silence_ms)
        if step.press is not None:
            call.answer(_open_proposal(channel), step.press == "yes")
            await _rested(channel)
        answered = True
        if step.say and following.interrupt:
            mouth.begin(step.say)
        elif step.say:
            answered = await mouth.say(step.say)
        elif step.interrupt:
            answered = await mouth.interrupt(step.interrupt, step.after_ms)
        if not answered:
            unanswered.append(f'"{step.say or step.interrupt}" was not answered')
    return unanswered


async def improvise(
    scenario: Scenario, model: ChatModel, mouth: Mouth, channel: TextChannel | WavChannel
) -> list[str]:
    """Let a chat model play the customer. Raises ChatError."""
    for _ in range(scenario.most_turns):
        talk: list[tuple[Role, str]] = [("system", f"{_PLAY}\n\n{scenario.brief}")]
        talk += [
            ("assistant" if line.speaker == "customer" else "user", line.heard)
            for line in channel.document.lines
        ]
        if len(talk) == 1:
            talk.append(("user", "Hello, how can I help you?"))
        said = " ".join((await model.ask(talk)).split())[:500]
        if _GOODBYE in said or not said or channel.state == "ended":
            break
        if not await mouth.say(said):
            return [f'"{said}" was not answered']
    return []


def _open_proposal(channel: TextChannel | WavChannel) -> str:
    proposals = [tool.result.proposal.id for tool in channel.document.tools if tool.result.proposal]
    return proposals[-1] if proposals else ""


async def _rested(channel: TextChannel | WavChannel) -> None:
    if isinstance(channel, TextChannel):
        await channel.rested()
    else:
        await channel.answered(PATIENCE_S)
