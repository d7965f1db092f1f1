"""Corrections: what operators say binds, can be undone, is on record; and what is erased leaves ids alone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("identities", sa.Column("name_id", sa.Integer(), nullable=True))
    op.add_column("events", sa.Column("tracklets", sa.LargeBinary(), nullable=True))
    for name in ("undoes", "act_id", "pass_id", "name_id"):
        op.add_column("events", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("events_by_other", "events", ["other_identity_id"])
    op.create_index("events_by_tracklet", "events", ["tracklet"])
    op.create_index("events_by_kind", "events", ["kind"])
    op.create_index("events_by_undoes", "events", ["undoes"])
    op.create_index("events_by_pass", "events", ["pass_id"])
    op.create_index("events_by_act", "events", ["act_id"])
    op.create_index("identities_by_survivor", "identities", ["merged_into"])
    op.create_table(
        "names",
        sa.Column("name_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
    )
    op.create_index("names_by_identity", "names", ["identity_id"])
    op.create_table(
        "assertions",
        sa.Column("event_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("tracklets", sa.LargeBinary(), nullable=False),
        sa.Column("apart_from", sa.LargeBinary(), nullable=False),
        sa.Column("together", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "acts",
        sa.Column("act_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("request_id", sa.Text(), nullable=False, unique=True),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("event_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
    )
    op.create_table(
        "erased_tracklets",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("boot_id", sa.LargeBinary(), nullable=False),
        sa.Column("tracklet_id", sa.BigInteger(), nullable=False),
        sa.Column("crops_gone", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("boot_id", "tracklet_id", name="erased_by_edge_name"),
    )
    op.create_index("erased_with_crops", "erased_tracklets", ["crops_gone"])
