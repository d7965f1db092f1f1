"""What the hub remembers, as plain records: tracklets, identities, boots, and the events that tell their story."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from passerby.arrays import Float32Array
from passerby.ids import BootId, CameraId, EdgeId, IdentityId, ModelId, TrackletId

TrackletNumber = NewType("TrackletNumber", int)
"""The hub's own number of a tracklet, over all edges and boots: from 1, never used again."""

EventId = NewType("EventId", int)
"""From 1, without gaps, in the order of the decisions."""


class EventKind(StrEnum):
    """What can happen to an identity."""

    CREATED = "created"
    """`identity_id` begins with tracklet `tracklet`."""
    LINKED = "linked"
    """`tracklet` now belongs to `identity_id`; before, to `other_identity_id` if there is one."""
    CANDIDATE = "candidate"
    """`identity_id`, which has `tracklet`, may be `other_identity_id`: for a person to say."""
    MERGED = "merged"
    """Everything of `other_identity_id` now belongs to `identity_id`."""
    SPLIT = "split"
    """`tracklet` left `other_identity_id` and begins `identity_id`."""
    RENAMED = "renamed"
    EXPIRED = "expired"
    """`identity_id` was not seen for too long and takes no more tracklets."""
    ERASED = "erased"


class IdentityState(StrEnum):
    """What has become of an identity."""

    ACTIVE = "active"
    MERGED = "merged"
    EXPIRED = "expired"
    ERASED = "erased"


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a decision was taken. Cosine similarities of normalized embeddings, -1 to 1, rounded to six digits."""

    similarity: float | None = None
    runner_up: float | None = None
    """The best similarity to any other identity that was possible."""
    margin: float | None = None
    """`similarity` minus `runner_up`."""
    threshold: float | None = None
    model_id: ModelId | None = None
    normalization_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the append-only log. It holds ids only; names, vectors and pictures are in rows that can go."""

    event_id: EventId
    at_ns: int
    """The hub's time of the decision."""
    kind: EventKind
    identity_id: IdentityId
    other_identity_id: IdentityId | None = None
    tracklet: TrackletNumber | None = None
    camera_id: CameraId | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracklet:
    """A tracklet as it now stands. `embedding` (d,) float32 is the raw mean over its exemplars."""

    number: TrackletNumber
    boot_id: BootId
    tracklet_id: TrackletId
    camera_id: CameraId
    model_id: ModelId
    started_at_ns: int
    ended_at_ns: int
    revision: int
    final: bool
    """The edge has said its last word about it."""
    open: bool
    """It may still change: not final, and not silent for too long."""
    exemplars: int
    quality: float
    """Mean quality of the exemplars, 0-1."""
    clock_source: str
    clock_error_ns: int
    frame_width: int
    frame_height: int
    identity_id: IdentityId | None
    """None until there is evidence enough for a decision."""
    prototype: bool
    """It stands for its identity in the search index."""
    opened_at_ns: int
    """The hub's time at the first update."""
    updated_at_ns: int
    """The hub's time at the latest update."""
    embedding: Float32Array = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One person over all cameras."""

    identity_id: IdentityId
    state: IdentityState
    name: str | None
    created_at_ns: int
    """The hub's time."""
    updated_at_ns: int
    """The hub's time of the latest news of it; expiry counts from here, so that no camera's wrong clock causes it."""
    merged_into: IdentityId | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """One life of an edge process: what of it is committed."""

    boot_id: BootId
    edge_id: EdgeId
    committed_seq: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that will never be taken, with the short fixed word that says why."""

    edge_id: EdgeId
    boot_id: BootId
    seq: int
    reason: str
