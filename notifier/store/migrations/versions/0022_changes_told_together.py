"""The states whose changes an item of a digest tells with those of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("digest_item", sa.Column("earlier", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("digest_item", "earlier")
