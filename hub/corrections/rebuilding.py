"""The state of all identities, told again from the event log alone, as of any event."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hub.corrections.asserting import assertion_of, moved
from hub.corrections.constraints import Constraints
from hub.records import Event, EventId, EventKind, IdentityState, NameId, TrackletNumber
from passerby.ids import IdentityId


@dataclass(frozen=True, slots=True)
class RebuiltIdentity:
    """What the log says of an identity. `name_id` tells which name it has; the name itself is not in the log."""

    state: IdentityState = IdentityState.ACTIVE
    merged_into: IdentityId | None = None
    name_id: NameId | None = None


@dataclass(slots=True)
class Rebuilt:
    """Who every tracklet was taken for, what had become of every identity, and what operators had said."""

    tracklets: dict[TrackletNumber, IdentityId] = field(default_factory=dict)
    identities: dict[IdentityId, RebuiltIdentity] = field(default_factory=dict)
    constraints: Constraints = field(default_factory=lambda: Constraints(identities={}))


def rebuild(events: Iterable[Event], *, upto: int | None = None) -> Rebuilt:
    """The state after the events with numbers up to and including `upto`; None: after all of them.

    `events` are a log from its beginning, in order. Takes time and memory in proportion to them.
    """
    teller = _Teller()
    for event in events:
        if upto is not None and event.event_id > upto:
            break
        teller.tell(event)
    return teller.told


class _Teller:
    """Takes one event after the other."""

    def __init__(self) -> None:
        self.told = Rebuilt()
        self._members: dict[IdentityId, dict[TrackletNumber, None]] = {}
        self._undoable: dict[EventId, Event] = {}

    def tell(self, event: Event) -> None:
        """Let an event have happened."""
        identity_id, other_id = event.identity_id, event.other_identity_id
        identities = self.told.identities
        before = identities.get(identity_id, RebuiltIdentity())
        match event.kind:
            case EventKind.CREATED | EventKind.LINKED | EventKind.SPLIT | EventKind.RESTORED:
                identities[identity_id] = replace(before, state=IdentityState.ACTIVE, merged_into=None)
                for tracklet in moved(event):
                    self._move(tracklet, identity_id)
                if event.kind is EventKind.RESTORED and other_id is not None:
                    self._return_name(identity_id, other_id)
            case EventKind.MERGED if other_id is not None:
                self._merge(identity_id, other_id)
            case EventKind.RENAMED:
                identities[identity_id] = replace(before, name_id=event.name_id)
            case EventKind.EXPIRED:
                identities[identity_id] = replace(before, state=IdentityState.EXPIRED)
            case EventKind.ERASED:
                self._erase(identity_id)
        if event.act_id is not None:
            self._assert(event)
        else:
            self._undoable[event.event_id] = replace(event, tracklets=())

    def _assert(self, event: Event) -> None:
        told = self.told
        if event.undoes is not None:
            told.constraints = told.constraints.withdrawn(event.undoes)
        undone = None if event.undoes is None else self._undoable.get(event.undoes)
        assertion = assertion_of(event, undone=undone, members=lambda one: self._members.get(one, {}))
        if assertion is not None and assertion.says_something:
            told.constraints.add(assertion, identities=told.tracklets)

    def _move(self, tracklet: TrackletNumber, identity_id: IdentityId) -> None:
        former = self.told.tracklets.get(tracklet)
        if former is not None:
            del self._members[former][tracklet]
        self.told.tracklets[tracklet] = identity_id
        self._members.setdefault(identity_id, {})[tracklet] = None
        self.told.constraints.move(tracklet, identity_id)

    def _merge(self, survivor_id: IdentityId, absorbed_id: IdentityId) -> None:
        identities = self.told.identities
        survivor, absorbed = identities[survivor_id], identities[absorbed_id]
        for tracklet in list(self._members.get(absorbed_id, ())):
            self._move(tracklet, survivor_id)
        active = IdentityState.ACTIVE in (survivor.state, absorbed.state)
        identities[survivor_id] = replace(
            survivor,
            state=IdentityState.ACTIVE if active else survivor.state,
            name_id=absorbed.name_id if survivor.name_id is None else survivor.name_id,
        )
        identities[absorbed_id] = replace(absorbed, state=IdentityState.MERGED, merged_into=survivor_id)

    def _return_name(self, identity_id: IdentityId, origin_id: IdentityId) -> None:
        origin = self.told.identities[origin_id]
        if origin.name_id == self.told.identities[identity_id].name_id:
            self.told.identities[origin_id] = replace(origin, name_id=None)

    def _erase(self, identity_id: IdentityId) -> None:
        told = self.told
        for part in self._parts(identity_id):
            told.identities[part] = replace(told.identities[part], name_id=None)
        told.identities[identity_id] = replace(told.identities[identity_id], state=IdentityState.ERASED)
        gone = self._members.pop(identity_id, {})
        for tracklet in gone:
            del told.tracklets[tracklet]
        told.constraints = told.constraints.erased(gone)

    def _parts(self, identity_id: IdentityId) -> list[IdentityId]:
        """The identity and those that were merged into it, or into these."""
        found = [identity_id]
        for one in found:
            found += [other for other, known in self.told.identities.items() if known.merged_into == one]
        return found
