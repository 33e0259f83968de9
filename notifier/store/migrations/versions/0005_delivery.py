"""Rate limits that several workers share, bounces, reported failures, urgent matches."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column(
        "subscriber", sa.Column("soft_bounces", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("subscriber", _moment("bounced_at", nullable=True))
    op.add_column("subscriber", _moment("held_until", nullable=True))
    op.add_column(
        "match", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("digest", _moment("approved_at", nullable=True))
    op.create_table(
        "pace",
        sa.Column("key", sa.String(255), nullable=False),
        _moment("next_at"),
        sa.PrimaryKeyConstraint("key", name="pk_pace"),
    )
    op.create_table(
        "bounce_report",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        _moment("read_at"),
        sa.PrimaryKeyConstraint("hash", name="pk_bounce_report"),
    )
    op.create_table(
        "alarm",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        _moment("since"),
        sa.PrimaryKeyConstraint("name", name="pk_alarm"),
    )
    op.create_index("ix_delivery_sent_at", "delivery", ["sent_at"])


def downgrade() -> None:
    op.drop_index("ix_delivery_sent_at", "delivery")
    for name in ("alarm", "bounce_report", "pace"):
        op.drop_table(name)
    op.drop_column("digest", "approved_at")
    op.drop_column("match", "urgent")
    for name in ("soft_bounces", "bounced_at", "held_until"):
        op.drop_column("subscriber", name)
