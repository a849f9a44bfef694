"""Runs the migrations on the connection that `helpline.store.database` opened, inside its transaction."""

from alembic import context

from helpline.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
