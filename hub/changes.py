"""What one batch changes: collected while it is worked on, written in one transaction at its end."""

from dataclasses import dataclass, field, fields, replace

from hub.corrections.acts import AnswerWord, CarriedOut
from hub.corrections.constraints import Assertion
from hub.records import ActId, Boot, Event, EventId, Identity, NameId, Tracklet, TrackletNumber, Twin
from hub.rollout import RolloutStep
from passerby.ids import BootId, CameraId, EdgeId, IdentityId, ModelId, TrackletId
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
    twins: dict[tuple[TrackletNumber, ModelId], Twin] = field(default_factory=dict)
    untwinned: dict[TrackletNumber, None] = field(default_factory=dict)
    """Tracklets that have lost all their twins, before they got those above."""
    observations: dict[tuple[TrackletNumber, int], Observations] = field(default_factory=dict)
    """By tracklet and revision of the update that brought them."""
    crops: dict[tuple[TrackletNumber, int], bytes] = field(default_factory=dict)
    """JPEG bytes by tracklet and crop id."""
    identities: dict[IdentityId, Identity] = field(default_factory=dict)
    merges: list[tuple[IdentityId, IdentityId]] = field(default_factory=list)
    """(survivor, absorbed): applied to all stored tracklets before the changed ones are written."""
    statuses: dict[CameraId, ReportedStatus] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    assertions: dict[EventId, Assertion | None] = field(default_factory=dict)
    """What operators say; None: it counts no more."""
    names: dict[NameId, tuple[IdentityId, str]] = field(default_factory=dict)
    """Names given, with their first owners."""
    acts: list[CarriedOut] = field(default_factory=list)
    answers: dict[EventId, tuple[AnswerWord, ActId]] = field(default_factory=dict)
    """What was said about candidates."""
    erased: dict[TrackletNumber, tuple[BootId, TrackletId]] = field(default_factory=dict)
    """Tracklets of which nothing may be left, with the edge's names for them."""
    pictureless: dict[TrackletNumber, None] = field(default_factory=dict)
    """Tracklets of which no picture is kept any longer."""
    rollouts: list[RolloutStep] = field(default_factory=list)
    nameless: dict[IdentityId, None] = field(default_factory=dict)
    """Identities whose names are erased, former ones too."""

    def drop_twins(self, number: TrackletNumber) -> None:
        """Let a tracklet have no twins any more."""
        self.twins = {key: twin for key, twin in self.twins.items() if key[0] != number}
        self.untwinned[number] = None

    def absorb(self, later: "Changes") -> None:
        """Add what has changed later: written at once, both lead to the same rows as one after the other."""
        for number in later.untwinned:
            self.drop_twins(number)
        for survivor, absorbed in later.merges:
            for tracklet in [t for t in self.tracklets.values() if t.identity_id == absorbed]:
                self.tracklets[tracklet.number] = replace(tracklet, identity_id=survivor)
        for name in (one.name for one in fields(self)):
            ours, theirs = getattr(self, name), getattr(later, name)
            if isinstance(ours, list):
                ours += theirs
            else:
                ours.update(theirs)

    def merged(self, stored: Tracklet) -> Tracklet:
        """A stored tracklet as it is after the merges."""
        identity_id = stored.identity_id
        for survivor, absorbed in self.merges:
            if identity_id == absorbed:
                identity_id = survivor
        return stored if identity_id == stored.identity_id else replace(stored, identity_id=identity_id)

    def __bool__(self) -> bool:
        return any(
            (
                self.boots,
                self.models,
                self.tracklets,
                self.twins,
                self.identities,
                self.merges,
                self.statuses,
                self.events,
                self.acts,
                self.erased,
                self.pictureless,
            )
        )
