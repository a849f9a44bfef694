"""The tables of calls that have ended, of the work that they leave behind, and of who looked at them.

A call names its customer by pseudonym only, the one that the ledger uses. `search_calls` stands beside these:
an FTS5 table on SQLite, a GIN index on Postgres, both made by the migration and kept by the database itself.
"""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from helpline.store.schema import UtcTime, metadata

calls = Table(
    "calls",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("language", String(20), nullable=False),
    Column("backend", String(40), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("summary", Text, nullable=False),
    Column("summarised_by", String(10), nullable=False),
    Column("words", Text, nullable=False),
    Column("record", JSON, nullable=False),
    Index(None, "started_at"),
    comment="The lasting record of a call, redacted. `words` is what a search looks at.",
)

call_customers = Table(
    "call_customers",
    metadata,
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("customer_key", String(64), primary_key=True),
    Index(None, "customer_key"),
    comment="Everybody who was verified in a call: forgetting any of them removes it.",
)

work = Table(
    "work",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("customer_key", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("leased_until", UtcTime),
    Column("done_at", UtcTime),
    Column("error", String(200), nullable=False, server_default=""),
    Index(None, "state", "due_at"),
    Index(None, "customer_key"),
    comment="Summaries to make and messages to deliver, at least once. It says what about, never what.",
)

announced = Table(
    "announced",
    metadata,
    Column("subject", String(100), primary_key=True),
    comment="What has been put into `work` once and shall not be again, however long ago that was.",
)

reads = Table(
    "reads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("reader", String(100), nullable=False),
    Column("action", String(20), nullable=False),
    Column("subject", String(100), nullable=False),
    Index(None, "at"),
    comment="Who looked at calls, when and how.",
)
