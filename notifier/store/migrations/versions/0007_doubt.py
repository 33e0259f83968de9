"""Doubted documents, held revisions, article pages that are wanted again, limits of hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _dropped_because() -> "sa.Column[object]":
    return sa.Column("dropped_because", sa.Text(), nullable=False, server_default="")


def upgrade() -> None:
    for column in (
        _moment("doubted_at"),
        sa.Column("ended", sa.Boolean(), nullable=True),
        _moment("requested_whole_at"),
        _moment("empty_since"),
        sa.Column("encoding", sa.String(40), nullable=True),
        sa.Column("reading", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("source", column)
    # The first answer of a source without entries listed nothing, which is no baseline.
    op.execute(
        "UPDATE source SET empty_since = baselined_at, baselined_at = NULL"
        " WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.source_id = source.id)"
    )
    op.add_column(
        "revision", sa.Column("held_because", sa.String(20), nullable=False, server_default="")
    )
    op.add_column(
        "revision", sa.Column("reading", sa.Integer(), nullable=False, server_default="1")
    )
    with op.batch_alter_table("near_miss") as batch:
        batch.drop_constraint("uq_near_miss_profile_id", type_="unique")
        batch.create_unique_constraint(
            "uq_near_miss_profile_revision", ["profile_id", "revision_id"]
        )
        batch.add_column(
            sa.Column("because", sa.String(20), nullable=False, server_default="doubtful")
        )
        batch.add_column(sa.Column("kind", sa.String(20), nullable=False, server_default="new"))
        batch.add_column(sa.Column("score", sa.Double(), nullable=False, server_default="0"))
        batch.add_column(_moment("reported_at"))
        batch.add_column(_dropped_because())
    op.add_column("match", _dropped_because())
    op.create_table(
        "doubt",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        _moment("since", nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_doubt"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_doubt_entry_id_entry", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name="fk_doubt_source_id_source", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_doubt_source_id", "doubt", ["source_id"])
    op.create_table(
        "article_request",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        _moment("wanted_since", nullable=False),
        _moment("next_at", nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_article_request"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entry.id"],
            name="fk_article_request_entry_id_entry",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_article_request_next_at", "article_request", ["next_at"])
    op.create_table(
        "parsed_items",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name="pk_parsed_items"),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
            name="fk_parsed_items_source_id_source",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "host",
        sa.Column("name", sa.Text(), nullable=False),
        _moment("wait_until"),
        sa.Column("day", sa.String(10), nullable=False, server_default=""),
        sa.Column("pages", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("robots", sa.Text(), nullable=True),
        _moment("robots_at"),
        sa.PrimaryKeyConstraint("name", name="pk_host"),
    )


def downgrade() -> None:
    op.drop_table("host")
    op.drop_table("parsed_items")
    op.drop_table("article_request")
    op.drop_table("doubt")
    # Before, an entry could have only one of them for a profile.
    op.execute(
        "DELETE FROM near_miss WHERE because <> 'doubtful' OR id NOT IN "
        "(SELECT max(id) FROM near_miss WHERE because = 'doubtful' GROUP BY profile_id, entry_id)"
    )
    op.drop_column("match", "dropped_because")
    with op.batch_alter_table("near_miss") as batch:
        for name in ("dropped_because", "reported_at", "score", "kind", "because"):
            batch.drop_column(name)
        batch.drop_constraint("uq_near_miss_profile_revision", type_="unique")
        batch.create_unique_constraint("uq_near_miss_profile_id", ["profile_id", "entry_id"])
    op.drop_column("revision", "reading")
    op.drop_column("revision", "held_because")
    op.execute("UPDATE source SET baselined_at = empty_since WHERE baselined_at IS NULL")
    for name in ("reading", "encoding", "empty_since", "requested_whole_at", "ended", "doubted_at"):
        op.drop_column("source", name)
