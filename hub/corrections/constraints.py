"""Who must be one person and who cannot be, because an operator has said so: in force for ever, whatever else changes.

Constraints hold between tracklets, not identities: identities come, are merged and go, tracklets stay. What one act has
said is an `Assertion`; later ones win over earlier ones, pair by pair of tracklets, and one that is withdrawn was never
said. Every lookup costs as much as the constraints that name the tracklet or identity, however many there are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.records import EventId, TrackletNumber
from passerby.errors import DataError
from passerby.ids import IdentityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What the operator's act of event `event_id` has said: none of `tracklets` is the person of any of `apart_from`.

    If `together`, all of `tracklets` are one person.
    """

    event_id: EventId
    tracklets: frozenset[TrackletNumber]
    apart_from: frozenset[TrackletNumber] = frozenset()
    together: bool

    def __post_init__(self) -> None:
        both = self.tracklets & self.apart_from
        if both:
            raise DataError(f"tracklet {min(both)} cannot be apart from itself (event {self.event_id})")

    def without(self, erased: Collection[TrackletNumber]) -> "Assertion | None":
        """The same about the tracklets that are left; None if that says nothing any more."""
        left = Assertion(
            event_id=self.event_id,
            tracklets=self.tracklets.difference(erased),
            apart_from=self.apart_from.difference(erased),
            together=self.together,
        )
        return left if left.says_something else None

    @property
    def says_something(self) -> bool:
        """Whether any pair of tracklets is bound."""
        return bool(self.tracklets and self.apart_from) or (self.together and len(self.tracklets) > 1)


@dataclass(frozen=True, slots=True)
class _Side:
    """One side, 0 or 1, of something that keeps two sets of tracklets apart."""

    apart: int
    side: int

    @property
    def opposite(self) -> "_Side":
        return _Side(self.apart, 1 - self.side)


class Constraints:
    """The assertions in force, and where their tracklets are now. Not thread-safe."""

    def __init__(
        self, assertions: Iterable[Assertion] = (), *, identities: Mapping[TrackletNumber, IdentityId]
    ) -> None:
        """`identities` says in which identity each tracklet of `assertions` is; those left out are in none."""
        self._assertions: dict[EventId, Assertion] = {}
        self._groups: dict[TrackletNumber, tuple[EventId, frozenset[TrackletNumber]]] = {}
        self._sides: dict[_Side, frozenset[TrackletNumber]] = {}
        self._said_by: dict[int, EventId] = {}
        self._sides_of: dict[TrackletNumber, dict[_Side, None]] = {}
        self._identities: dict[TrackletNumber, IdentityId] = {}
        self._members: dict[IdentityId, dict[TrackletNumber, None]] = {}
        self._next_apart = 0
        for assertion in sorted(assertions, key=lambda a: a.event_id):
            self.add(assertion, identities=identities)

    def cannot_be(self, tracklet: TrackletNumber, identity: IdentityId) -> bool:
        """Whether somebody who is kept apart from this tracklet is in that identity."""
        return any(
            self._identities.get(other) == identity
            for side in self._sides_of.get(tracklet, ())
            for other in self._among(side.opposite, identity)
        )

    def must_be(self, tracklet: TrackletNumber) -> IdentityId | None:
        """The identity of those who are one person with this tracklet, where an operator has said so; else None.

        Such a tracklet is not to be asked about any more.
        """
        if tracklet not in self._groups:
            return None
        others = (self._identities.get(other) for other in sorted(self._groups[tracklet][1]) if other != tracklet)
        return next((identity for identity in others if identity is not None), None)

    def cannot_be_one(self, first: IdentityId, second: IdentityId) -> bool:
        """Whether two identities hold tracklets that are kept apart."""
        return any(self.cannot_be(member, second) for member in self._members.get(first, ()))

    def are_apart(self, first: TrackletNumber, second: TrackletNumber) -> bool:
        """Whether two tracklets are kept apart."""
        others = self._sides_of.get(second, {})
        return any(side.opposite in others for side in self._sides_of.get(first, ()))

    def __contains__(self, tracklet: TrackletNumber) -> bool:
        """Whether anything at all is said about a tracklet: those of which nothing is need not be asked about."""
        return tracklet in self._sides_of or tracklet in self._groups

    @property
    def assertions(self) -> Iterator[Assertion]:
        """What is in force, in the order in which it was said."""
        return iter(self._assertions.values())

    def add(self, assertion: Assertion, *, identities: Mapping[TrackletNumber, IdentityId]) -> None:
        """Let something be said, which wins over what was said before. `identities` as for a new Constraints."""
        self._assertions[assertion.event_id] = assertion
        for tracklet in assertion.tracklets | assertion.apart_from:
            self._place(tracklet, identities.get(tracklet))
        if assertion.apart_from and assertion.tracklets:
            self._part(assertion)
        if assertion.together:
            self._join(assertion)

    def move(self, tracklet: TrackletNumber, identity: IdentityId | None) -> None:
        """Say that a tracklet is now in another identity."""
        if tracklet in self._identities and self._identities[tracklet] != identity:
            self._place(tracklet, identity)

    def absorb(self, survivor: IdentityId, absorbed: IdentityId) -> None:
        """Say that everything of `absorbed` is now in `survivor`."""
        for tracklet in list(self._members.get(absorbed, ())):
            self._place(tracklet, survivor)

    def withdrawn(self, event_id: EventId) -> "Constraints":
        """The constraints as if the act of this event had never said anything."""
        left = [a for a in self._assertions.values() if a.event_id != event_id]
        return Constraints(left, identities=self._identities)

    def erased(self, tracklets: Collection[TrackletNumber]) -> "Constraints":
        """The constraints as if these tracklets had never been."""
        left = [a for a in (a.without(tracklets) for a in self._assertions.values()) if a is not None]
        return Constraints(left, identities=self._identities)

    def broken(self) -> EventId | None:
        """The event of something in force that does not hold where the tracklets now are; None if all of it does."""
        for event_id, group in self._groups.values():
            if len({self._identities.get(tracklet) for tracklet in group}) > 1:
                return event_id
        for apart, event_id in self._said_by.items():
            sides = (self._sides[_Side(apart, 0)], self._sides[_Side(apart, 1)])
            first, second = ({self._identities.get(t) for t in side} - {None} for side in sides)
            if first & second:
                return event_id
        return None

    def in_force(self) -> tuple[frozenset[frozenset[TrackletNumber]], frozenset[frozenset[TrackletNumber]]]:
        """Sets of tracklets that are one person each, and pairs that are two: to compare two Constraints by."""
        pairs = {
            frozenset((left, right))
            for apart in self._said_by
            for left in self._sides[_Side(apart, 0)]
            for right in self._sides[_Side(apart, 1)]
        }
        return frozenset(group for _, group in self._groups.values()), frozenset(pairs)

    def _among(self, side: _Side, identity: IdentityId) -> Iterable[TrackletNumber]:
        """Tracklets among which all are that are on this side and in this identity: whichever set is the smaller."""
        members = self._members.get(identity, {})
        tracklets = self._sides[side]
        if len(tracklets) <= len(members):
            return tracklets
        return (member for member in members if member in tracklets)

    def _place(self, tracklet: TrackletNumber, identity: IdentityId | None) -> None:
        former = self._identities.pop(tracklet, None)
        if former is not None:
            members = self._members[former]
            del members[tracklet]
            if not members:
                del self._members[former]
        if identity is not None:
            self._identities[tracklet] = identity
            self._members.setdefault(identity, {})[tracklet] = None

    def _part(self, assertion: Assertion) -> None:
        """Keep two sets apart; whoever was one person over both is so no more."""
        both = assertion.tracklets | assertion.apart_from
        for event_id, group in {self._groups[t] for t in both if t in self._groups}:
            if group & assertion.tracklets and group & assertion.apart_from:
                self._group(group & assertion.tracklets, event_id)
                self._group(group & assertion.apart_from, event_id)
                self._group(group - both, event_id)
        self._keep_apart(assertion.tracklets, assertion.apart_from, event_id=assertion.event_id)

    def _join(self, assertion: Assertion) -> None:
        """Let a set be one person, with everybody who already is with one of it; nobody of it is apart any more."""
        one = assertion.tracklets.union(*(self._groups[t][1] for t in assertion.tracklets if t in self._groups))
        for apart in {side.apart for tracklet in one for side in self._sides_of.get(tracklet, ())}:
            left, right = self._sides[_Side(apart, 0)], self._sides[_Side(apart, 1)]
            if left & one and right & one:
                event_id = self._forget_apart(apart)
                self._keep_apart(left - one, right, event_id=event_id)
                self._keep_apart(left & one, right - one, event_id=event_id)
        self._group(one, assertion.event_id)

    def _group(self, tracklets: frozenset[TrackletNumber], event_id: EventId) -> None:
        for tracklet in tracklets:
            if len(tracklets) > 1:
                self._groups[tracklet] = (event_id, tracklets)
            else:
                self._groups.pop(tracklet, None)

    def _keep_apart(
        self, left: frozenset[TrackletNumber], right: frozenset[TrackletNumber], *, event_id: EventId
    ) -> None:
        if not (left and right):
            return
        apart = self._next_apart
        self._next_apart += 1
        self._said_by[apart] = event_id
        for side, tracklets in ((_Side(apart, 0), left), (_Side(apart, 1), right)):
            self._sides[side] = tracklets
            for tracklet in tracklets:
                self._sides_of.setdefault(tracklet, {})[side] = None

    def _forget_apart(self, apart: int) -> EventId:
        for side in (_Side(apart, 0), _Side(apart, 1)):
            for tracklet in self._sides.pop(side):
                del self._sides_of[tracklet][side]
                if not self._sides_of[tracklet]:
                    del self._sides_of[tracklet]
        return self._said_by.pop(apart)
