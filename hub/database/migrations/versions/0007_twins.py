"""Embeddings by another model, and which model is to be used where."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "twins",
        sa.Column("tracklet", sa.Integer(), sa.ForeignKey("tracklets.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("model_id", sa.Text(), primary_key=True),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("mapped", sa.Boolean(), nullable=False),
    )
    op.create_index("twins_by_model", "twins", ["model_id"])
    op.create_table(
        "rollouts",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cameras", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
    )
    op.create_table(
        "enrolled_twins",
        sa.Column("enrolment_id", sa.Integer(), primary_key=True),
        sa.Column("look", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("rank", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("model_id", sa.Text(), primary_key=True),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id", "look", "rank"],
            ["enrolled_pictures.enrolment_id", "enrolled_pictures.look", "enrolled_pictures.rank"],
            ondelete="CASCADE",
        ),
    )
