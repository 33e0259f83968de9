"""Ids of deliveries that are given once, on SQLite.

The table was made again in `0014_few_indexes.py`, without this property. The id of a mail to
somebody who was erased then went to the next mail, whose sending took the answer to the first one
for its own.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(
            "delivery", recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass


def downgrade() -> None:
    """Leave the property: an older version reads and writes such a table as any other."""
