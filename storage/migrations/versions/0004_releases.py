"""Releases, the pointer to the live one, approvals, what admins set, and who serves what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.Boolean(), nullable=True),
        sa.Column("forced", sa.Text(), nullable=True),
        sa.Column("manifest_hash", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.Column("judged_at", sa.Float(), nullable=True),
        sa.Column("live_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state IN ('candidate', 'passed', 'failed', 'live', 'retired')", name="ck_state"
        ),
        sa.CheckConstraint(
            "state <> 'live' OR verdict IS TRUE OR forced IS NOT NULL", name="ck_gate"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_releases")),
        sa.UniqueConstraint("name", "state", name=op.f("uq_releases_name_state")),
    )
    op.create_index(
        "uq_releases_one_live",
        "releases",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "live",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("release", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_only"),
        sa.CheckConstraint("state = 'live'", name="ck_live"),
        sa.ForeignKeyConstraint(
            ["release", "state"],
            ["releases.name", "releases.state"],
            name=op.f("fk_live_release_releases"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live")),
    )
    op.create_table(
        "live_changes",
        sa.Column("counter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("release", sa.String(length=64), nullable=True),
        sa.Column("back", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("counter", name=op.f("pk_live_changes")),
    )
    op.create_table(
        "approvals",
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release"],
            ["releases.name"],
            name=op.f("fk_approvals_release_releases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("release", "actor", name=op.f("pk_approvals")),
    )
    op.create_table(
        "tuning",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tuning")),
    )
    op.create_table(
        "instances",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("release", sa.String(length=64), nullable=True),
        sa.Column("candidate", sa.String(length=64), nullable=True),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
    )


def downgrade() -> None:
    for table in ("instances", "tuning", "approvals", "live_changes", "live", "releases"):
        op.drop_table(table)
