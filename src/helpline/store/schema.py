"""The shop's tables.

The ledger names customers and orders by pseudonym only: forgetting a customer removes the row in
`pseudonyms`, and the chain still verifies. Money is whole cents, times are UTC.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from helpline.store.records import METHOD_KINDS, ORDER_STATUSES


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which keeps no offset, gets and gives naive UTC underneath."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _key(length: int = 64) -> String:
    return String(length)


facts = Table(
    "facts",
    metadata,
    Column("name", _key(), primary_key=True),
    Column("value", Text, nullable=False),
    comment="What this database is: which shop was loaded, on which day its dates are true.",
)

# --- who ---

customers = Table(
    "customers",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("first_name", String(100), nullable=False),
    Column("last_name", String(100), nullable=False),
    Column("email", String(254), nullable=False),
    Column("phone", String(40), nullable=False, server_default=""),
    Index(None, "email"),
    Index(None, "last_name", "first_name"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("order_id", ForeignKey("orders.id"), nullable=True, unique=True),
    Column("street", String(200), nullable=False),
    Column("apartment", String(100), nullable=False),
    Column("city", String(100), nullable=False),
    Column("state", String(100), nullable=False),
    Column("postcode", String(20), nullable=False),
    Column("country", String(60), nullable=False),
    comment="Without an order: the customer's own. With one: where that order goes.",
)

payment_methods = Table(
    "payment_methods",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("brand", String(40), nullable=False, server_default=""),
    Column("last_digits", String(4), nullable=False, server_default=""),
    Column("balance_cents", Integer),
    _one_of("kind", METHOD_KINDS),
    CheckConstraint("balance_cents IS NULL OR balance_cents >= 0", name="balance_not_negative"),
)

# --- what ---

products = Table(
    "products",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
)

variants = Table(
    "variants",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("product_id", ForeignKey("products.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("options", JSON, nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("available", Boolean(create_constraint=False), nullable=False),
    Column("stock", Integer),
    CheckConstraint("stock IS NULL OR stock >= 0", name="stock_not_negative"),
    CheckConstraint("price_cents >= 0", name="price_not_negative"),
)

# --- orders ---

orders = Table(
    "orders",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("number", _key(), nullable=False, unique=True),
    Column("digits", _key(), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("status", String(30), nullable=False),
    Column("items_changed", Boolean(create_constraint=False), nullable=False),
    Column("placed_at", UtcTime),
    Column("expected_on", Date),
    Column("delivered_at", UtcTime),
    Column("cancel_reason", String(200), nullable=False, server_default=""),
    Column("currency", String(3), nullable=False),
    Column("version", Integer, nullable=False),
    _one_of("status", ORDER_STATUSES),
    Index(None, "customer_id", "position"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("options", JSON, nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    CheckConstraint("quantity > 0", name="quantity_positive"),
    comment="Name, options and price as they were bought: the catalogue may change afterwards.",
)

shipments = Table(
    "shipments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("carrier", String(60), nullable=False, server_default=""),
    Column("tracking", JSON, nullable=False),
    Column("variant_ids", JSON, nullable=False),
)

payments = Table(
    "payments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("method_id", ForeignKey("payment_methods.id"), nullable=False),
    _one_of("kind", ("payment", "refund")),
    CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
)

order_events = Table(
    "order_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("text", String(200), nullable=False),
)

# --- what was done about them ---

returns = Table(
    "returns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("method_id", ForeignKey("payment_methods.id"), nullable=False),
    Column("reason", String(200), nullable=False, server_default=""),
    Column("at", UtcTime, nullable=False),
)

return_lines = Table(
    "return_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("return_id", ForeignKey("returns.id"), nullable=False, index=True),
    Column("line_id", ForeignKey("order_lines.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("method_id", ForeignKey("payment_methods.id"), nullable=False),
    Column("difference_cents", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
)

exchange_lines = Table(
    "exchange_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("exchange_id", ForeignKey("exchanges.id"), nullable=False, index=True),
    Column("line_id", ForeignKey("order_lines.id"), nullable=False),
    Column("new_variant_id", ForeignKey("variants.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("return_id", ForeignKey("returns.id")),
    Column("method_id", ForeignKey("payment_methods.id"), nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("due_on", Date),
    _one_of("state", ("paid", "due", "on arrival")),
    CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), index=True),
    Column("call_id", _key(), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("topic", String(500), nullable=False, server_default=""),
    Column("state", String(20), nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), index=True),
    Column("call_id", _key(), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),
    _one_of("kind", ("ticket", "transfer")),
)

# --- proposals and the ledger ---

PROPOSAL_STATES = ("open", "working", "done", "declined", "replaced", "expired", "failed")

proposals = Table(
    "proposals",
    metadata,
    Column("id", _key(), primary_key=True),
    Column("call_id", _key(), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), index=True),
    Column("action", _key(), nullable=False),
    Column("change", JSON, nullable=False),
    Column("order_id", _key()),
    Column("order_version", Integer),
    Column("amount_cents", Integer),
    Column("shown", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("claimed_at", UtcTime),
    Column("confirmation", JSON),
    Column("receipt", JSON),
    _one_of("state", PROPOSAL_STATES),
    Index(None, "call_id", "state"),
    Index(None, "customer_id", "made_at"),
    # At most one is open in a call, whatever races.
    Index(
        "uq_proposals_open",
        "call_id",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    comment="Personal: it holds what was asked, heard and answered. Erased with the customer.",
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("call_id", _key(), nullable=False),
    Column("proposal_id", _key(), nullable=False),
    Column("at", String(40), nullable=False),
    Column("customer_key", _key(), nullable=False),
    Column("order_key", _key(), nullable=False),
    Column("action", _key(), nullable=False),
    Column("amount_cents", Integer),
    Column("currency", String(3), nullable=False),
    Column("means", String(10), nullable=False),
    Column("evidence", _key(), nullable=False),
    Column("reference", String(20), nullable=False, unique=True),
    Column("previous", _key(), nullable=False),
    Column("hash", _key(), nullable=False),
    UniqueConstraint("call_id", "proposal_id"),
    comment="Append-only and hash-chained; nothing personal, pseudonyms only.",
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", _key(), nullable=False),
    comment="One row, locked while the next entry is written.",
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("key", _key(), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("subject_id", _key(), nullable=False),
    UniqueConstraint("kind", "subject_id"),
)

# --- who calls ---

verification_failures = Table(
    "verification_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", _key(), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "subject", "at"),
    comment="`subject` is the digest of a customer id or of a caller's address, never the thing itself.",
)

login_codes = Table(
    "login_codes",
    metadata,
    Column("call_id", _key(), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("digest", _key(), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("customer_id", _key(), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "customer_id"),
    comment="Who is signed in at the page. `digest` is of the token in their browser's cookie.",
)
