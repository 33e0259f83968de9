"""Reasons of operators without the addresses that they wrote into them."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_REASONS = (
    ("operator_action", "reason"),
    ("match", "dropped_because"),
    ("near_miss", "dropped_because"),
    ("digest", "ended_because"),
)
# The @ in all its forms: ASCII, full width, small, and percent-encoded in a URL.
_AT = ("@", "\uff20", "\ufe6b", "%40")
_WORD_WITH_AT = re.compile(f"\\S*(?:{'|'.join(_AT)})\\S*")


def upgrade() -> None:
    connection = op.get_bind()
    for name, column_name in _REASONS:
        table = sa.table(name, sa.column("id", sa.Integer), sa.column(column_name, sa.Text))
        column = table.c[column_name]
        named = sa.or_(*(column.contains(at, autoescape=True) for at in _AT))
        for number, reason in connection.execute(sa.select(table.c.id, column).where(named)).all():
            redacted = _WORD_WITH_AT.sub("(an address)", reason)
            connection.execute(
                table.update().where(table.c.id == number).values({column_name: redacted})
            )


def downgrade() -> None:
    """Leave the reasons as they are: what they named is not stored any more."""
