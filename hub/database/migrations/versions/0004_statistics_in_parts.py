"""Camera statistics in parts: one row a person, so that a tracklet rewrites one and not everybody.

Statistics of before are learned anew: some ten people a camera are most of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "camera_statistics",
        sa.Column("model_id", sa.Text(), primary_key=True),
        sa.Column("part", sa.Text(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    for column in ("running_statistics", "active_statistics", "active_version"):
        op.drop_column("models", column)
