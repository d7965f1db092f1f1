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


ActId = NewType("ActId", int)
"""An operator's act, from 1, in the order in which they were carried out."""

NameId = NewType("NameId", int)
"""A name once given to an identity. The name itself is in a row that can be erased."""


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
    """`tracklet` left `other_identity_id` and begins `identity_id`; `tracklets` went with it."""
    REJECTED = "rejected"
    """An operator says that nobody of `other_identity_id` is `tracklet` or, where that is None, of `identity_id`."""
    RESTORED = "restored"
    """`identity_id`, which had been merged or had expired, stands again; `tracklets` came back from
    `other_identity_id`."""
    WITHDRAWN = "withdrawn"
    """What an operator has said in event `undoes` counts no more. Where that moved tracklets too, other events of the
    same act move them back."""
    RENAMED = "renamed"
    """`identity_id` now has the name of number `name_id`, or none."""
    EXPIRED = "expired"
    """`identity_id` was not seen for too long and takes no more tracklets."""
    ERASED = "erased"
    """Nothing is left of `identity_id`, nor of those merged into it, but the ids in this log."""


class IdentityState(StrEnum):
    """What has become of an identity."""

    ACTIVE = "active"
    MERGED = "merged"
    EXPIRED = "expired"
    ERASED = "erased"


class Terms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The log-likelihood ratios (natural logarithm) that add up to a link's odds; None: no evidence of that kind."""

    appearance: float | None = None
    movement: float | None = None
    """Transit time: the rate of appearing there and then over that of strangers."""
    place: float | None = None
    """On the spot of the floor where the identity is or was."""
    apart: float | None = None
    """Seen at once in views that do not show one person together; of a merge, what strays cost too: at most 0."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a decision was taken. Cosine similarities of normalized embeddings, -1 to 1, rounded to six digits.

    What a decision does not know is None; events of former versions have the first fields alone.
    """

    similarity: float | None = None
    runner_up: float | None = None
    """The best similarity to any other identity that was possible."""
    margin: float | None = None
    """`similarity` minus `runner_up`."""
    threshold: float | None = None
    model_id: ModelId | None = None
    normalization_version: int | None = None
    probability: float | None = None
    """That the link is right: 0 to 1."""
    boundary: float | None = None
    """The probability from which on it was linked by itself."""
    terms: Terms | None = None
    candidates: int | None = None
    """Among how many identities it was chosen."""
    alike: tuple[TrackletNumber, TrackletNumber] | None = None
    """The two tracklets most alike: the one that it is about, and of what stands for the identity the one most like it.
    Of a merge, one of each identity."""
    beside: TrackletNumber | None = None
    """It stands on one spot with this one, and is whoever that is; `probability` is of that."""
    calibration_version: int | None = None
    topology_version: int | None = None
    nearest: IdentityId | None = None
    """Of a new identity: the one that it could most likely have been. The numbers above are then about that one."""
    refused_because: str | None = None
    """Of a new identity: why it was not linked to `nearest`, in a word."""


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
    tracklets: tuple[TrackletNumber, ...] = ()
    """Further tracklets that it is about, in order: those that moved with `tracklet`, or came back."""
    undoes: EventId | None = None
    """The event whose effect this one takes back."""
    act_id: ActId | None = None
    """The operator's act of which it is a part; None where the hub decided by itself."""
    pass_id: EventId | None = None
    """The first event of those that one consolidation decided together; None for all others."""
    name_id: NameId | None = None


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
class Twin:
    """A closed tracklet of another model as the network `model_id` describes it. `embedding` (d,) float32, raw."""

    tracklet: TrackletNumber
    model_id: ModelId
    embedding: Float32Array = field(compare=False)
    mapped: bool
    """Made from the tracklet's own embedding by a map between the two spaces, for want of pictures."""


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
    name_id: NameId | None = None
    """The number of `name`, by which the log knows it."""


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
