"""Claims, lanes and addresses of deliveries, suppressions that wait, notes, and the clock."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEW_COLUMNS = (
    "ended_because",
    "waits_because",
    "uncertain_times",
    "first_answer_at",
    "lane",
    "claim",
    "address_hash",
    "note_id",
)


def _moment(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int) -> "sa.Column[object]":
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["digest.id"], name="fk_note_digest_id_digest", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    # Rebuilt tables never give the number of a deleted row again: an answer, or a report that
    # comes late, would else be taken for another person's.
    # PostgreSQL's sequences never do.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table(
        "delivery",
        recreate="always" if is_sqlite else "never",
        table_kwargs={"sqlite_autoincrement": True},
    ) as batch:
        batch.add_column(_text("address_hash", 64))
        batch.add_column(_text("claim", 32))
        batch.add_column(sa.Column("lane", sa.Integer(), nullable=False, server_default="2"))
        batch.add_column(_moment("first_answer_at"))
        batch.add_column(
            sa.Column("uncertain_times", sa.Integer(), nullable=False, server_default="0")
        )
        batch.add_column(_text("waits_because", 20))
        batch.add_column(_text("ended_because", 20))
        batch.add_column(sa.Column("note_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            "fk_delivery_note_id_note", "note", ["note_id"], ["id"], ondelete="CASCADE"
        )
    op.execute("UPDATE delivery SET lane = 0 WHERE digest_id IS NULL AND notice_id IS NULL")
    op.create_index("ix_delivery_lane", "delivery", ["status", "lane", "next_attempt_at"])
    for table in ("notice", "address_change") if is_sqlite else ():
        with op.batch_alter_table(
            table, recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass
    op.create_table(
        "held_suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(255), nullable=False),
        sa.Column("code", sa.String(20), nullable=False, server_default=""),
        _moment("at", nullable=False),
        _moment("held_at"),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_held_suppression"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name="fk_held_suppression_delivery_id_delivery",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_held_suppression_subscriber_id_subscriber",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("address_hash", name="uq_held_suppression_address_hash"),
        sqlite_autoincrement=True,
    )
    for column in ("subscriber_id", "delivery_id"):
        op.create_index(f"ix_held_suppression_{column}", "held_suppression", [column])
    op.add_column("subscriber", _text("bounced_hash", 64))
    op.add_column("installation", _moment("newest_time"))
    op.add_column("installation", _moment("ran_at"))
    op.add_column("installation", _moment("stopped_at"))


def downgrade() -> None:
    op.drop_column("installation", "stopped_at")
    op.drop_column("installation", "ran_at")
    op.drop_column("installation", "newest_time")
    op.drop_column("subscriber", "bounced_hash")
    op.drop_table("held_suppression")
    op.drop_index("ix_delivery_lane", "delivery")
    op.execute("DELETE FROM delivery WHERE note_id IS NOT NULL")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_constraint("fk_delivery_note_id_note", type_="foreignkey")
        for name in _NEW_COLUMNS[::-1]:
            batch.drop_column(name)
    op.drop_table("note")
