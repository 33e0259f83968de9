"""When the database was backed up, and whether it was restored and waits for a decision."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TIMES = ("backup_began_at", "backed_up_at", "restored_at", "restored_from")


def upgrade() -> None:
    for name in _TIMES:
        op.add_column("installation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "installation", sa.Column("backup_file", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    for name in ("backup_file", *_TIMES):
        op.drop_column("installation", name)
