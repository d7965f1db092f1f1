"""What one batch changes: collected while it is worked on, written in one transaction at its end."""

from dataclasses import dataclass, field

from hub.records import Boot, Event, Identity, Tracklet, TrackletNumber
from passerby.ids import BootId, CameraId, EdgeId, IdentityId, ModelId
from passerby.messages import CameraStatus, Exemplars, Observations


@dataclass(frozen=True, slots=True)
class ReportedStatus:
    """The latest word about a camera, and who said it when."""

    status: CameraStatus
    edge_id: EdgeId
    boot_id: BootId
    sent_at_ns: int
    received_at_ns: int


@dataclass(slots=True)
class Changes:
    """New contents of rows, by their key; of a row that changes twice in a batch the last one stays."""

    boots: dict[BootId, Boot] = field(default_factory=dict)
    models: dict[ModelId, None] = field(default_factory=dict)
    """Whose statistics have changed."""
    tracklets: dict[TrackletNumber, Tracklet] = field(default_factory=dict)
    exemplars: dict[TrackletNumber, tuple[ModelId, Exemplars]] = field(default_factory=dict)
    """The complete present set of a tracklet, replacing what was there."""
    observations: dict[tuple[TrackletNumber, int], Observations] = field(default_factory=dict)
    """By tracklet and revision of the update that brought them."""
    crops: dict[tuple[TrackletNumber, int], bytes] = field(default_factory=dict)
    """JPEG bytes by tracklet and crop id."""
    identities: dict[IdentityId, Identity] = field(default_factory=dict)
    merges: list[tuple[IdentityId, IdentityId]] = field(default_factory=list)
    """(survivor, absorbed): applied to all stored tracklets before the changed ones are written."""
    statuses: dict[CameraId, ReportedStatus] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(
            (
                self.boots,
                self.models,
                self.tracklets,
                self.identities,
                self.merges,
                self.statuses,
                self.events,
            )
        )
