"""Keyed hashes, random archive keys, retired links, limits by target; addresses redacted."""

import re
import secrets
import unicodedata
from importlib.resources import files

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What others wrote into these columns may name people.
_WRITTEN_BY_OTHERS = (
    ("delivery", "id", "error"),
    ("suppression", "address_hash", "reason"),
    ("notice", "id", "text"),
)
_WORD_WITH_AT = re.compile(r"\S*@\S*")
_STATUS = re.compile(r"(?a)(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?a)(?<![\d.-])[45]\d\d(?![\d.])")
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("installation", sa.Column("key_fingerprint", sa.String(16), nullable=True))
    op.add_column("source", sa.Column("left_out", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("subscriber", _moment("moved_at", nullable=True))
    op.add_column("subscription", sa.Column("wish", sa.JSON(), nullable=True))
    op.add_column("subscription", sa.Column("trouble", sa.Text(), nullable=True))
    op.add_column("suppression", _moment("asked_at", nullable=True))
    for name in ("target", "asker"):
        op.add_column("enquiry", sa.Column(name, sa.String(64), nullable=False, server_default=""))
        op.create_index(f"ix_enquiry_{name}", "enquiry", [name, "at"])
    op.create_table(
        "retired_link",
        sa.Column("link_id", sa.String(32), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        _moment("retired_at"),
        sa.PrimaryKeyConstraint("link_id", name="pk_retired_link"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name="fk_retired_link_subscription_id_subscription",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_retired_link_subscription_id", "retired_link", ["subscription_id"])
    _digest_keys()
    _redact()
    _keep_codes()
    _readable_schedules()


def _digest_keys() -> None:
    """Give every digest a random key; the column is filled before it must not be empty."""
    op.add_column("digest", sa.Column("page_html", sa.Text(), nullable=True))
    op.add_column("digest", sa.Column("key", sa.String(32), nullable=True))
    connection = op.get_bind()
    digest = sa.table("digest", sa.column("id", sa.Integer), sa.column("key", sa.String))
    for (number,) in connection.execute(sa.select(digest.c.id)).all():
        connection.execute(
            digest.update().where(digest.c.id == number).values(key=secrets.token_urlsafe(16))
        )
    with op.batch_alter_table("digest") as batch:
        batch.alter_column("key", existing_type=sa.String(32), nullable=False)
        batch.create_unique_constraint("uq_digest_key", ["key"])


def _redact() -> None:
    connection = op.get_bind()
    for name, key, column in _WRITTEN_BY_OTHERS:
        table = sa.table(name, sa.column(key), sa.column(column))
        chosen = sa.select(table.c[key], table.c[column]).where(table.c[column].like("%@%"))
        for row_key, text in connection.execute(chosen).all():
            redacted = _WORD_WITH_AT.sub("(an address)", text)
            connection.execute(
                table.update().where(table.c[key] == row_key).values({column: redacted})
            )


def _keep_codes() -> None:
    """Keep only the codes of what servers answered: the rest may name a person."""
    connection = op.get_bind()
    table = sa.table(
        "suppression", sa.column("address_hash"), sa.column("cause"), sa.column("reason")
    )
    chosen = sa.select(table.c.address_hash, table.c.reason).where(
        table.c.cause.in_(("bounced", "complained"))
    )
    for key, reason in connection.execute(chosen).all():
        code = _STATUS.search(reason) or _REPLY.search(reason)
        connection.execute(
            table.update().where(table.c.address_hash == key).values(reason=code[0] if code else "")
        )


def _readable_schedules() -> None:
    """Correct schedules that an earlier version stored by mistake: each of them ended every run.

    Digits of other scripts become ASCII digits; anything else that is not a time becomes 08:00. A
    time zone that is not in the IANA database becomes UTC; a pause until 2100 or later has no end.
    """
    connection = op.get_bind()
    subscription = sa.table("subscription", sa.column("id"), sa.column("at"))
    for number, at in connection.execute(sa.select(subscription.c.id, subscription.c.at)).all():
        if not _WALL_TIME.fullmatch(at):
            digits = "".join(str(unicodedata.decimal(char, char)) for char in at).zfill(5)
            mended = digits if _WALL_TIME.fullmatch(digits) else "08:00"
            connection.execute(
                subscription.update().where(subscription.c.id == number).values(at=mended)
            )
    zones = (files("tzdata") / "zones").read_text(encoding="ascii").split()
    subscriber = sa.table("subscriber", sa.column("time_zone"))
    for (zone,) in connection.execute(sa.select(subscriber.c.time_zone).distinct()).all():
        if zone not in zones or zone == "Factory":
            connection.execute(
                subscriber.update().where(subscriber.c.time_zone == zone).values(time_zone="UTC")
            )
    connection.execute(
        sa.text("UPDATE subscription SET paused_until = NULL WHERE paused_until >= '2100-01-01'")
    )


def downgrade() -> None:
    with op.batch_alter_table("digest") as batch:
        batch.drop_constraint("uq_digest_key", type_="unique")
        batch.drop_column("key")
        batch.drop_column("page_html")
    op.drop_table("retired_link")
    for name in ("target", "asker"):
        op.drop_index(f"ix_enquiry_{name}", "enquiry")
        op.drop_column("enquiry", name)
    op.drop_column("suppression", "asked_at")
    for name in ("trouble", "wish"):
        op.drop_column("subscription", name)
    op.drop_column("subscriber", "moved_at")
    op.drop_column("source", "left_out")
    op.drop_column("installation", "key_fingerprint")
