"""The tables. Migrations under `migrations/` make them; a test holds the two together.

Arrays are packed little-endian: embeddings float32 (d,), boxes float32 (n, 4) xyxy, frame numbers and times int64 (n,).
Times are Unix nanoseconds. Ids come from the hub's own counters, never from SQLite.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the whole site: its name, the hub's time of the last commit."""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""The last number given of each kind: numbers are never used again, even after a row has gone."""

boots = Table(
    "boots",
    metadata,
    Column("boot_id", LargeBinary, primary_key=True),
    Column("edge_id", Text, nullable=False),
    Column("committed_seq", BigInteger, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("model_id", Text, primary_key=True),
    Column("dimension", Integer, nullable=False),
)
"""One embedding space each."""

camera_statistics = Table(
    "camera_statistics",
    metadata,
    Column("model_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""The statistics of a model's cameras, by parts: see `hub.statistics`."""

knowledge = Table(
    "knowledge",
    metadata,
    Column("part", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""What was learned from decisions, by parts: see `hub.knowledge`."""

search_structures = Table(
    "search_structures",
    metadata,
    Column("model_id", Text, primary_key=True),
    Column("structure", LargeBinary, nullable=False),
)
"""How a large store of prototypes is organized (`IdentityStore.structure`): rarely written, a megabyte or more."""

identities = Table(
    "identities",
    metadata,
    Column("identity_id", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("name", Text, nullable=True),
    Column("created_at_ns", BigInteger, nullable=False),
    Column("updated_at_ns", BigInteger, nullable=False),
    Column("merged_into", Integer, nullable=True),
    Column("name_id", Integer, nullable=True),
)
Index("identities_by_state", identities.c.state)
Index("identities_by_survivor", identities.c.merged_into)

names = Table(
    "names",
    metadata,
    Column("name_id", Integer, primary_key=True, autoincrement=False),
    Column("identity_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
)
"""Every name that an identity ever had: the log knows it by its number, and it can be erased here."""
Index("names_by_identity", names.c.identity_id)

tracklets = Table(
    "tracklets",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("boot_id", LargeBinary, nullable=False),
    Column("tracklet_id", BigInteger, nullable=False),
    Column("camera_id", Text, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("started_at_ns", BigInteger, nullable=False),
    Column("ended_at_ns", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("exemplars", Integer, nullable=False),
    Column("quality", Float, nullable=False),
    Column("clock_source", Text, nullable=False),
    Column("clock_error_ns", BigInteger, nullable=False),
    Column("frame_width", Integer, nullable=False),
    Column("frame_height", Integer, nullable=False),
    Column("identity_id", Integer, nullable=True),
    Column("prototype", Boolean, nullable=False),
    Column("opened_at_ns", BigInteger, nullable=False),
    Column("updated_at_ns", BigInteger, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    UniqueConstraint("boot_id", "tracklet_id", name="tracklets_by_edge_name"),
)
Index("tracklets_by_identity", tracklets.c.identity_id)
Index("tracklets_by_update", tracklets.c.updated_at_ns)
Index("tracklets_open", tracklets.c.open)
Index("tracklets_prototypes", tracklets.c.prototype)

exemplars = Table(
    "exemplars",
    metadata,
    Column("tracklet", Integer, ForeignKey("tracklets.number", ondelete="CASCADE"), primary_key=True),
    Column("crop_id", BigInteger, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("captured_at_ns", BigInteger, nullable=False),
    Column("box_xyxy", LargeBinary, nullable=False),
    Column("quality", Float, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
)

observations = Table(
    "observations",
    metadata,
    Column("tracklet", Integer, ForeignKey("tracklets.number", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("frame_numbers", LargeBinary, nullable=False),
    Column("captured_at_ns", LargeBinary, nullable=False),
    Column("boxes_xyxy", LargeBinary, nullable=False),
    Column("confidence", LargeBinary, nullable=False),
)
"""What one update brought, row i of each array one frame."""

twins = Table(
    "twins",
    metadata,
    Column("tracklet", Integer, ForeignKey("tracklets.number", ondelete="CASCADE"), primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("embedding", LargeBinary, nullable=False),
    Column("mapped", Boolean, nullable=False),
)
"""A tracklet as another model describes it, of its present revision: `hub.records.Twin`."""
Index("twins_by_model", twins.c.model_id)

events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("identity_id", Integer, nullable=False),
    Column("other_identity_id", Integer, nullable=True),
    Column("tracklet", Integer, nullable=True),
    Column("camera_id", Text, nullable=True),
    Column("evidence", LargeBinary, nullable=False),
    Column("tracklets", LargeBinary, nullable=True),
    Column("undoes", Integer, nullable=True),
    Column("act_id", Integer, nullable=True),
    Column("pass_id", Integer, nullable=True),
    Column("name_id", Integer, nullable=True),
)
"""Append-only; `evidence` is JSON, `tracklets` packed. No foreign keys: the log outlives the rows that it names."""
Index("events_by_identity", events.c.identity_id)
Index("events_by_other", events.c.other_identity_id)
Index("events_by_tracklet", events.c.tracklet)
Index("events_by_kind", events.c.kind)
Index("events_by_undoes", events.c.undoes)
Index("events_by_pass", events.c.pass_id)
Index("events_by_act", events.c.act_id)

assertions = Table(
    "assertions",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("tracklets", LargeBinary, nullable=False),
    Column("apart_from", LargeBinary, nullable=False),
    Column("together", Boolean, nullable=False),
)
"""What operators have said and nobody has withdrawn: `hub.corrections.constraints.Assertion`."""

acts = Table(
    "acts",
    metadata,
    Column("act_id", Integer, primary_key=True, autoincrement=False),
    Column("request_id", Text, nullable=False, unique=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
)
"""Who did what when: `act` and `outcome` are JSON, with ids in place of names. A request is carried out once."""

rollouts = Table(
    "rollouts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("cameras", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("act_id", Integer, nullable=False),
)
"""Which model was to be used where since when, append-only: `hub.rollout`. `cameras` is JSON."""

answers = Table(
    "answers",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("answer", Text, nullable=False),
    Column("act_id", Integer, nullable=False),
)
"""What an operator has said about a candidate, the latest word."""

erased_tracklets = Table(
    "erased_tracklets",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("boot_id", LargeBinary, nullable=False),
    Column("tracklet_id", BigInteger, nullable=False),
    Column("crops_gone", Boolean, nullable=False),
    UniqueConstraint("boot_id", "tracklet_id", name="erased_by_edge_name"),
)
"""Tombstones: an edge that still speaks of one of these is not listened to. `crops_gone`: its pictures are deleted."""
Index("erased_with_crops", erased_tracklets.c.crops_gone)

camera_status = Table(
    "camera_status",
    metadata,
    Column("camera_id", Text, primary_key=True),
    Column("edge_id", Text, nullable=False),
    Column("boot_id", LargeBinary, nullable=False),
    Column("sent_at_ns", BigInteger, nullable=False),
    Column("received_at_ns", BigInteger, nullable=False),
    Column("status", LargeBinary, nullable=False),
)
"""The latest word about each camera; `status` is a CameraStatus as JSON."""

enrolments = Table(
    "enrolments",
    metadata,
    Column("enrolment_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("model_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("enrolled_at_ns", BigInteger, nullable=False),
    Column("expires_at_ns", BigInteger, nullable=True),
)
"""People known by name, apart from what the cameras see: `hub.enrolment`. The hub itself does not touch them."""
Index("enrolments_by_name", enrolments.c.name)

enrolled_pictures = Table(
    "enrolled_pictures",
    metadata,
    Column("enrolment_id", Integer, ForeignKey("enrolments.enrolment_id", ondelete="CASCADE"), primary_key=True),
    Column("look", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("quality", Float, nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)
"""Of each look of an enrolment the pictures, best first, with their raw embeddings. JPEG here and not among the crops,
so that a name is deleted in one transaction."""

enrolled_twins = Table(
    "enrolled_twins",
    metadata,
    Column("enrolment_id", Integer, primary_key=True),
    Column("look", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("model_id", Text, primary_key=True),
    Column("embedding", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["enrolment_id", "look", "rank"],
        ["enrolled_pictures.enrolment_id", "enrolled_pictures.look", "enrolled_pictures.rank"],
        ondelete="CASCADE",
    ),
)
"""An enrolled picture as another model describes it."""
