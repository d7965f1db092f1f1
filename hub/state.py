"""What the hub has in mind while it runs: everything that a decision may need, and nothing that the database has not.

The state is a function of the database: `hub.database.loading` builds the same from the rows, after a restart or when a
transaction has failed. Changes go through the methods below, which note them for the transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hub.agenda import Agenda
from hub.changes import Changes, ReportedStatus
from hub.corrections.constraints import Assertion, Constraints
from hub.knowledge import Knowledge
from hub.paths import NOWHERE, Path
from hub.records import (
    ActId,
    Boot,
    Event,
    EventId,
    EventKind,
    Evidence,
    Identity,
    IdentityState,
    NameId,
    Tracklet,
    TrackletNumber,
    Twin,
)
from hub.rollout import Rollout, RolloutStep, Stage
from hub.spaces import ModelSpace
from passerby.ids import BootId, CameraId, IdentityId, ModelId, TrackletId
from passerby.messages import Observations

REMEMBERED_NS = 600 * 10**9
"""Closed tracklets are kept in mind for so long after their last news: who was where at the same time."""

PATHS_KEPT_NS = 120 * 10**9
"""Where somebody was is kept for so long after the last news."""

PICTURELESS = "pictureless"
"""The counter that says up to which tracklet pictures were let go."""

PROTOTYPES_PER_CAMERA = 3
"""An identity is searched by its latest tracklets of each camera: clothes and light change, old views mislead."""


class SiteState:
    """Open and recent tracklets, active identities, embedding spaces, counters, and the hub's time.

    The hub's time `clock_ns` never runs backwards. What a decision looks for is indexed here, so that its cost follows
    what is going on and not what has been.
    """

    def __init__(self, *, clock_ns: int = 0) -> None:
        self.clock_ns = clock_ns
        self.former_clock_ns = clock_ns
        """The hub's time of the transaction before this one."""
        self.counters: dict[str, int] = {}
        self.boots: dict[BootId, Boot] = {}
        self.identities: dict[IdentityId, Identity] = {}
        self.tracklets: dict[TrackletNumber, Tracklet] = {}
        self.spaces: dict[ModelId, ModelSpace] = {}
        self.knowledge = Knowledge()
        self.paths: dict[TrackletNumber, Path] = {}
        self.constraints = Constraints(identities={})
        self.rollout = Rollout()
        self.changes = Changes()
        self._numbers: dict[tuple[BootId, TrackletId], TrackletNumber] = {}
        self._members: dict[IdentityId, dict[TrackletNumber, None]] = {}
        self._prototypes: dict[tuple[IdentityId, ModelId], dict[TrackletNumber, None]] = {}
        self._silent = Agenda[TrackletNumber]()  # those of which the path is kept
        self._by_news = Agenda[TrackletNumber]()  # at minus its time: the latest first
        self._open: dict[CameraId, dict[TrackletNumber, None]] = {}
        self._undecided: dict[TrackletNumber, None] = {}
        self._open_since_news = Agenda[TrackletNumber]()
        self._waiting_since = Agenda[TrackletNumber]()
        self._forgettable = Agenda[TrackletNumber]()
        self._identities_by_news = Agenda[IdentityId]()
        self._identities_by_age = Agenda[IdentityId]()  # at minus their creation: the youngest first

    def next_number(self, counter: str) -> int:
        """The next number of this kind, from 1, never given again."""
        self.counters[counter] = self.counters.get(counter, 0) + 1
        return self.counters[counter]

    @property
    def next_event(self) -> EventId:
        """The number that the next event will have, by which all that are decided together with it are known."""
        return EventId(self.counters.get("event", 0) + 1)

    def find(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        """A tracklet in mind by the edge's name for it."""
        number = self._numbers.get((boot_id, tracklet_id))
        return None if number is None else self.tracklets[number]

    def size(self, identity_id: IdentityId) -> int:
        """How many tracklets of an identity are in mind."""
        return len(self._members.get(identity_id, ()))

    def members(self, identity_id: IdentityId) -> list[Tracklet]:
        """The tracklets of an identity that are in mind, in the order of their numbers."""
        return [self.tracklets[number] for number in sorted(self._members.get(identity_id, ()))]

    def prototypes(self, identity_id: IdentityId, model_id: ModelId) -> list[Tracklet]:
        """The tracklets that stand for an identity in one model's space, some by their twins, in the order of their
        numbers."""
        return [self.tracklets[number] for number in sorted(self._prototypes.get((identity_id, model_id), ()))]

    def lately(self, within_ns: int) -> list[Tracklet]:
        """The tracklets with news within this time, in the order of their numbers."""
        return [self.tracklets[number] for number in sorted(self._by_news.until(within_ns - self.clock_ns))]

    def walk(self, number: TrackletNumber, seen: Observations, *, frame_height: int) -> None:
        """Add sightings to the path of a tracklet."""
        path = self.paths.get(number, NOWHERE).extended(seen, frame_height=frame_height)
        if len(path):
            self.paths[number] = path

    def open_in(self, camera_id: CameraId) -> list[Tracklet]:
        """The open tracklets of a camera, in the order of their numbers."""
        return [self.tracklets[number] for number in sorted(self._open.get(camera_id, ()))]

    def undecided(self) -> list[Tracklet]:
        """The tracklets without an identity, in the order of their numbers."""
        return [self.tracklets[number] for number in sorted(self._undecided)]

    def open_without_news_since(self, at_ns: int) -> list[Tracklet]:
        """The open tracklets whose last news came then or before, the most silent first."""
        return [self.tracklets[number] for number in self._open_since_news.until(at_ns)]

    @property
    def longest_silent_ns(self) -> int | None:
        """The time of the last news of the most silent open tracklet; None if none is open."""
        return self._open_since_news.earliest

    @property
    def longest_waiting_ns(self) -> int | None:
        """The hub's time at the first update of the undecided open tracklet that came first; None if there is none."""
        return self._waiting_since.earliest

    @property
    def undecided_count(self) -> int:
        """How many tracklets have no identity."""
        return len(self._undecided)

    @property
    def closed_undecided(self) -> bool:
        """Whether a tracklet was closed without a decision."""
        return len(self._undecided) > len(self._waiting_since)

    def identities_without_news_since(self, at_ns: int) -> list[Identity]:
        """The active identities whose last news came then or before, the most silent first."""
        return [self.identities[identity_id] for identity_id in self._identities_by_news.until(at_ns)]

    def identities_created_since(self, at_ns: int) -> list[Identity]:
        """The active identities that began then or later, the youngest first."""
        return [self.identities[identity_id] for identity_id in self._identities_by_age.until(-at_ns)]

    def recall(self, tracklet: Tracklet) -> None:
        """Take a stored tracklet into mind without changing it."""
        former = self.tracklets.get(tracklet.number)
        self._index(former, tracklet)
        self._schedule(tracklet)
        self.constraints.move(tracklet.number, tracklet.identity_id)
        self.tracklets[tracklet.number] = tracklet
        self._numbers[tracklet.boot_id, tracklet.tracklet_id] = tracklet.number
        if tracklet.identity_id is not None:
            self._members.setdefault(tracklet.identity_id, {})[tracklet.number] = None

    def put_tracklet(self, tracklet: Tracklet) -> None:
        """Add or replace a tracklet."""
        self.recall(tracklet)
        self.changes.tracklets[tracklet.number] = tracklet

    def recall_twin(self, twin: Twin) -> None:
        """Take a stored twin into mind, of a tracklet that is there or comes next; its model has a space."""
        space = self.spaces[twin.model_id]
        space.put_twin(twin)
        tracklet = self.tracklets.get(twin.tracklet)
        if tracklet is not None and tracklet.prototype:
            space.put(tracklet)
            if tracklet.identity_id is not None:
                self._prototypes.setdefault((tracklet.identity_id, twin.model_id), {})[tracklet.number] = None

    def put_twin(self, twin: Twin) -> None:
        """Add or replace a twin, of a tracklet in mind or not."""
        if twin.tracklet in self.tracklets:
            self.recall_twin(twin)
        self.changes.twins[twin.tracklet, twin.model_id] = twin

    def drop_twins(self, tracklet: Tracklet) -> None:
        """Let go of all twins of a tracklet in mind, which is about to change: they show what it was."""
        if len(self.spaces) == 1:
            return
        for model_id, space in self.spaces.items():
            if space.twin(tracklet.number) is not None:
                if tracklet.prototype and tracklet.identity_id is not None:
                    del self._prototypes[tracklet.identity_id, model_id][tracklet.number]
                space.remove(tracklet.number)
                space.drop_twin(tracklet.number)
        self.changes.drop_twins(tracklet.number)

    def roll(
        self, model_id: ModelId, stage: Stage, *, act_id: ActId, cameras: tuple[CameraId, ...] = (), reason: str = ""
    ) -> None:
        """Append to the log of rollouts, at the hub's time."""
        step = RolloutStep(
            number=self.next_number("rollout"),
            at_ns=self.clock_ns,
            model_id=model_id,
            stage=stage,
            cameras=cameras,
            reason=reason,
            act_id=act_id,
        )
        self.rollout = self.rollout.after([step])
        self.changes.rollouts.append(step)

    def put_identity(self, identity: Identity) -> None:
        """Add or replace an identity; one that is no longer active goes out of mind."""
        self.changes.identities[identity.identity_id] = identity
        self.recall_identity(identity)

    def recall_identity(self, identity: Identity) -> None:
        """Take a stored identity into mind without changing it."""
        if identity.state is IdentityState.ACTIVE:
            self.identities[identity.identity_id] = identity
            self._identities_by_news.put(identity.identity_id, at=identity.updated_at_ns)
            self._identities_by_age.put(identity.identity_id, at=-identity.created_at_ns)
        else:
            self.identities.pop(identity.identity_id, None)
            self._identities_by_news.discard(identity.identity_id)
            self._identities_by_age.discard(identity.identity_id)

    def put_boot(self, boot: Boot) -> None:
        """Note how far an edge's life is committed."""
        self.boots[boot.boot_id] = boot
        self.changes.boots[boot.boot_id] = boot

    def put_status(self, reported: ReportedStatus) -> None:
        """Note how a camera is doing."""
        self.changes.statuses[reported.status.camera_id] = reported

    def say(
        self,
        kind: EventKind,
        identity_id: IdentityId,
        *,
        other: IdentityId | None = None,
        tracklet: TrackletNumber | None = None,
        camera_id: CameraId | None = None,
        evidence: Evidence | None = None,
        tracklets: tuple[TrackletNumber, ...] = (),
        undoes: EventId | None = None,
        act_id: ActId | None = None,
        pass_id: EventId | None = None,
        name_id: NameId | None = None,
    ) -> EventId:
        """Append to the log, at the hub's time; gives the event's number. The arguments are those of Event."""
        event_id = EventId(self.next_number("event"))
        self.changes.events.append(
            Event(
                event_id=event_id,
                at_ns=self.clock_ns,
                kind=kind,
                identity_id=identity_id,
                other_identity_id=other,
                tracklet=tracklet,
                camera_id=camera_id,
                evidence=evidence or Evidence(),
                tracklets=tracklets,
                undoes=undoes,
                act_id=act_id,
                pass_id=pass_id,
                name_id=name_id,
            )
        )
        return event_id

    def bind(self, assertion: Assertion, *, identities: Mapping[TrackletNumber, IdentityId]) -> None:
        """Let what an operator says hold from now on; `identities` says where its tracklets are."""
        if assertion.says_something:
            self.constraints.add(assertion, identities=identities)
            self.changes.assertions[assertion.event_id] = assertion

    def unbind(self, event_id: EventId) -> None:
        """Let what an operator has said in this event hold no more."""
        self.constraints = self.constraints.withdrawn(event_id)
        self.changes.assertions[event_id] = None

    def erase(self, tracklets: Collection[Tracklet]) -> None:
        """Let nothing be left of these tracklets, in mind or stored, nor in what operators have said."""
        for tracklet in tracklets:
            number = tracklet.number
            if number in self.tracklets:
                # Out of every index first, as one that nothing needs.
                self.recall(replace(tracklet, open=False, prototype=False, identity_id=None))
                self._forget(number)
            self.changes.tracklets.pop(number, None)
            self.changes.drop_twins(number)
            self.changes.erased[number] = (tracklet.boot_id, tracklet.tracklet_id)
        gone = [tracklet.number for tracklet in tracklets]
        for space in self.spaces.values():
            space.erase(gone)
        before = {one.event_id: one for one in self.constraints.assertions}
        self.constraints = self.constraints.erased(gone)
        after = {one.event_id: one for one in self.constraints.assertions}
        for event_id, one in before.items():
            if after.get(event_id) != one:
                self.changes.assertions[event_id] = after.get(event_id)

    def let_go_pictures(self, numbers: Sequence[TrackletNumber]) -> None:
        """Let no picture of these tracklets be kept, which are the first ones after those let go before."""
        self.changes.pictureless.update(dict.fromkeys(numbers))
        self.counters[PICTURELESS] = max(numbers)

    def absorb(self, survivor: IdentityId, absorbed: IdentityId) -> None:
        """Let everything of `absorbed` belong to `survivor`, what is not in mind too."""
        for member in self.members(absorbed):
            self.put_tracklet(replace(member, identity_id=survivor))
        self.changes.merges.append((survivor, absorbed))
        self.constraints.absorb(survivor, absorbed)

    def choose_prototypes(self, identity_id: IdentityId) -> None:
        """Let the latest tracklets of each camera and model stand for the identity.

        A tracklet stands, with all its twins, as long as the model that it came with describes few later ones of its
        camera. So twins in another space change nothing about who stands here, whatever they are for; and once the
        tracklets of a new model have twins in the former one, they take the place of the old ones and the gallery does
        not double. Twins that were only mapped displace nobody.
        """
        chosen: dict[tuple[ModelId, CameraId], int] = {}
        active = identity_id in self.identities
        for member in sorted(self.members(identity_id), key=lambda t: (-t.ended_at_ns, -t.number)):
            for model_id in self._seen_by(member):
                chosen[model_id, member.camera_id] = chosen.get((model_id, member.camera_id), 0) + 1
            wanted = active and chosen[member.model_id, member.camera_id] <= PROTOTYPES_PER_CAMERA
            if member.prototype != wanted:
                self.put_tracklet(replace(member, prototype=wanted))

    def forget_old_tracklets(self) -> None:
        """Let go of tracklets that are closed, no prototypes, and without news for REMEMBERED_NS.

        `hub.database.loading` says the same in SQL.
        """
        for number in self._forgettable.until(self.clock_ns - REMEMBERED_NS - 1):
            self._forget(number)
        for number in self._silent.until(self.clock_ns - PATHS_KEPT_NS - 1):
            self._silent.discard(number)
            self.paths.pop(number, None)

    def _seen_by(self, tracklet: Tracklet) -> list[ModelId]:
        """The models that have seen a tracklet's pictures."""
        twins = {model_id: space.twin(tracklet.number) for model_id, space in self.spaces.items()}
        return [tracklet.model_id, *(model_id for model_id, twin in twins.items() if twin and not twin.mapped)]

    def _forget(self, number: TrackletNumber) -> None:
        tracklet = self.tracklets.pop(number)
        for space in self.spaces.values():
            space.drop_twin(number)
        self.paths.pop(number, None)
        del self._numbers[tracklet.boot_id, tracklet.tracklet_id]
        self._forgettable.discard(number)
        self._by_news.discard(number)
        self._silent.discard(number)
        self._undecided.pop(number, None)
        if tracklet.identity_id is not None:
            self._forget_member(tracklet.identity_id, tracklet.number)

    def _forget_member(self, identity_id: IdentityId, number: TrackletNumber) -> None:
        members = self._members[identity_id]
        del members[number]
        if not members:
            del self._members[identity_id]

    def _index(self, former: Tracklet | None, tracklet: Tracklet) -> None:
        """Keep the spaces' prototypes and the identities' members in step with a tracklet that changes."""
        if former is not None:
            if former.identity_id is not None and former.identity_id != tracklet.identity_id:
                self._forget_member(former.identity_id, former.number)
            if former.prototype:
                self._index_no_more(former, tracklet)
            if former.model_id != tracklet.model_id or not tracklet.open:
                self.spaces[former.model_id].forget(former.number)
        for model_id, space in self.spaces.items() if tracklet.prototype else ():
            if not space.describes(tracklet):
                continue
            if tracklet.identity_id is not None:
                self._prototypes.setdefault((tracklet.identity_id, model_id), {})[tracklet.number] = None
            same = former is not None and former.prototype and space.describes(former)
            if not (same and former is not None and space.raw_of(former) is space.raw_of(tracklet)):
                space.put(tracklet)

    def _index_no_more(self, former: Tracklet, tracklet: Tracklet) -> None:
        """Let a prototype stand for nobody, and be in no space where it does not stay, before it changes."""
        for model_id, space in self.spaces.items():
            if not space.describes(former):
                continue
            if former.identity_id is not None:
                del self._prototypes[former.identity_id, model_id][former.number]
            if not (tracklet.prototype and space.describes(tracklet)):
                space.remove(former.number)

    def _schedule(self, tracklet: Tracklet) -> None:
        """Keep in step by what a tracklet is found when time passes."""
        number = tracklet.number
        self._by_news.put(number, at=-tracklet.updated_at_ns)
        self._silent.put(number, at=tracklet.updated_at_ns)
        if tracklet.open:
            self._open.setdefault(tracklet.camera_id, {})[number] = None
            self._open_since_news.put(number, at=tracklet.updated_at_ns)
        else:
            opened = self._open.get(tracklet.camera_id, {})
            if number in opened:
                del opened[number]
            self._open_since_news.discard(number)
        if tracklet.identity_id is None:
            self._undecided[number] = None
        else:
            self._undecided.pop(number, None)
        if tracklet.open and tracklet.identity_id is None:
            self._waiting_since.put(number, at=tracklet.opened_at_ns)
        else:
            self._waiting_since.discard(number)
        if tracklet.open or tracklet.prototype:
            self._forgettable.discard(number)
        else:
            self._forgettable.put(number, at=tracklet.updated_at_ns)
