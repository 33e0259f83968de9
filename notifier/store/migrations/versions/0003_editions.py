"""Subscriptions: snapshot seen, last mail. Items left out of a digest, counts of polls."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("source", sa.Column("looks", sa.JSON(), nullable=False, server_default="{}")),
        ("digest", sa.Column("left_out", sa.Integer(), nullable=False, server_default="0")),
        ("subscription", sa.Column("introduced", sa.String(16), nullable=False, server_default="")),
        ("subscription", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True)),
    ]


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)


def downgrade() -> None:
    for table, column in _columns():
        op.drop_column(table, column.name)
