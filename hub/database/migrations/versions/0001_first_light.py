"""First light: tracklets, identities, events, and what a restart needs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "boots",
        sa.Column("boot_id", sa.LargeBinary(), primary_key=True),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("committed_seq", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "models",
        sa.Column("model_id", sa.Text(), primary_key=True),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("running_statistics", sa.LargeBinary(), nullable=True),
        sa.Column("active_statistics", sa.LargeBinary(), nullable=True),
        sa.Column("active_version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("identity_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
    )
    op.create_index("identities_by_state", "identities", ["state"])
    op.create_table(
        "tracklets",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("boot_id", sa.LargeBinary(), nullable=False),
        sa.Column("tracklet_id", sa.BigInteger(), nullable=False),
        sa.Column("camera_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("started_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("exemplars", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("clock_source", sa.Text(), nullable=False),
        sa.Column("clock_error_ns", sa.BigInteger(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=True),
        sa.Column("prototype", sa.Boolean(), nullable=False),
        sa.Column("opened_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("boot_id", "tracklet_id", name="tracklets_by_edge_name"),
    )
    op.create_index("tracklets_by_identity", "tracklets", ["identity_id"])
    op.create_index("tracklets_by_update", "tracklets", ["updated_at_ns"])
    op.create_index("tracklets_open", "tracklets", ["open"])
    op.create_index("tracklets_prototypes", "tracklets", ["prototype"])
    tracklet = "tracklets.number"
    op.create_table(
        "exemplars",
        sa.Column("tracklet", sa.Integer(), sa.ForeignKey(tracklet, ondelete="CASCADE"), primary_key=True),
        sa.Column("crop_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("captured_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("box_xyxy", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "observations",
        sa.Column("tracklet", sa.Integer(), sa.ForeignKey(tracklet, ondelete="CASCADE"), primary_key=True),
        sa.Column("revision", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("frame_numbers", sa.LargeBinary(), nullable=False),
        sa.Column("captured_at_ns", sa.LargeBinary(), nullable=False),
        sa.Column("boxes_xyxy", sa.LargeBinary(), nullable=False),
        sa.Column("confidence", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        sa.Column("other_identity_id", sa.Integer(), nullable=True),
        sa.Column("tracklet", sa.Integer(), nullable=True),
        sa.Column("camera_id", sa.Text(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
    )
    op.create_index("events_by_identity", "events", ["identity_id"])
    op.create_table(
        "camera_status",
        sa.Column("camera_id", sa.Text(), primary_key=True),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.LargeBinary(), nullable=False),
    )
