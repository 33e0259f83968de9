"""The revisions that wait to be judged, the count of imports, and fingerprints of recent news."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "revision", sa.Column("judge_requests", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute(
        "UPDATE revision SET judge_requests = 1"
        " WHERE NOT EXISTS (SELECT 1 FROM examination WHERE revision_id = revision.id)"
    )
    op.create_index(
        "ix_revision_unjudged",
        "revision",
        ["id"],
        sqlite_where=sa.text("judge_requests > 0"),
        postgresql_where=sa.text("judge_requests > 0"),
    )
    op.add_column(
        "installation", sa.Column("imports", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "installation",
        sa.Column("canaries_passed", sa.String(60), nullable=False, server_default=""),
    )
    op.create_table(
        "story_keys",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("runs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["revision.id"],
            name="fk_story_keys_revision_id_revision",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", name="pk_story_keys"),
    )
    op.create_index("ix_story_keys_made_at", "story_keys", ["made_at"])
    op.create_index("ix_match_profile_id", "match", ["profile_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_match_profile_id", "match")
    op.drop_table("story_keys")
    op.drop_column("installation", "canaries_passed")
    op.drop_column("installation", "imports")
    op.execute(
        "DELETE FROM examination"
        " WHERE revision_id IN (SELECT id FROM revision WHERE judge_requests > 0)"
    )
    op.execute(
        "INSERT INTO examination (revision_id, examined_at)"
        " SELECT id, observed_at FROM revision WHERE judge_requests = 0"
        " AND NOT EXISTS (SELECT 1 FROM examination WHERE revision_id = revision.id)"
    )
    op.drop_index("ix_revision_unjudged", "revision")
    op.drop_column("revision", "judge_requests")
