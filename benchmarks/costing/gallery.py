"""A hub's data folder with as many identities as wished: what a tape has taught, and a crowd from the hours before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.costing.crowd import PICTURES, Crowd, Passers
from hub.changes import Changes
from hub.database.storage import DatabaseStorage
from hub.playback import Batch, Playback
from hub.records import Boot, Identity, IdentityState, Tracklet, TrackletNumber
from hub.site_hub import Hub
from hub.spaces import ModelSpace, best_store
from hub.state import SiteState
from hub.statistics import StatisticsSource
from passerby.arrays import Int64Array
from passerby.errors import ConfigError
from passerby.ids import BootId, CameraId, EdgeId, IdentityId, TrackletId
from simulation.site import SimulatedSite
from simulation.tapes.clocks import NS_PER_SECOND, START_NS
from simulation.tapes.networks import DIMENSION, NetworkProfile

_BOOT = Boot(BootId(b"crowd of the day"), EdgeId("edge-of-the-day"), 0)
_TRACKLET_NS = 8 * NS_PER_SECOND
_BETWEEN_NS = 60 * NS_PER_SECOND
"""From one tracklet of a person to the next."""

_COUNTED_PEOPLE = 150
"""In each camera; statistics follow the latest 128."""

_STRANGERS = 3
"""One in so many of those whom the tape has shown is forgotten, so that strangers come."""


@dataclass(frozen=True, slots=True)
class GalleryChoice:
    """How many `identities`, of `each` tracklets, last seen evenly over `hours` that end `quiet_s` before the tape."""

    identities: int
    each: int = 4
    hours: float = 12.0
    quiet_s: float = 600.0

    @property
    def name(self) -> str:
        """For files.

        >>> GalleryChoice(1000).name
        '1000x4-12h-600s'
        """
        return f"{self.identities}x{self.each}-{self.hours:g}h-{self.quiet_s:g}s"

    @property
    def forget_after_s(self) -> float:
        """So that nobody of the gallery is forgotten within an hour of tape."""
        return self.hours * 3600 + self.quiet_s + 7200


def teach(folder: Path, batches: Sequence[Batch], *, site: SimulatedSite, network: NetworkProfile) -> None:
    """A new data folder of a hub that has known the cameras for long, and has played these batches.

    Some of the people in them are then forgotten.
    """
    _know_cameras(folder, site=site, network=network)
    with Hub.on(DatabaseStorage(folder, durable=False)) as hub:
        playback = Playback(hub)
        for batch in batches:
            playback.take(batch)
    storage = DatabaseStorage(folder, durable=False)
    try:
        state = storage.load(store=best_store(), statistics=StatisticsSource())
        seen_now = {t.identity_id for camera_id in _cameras(state) for t in state.open_in(camera_id)}
        for identity in list(state.identities.values())[::_STRANGERS]:
            if identity.identity_id not in seen_now:
                state.put_identity(replace(identity, state=IdentityState.EXPIRED))
                state.choose_prototypes(identity.identity_id)
        with storage.transaction() as transaction:
            transaction.save(state)
    finally:
        storage.close()


def enlarge(
    folder: Path,
    choice: GalleryChoice,
    *,
    site: SimulatedSite,
    network: NetworkProfile,
    progress: Callable[[float], None],
) -> None:
    """Add people to a taught folder until there are as many active identities as wished. `progress` hears 0-1.

    Their rows are written directly; a hub that opens the folder makes of them what it makes of its own. Raises
    ConfigError where there are more already.
    """
    storage = DatabaseStorage(folder, durable=False)
    try:
        state = storage.load(store=best_store(), statistics=StatisticsSource())
        missing = choice.identities - len(state.identities)
        if missing < 0:
            raise ConfigError(
                f"a gallery of {choice.identities}: there are {len(state.identities)} already, ask for more"
            )
        last_seen_ns = START_NS - round(1e9 * choice.quiet_s) - _evenly(missing, round(3600e9 * choice.hours))
        made = 0
        for passers in Crowd(site, network).people(missing, each=choice.each):
            times = last_seen_ns[made : made + len(passers)]
            changes = _rows(state, passers, times, site=site, network=network)
            with storage.transaction() as transaction:
                transaction.save_changes(state, changes)
            made += len(passers)
            progress(made / missing)
    finally:
        storage.close()


def _know_cameras(folder: Path, *, site: SimulatedSite, network: NetworkProfile) -> None:
    """Let the statistics of each camera be of as many people as they ever are: in large galleries all have come by."""
    statistics = StatisticsSource().begin(network.model_id, DIMENSION)
    space = ModelSpace(network.model_id, dimension=DIMENSION, statistics=statistics, store=best_store())
    people = _COUNTED_PEOPLE * len(site.camera_ids)
    for passers in Crowd(site, network).people(people, each=1):
        if statistics is not None:
            for person, (camera,) in enumerate(passers.cameras.tolist()):
                at_ns = START_NS + (person - people) * NS_PER_SECOND
                raw = passers.embeddings[person, 0]
                statistics.observe(site.camera_ids[camera], raw, at_ns=at_ns, quality=0.8)
    space.refresh_statistics()
    storage = DatabaseStorage(folder, durable=False)
    try:
        state = storage.load(store=best_store(), statistics=StatisticsSource())
        state.spaces[network.model_id] = space
        state.changes.models[network.model_id] = None
        with storage.transaction() as transaction:
            transaction.save(state)
    finally:
        storage.close()


def _cameras(state: SiteState) -> Sequence[CameraId]:
    return sorted({t.camera_id for t in state.tracklets.values()})


def _evenly(count: int, span_ns: int) -> Int64Array:
    """`count` times before now, the longest ago first."""
    return np.linspace(span_ns, 0, count, endpoint=False).astype(np.int64)


def _rows(
    state: SiteState, passers: Passers, last_seen_ns: Int64Array, *, site: SimulatedSite, network: NetworkProfile
) -> Changes:
    changes = Changes(boots={_BOOT.boot_id: _BOOT})
    each = passers.cameras.shape[1]
    width, height = site.kind.size
    for person, seen_ns in enumerate(last_seen_ns.tolist()):
        identity_id = IdentityId(state.next_number("identity"))
        begun_ns = seen_ns - _TRACKLET_NS - (each - 1) * _BETWEEN_NS
        changes.identities[identity_id] = Identity(
            identity_id=identity_id,
            state=IdentityState.ACTIVE,
            name=None,
            created_at_ns=begun_ns,
            updated_at_ns=seen_ns,
            merged_into=None,
        )
        for turn in range(each):
            number = TrackletNumber(state.next_number("tracklet"))
            started_ns = begun_ns + turn * _BETWEEN_NS
            changes.tracklets[number] = Tracklet(
                number=number,
                boot_id=_BOOT.boot_id,
                tracklet_id=TrackletId(number),
                camera_id=site.camera_ids[passers.cameras[person, turn]],
                model_id=network.model_id,
                started_at_ns=started_ns,
                ended_at_ns=started_ns + _TRACKLET_NS,
                revision=1,
                final=True,
                open=False,
                exemplars=PICTURES,
                quality=0.8,
                clock_source="rtcp",
                clock_error_ns=50_000_000,
                frame_width=width,
                frame_height=height,
                identity_id=identity_id,
                prototype=True,
                opened_at_ns=started_ns,
                updated_at_ns=started_ns + _TRACKLET_NS,
                embedding=passers.embeddings[person, turn],
            )
    return changes
