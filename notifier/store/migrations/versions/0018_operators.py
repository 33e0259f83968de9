"""Operators, their sessions, wrong passwords of the last minutes, and the operators' log."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str, length: int | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "operator_account",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("name", 40),
        _text("role", 20),
        _text("password_hash"),
        _time("created_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_account"),
        sa.UniqueConstraint("name", name="uq_operator_account_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "operator_session",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("token_hash", 64),
        _text("name", 40),
        _text("password_mark", 64),
        _time("created_at"),
        _time("ends_at"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_session"),
        sa.UniqueConstraint("token_hash", name="uq_operator_session_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operator_session_name", "operator_session", ["name"])
    op.create_index("ix_operator_session_ends_at", "operator_session", ["ends_at"])
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("account", 64),
        _text("origin", 64),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name="pk_login_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_login_attempt_account", "login_attempt", ["account", "origin", "at"])
    op.create_index("ix_login_attempt_at", "login_attempt", ["at"])
    op.create_table(
        "operator_action",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("name", 40),
        _time("at"),
        _text("kind", 40),
        _text("about", 60),
        _text("text"),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_action"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operator_action_about", "operator_action", ["about"])
    op.create_index("ix_operator_action_at", "operator_action", ["at"])


def downgrade() -> None:
    for table in ("operator_action", "login_attempt", "operator_session", "operator_account"):
        op.drop_table(table)
