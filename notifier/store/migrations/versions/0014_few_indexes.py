"""Indexes of deliveries that hold only the few rows that are looked for by them.

Nearly all deliveries are digests that were sent. They are in no index of what waits, was lost, is a
note, or is a mail to the operator any more: planning and sending write to fewer indexes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UNIQUE = {"note_id": ["note_id", "subscription_id"], "notice_id": ["notice_id"]}
_ORDER = ["status", "lane", "next_attempt_at"]
_IS_OPEN = "status IN ('pending', 'sending', 'uncertain')"
_IS_LOST = "status IN ('failed', 'suppressed')"


def _create(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "delivery",
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    op.drop_index("ix_delivery_open", "delivery")
    op.drop_index("ix_delivery_lane", "delivery")
    with op.batch_alter_table("delivery") as batch:
        for column in _UNIQUE:
            batch.drop_constraint(f"uq_delivery_{column}", type_="unique")
    for column, columns in _UNIQUE.items():
        _create(f"uq_delivery_{column}", columns, f"{column} IS NOT NULL", unique=True)
    _create("ix_delivery_lane", _ORDER, _IS_OPEN)
    _create("ix_delivery_lost", ["status", "next_attempt_at"], _IS_LOST)


def downgrade() -> None:
    op.drop_index("ix_delivery_lost", "delivery")
    op.drop_index("ix_delivery_lane", "delivery")
    for column in _UNIQUE:
        op.drop_index(f"uq_delivery_{column}", "delivery")
    with op.batch_alter_table("delivery") as batch:
        for column, columns in _UNIQUE.items():
            batch.create_unique_constraint(f"uq_delivery_{column}", columns)
    op.create_index("ix_delivery_lane", "delivery", _ORDER)
    op.create_index("ix_delivery_open", "delivery", ["status", "next_attempt_at"])
