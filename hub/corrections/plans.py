"""What an act will do, once it is clear that it can be done.

Planning looks everything up and raises DataError, with what is wrong and what can be done, before anything has changed;
a plan is then carried out in one transaction. Both see the state of the last commit.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hub.corrections.acts import Erased
from hub.corrections.archive import Archive, standing, survivor_of_number
from hub.corrections.moving import begin_with, recall
from hub.identities import absorb_identity
from hub.records import (
    ActId,
    EventId,
    EventKind,
    Identity,
    IdentityState,
    NameId,
    Tracklet,
    TrackletNumber,
    Twin,
)
from hub.state import SiteState
from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import IdentityId

LONGEST_NAME = 200
"""Characters."""


class Plan(Protocol):
    """An act that can be carried out."""

    def carry_out(self, state: SiteState, act_id: ActId) -> Erased | None:
        """Change the state and append the event."""


@dataclass(frozen=True, slots=True)
class Merging:
    """Two identities become one."""

    survivor: Identity
    absorbed: Identity
    tracklets: tuple[Tracklet, ...]

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        recall(state, self.tracklets)
        absorb_identity(state, self.survivor, self.absorbed, act_id=act_id)


@dataclass(frozen=True, slots=True)
class Splitting:
    """Some tracklets of an identity become another one."""

    identity: Identity
    tracklets: tuple[Tracklet, ...]
    """All of the identity."""
    leaving: tuple[TrackletNumber, ...]

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        recall(state, self.tracklets)
        begin_with(state, self.leaving, self.identity, act_id=act_id)


@dataclass(frozen=True, slots=True)
class Rejecting:
    """A tracklet, or where that is None everybody of `identity`, is kept apart from everybody of `other`."""

    identity: Identity
    other: Identity
    tracklet: Tracklet | None
    tracklets: tuple[Tracklet, ...]
    """All of both."""

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        recall(state, self.tracklets)
        state.say(
            EventKind.REJECTED,
            self.identity.identity_id,
            other=self.other.identity_id,
            tracklet=None if self.tracklet is None else self.tracklet.number,
            camera_id=None if self.tracklet is None else self.tracklet.camera_id,
            act_id=act_id,
        )


@dataclass(frozen=True, slots=True)
class Naming:
    """An identity gets a name, or loses it."""

    identity: Identity
    name: str | None
    known_as: NameId | None = None
    """The number of a name that was given before."""
    undoes: EventId | None = None

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        name_id = self.known_as
        if name_id is None and self.name is not None:
            name_id = NameId(state.next_number("name"))
            state.changes.names[name_id] = (self.identity.identity_id, self.name)
        state.put_identity(_named(self.identity, self.name, name_id))
        state.say(EventKind.RENAMED, self.identity.identity_id, name_id=name_id, act_id=act_id, undoes=self.undoes)


@dataclass(frozen=True, slots=True)
class Erasing:
    """Nothing is left of an identity, nor of those that were merged into it."""

    identity: Identity
    parts: tuple[Identity, ...]
    tracklets: tuple[Tracklet, ...]
    names: int
    looks: tuple[Float32Array, ...]
    """Raw embeddings (n, d) of each of the tracklets."""
    twins: tuple[Twin, ...]
    """Of the tracklets."""

    def carry_out(self, state: SiteState, act_id: ActId) -> Erased:
        state.erase(self.tracklets)
        forgotten = 0
        for tracklet, looks in zip(self.tracklets, self.looks, strict=True):
            gone = state.spaces[tracklet.model_id].forget_looks(tracklet.camera_id, looks)
            if gone:
                state.changes.models[tracklet.model_id] = None
            forgotten += gone
        cameras = {tracklet.number: tracklet.camera_id for tracklet in self.tracklets}
        for twin in self.twins:
            # The same people as above, whom another model's statistics know.
            if state.spaces[twin.model_id].forget_looks(cameras[twin.tracklet], twin.embedding[None]):
                state.changes.models[twin.model_id] = None
        for identity in (self.identity, *self.parts):
            state.changes.nameless[identity.identity_id] = None
        for part in self.parts:
            state.put_identity(_named(part, None, None))
        state.put_identity(_erased(self.identity, at_ns=state.clock_ns))
        state.say(EventKind.ERASED, self.identity.identity_id, act_id=act_id)
        identities = tuple(identity.identity_id for identity in (self.identity, *self.parts))
        return Erased(identities=identities, tracklets=len(self.tracklets), names=self.names, from_statistics=forgotten)


def plan_merge(archive: Archive, survivor_id: IdentityId, absorbed_id: IdentityId) -> Merging:
    """Raises DataError unless both stand and are two."""
    if survivor_id == absorbed_id:
        raise DataError(f"person {survivor_id} cannot be merged with itself; name two")
    survivor, absorbed = standing(archive, survivor_id), standing(archive, absorbed_id)
    return Merging(survivor, absorbed, (*archive.tracklets_of(survivor_id), *archive.tracklets_of(absorbed_id)))


def plan_split(archive: Archive, identity_id: IdentityId, numbers: tuple[TrackletNumber, ...]) -> Splitting:
    """Raises DataError unless these are some, and not all, of the identity's tracklets."""
    identity = standing(archive, identity_id)
    if not numbers:
        raise DataError(f"say which tracklets of person {identity_id} are another person")
    tracklets = tuple(archive.tracklets_of(identity_id))
    mine = {tracklet.number for tracklet in tracklets}
    for number in numbers:
        if number not in mine:
            raise DataError(f"{_where(archive, number)}, not of person {identity_id}")
    leaving = tuple(sorted(set(numbers)))
    if len(leaving) == len(mine):
        raise DataError(f"these are all the tracklets of person {identity_id}: nobody would be left; name fewer")
    return Splitting(identity, tracklets, leaving)


def plan_reject(archive: Archive, number: TrackletNumber, identity_id: IdentityId) -> Rejecting | Splitting:
    """Where the tracklet is in that identity it leaves it. Raises DataError unless the two are known."""
    other = standing(archive, identity_id)
    tracklet = archive.tracklet(number)
    if tracklet is None:
        raise DataError(f"tracklet {number} does not exist; `passerby identities show ID` lists a person's")
    if tracklet.identity_id is None:
        raise DataError(f"tracklet {number} has no identity yet: ask again when it has")
    if tracklet.identity_id == identity_id:
        return plan_split(archive, identity_id, (number,))
    identity = standing(archive, tracklet.identity_id)
    return Rejecting(identity, other, tracklet, (tracklet, *archive.tracklets_of(identity_id)))


def candidate_pair(archive: Archive, candidate: EventId) -> tuple[Identity, Identity]:
    """The two identities, as they stand now, of which a candidate event asks whether they are one.

    Raises DataError where it asks nothing any more.
    """
    event = archive.event(candidate)
    if event is None or event.kind is not EventKind.CANDIDATE:
        what = "does not exist" if event is None else f"is no candidate but {event.kind.value}"
        raise DataError(f"event {candidate} {what}; `passerby review --list` shows the candidates")
    tracklet = None if event.tracklet is None else archive.tracklet(event.tracklet)
    first = None if tracklet is None or tracklet.identity_id is None else archive.identity(tracklet.identity_id)
    other = None if event.other_identity_id is None else survivor_of_number(archive, event.other_identity_id)
    if first is None or other is None:
        raise DataError(f"candidate {candidate} is about somebody who is erased: there is nothing to say any more")
    if first.identity_id == other.identity_id:
        raise DataError(f"candidate {candidate}: both are person {first.identity_id} by now; nothing is left to say")
    return first, other


def plan_same(archive: Archive, candidate: EventId) -> Merging:
    """The two of a candidate become one; the lower number stays."""
    first, other = sorted(identity.identity_id for identity in candidate_pair(archive, candidate))
    return plan_merge(archive, first, other)


def plan_different(archive: Archive, candidate: EventId) -> Rejecting:
    """The two of a candidate, all that they are now, are kept apart."""
    first, other = candidate_pair(archive, candidate)
    tracklets = (*archive.tracklets_of(first.identity_id), *archive.tracklets_of(other.identity_id))
    return Rejecting(first, other, None, tracklets)


def plan_rename(archive: Archive, identity_id: IdentityId, name: str | None) -> Naming:
    """Raises DataError for a name that is none, or too long."""
    identity = standing(archive, identity_id)
    if name is not None:
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise DataError(f"{name[:40]!r} is no name: 1 to {LONGEST_NAME} characters that can be printed")
    elif identity.name_id is None:
        raise DataError(f"person {identity_id} has no name that could be taken away")
    return Naming(identity, name)


def plan_erase(archive: Archive, identity_id: IdentityId) -> Erasing:
    """Everything of an identity that stands."""
    identity = standing(archive, identity_id)
    parts: list[Identity] = []
    waiting = [identity_id]
    while waiting:
        found = archive.merged_into(waiting.pop())
        parts += found
        waiting += [part.identity_id for part in found]
    parts.sort(key=lambda part: part.identity_id)
    names = sum(one.name_id is not None for one in (identity, *parts))
    tracklets = tuple(archive.tracklets_of(identity_id))
    looks = tuple(
        np.concatenate([t.embedding[None], archive.exemplar_embeddings(t.number, model_id=t.model_id)])
        for t in tracklets
    )
    twins = tuple(archive.twins_among([t.number for t in tracklets]))
    return Erasing(identity, tuple(parts), tracklets, names, looks, twins)


def _where(archive: Archive, number: TrackletNumber) -> str:
    tracklet = archive.tracklet(number)
    if tracklet is None:
        return f"tracklet {number} does not exist"
    if tracklet.identity_id is None:
        return f"tracklet {number} is of nobody yet"
    return f"tracklet {number} is of person {tracklet.identity_id}"


def _named(identity: Identity, name: str | None, name_id: NameId | None) -> Identity:
    return replace(identity, name=name, name_id=name_id)


def _erased(identity: Identity, *, at_ns: int) -> Identity:
    return replace(identity, state=IdentityState.ERASED, name=None, name_id=None, updated_at_ns=at_ns)
