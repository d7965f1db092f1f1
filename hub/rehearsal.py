"""A hub that keeps nothing: the same decisions without a database, for trying many tapes and settings."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hub.association import Associator
from hub.history import DecisionHistory
from hub.paths import NOWHERE, Path
from hub.playback import Batch, Playback
from hub.records import Event, Tracklet, TrackletNumber, Twin
from hub.site_hub import Hub
from hub.spaces import StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import BootId, IdentityId, ModelId, TrackletId
from passerby.models import ReferenceStatistics


class MemoryStorage:
    """Tracklets with their paths and events in memory, exemplars and crops nowhere.

    It cannot give a state back: where a step fails, the hub on it is at its end.
    """

    def __init__(self) -> None:
        self.tracklets: dict[TrackletNumber, Tracklet] = {}
        """Every tracklet there ever was as it now stands, by number."""
        self.events: list[Event] = []
        self.twins: dict[tuple[TrackletNumber, ModelId], Twin] = {}
        """Every twin that was taken, of the present revision of its tracklet."""
        self._numbers: dict[tuple[BootId, TrackletId], TrackletNumber] = {}
        self._members: dict[IdentityId, set[TrackletNumber]] = {}
        self._paths: dict[TrackletNumber, Path] = {}
        self._begun = False

    @property
    def name(self) -> str:
        return "memory"

    def load(self, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:  # noqa: ARG002
        if self._begun:
            raise StoreError("a step has failed, and what is kept in memory alone cannot be read again; start anew")
        self._begun = True
        return SiteState()

    @contextlib.contextmanager
    def transaction(self) -> Iterator["MemoryStorage"]:
        yield self

    def find_tracklet(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        number = self._numbers.get((boot_id, tracklet_id))
        return None if number is None else self.tracklets[number]

    def path_of(self, tracklet: Tracklet) -> Path:
        return self._paths.get(tracklet.number, NOWHERE)

    def is_erased(self, boot_id: BootId, tracklet_id: TrackletId) -> bool:  # noqa: ARG002
        return False

    def tracklets_numbered(self, numbers: Collection[TrackletNumber]) -> Sequence[Tracklet]:
        return [self.tracklets[number] for number in sorted(numbers) if number in self.tracklets]

    def twins_of(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        return [twin for key, twin in sorted(self.twins.items()) if key[0] in numbers]

    def save_structures(self, state: SiteState) -> None:
        """Nothing to keep: the stores themselves stay."""

    def save(self, state: SiteState) -> None:
        for survivor, absorbed in state.changes.merges:
            for number in sorted(self._members.get(absorbed, ())):
                self._put(replace(self.tracklets[number], identity_id=survivor))
        for tracklet in state.changes.tracklets.values():
            self._put(tracklet)
        for number, _ in state.changes.observations:
            self._paths[number] = state.paths[number]
        if state.changes.untwinned:
            self.twins = {key: twin for key, twin in self.twins.items() if key[0] not in state.changes.untwinned}
        self.twins |= state.changes.twins
        self.events += state.changes.events

    def close(self) -> None:
        """Nothing is open."""

    def _put(self, tracklet: Tracklet) -> None:
        former = self.tracklets.get(tracklet.number)
        if former is not None and former.identity_id is not None:
            self._members[former.identity_id].discard(former.number)
        self.tracklets[tracklet.number] = tracklet
        self._numbers[tracklet.boot_id, tracklet.tracklet_id] = tracklet.number
        if tracklet.identity_id is not None:
            self._members.setdefault(tracklet.identity_id, set()).add(tracklet.number)


class Rehearsal:
    """Plays tapes to a hub in memory. The decisions are those of a hub with a database, to the last bit.

    >>> rehearsal = Rehearsal()
    >>> rehearsal.play([])
    >>> rehearsal.identities(), len(rehearsal.events)
    ({}, 0)
    """

    def __init__(
        self,
        *,
        association: AssociationSettings | None = None,
        associator: Associator | None = None,
        store: StoreFactory | None = None,
        references: Mapping[ModelId, ReferenceStatistics] | None = None,
    ) -> None:
        """The arguments are those of `Hub.open`."""
        self._storage = MemoryStorage()
        self.hub = Hub.on(
            self._storage, association=association, associator=associator, store=store, references=references
        )
        """It takes single steps: `ingest`, `tick`, `state`."""

    def play(self, batches: Iterable[Batch], *, finish: bool = True) -> None:
        """Let the hub take these batches and, to `finish`, let time run on until everything is decided.

        `hub.playback.batches` makes them of a tape; in a list they can be played many times.
        """
        playback = Playback(self.hub)
        for batch in batches:
            playback.take(batch)
        if finish:
            playback.finish()

    @property
    def state(self) -> SiteState:
        """What the hub has in mind, to look at."""
        return self.hub.state

    @property
    def events(self) -> Sequence[Event]:
        """The whole log so far."""
        return self._storage.events

    @property
    def tracklets(self) -> Mapping[TrackletNumber, Tracklet]:
        """Every tracklet so far as it now stands, those that the hub has forgotten too."""
        return self._storage.tracklets

    def identities(self) -> dict[TrackletNumber, IdentityId | None]:
        """Who every tracklet is taken for now; None for those not yet decided."""
        return {number: tracklet.identity_id for number, tracklet in sorted(self._storage.tracklets.items())}

    def history(self) -> DecisionHistory:
        """Who every tracklet was taken for at any moment so far."""
        return DecisionHistory(self._storage.events)
