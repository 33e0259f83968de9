"""Pauses, hidden sections, renewal; requests from the web; changes of address; wordings."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIMES = ("paused_until", "renewed_at", "renewal_asked_at", "renewal_reminded_at", "asked_at")

# The ledger of consents is only ever added to; erasing a person removes their part of it whole.
_SQLITE_GUARD = """
CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END
"""
_POSTGRES_GUARD = (
    """
CREATE OR REPLACE FUNCTION consent_is_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'the consent ledger is append-only'; END $$ LANGUAGE plpgsql
""",
    """
CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON consent
FOR EACH ROW EXECUTE FUNCTION consent_is_append_only()
""",
)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for name in _TIMES:
        op.add_column("subscription", _moment(name, nullable=True))
    op.add_column(
        "subscription", sa.Column("hidden", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column(
        "subscription", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "suppression", sa.Column("cause", sa.String(20), nullable=False, server_default="asked")
    )
    op.create_table(
        "wording",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_wording"),
    )
    op.create_table(
        "enquiry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=True),
        sa.Column("wish", sa.JSON(), nullable=True),
        _moment("at"),
        _moment("answered_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_enquiry"),
    )
    op.create_index("ix_enquiry_network", "enquiry", ["network", "at"])
    op.create_index("ix_enquiry_answered_at", "enquiry", ["answered_at"])
    op.create_table(
        "address_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("link_id", sa.String(32), nullable=False),
        _moment("asked_at"),
        _moment("by_old_at", nullable=True),
        _moment("by_new_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_address_change_subscriber_id_subscriber",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_address_change"),
        sa.UniqueConstraint("link_id", name="uq_address_change_link_id"),
        sa.UniqueConstraint("subscriber_id", name="uq_address_change_subscriber_id"),
    )
    with op.batch_alter_table("delivery") as table:
        table.add_column(sa.Column("change_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            "fk_delivery_change_id_address_change",
            "address_change",
            ["change_id"],
            ["id"],
            ondelete="CASCADE",
        )
        table.create_index("ix_delivery_change_id", ["change_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_SQLITE_GUARD)
    else:
        for statement in _POSTGRES_GUARD:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER consent_is_append_only")
    else:
        op.execute("DROP TRIGGER consent_is_append_only ON consent")
        op.execute("DROP FUNCTION consent_is_append_only()")
    with op.batch_alter_table("delivery") as table:
        table.drop_index("ix_delivery_change_id")
        table.drop_constraint("fk_delivery_change_id_address_change", type_="foreignkey")
        table.drop_column("change_id")
    for name in ("address_change", "enquiry", "wording"):
        op.drop_table(name)
    op.drop_column("suppression", "cause")
    for name in (*_TIMES, "hidden", "urgent"):
        op.drop_column("subscription", name)
