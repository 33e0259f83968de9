"""Alembic's environment: `notifier.store.db.upgrade` gives the connection and its transaction."""

from alembic import context

from notifier.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
