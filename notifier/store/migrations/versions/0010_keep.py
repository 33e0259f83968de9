"""Indexes for what few of many rows are, what was told, weekly counts, and settings of vacuum."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Index, table, columns, condition.
_INDEXES = (
    ("ix_delivery_unfinished", "delivery", ["digest_id"],
     "status IN ('pending', 'sending', 'uncertain')"),
    ("ix_delivery_refused", "delivery", ["status"], "waits_because <> ''"),
    ("ix_delivery_unreported", "delivery", ["status", "next_attempt_at"],
     "status = 'failed' AND NOT reported"),
    ("ix_digest_unsent", "digest", ["status"], "status <> 'sent'"),
    ("ix_near_miss_reported", "near_miss", ["reported_at", "baseline"], None),
    ("ix_revision_full", "revision", ["observed_at"], "number > 1 AND NOT emptied"),
    ("ix_source_expected_by", "source", ["expected_by"], None),
    ("ix_source_failing", "source", ["id"], "failures > 0"),
    ("ix_source_gone", "source", ["id"], "gone_at IS NOT NULL"),
    ("ix_source_reported", "source", ["id"], "told_as <> ''"),
    ("ix_subscriber_time_zone", "subscriber", ["time_zone"], None),
    ("ix_subscription_trouble", "subscription", ["id"], "trouble IS NOT NULL"),
    ("ix_subscription_wish", "subscription", ["id"], "wish IS NOT NULL"),
    ("ix_subscription_paused", "subscription", ["status", "paused_until"],
     "paused_until IS NOT NULL"),
    ("ix_subscription_ended", "subscription", ["ended_at"], "status = 'ended'"),
)  # fmt: skip

# PostgreSQL cleans a table when a share of its rows changed; a fifth, its default, of millions of
# rows is many. Chosen by hand; not measured.
_OFTEN_CHANGED = ("delivery", "subscription", "entry", "source", "told")
_VACUUM = {
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
}


def upgrade() -> None:
    op.create_table(
        "told",
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "entry_id", name="pk_told"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name="fk_told_subscription_id_subscription",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_told_entry_id_entry", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_told_entry_id", "told", ["entry_id"])
    op.create_table(
        "weekly_count",
        sa.Column("week", sa.String(10), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "name", name="pk_weekly_count"),
    )
    for name in ("plans_checked_at", "pruned_at"):
        op.add_column("installation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("digest", sa.Column("recipients", sa.Integer(), nullable=True))
    for table, name in (("delivery", "reported"), ("revision", "emptied")):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    _move_reports()
    for name, table, columns, condition in _INDEXES:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    if op.get_bind().dialect.name == "postgresql":
        options = ", ".join(f"{name} = {value}" for name, value in _VACUUM.items())
        for table in _OFTEN_CHANGED:
            op.execute(f'ALTER TABLE "{table}" SET ({options})')


def _move_reports() -> None:
    """Note with each delivery that was given up whether the operator was told; it was an alarm.

    What was given up more than a month ago is not reported any more.
    """
    op.execute(
        "UPDATE delivery SET reported = true WHERE status = 'failed' AND id IN"
        " (SELECT CAST(substr(name, 10) AS INTEGER) FROM alarm WHERE name LIKE 'delivery %')"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE delivery SET reported = true"
            " WHERE status = 'failed' AND next_attempt_at < datetime('now', '-31 days')"
        )
    else:
        op.execute(
            "UPDATE delivery SET reported = true"
            " WHERE status = 'failed' AND next_attempt_at < now() - interval '31 days'"
        )
    op.execute("DELETE FROM alarm WHERE name LIKE 'delivery %'")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _OFTEN_CHANGED:
            op.execute(f'ALTER TABLE "{table}" RESET ({", ".join(_VACUUM)})')
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    op.execute(
        "INSERT INTO alarm (name, detail, since)"
        " SELECT 'delivery ' || id, '', next_attempt_at FROM delivery WHERE reported"
    )
    op.drop_column("revision", "emptied")
    op.drop_column("delivery", "reported")
    op.drop_column("digest", "recipients")
    for name in ("pruned_at", "plans_checked_at"):
        op.drop_column("installation", name)
    op.drop_table("weekly_count")
    op.drop_table("told")
