"""Where a hub keeps its state: the seam between decisions and whatever remembers them."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from hub.paths import Path
from hub.records import Tracklet, TrackletNumber, Twin
from hub.spaces import StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from passerby.ids import BootId, TrackletId


class Transaction(Protocol):
    """One step of the hub, kept as a whole or not at all."""

    def find_tracklet(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        """A tracklet by the edge's name for it, also when it has gone out of mind; None if there never was one."""

    def path_of(self, tracklet: Tracklet) -> Path:
        """Where a tracklet was seen until the former step; NOWHERE if that is not known."""

    def is_erased(self, boot_id: BootId, tracklet_id: TrackletId) -> bool:
        """Whether a tracklet, by the edge's name for it, has been erased: it is not to come back."""

    def tracklets_numbered(self, numbers: Collection[TrackletNumber]) -> Sequence[Tracklet]:
        """Those of these tracklets that there are, as the former step has left them."""

    def twins_of(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        """All twins of these tracklets, of whatever model."""

    def save(self, state: SiteState) -> None:
        """Keep the changes of `state`, its counters and its clock. Once, as the last call."""

    def save_structures(self, state: SiteState) -> None:
        """Keep how stores are organized that have been reorganized, and nothing else: in place of `save`."""


class Storage(Protocol):
    """Keeps the state of one hub. What `load` gives is the same as what was in mind after the last transaction."""

    @property
    def name(self) -> str:
        """What it is, for messages to people."""

    def load(self, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:
        """The state as of the last transaction; in the beginning an empty one. Raises StoreError."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One step; where it raises, nothing of it is kept.

        Raises StoreError where it cannot be written, DataError where what it was given is refused.
        """

    def close(self) -> None:
        """Let go of all files."""
