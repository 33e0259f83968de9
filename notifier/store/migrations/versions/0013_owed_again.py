"""An index of the deliveries that are owed again when their obstacle has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    stopped = sa.text("ended_because IN ('left', 'suppressed')")
    op.create_index(
        "ix_delivery_stopped",
        "delivery",
        ["subscription_id"],
        sqlite_where=stopped,
        postgresql_where=stopped,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_stopped", "delivery")
