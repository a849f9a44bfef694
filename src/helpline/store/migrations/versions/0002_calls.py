"""The record of calls, what is left to do after them, and who read it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ON_SQLITE = (
    """CREATE VIRTUAL TABLE search_calls USING fts5(
        words, content='calls', content_rowid='seq', tokenize='unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER search_calls_insert AFTER INSERT ON calls BEGIN
        INSERT INTO search_calls(rowid, words) VALUES (new.seq, new.words); END""",
    """CREATE TRIGGER search_calls_delete AFTER DELETE ON calls BEGIN
        INSERT INTO search_calls(search_calls, rowid, words) VALUES ('delete', old.seq, old.words); END""",
    """CREATE TRIGGER search_calls_update AFTER UPDATE OF words ON calls BEGIN
        INSERT INTO search_calls(search_calls, rowid, words) VALUES ('delete', old.seq, old.words);
        INSERT INTO search_calls(rowid, words) VALUES (new.seq, new.words); END""",
)
_ON_POSTGRES = ("CREATE INDEX search_calls ON calls USING gin (to_tsvector('simple', words))",)


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("backend", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("summarised_by", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_calls")),
        sa.UniqueConstraint("id", name=op.f("uq_calls_id")),
        comment="The lasting record of a call, redacted. `words` is what a search looks at.",
    )
    op.create_index(op.f("ix_calls_started_at"), "calls", ["started_at"])
    op.create_table(
        "call_customers",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("customer_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_call_customers_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "customer_key", name=op.f("pk_call_customers")),
        comment="Everybody who was verified in a call: forgetting any of them removes it.",
    )
    op.create_index(op.f("ix_call_customers_customer_key"), "call_customers", ["customer_key"])
    op.create_table(
        "work",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("customer_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        comment="Summaries to make and messages to deliver, at least once. It says what about, never what.",
    )
    op.create_index(op.f("ix_work_state_due_at"), "work", ["state", "due_at"])
    op.create_index(op.f("ix_work_customer_key"), "work", ["customer_key"])
    op.create_table(
        "announced",
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_announced")),
        comment="What has been put into `work` once and shall not be again, however long ago that was.",
    )
    op.create_table(
        "reads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reader", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reads")),
        comment="Who looked at calls, when and how.",
    )
    op.create_index(op.f("ix_reads_at"), "reads", ["at"])
    for statement in _ON_SQLITE if op.get_context().dialect.name == "sqlite" else _ON_POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for trigger in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER search_calls_{trigger}")
        op.execute("DROP TABLE search_calls")
    for table in ("reads", "announced", "work", "call_customers", "calls"):
        op.drop_table(table)
