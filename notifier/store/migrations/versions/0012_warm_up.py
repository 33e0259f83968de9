"""The growing volume of a new sender, and what waits for it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_REFUSED = "waits_because <> ''"
_REFUSED_NOW = "waits_because <> '' AND waits_because <> 'warm_up'"
_WAITING = "waits_because = 'warm_up'"


def _index(name: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "delivery", [column], sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.create_table(
        "warm_up",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_warm_up"),
    )
    op.drop_index("ix_delivery_refused", "delivery")
    _index("ix_delivery_refused", "status", _REFUSED_NOW)
    _index("ix_delivery_warm_up", "digest_id", _WAITING)


def downgrade() -> None:
    op.execute("UPDATE delivery SET waits_because = '' WHERE waits_because = 'warm_up'")
    op.drop_index("ix_delivery_warm_up", "delivery")
    op.drop_index("ix_delivery_refused", "delivery")
    _index("ix_delivery_refused", "status", _REFUSED)
    op.drop_table("warm_up")
