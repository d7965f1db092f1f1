"""Taking a decision back: who goes where again, whoever took it.

What an operator did is as if it had never been; of what the hub decided by itself the opposite is from then on true
(`hub.corrections.asserting`). Tracklets that have moved on since stay where they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.corrections.archive import Archive, standing, survivor_of_number
from hub.corrections.asserting import moved
from hub.corrections.moving import begin_with, go_to, recall, restore
from hub.corrections.plans import Naming, Plan
from hub.identities import absorb_identity
from hub.records import ActId, Event, EventId, EventKind, Identity, IdentityState, NameId, Tracklet, TrackletNumber
from hub.state import SiteState
from passerby.errors import DataError
from passerby.ids import IdentityId


@dataclass(frozen=True, slots=True)
class Returning:
    """Tracklets leave `origin`: for `target`, or where that is None for somebody new."""

    undoes: EventId
    origin: Identity
    target: Identity | None
    tracklets: tuple[Tracklet, ...]
    """All of both."""
    returning: tuple[TrackletNumber, ...]
    everybody: bool
    """They are all that is left of `origin`, which then is one with `target` again."""

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        recall(state, self.tracklets)
        if self.target is None:
            begin_with(state, self.returning, self.origin, act_id=act_id, undoes=self.undoes)
        elif self.everybody:
            absorb_identity(state, self.target, self.origin, act_id=act_id, undoes=self.undoes)
        else:
            go_to(state, self.returning, self.target, origin=self.origin, act_id=act_id, undoes=self.undoes)


@dataclass(frozen=True, slots=True)
class Restoring:
    """An identity stands again, with tracklets that are in `origin` now; where that is None, with its own."""

    undoes: EventId
    identity: Identity
    origin: Identity | None
    tracklets: tuple[Tracklet, ...]
    """All of both."""
    returning: tuple[TrackletNumber, ...]

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        recall(state, self.tracklets)
        restore(state, self.identity, self.returning, origin=self.origin, act_id=act_id, undoes=self.undoes)


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """What an operator has said counts no more; nobody moves."""

    event: Event

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        state.say(
            EventKind.WITHDRAWN,
            self.event.identity_id,
            other=self.event.other_identity_id,
            tracklet=self.event.tracklet,
            camera_id=self.event.camera_id,
            act_id=act_id,
            undoes=self.event.event_id,
        )


def plan_undo(archive: Archive, event_id: EventId) -> Plan:
    """How to take an event back. Raises DataError where it cannot be, with the reason."""
    event = archive.event(event_id)
    if event is None:
        raise DataError(f"event {event_id} does not exist; the latest one is {archive.last_event_id()}")
    later = archive.undone_by(event_id)
    if later is not None:
        raise DataError(f"event {event_id} was undone already, by event {later.event_id}")
    if event.undoes is not None:
        raise DataError(
            f"event {event_id} takes event {event.undoes} back; to have that again, do it again: "
            f"`passerby identities merge`, `split` or `rename`"
        )
    match event.kind:
        case EventKind.MERGED:
            return _unmerge(archive, event)
        case EventKind.LINKED:
            return _unlink(archive, event)
        case EventKind.SPLIT:
            return _rejoin(archive, event)
        case EventKind.REJECTED:
            return Withdrawing(event)
        case EventKind.RENAMED:
            return _former_name(archive, event)
        case EventKind.EXPIRED:
            return _wake(archive, event)
        case EventKind.CANDIDATE:
            raise DataError(f"event {event_id} only asks; answer it: `passerby review --answer {event_id}`")
        case EventKind.CREATED:
            raise DataError(f"event {event_id} begins person {event.identity_id}; merge that with whom it is instead")
        case _:
            raise DataError(f"event {event_id} ({event.kind.value}) is for ever")


def _unmerge(archive: Archive, event: Event) -> Restoring:
    if event.other_identity_id is None:
        raise DataError(f"event {event.event_id} does not say who was merged")
    absorbed = archive.identity(event.other_identity_id)
    if absorbed is None or absorbed.state is not IdentityState.MERGED:
        raise DataError(f"person {event.other_identity_id} is not merged any more: there is nothing to undo")
    home = _home(archive, event.identity_id)
    tracklets = tuple(archive.tracklets_of(home.identity_id))
    back = _still(tracklets, members_before(archive, absorbed.identity_id, event.event_id))
    _require_some(back, event, home)
    if len(back) == len(tracklets):
        raise DataError(f"nobody but the former person {absorbed.identity_id} is left in person {home.identity_id}")
    return Restoring(event.event_id, absorbed, home, tracklets, back)


def _unlink(archive: Archive, event: Event) -> Returning:
    origin = _home(archive, event.identity_id)
    tracklets = tuple(archive.tracklets_of(origin.identity_id))
    back = _still(tracklets, moved(event))
    _require_some(back, event, origin)
    former = None if event.other_identity_id is None else survivor_of_number(archive, event.other_identity_id)
    target = None if former is None or former.identity_id == origin.identity_id else former
    everybody = len(back) == len(tracklets)
    if target is None and everybody:
        raise DataError(f"person {origin.identity_id} is nobody else: there is nothing from which to part it")
    theirs = () if target is None else tuple(archive.tracklets_of(target.identity_id))
    return Returning(event.event_id, origin, target, (*tracklets, *theirs), back, everybody)


def _rejoin(archive: Archive, event: Event) -> Returning | Withdrawing:
    origin = _home(archive, event.identity_id)
    target = None if event.other_identity_id is None else survivor_of_number(archive, event.other_identity_id)
    if target is None:
        raise DataError(f"person {event.other_identity_id}, from whom event {event.event_id} split, is erased")
    if target.identity_id == origin.identity_id:
        if event.act_id is not None:
            return Withdrawing(event)
        raise DataError(f"what event {event.event_id} split is one again: person {origin.identity_id}")
    tracklets = tuple(archive.tracklets_of(origin.identity_id))
    back = _still(tracklets, moved(event))
    _require_some(back, event, origin)
    theirs = tuple(archive.tracklets_of(target.identity_id))
    return Returning(event.event_id, origin, target, (*tracklets, *theirs), back, everybody=len(back) == len(tracklets))


def _former_name(archive: Archive, event: Event) -> Naming:
    identity = standing(archive, event.identity_id)
    if identity.name_id != event.name_id:
        raise DataError(f"person {identity.identity_id} has been given another name since: undo that first")
    former = name_before(archive, identity.identity_id, event.event_id)
    return Naming(identity, None if former is None else archive.name(former), former, undoes=event.event_id)


def _wake(archive: Archive, event: Event) -> Restoring:
    identity = standing(archive, event.identity_id)
    if identity.state is not IdentityState.EXPIRED:
        raise DataError(f"person {identity.identity_id} takes tracklets again already: there is nothing to undo")
    return Restoring(event.event_id, identity, None, tuple(archive.tracklets_of(identity.identity_id)), ())


def members_before(archive: Archive, identity_id: IdentityId, event_id: EventId) -> frozenset[TrackletNumber]:
    """Who belonged to an identity just before an event, by the log: the events of those concerned, no others."""
    members: set[TrackletNumber] = set()
    for event in archive.events_of(identity_id):
        if event.event_id >= event_id:
            break
        gone = event.other_identity_id == identity_id
        match event.kind:
            case EventKind.CREATED | EventKind.LINKED | EventKind.SPLIT | EventKind.RESTORED:
                members = members.difference(moved(event)) if gone else members.union(moved(event))
            case EventKind.MERGED if gone:
                members = set()
            case EventKind.MERGED if event.other_identity_id is not None:
                members |= members_before(archive, event.other_identity_id, event.event_id)
    return frozenset(members)


def name_before(archive: Archive, identity_id: IdentityId, event_id: EventId) -> NameId | None:
    """The name that an identity had just before an event, by the log."""
    earlier = [event for event in archive.events_of(identity_id) if event.event_id < event_id]
    for event in reversed(earlier):
        if event.kind is EventKind.RENAMED:
            return event.name_id
        other = event.other_identity_id
        if other is None:
            continue
        if event.kind is EventKind.MERGED and other != identity_id:
            own = name_before(archive, identity_id, event.event_id)
            return own if own is not None else name_before(archive, other, event.event_id)
        if event.kind is EventKind.RESTORED and other == identity_id:
            own = name_before(archive, identity_id, event.event_id)
            return None if own == name_before(archive, event.identity_id, event.event_id) else own
    return None


def _home(archive: Archive, identity_id: IdentityId) -> Identity:
    home = survivor_of_number(archive, identity_id)
    if home is None:
        raise DataError(f"person {identity_id} is erased: nothing is left to be undone")
    return home


def _still(tracklets: Iterable[Tracklet], numbers: Iterable[TrackletNumber]) -> tuple[TrackletNumber, ...]:
    here = {tracklet.number for tracklet in tracklets}
    return tuple(sorted(here.intersection(numbers)))


def _require_some(back: tuple[TrackletNumber, ...], event: Event, home: Identity) -> None:
    if not back:
        raise DataError(
            f"nothing that event {event.event_id} moved is in person {home.identity_id} any more: undo the later ones"
        )
