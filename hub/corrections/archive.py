"""What acts need to look up beside what the hub has in mind: everything that is stored, as of the last commit."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from hub.corrections.acts import Outcome
from hub.database.twin_rows import Coverage
from hub.knowledge import Knowledge
from hub.paths import Path
from hub.records import Event, EventId, EventKind, Identity, IdentityState, NameId, Tracklet, TrackletNumber, Twin
from hub.rollout import Rollout
from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import CameraId, IdentityId, ModelId


class Archive(Protocol):
    """The stored rows. `hub.reader.SiteReader` is one."""

    def identity(self, identity_id: IdentityId) -> Identity | None:
        """An identity in whatever state."""

    def merged_into(self, identity_id: IdentityId) -> Sequence[Identity]:
        """The identities that were merged into this one, not those that were merged into them."""

    def tracklet(self, number: TrackletNumber) -> Tracklet | None:
        """A tracklet by the hub's number of it."""

    def tracklets_of(self, identity_id: IdentityId) -> Sequence[Tracklet]:
        """All tracklets of an identity."""

    def exemplar_embeddings(self, number: TrackletNumber, *, model_id: ModelId) -> Float32Array:
        """The raw embeddings (n, d) of a tracklet's best crops by this model."""

    def event(self, event_id: EventId) -> Event | None:
        """An event by its number."""

    def last_event_id(self) -> int:
        """The number of the latest event; 0 if there is none."""

    def events_of(self, identity_id: IdentityId) -> Sequence[Event]:
        """The events that name an identity, in order."""

    def events_of_pass(self, pass_id: EventId) -> Sequence[Event]:
        """The events that one consolidation decided together, in order."""

    def undone_by(self, event_id: EventId) -> Event | None:
        """The event that takes this one back, if there is one."""

    def name(self, name_id: NameId) -> str | None:
        """A name once given; None where it has been erased."""

    def camera_ids(self) -> Sequence[CameraId]:
        """The cameras that ever reported, or saw somebody, by name."""

    def twins_among(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        """All twins of these tracklets, by tracklet and model."""

    def model_ids(self) -> Sequence[ModelId]:
        """The models that have described anybody, by name."""

    def latest_model(self) -> ModelId | None:
        """The model with which the latest tracklet came; None if there is none."""

    def rollout(self) -> Rollout:
        """Which model the cameras are to use."""

    def described_by(self, model_id: ModelId, *, most: int) -> Sequence[tuple[Tracklet, Float32Array]]:
        """The latest closed tracklets that a model has seen pictures of, at most so many, each with its raw embedding
        (d,), the latest first."""

    def paths(self, tracklets: Sequence[Tracklet]) -> Mapping[TrackletNumber, Path]:
        """Where these tracklets were; nothing of those without sightings."""

    def knowledge(self) -> Knowledge:
        """What the hub has learned about its site."""

    def coverage(self, model_id: ModelId) -> Coverage:
        """How many of those who stand for active identities a model can compare."""

    def outcome_of(self, request_id: str) -> Outcome | None:
        """What a request has come to, if it was carried out."""


def standing(archive: Archive, identity_id: IdentityId) -> Identity:
    """An identity to which something can be done: active or expired. Raises DataError with what it is instead."""
    identity = archive.identity(identity_id)
    if identity is None:
        raise DataError(f"person {identity_id} does not exist; `passerby identities list` shows who does")
    if identity.state is IdentityState.ERASED:
        raise DataError(f"person {identity_id} is erased: nothing is left to be corrected")
    if identity.merged_into is not None:
        survivor = survivor_of(archive, identity)
        last = next(
            (
                event
                for event in reversed(archive.events_of(identity_id))
                if event.kind is EventKind.MERGED and event.other_identity_id == identity_id
            ),
            None,
        )
        how = "" if last is None else f" since event {last.event_id}, which can be undone"
        raise DataError(f"person {identity_id} is part of person {survivor.identity_id}{how}: name that one")
    return identity


def survivor_of(archive: Archive, identity: Identity) -> Identity:
    """The identity of which this one is a part by now: itself where it was not merged."""
    while identity.merged_into is not None:
        following = archive.identity(identity.merged_into)
        if following is None:
            raise DataError(f"person {identity.identity_id} was merged into {identity.merged_into}, which is not there")
        identity = following
    return identity


def survivor_of_number(archive: Archive, identity_id: IdentityId) -> Identity | None:
    """As `survivor_of`, by number; None where there never was one, or it is erased."""
    identity = archive.identity(identity_id)
    if identity is None:
        return None
    survivor = survivor_of(archive, identity)
    return None if survivor.state is IdentityState.ERASED else survivor
