"""Indexes for planning: due times by cadence, who waits for no schedule, open digests."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_subscription_due", "subscription")
    op.create_index(
        "ix_subscription_due", "subscription", ["status", "cadence", "next_due_at", "profile_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_subscription_due", "subscription")
    op.create_index("ix_subscription_due", "subscription", ["status", "next_due_at"])
