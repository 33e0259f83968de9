"""Indexes for planning: due times by cadence, and who waits for no schedule.

Indexes of deliveries that most of them do not need hold only those that do: storing a million
deliveries costs what their indexes cost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_DUE = ["status", "cadence", "next_due_at", "profile_id"]


def upgrade() -> None:
    op.drop_index("ix_subscription_due", "subscription")
    op.create_index("ix_subscription_due", "subscription", _DUE)
    op.create_index(
        "ix_subscription_prompt",
        "subscription",
        ["profile_id", "position"],
        sqlite_where=sa.text("cadence = 'immediate' OR urgent IS 1"),
        postgresql_where=sa.text("cadence = 'immediate' OR urgent"),
    )
    op.create_index(
        "ix_match_owed",
        "match",
        ["profile_id", "position"],
        sqlite_where=sa.text("filed IS 0"),
        postgresql_where=sa.text("filed IS false"),
    )
    for column in ("change_id", "sent_at"):
        op.drop_index(f"ix_delivery_{column}", "delivery")
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_delivery_{column}",
            "delivery",
            [column],
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    for column in ("change_id", "sent_at"):
        op.drop_index(f"ix_delivery_{column}", "delivery")
        op.create_index(f"ix_delivery_{column}", "delivery", [column])
    op.drop_index("ix_match_owed", "match")
    op.drop_index("ix_subscription_prompt", "subscription")
    op.drop_index("ix_subscription_due", "subscription")
    op.create_index("ix_subscription_due", "subscription", ["status", "next_due_at"])
