"""How large stores of prototypes are organized, so that a restart searches them as before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "search_structures",
        sa.Column("model_id", sa.Text(), primary_key=True),
        sa.Column("structure", sa.LargeBinary(), nullable=False),
    )
