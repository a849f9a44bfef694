"""Full-text search over passages of help pages: FTS5 on SQLite, tsvector on Postgres.

Neither knows where a Chinese word ends: Chinese characters are kept apart in the index, by a mark that nobody
sees, and a word of several is searched for as a phrase.

The index is derived from the pages and rebuilt from them; it is no part of the shop's tables.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5("
        "title, body, source UNINDEXED, tokenize = 'porter unicode61')",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS passages (title text NOT NULL, body text NOT NULL, source text NOT NULL,"
        " words tsvector GENERATED ALWAYS AS (setweight(to_tsvector('english', title), 'A') ||"
        " to_tsvector('english', body)) STORED)",
        "CREATE INDEX IF NOT EXISTS ix_passages_words ON passages USING gin (words) WITH (fastupdate = off)",
    ),
}
_INSERT = "INSERT INTO passages (title, body, source) VALUES (:title, :body, :source)"

# The title counts for more than the body; the best comes first.
_SEARCH = {
    "sqlite": (
        "SELECT title, body, source FROM passages WHERE passages MATCH :query"
        " ORDER BY bm25(passages, 3.0, 1.0) LIMIT :limit"
    ),
    "postgresql": (
        "SELECT title, body, source FROM passages, to_tsquery('english', :query) AS query"
        " WHERE words @@ query ORDER BY ts_rank(words, query, 1) DESC LIMIT :limit"
    ),
}
# What Postgres would do by itself some minutes later.
_SETTLE = {
    "sqlite": (),
    "postgresql": ("SELECT gin_clean_pending_list('ix_passages_words')", "ANALYZE passages"),
}
_MARK = "\u200b "
_CHINESE = re.compile("[\u4e00-\u9fff]")
_SHAPE = "2"
"""What is put into the index, and how: an index of another shape is made anew."""
_INDEXED = "passages"
"""The fact that remembers which pages the index was made from."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a help page: data for an answer, never instructions."""

    title: str
    """The page's and the section's headings."""
    body: str
    source: str
    """The page's file name."""


async def index(connection: AsyncConnection, passages: Sequence[Passage], digest: str) -> bool:
    """Make the index anew, unless it was made of pages with the same digest; whether it was made."""
    dialect = connection.dialect.name
    digest = f"{_SHAPE}:{digest}"
    for statement in _CREATE[dialect]:
        await connection.execute(sa.text(statement))
    known = sa.text("SELECT value FROM facts WHERE name = :name")
    if (await connection.execute(known, {"name": _INDEXED})).scalar_one_or_none() == digest:
        return False
    await connection.execute(sa.text("DELETE FROM passages"))
    if passages:
        rows = [
            {"title": _apart(each.title), "body": _apart(each.body), "source": each.source}
            for each in passages
        ]
        await connection.execute(sa.text(_INSERT), rows)
        for statement in _SETTLE[dialect]:
            await connection.execute(sa.text(statement))
    await connection.execute(sa.text("DELETE FROM facts WHERE name = :name"), {"name": _INDEXED})
    remember = sa.text("INSERT INTO facts (name, value) VALUES (:name, :digest)")
    await connection.execute(remember, {"name": _INDEXED, "digest": digest})
    return True


async def search(connection: AsyncConnection, words: Sequence[str], limit: int) -> tuple[Passage, ...]:
    """Passages that hold any of the words, best first. Words are letters and digits only."""
    if not words:
        return ()
    dialect = connection.dialect.name
    query = (" OR " if dialect == "sqlite" else " | ").join(_phrase(word, dialect) for word in words)
    rows = await connection.execute(sa.text(_SEARCH[dialect]), {"query": query, "limit": limit})
    return tuple(Passage(_together(row.title), _together(row.body), row.source) for row in rows)


def _apart(text: str) -> str:
    return _CHINESE.sub(rf"\g<0>{_MARK}", text)


def _together(text: str) -> str:
    return text.replace(_MARK, "")


def _phrase(word: str, dialect: str) -> str:
    parts = _apart(word).split()
    return f'"{" ".join(parts)}"' if dialect == "sqlite" else f"({' <-> '.join(parts)})"
