"""Answers from the company's own help pages, and from nothing else.

Markdown pages in a folder, cut at their headings. A page that changes is read again without a restart. What a
page says is data: it is quoted with its source and never followed.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from helpline import sentences as say
from helpline import wording
from helpline.actions import Card, Identity, ToolResult
from helpline.clock import Clock, SystemClock
from helpline.errors import SettingsError
from helpline.policy.rules import refusal
from helpline.store import Store
from helpline.store import passages as stored
from helpline.store.database import to_its_end
from helpline.store.passages import Passage
from helpline.tools.chinese_questions import CHINESE, asking, in_trade_english, pairs
from helpline.tools.context import CallContext
from helpline.tools.tool import Tool, tool

PASSAGE_CHARS = 900
LOOK_AGAIN_MS = 2_000
"""How long a look at the folder is believed."""

_ASKING = frozenset(
    "what when where which who why how is are was were do does did can could may will would shall should i my"
    " me you your we our it its the a an to of for in on at by with from and or if any there have has get"
    " tell know about please need want be this that hi hello hey sorry"
    " policy policies rules".split()
)
_WEAK = {"much": "cost", "expensive": "cost", "take": "take", "takes": "take", "long": "long", "many": ""}
"""Words that say what is asked of a thing: a page must be about the thing, and better has these too."""
_ALSO = {"shipping": "delivery", "shipment": "delivery", "postage": "delivery", "post": "delivery"}
"""What a customer says, and what pages of help call it."""


class Knowledge:
    """The help pages of one folder, indexed in the store."""

    def __init__(self, store: Store, folder: Path | None = None, clock: Clock | None = None) -> None:
        """Without a folder these are the demo shop's pages.

        Raises:
            SettingsError: the folder is not there.
        """
        if folder is not None and not folder.is_dir():
            raise SettingsError(f"There is no folder {folder}: set HELPLINE_KNOWLEDGE_DIR.")
        self._store = store
        self._folder: Traversable = folder if folder is not None else files("helpline.data") / "help"
        self._clock = clock or SystemClock()
        self._looked_ms: int | None = None
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the pages again if any has changed; looks at the folder at most every two seconds."""
        now_ms = self._clock.now_ms()
        async with self._turn:
            if self._looked_ms is not None and now_ms - self._looked_ms < LOOK_AGAIN_MS:
                return
            found, digest = await asyncio.to_thread(_read, self._folder)
            await to_its_end(self._index(found, digest))
            self._looked_ms = now_ms

    async def _index(self, found: list[Passage], digest: str) -> None:
        async with self._store.database.write() as connection:
            await stored.index(connection, found, digest)

    async def search(self, question: str, limit: int = 3) -> tuple[Passage, ...]:
        """Passages that answer the question, best first; empty when none holds enough of its words."""
        await self.refresh()
        if CHINESE.search(question):
            if found := await self._search(pairs(question), limit, asking(question)):
                return found
            subjects, better = in_trade_english(question)
            return await self._search(question_words(subjects), limit, better.split())
        words = question_words(question)
        about = [word for word in words if word not in _WEAK]
        sharper = {_WEAK[word] for word in words if _WEAK.get(word)}
        if "take" in sharper:
            sharper -= {"long"}  # how long it takes, not for how long
        return await self._search(about or words, limit, sorted(sharper))

    async def _search(self, wanted: list[str], limit: int, better: Sequence[str] = ()) -> tuple[Passage, ...]:
        """Passages with enough of the wanted words; those with better ones as well come first."""
        if not wanted:
            return ()
        async with self._store.database.read() as connection:
            found = await stored.search(connection, (*wanted, *better), 4 * limit)
        return tuple(passage for passage in found if _fits(passage, wanted))[:limit]


def question_words(question: str) -> list[str]:
    """The words of a question that say what it is about."""
    found = re.findall(r"[^\W_]+", re.sub(r"['’]\w{1,2}\b", "", question.lower()))
    return list(dict.fromkeys(_ALSO.get(word, word) for word in found if word not in _ASKING))[:12]


def _fits(passage: Passage, wanted: list[str]) -> bool:
    """Whether at least half of the words are there, by their stems."""
    text = f"{passage.title} {passage.body}".lower()
    there = {_stem(word) for word in re.findall(r"[^\W_]+", text)}
    hits = sum(word in text if CHINESE.search(word) else _stem(word) in there for word in wanted)
    return hits * 2 >= len(wanted)


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s|e)$", "", word) if len(word) > 4 else word


def _read(folder: Traversable) -> tuple[list[Passage], str]:
    """Every page's passages, and a digest of all pages."""
    digest = hashlib.sha256()
    found: list[Passage] = []
    for page in sorted(folder.iterdir(), key=lambda each: each.name):
        if page.name.endswith(".md") and page.is_file():
            text = page.read_bytes().decode("utf-8", errors="replace")
            digest.update(f"{page.name}\0{text}\0".encode())
            found.extend(cut(text, page.name))
    return found, digest.hexdigest()


def cut(text: str, source: str) -> list[Passage]:
    """A page cut at its headings, and where a section is long at its paragraphs."""
    found: list[Passage] = []
    page, heading = source.removesuffix(".md"), ""
    body: list[str] = []

    def close() -> None:
        title = " – ".join(part for part in (page, heading) if part)
        found.extend(Passage(title, piece, source) for piece in _pieces(body))
        body.clear()

    for line in text.splitlines():
        mark = re.match(r"(#{1,6})\s+(.*)", line)
        if mark is None:
            body.append(line)
            continue
        close()
        if len(mark[1]) == 1:
            page, heading = mark[2].strip(), ""
        else:
            heading = mark[2].strip()
    close()
    return found


def _pieces(lines: list[str]) -> list[str]:
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", "\n".join(lines))]
    pieces: list[str] = []
    for paragraph in filter(None, paragraphs):
        if pieces and len(pieces[-1]) + len(paragraph) < PASSAGE_CHARS:
            pieces[-1] += f" {paragraph}"
        else:
            pieces.extend(
                paragraph[at : at + PASSAGE_CHARS] for at in range(0, len(paragraph), PASSAGE_CHARS)
            )
    return pieces


def knowledge_tools(knowledge: Knowledge) -> tuple[Tool, ...]:
    """The tool that searches these pages."""

    @tool(identity=Identity.GUEST)
    async def search_help(
        context: CallContext, question: Annotated[str, Meta(min_length=1, max_length=300)]
    ) -> ToolResult:
        """Look up how the shop does things: returns, delivery, paying, opening hours, warranty.

        Answer only from the passages that come back. When none comes back, say that you do not know.

        Args:
            question: The customer's question, in their words.
        """
        found = await knowledge.search(question)
        if not found:
            raise refusal("no_passage", say.NO_PASSAGE)
        data = {
            "passages": [{"title": each.title, "text": each.body, "source": each.source} for each in found]
        }
        first = found[0]
        page = first.title.split(" – ")[0]
        card = {"text": first.body, "source": first.source}
        foreign = context.language.startswith("zh") and not CHINESE.search(first.body)
        says = say.PAGE_SAYS_IN_ENGLISH if foreign else say.PAGE_SAYS
        return ToolResult(
            context.words(says(page=page.lower(), text=wording.plain(first.body, 400))),
            data,
            cards=(Card("passage", first.title, card, key=f"passage-{first.source}-{first.title}"),),
        )

    return (search_help,)
