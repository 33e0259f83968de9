"""Digests that a person reviews before they are sent, and the mails that show them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIMES = ("due_at", "open_until", "remind_at", "reviewed_at")
_TEXTS = ("ended_because", "editors_note")
_NOTICE_DIGEST = "fk_notice_digest_id_digest"


def upgrade() -> None:
    op.add_column("digest", sa.Column("seen_snapshot", sa.String(64), nullable=True))
    op.add_column("digest", sa.Column("position", sa.Integer(), nullable=True))
    for name in _TIMES:
        op.add_column("digest", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in _TEXTS:
        op.add_column("digest", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "match",
        sa.Column("filed_before", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("match", sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True))
    is_open = sa.text("open_until IS NOT NULL")
    op.create_index(
        "ix_digest_open", "digest", ["profile_id"], sqlite_where=is_open, postgresql_where=is_open
    )
    with op.batch_alter_table("notice", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("digest_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            _NOTICE_DIGEST, "digest", ["digest_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    op.execute("UPDATE digest SET status = 'held' WHERE status IN ('draft', 'void', 'dropped')")
    with op.batch_alter_table("notice", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(_NOTICE_DIGEST, type_="foreignkey")
        batch.drop_column("digest_id")
    op.drop_index("ix_digest_open", "digest")
    op.drop_column("match", "restored_at")
    op.drop_column("match", "filed_before")
    for name in (*_TEXTS, *_TIMES, "position", "seen_snapshot"):
        op.drop_column("digest", name)
