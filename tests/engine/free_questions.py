"""Measures the engine on questions in free words: done when the page that answers is the first one found.

A call to `search_help` with what was heard, looked up in pages as the desk does it. Run as
`python -m tests.engine.free_questions [VOICE …]`; no voice: typed.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from helpline.engine.brain import Call, PolicyBrain, Said, Turn
from helpline.engine.dialogue import Known
from helpline.engine.meaning import read_tools
from helpline.store import Store
from helpline.tools.knowledge import Knowledge, knowledge_tools
from tests.engine.evaluation import CALLERS_IDS, NOW, PRODUCTS, TOOLS, Subject, spoken

QUESTIONS = Path(__file__).with_name("sentences_free.txt")
MUSEUM = Path(__file__).with_name("museum")


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and the title of the passage that answers it."""

    text: str
    pages: str
    """`shop` or `museum`."""
    passage: str


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a question."""

    question: Question
    heard: str
    asked: str
    """What was looked up; empty when nothing was."""
    done: bool


def load_questions() -> list[Question]:
    """All of the file, in order."""
    pages, passage = "", ""
    found: list[Question] = []
    for line in QUESTIONS.read_text("utf-8").splitlines():
        if line.startswith("["):
            pages, _, passage = line.strip("[]").partition(": ")
        elif line.strip() and not line.startswith("#"):
            found.append(Question(line.strip(), pages, passage))
    return found


def looked_up(heard: str, pages: str, *, spoken: bool) -> str:
    """The question that the engine would send to the pages of help; a museum has no tools of a shop."""
    search = [
        {"type": "function", "name": t.name, "description": t.description, "parameters": dict(t.parameters)}
        for t in knowledge_tools(NotAsked())  # type: ignore[arg-type]
    ]
    tools = read_tools([*(TOOLS if pages == "shop" else ()), *search])
    known = Known(CALLERS_IDS, PRODUCTS) if pages == "shop" else Known()
    turn = Turn((Said("user", heard, spoken=spoken),), tools, NOW, known=known)
    calls = [part for part in PolicyBrain().decide(turn) if isinstance(part, Call)]
    if not calls or calls[0].name != "search_help":
        return ""
    return str(msgspec.json.decode(calls[0].arguments).get("question", ""))


class NotAsked:
    """Only the schema of its tool is wanted."""


def judge(questions: Sequence[Question], heard: Iterable[str], *, spoken: bool) -> list[Found]:
    """What comes of the questions as they were heard."""
    return asyncio.run(_judge(questions, list(heard), spoken=spoken))


async def _judge(questions: Sequence[Question], heard: Sequence[str], *, spoken: bool) -> list[Found]:
    with tempfile.TemporaryDirectory() as folder:
        results: list[Found] = []
        for pages, where in (("shop", None), ("museum", MUSEUM)):
            store = await Store.open(f"sqlite:///{folder}/{pages}.db")
            knowledge = Knowledge(store, where)
            for question, words in zip(questions, heard, strict=True):
                if question.pages != pages:
                    continue
                asked = looked_up(words, pages, spoken=spoken) if words else ""
                passages = await knowledge.search(asked) if asked else ()
                done = bool(passages) and passages[0].title.endswith(question.passage)
                results.append(Found(question, words, asked, done))
            await store.close()
        return results


def main(voices: Sequence[str]) -> None:
    """Prints each question that was not answered, and how many were."""
    questions = load_questions()
    for voice in voices or ("",):
        subject = Subject()
        heard = [subject.hear(spoken(one.text, voice)) if voice else one.text for one in questions]
        results = judge(questions, heard, spoken=bool(voice))
        for one in results:
            if not one.done:
                print(f"  {one.question.text!r} heard {one.heard!r}, looked up {one.asked!r}")
        print(f"{voice or 'typed'}: {sum(one.done for one in results)} of {len(results)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
