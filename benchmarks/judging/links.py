"""Which of a hub's automatic links are wrong, by who the tracklets truly are.

A link is wrong when the majority of the identity's other tracklets, each for whom it shows at that moment, is another
person than the one whom the tracklet shows. A merge is taken for one link of all that comes with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from hub.records import Event, EventKind, Tracklet, TrackletNumber
from passerby.ids import IdentityId
from simulation.tapes.truth import NOT_A_PERSON, Stretch, TapeTruth

SETTLED_NS = 10 * 10**9
"""So long after a tracklet was last seen it is asked whom it was linked with."""


class Link(msgspec.Struct, frozen=True, array_like=True):
    """One automatic link."""

    order: int
    """How many tracklets had been decided on this site before: its experience."""
    probability: float | None
    """That the link is right, as the hub said."""
    wrong: bool
    merge: bool
    """Two identities were made one; otherwise a tracklet was given to an identity."""


class Settled(msgspec.Struct, frozen=True, array_like=True):
    """A tracklet of a person, soon after it ended."""

    order: int
    known: bool
    """An earlier tracklet of the same person had been decided: there was a true link to make."""
    linked: bool
    """It is not alone in its identity."""
    right: bool
    """And most of the others are of the same person."""


@dataclass(slots=True)
class _Decided:
    members: dict[IdentityId, dict[TrackletNumber, None]]
    of: dict[TrackletNumber, IdentityId]


class TrueLinks:
    """Follows a log of events with the truth beside it."""

    def __init__(self, tracklets: Mapping[TrackletNumber, Tracklet], truth: TapeTruth) -> None:
        stretches = {(one.boot, one.tracklet): one.stretches for one in truth.tracklets}
        self._start_ns = truth.start_ns
        self._tracklets = tracklets
        self._stretches: dict[TrackletNumber, list[Stretch]] = {
            number: stretches[t.boot_id.hex(), t.tracklet_id] for number, t in tracklets.items()
        }
        self._decided = _Decided({}, {})
        self._order: dict[TrackletNumber, int] = {}
        self._first: dict[int, int] = {}
        self.links: list[Link] = []
        self.settled: list[Settled] = []

    def follow(self, events: Iterable[Event]) -> None:
        """Take a whole log, in its order."""
        due = sorted((t.ended_at_ns + SETTLED_NS, number) for number, t in self._tracklets.items())
        asked = 0
        for event in events:
            while asked < len(due) and due[asked][0] <= event.at_ns:
                self._settle(due[asked][1], at_ns=due[asked][0])
                asked += 1
            self._take(event)
        for at_ns, number in due[asked:]:
            self._settle(number, at_ns=at_ns)

    def person(self, number: TrackletNumber, *, at_ns: int) -> int:
        """Whom a tracklet shows at a time, or last showed."""
        stretches = self._stretches[number]
        if len(stretches) == 1:
            return stretches[0].person
        seconds = (at_ns - self._start_ns) / 1e9
        begun = [stretch for stretch in stretches if stretch.begin_s <= seconds]
        return (begun[-1] if begun else stretches[0]).person

    def _take(self, event: Event) -> None:
        decided = self._decided
        if event.kind in (EventKind.CREATED, EventKind.LINKED, EventKind.SPLIT) and event.tracklet is not None:
            former = decided.of.get(event.tracklet)
            if former is not None:
                decided.members[former].pop(event.tracklet, None)
            order = self._order.setdefault(event.tracklet, len(self._order))
            for stretch in self._stretches[event.tracklet]:
                self._first.setdefault(stretch.person, order)
            if event.kind is EventKind.LINKED:
                majority = self._majority(event.identity_id, at_ns=event.at_ns, without=event.tracklet)
                wrong = majority is not None and majority != self.person(event.tracklet, at_ns=event.at_ns)
                self.links.append(Link(order, event.evidence.probability, wrong, False))
            decided.members.setdefault(event.identity_id, {})[event.tracklet] = None
            decided.of[event.tracklet] = event.identity_id
        elif event.kind is EventKind.MERGED and event.other_identity_id is not None:
            majorities = [self._majority(i, at_ns=event.at_ns) for i in (event.identity_id, event.other_identity_id)]
            self.links.append(Link(len(self._order), event.evidence.probability, majorities[0] != majorities[1], True))
            absorbed = decided.members.pop(event.other_identity_id, {})
            decided.members.setdefault(event.identity_id, {}).update(absorbed)
            decided.of.update(dict.fromkeys(absorbed, event.identity_id))

    def _settle(self, number: TrackletNumber, *, at_ns: int) -> None:
        identity_id = self._decided.of.get(number)
        person = self.person(number, at_ns=at_ns)
        if identity_id is None or person == NOT_A_PERSON:
            return
        order = self._order[number]
        majority = self._majority(identity_id, at_ns=at_ns, without=number)
        self.settled.append(Settled(order, self._first[person] < order, majority is not None, majority == person))

    def _majority(self, identity_id: IdentityId, *, at_ns: int, without: TrackletNumber | None = None) -> int | None:
        """The person of most of an identity's tracklets, of equally many the one that came first; None of none."""
        members = self._decided.members.get(identity_id, {})
        people = Counter(self.person(number, at_ns=at_ns) for number in members if number != without)
        return people.most_common(1)[0][0] if people else None
