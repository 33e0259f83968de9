"""Sources: failed polls by day, pauses by a person, and an index of their entries by time."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counts = sa.Column("failure_counts", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("source", counts)
    op.add_column("source", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    by = sa.Column("paused_by", sa.String(40), nullable=False, server_default="")
    op.add_column("source", by)
    op.create_index("ix_entry_source_seen", "entry", ["source_id", "first_seen_at"])


def downgrade() -> None:
    op.drop_index("ix_entry_source_seen", "entry")
    for column in ("paused_by", "paused_at", "failure_counts"):
        op.drop_column("source", column)
