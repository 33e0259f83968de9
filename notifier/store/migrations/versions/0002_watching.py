"""Sources: rhythm, moves, health. Withdrawn entries, operator mails, the history of profiles."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    moment, text = sa.DateTime(timezone=True), sa.Text()
    return [
        ("source", sa.Column("changed_at", moment, nullable=True)),
        ("source", sa.Column("expected_by", moment, nullable=True)),
        ("source", sa.Column("moved_to", text, nullable=True)),
        ("source", sa.Column("moved_seen_at", moment, nullable=True)),
        ("source", sa.Column("ttl_minutes", sa.Integer(), nullable=False, server_default="0")),
        ("source", sa.Column("told_as", sa.String(20), nullable=False, server_default="")),
        ("source", sa.Column("as_of", moment, nullable=True)),
        ("source", sa.Column("posts_url", text, nullable=True)),
        ("source", sa.Column("posts_until", moment, nullable=True)),
        ("source", sa.Column("posts_next_at", moment, nullable=True)),
        ("entry", sa.Column("left_at", moment, nullable=True)),
        ("entry", sa.Column("checked_at", moment, nullable=True)),
        ("entry", sa.Column("missing_since", moment, nullable=True)),
        ("revision", sa.Column("origin", sa.String(20), nullable=False, server_default="document")),
        ("revision", sa.Column("as_of", moment, nullable=True)),
        ("match", sa.Column("story", sa.Integer(), nullable=True)),
    ]


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("to", sa.String(320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_table(
        "profile_revision",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["profile.id"],
            name="fk_profile_revision_profile_id_profile",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("profile_id", "number", name="pk_profile_revision"),
    )
    op.execute(
        "INSERT INTO profile_revision (profile_id, number, document, imported_at) "
        "SELECT id, 1, document, imported_at FROM profile"
    )
    op.create_table(
        "article",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_article_entry_id_entry", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_article"),
    )
    op.create_table(
        "near_miss",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["profile.id"],
            name="fk_near_miss_profile_id_profile",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_near_miss_entry_id_entry", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revision.id"],
            name="fk_near_miss_revision_id_revision",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_near_miss"),
        sa.UniqueConstraint("profile_id", "entry_id", name="uq_near_miss_profile_id"),
    )
    op.create_index("ix_near_miss_entry_id", "near_miss", ["entry_id"], unique=False)
    op.create_index("ix_near_miss_revision_id", "near_miss", ["revision_id"], unique=False)
    for table, column in _columns():
        op.add_column(table, column)
    op.create_index("ix_match_story", "match", ["story"], unique=False)
    with op.batch_alter_table("delivery") as delivery:
        delivery.alter_column("subscription_id", existing_type=sa.Integer(), nullable=True)
        delivery.add_column(sa.Column("notice_id", sa.Integer(), nullable=True))
        delivery.create_foreign_key(
            "fk_delivery_notice_id_notice", "notice", ["notice_id"], ["id"], ondelete="CASCADE"
        )
        delivery.create_unique_constraint("uq_delivery_notice_id", ["notice_id"])


def downgrade() -> None:
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint("uq_delivery_notice_id", type_="unique")
        delivery.drop_constraint("fk_delivery_notice_id_notice", type_="foreignkey")
        delivery.drop_column("notice_id")
        delivery.alter_column("subscription_id", existing_type=sa.Integer(), nullable=False)
    op.drop_index("ix_match_story", "match")
    for table, column in _columns():
        op.drop_column(table, column.name)
    op.drop_table("near_miss")
    op.drop_table("article")
    op.drop_table("profile_revision")
    op.drop_table("notice")
