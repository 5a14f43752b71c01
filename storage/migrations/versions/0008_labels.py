"""The name that people give a release, beside the one that it was made with."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("releases", sa.Column("label", sa.String(length=48), nullable=True))
    op.create_index("uq_releases_label", "releases", ["label"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_releases_label", table_name="releases")
    op.drop_column("releases", "label")
