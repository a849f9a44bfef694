"""Who is signed in at the page."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_ins")),
        comment="Who is signed in at the page. `digest` is of the token in their browser's cookie.",
    )
    op.create_index(op.f("ix_sign_ins_customer_id"), "sign_ins", ["customer_id"])


def downgrade() -> None:
    op.drop_table("sign_ins")
