"""One gallery's hub opened as at any start, and live traffic played to it with a stopwatch."""

import gc
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.costing.figures import Figures, spread_ms
from benchmarks.costing.gallery import GalleryChoice
from benchmarks.costing.stopwatch import (
    PHASES,
    Stopwatch,
    WatchedAssociator,
    WatchedSource,
    WatchedStorage,
    WatchedStore,
)
from hub.association import CalibratedAssociator
from hub.collector import spare_what_is_there
from hub.database.storage import DatabaseStorage
from hub.playback import Batch, Playback
from hub.records import Event, EventKind
from hub.site_hub import Hub
from hub.spaces import best_store
from passerby.config import AssociationSettings
from passerby.ids import ModelId

_MIB = 2**20


def play(folder: Path, live: Sequence[Batch], choice: GalleryChoice, *, progress: Callable[[float], None]) -> Figures:
    """Play batches, at least two, to a hub on `folder` as it runs live: every batch is committed to the disk.

    The first batch is apart, as in it everything is made searchable. `progress` hears the share done, 0-1. One process
    for each call, or memory of the one before is counted.
    """
    watch = Stopwatch()
    before = _resident()
    begun = time.perf_counter()
    hub = _open(folder, watch, forget_after_s=choice.forget_after_s)
    spare_what_is_there()  # as the server does when it starts
    opening_s = time.perf_counter() - begun
    with hub:
        identities, playback = len(hub.state.identities), Playback(hub)
        begun = time.perf_counter()
        playback.take(live[0])
        first_batch_s = time.perf_counter() - begun
        watch.take()
        refreshes = watch.refreshes
        prototypes = sum(len(space) for space in hub.state.spaces.values())
        gc.collect()
        opened = _resident()
        rows: list[tuple[float, float, int, int, dict[str, float]]] = []
        events: list[Event] = []
        for number, batch in enumerate(live[1:], start=1):
            begun, cpu_begun = time.perf_counter(), time.process_time()
            events += playback.take(batch).events
            took, cpu = time.perf_counter() - begun, time.process_time() - cpu_begun
            seconds, associations, queries = watch.take()
            rows.append((took, cpu, associations, queries, seconds))
            progress(number / (len(live) - 1))
        played, refreshes = _resident(), watch.refreshes - refreshes
    counts = np.array([row[2] for row in rows], np.int64)
    took_s, cpu_s = (np.array([row[column] for row in rows], np.float64) for column in (0, 1))
    disk_s = np.array([row[4]["write"] + row[4]["commit"] for row in rows])
    each = np.maximum(counts, 1)
    total = max(int(counts.sum()), 1)
    phases_s = {name: sum(row[4][name] for row in rows) for name in PHASES}
    phases_s["else"] = float(took_s.sum()) - sum(phases_s.values())
    kinds = [event.kind for event in events]
    return Figures(
        identities=identities,
        prototypes=prototypes,
        each=choice.each,
        hours=choice.hours,
        quiet_s=choice.quiet_s,
        minutes=round((live[-1].received_at_ns - live[0].received_at_ns) / 60e9, 2),
        batches=len(rows),
        messages=sum(len(batch.deliveries) for batch in live[1:]),
        associations=int(counts.sum()),
        linked=kinds.count(EventKind.LINKED) + kinds.count(EventKind.MERGED),
        begun=kinds.count(EventKind.CREATED),
        refreshes=refreshes,
        association_ms=spread_ms(took_s / each, counts),
        association_cpu_ms=spread_ms(cpu_s / each, counts),
        memory_ms=spread_ms((took_s - disk_s) / each, counts),
        batch_ms=spread_ms(took_s, np.ones(len(rows), np.int64)),
        phases_ms={name: round(1e3 * seconds / total, 4) for name, seconds in phases_s.items()},
        queries=round(sum(row[3] for row in rows) / total, 2),
        opening_s=round(opening_s, 2),
        first_batch_s=round(first_batch_s, 2),
        before_mib=round(before / _MIB, 1),
        opened_mib=round(opened / _MIB, 1),
        played_mib=round(played / _MIB, 1),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        disk_mib=round(sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / _MIB, 1),
    )


def _open(folder: Path, watch: Stopwatch, *, forget_after_s: float) -> Hub:
    fastest = best_store()

    def store(model_id: ModelId, dimension: int) -> WatchedStore:
        return WatchedStore(fastest(model_id, dimension), watch)

    return Hub(
        WatchedStorage(DatabaseStorage(folder), watch),
        association=AssociationSettings(forget_after_s=forget_after_s),
        associator=WatchedAssociator(CalibratedAssociator(), watch),
        store=store,
        statistics=WatchedSource(watch=watch),
    )


def _resident() -> int:
    """Bytes of this process in memory."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
