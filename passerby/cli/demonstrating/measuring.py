"""What a run on a simulated site was worth: who was found, how soon, at what cost."""

import itertools
import resource
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from hub.export import CameraTracks, one_row_each, tracks
from hub.history import DecisionHistory
from hub.reader import SiteReader
from passerby.codec import decode
from passerby.ids import BootId, CameraId, TrackletId
from passerby.messages import TrackletUpdate
from passerby.tape import read_tape
from simulation.live import LiveSite
from training.evaluate.tracks import SiteTracking, TrackBoxes, evaluate_tracks

LEAST_VISIBILITY = 0.25
"""Who shows less of the body is neither expected nor forbidden to be found."""

_SECOND_NS = 1_000_000_000


class Demonstrated(Struct, frozen=True, kw_only=True):
    """The figures of a run. Fractions are 0-1, None where nobody was to be seen.

    `idf1`, `hota`, `assa`: identities as decided 2 s after each frame; `_final`: as finally known. `fps`: the worst
    camera's share of its nominal rate. Latency: from a tracklet's first usable crop to its first association.
    `cpu_seconds`: of all processes, without what was rendered ahead.
    """

    cameras: int
    rendered: Literal["live", "ahead"]
    seconds: float
    frames: int
    fps: float
    tracklets: int
    identities_true: int
    identities_found: int
    idf1: float | None
    hota: float | None
    assa: float | None
    idf1_final: float | None
    hota_final: float | None
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    dropped: int
    reconnects: int
    cpu_seconds: float
    rss_mb: int


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(
    live: LiveSite,
    data: Path,
    tape: Path,
    *,
    seconds: float,
    rss_mib: int,
    cpu_s: float,
    rendered: Literal["live", "ahead"],
) -> Demonstrated:
    """The figures of a finished run from its data folder, its tape and the truth of the pictures that were sent."""
    seen = tracks(data)
    truth = {camera: _true_boxes(live, camera) for camera in live.site.camera_ids}
    decided = _quality(live, seen, truth, final=False)
    final = _quality(live, seen, truth, final=True)
    with SiteReader(data) as reader:
        statuses = [stored.status for stored in reader.cameras()]
        tracklets = len(reader.tracklets())
        latencies = _latencies_ms(reader, tape)
    return Demonstrated(
        cameras=len(live.site.camera_ids),
        rendered=rendered,
        seconds=round(seconds, 1),
        frames=sum(status.frames for status in statuses),
        fps=min((_share_of_rate(status.achieved_fps, status.expected_fps) for status in statuses), default=0.0),
        tracklets=tracklets,
        identities_true=len(set(itertools.chain.from_iterable(boxes.ids[boxes.counts] for boxes in truth.values()))),
        identities_found=len({one for rows in seen.values() for one in np.unique(rows.identities).tolist() if one > 0}),
        idf1=_rounded(decided.site.idf1),
        hota=_rounded(decided.site.hota),
        assa=_rounded(decided.site.assa),
        idf1_final=_rounded(final.site.idf1),
        hota_final=_rounded(final.site.hota),
        latency_ms_p50=_percentile(latencies, 50),
        latency_ms_p95=_percentile(latencies, 95),
        dropped=sum(status.skipped_frames for status in statuses),
        reconnects=sum(status.reconnects for status in statuses),
        cpu_seconds=round(cpu_s, 1),
        rss_mb=rss_mib + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _true_boxes(live: LiveSite, camera: CameraId) -> TrackBoxes:
    """Who was in the pictures that were sent; frames are picture indices from 1."""
    truths = sorted(live.truths(camera).items())
    return TrackBoxes(
        frames=np.array([index + 1 for index, truth in truths for _ in range(len(truth))], np.int64),
        ids=_joined([truth.person_ids for _, truth in truths], np.int64),
        boxes_xyxy=_joined([truth.boxes_xyxy for _, truth in truths], np.float64).reshape(-1, 4),
        counts=_joined([truth.visibility >= LEAST_VISIBILITY for _, truth in truths], np.bool_),
    )


def _quality(
    live: LiveSite, seen: Mapping[CameraId, CameraTracks], truth: Mapping[CameraId, TrackBoxes], *, final: bool
) -> SiteTracking:
    return evaluate_tracks(
        {str(camera): boxes for camera, boxes in truth.items()},
        {str(camera): _found_boxes(live, camera, seen.get(camera), final=final) for camera in truth},
    )


def _found_boxes(live: LiveSite, camera: CameraId, rows: CameraTracks | None, *, final: bool) -> TrackBoxes:
    """What the hub says of the same pictures. A capture time says which picture it was; unsent ones do not count."""
    if rows is None or not len(rows):
        return TrackBoxes.empty()
    identities = rows.identities if final else rows.decided
    frames = np.array([live.frame_at(camera, at_ns) + 1 for at_ns in rows.captured_at_ns.tolist()], np.int64)
    sent = np.array([index + 1 for index in live.truths(camera)], np.int64)
    single = one_row_each(rows, identities)
    order = single[np.argsort(frames[single], kind="stable")]
    order = order[np.isin(frames[order], sent)]
    return TrackBoxes(
        frames=frames[order],
        ids=identities[order],
        boxes_xyxy=rows.boxes_xyxy[order].astype(np.float64),
        counts=np.ones(len(order), np.bool_),
    )


def _latencies_ms(reader: SiteReader, tape: Path) -> NDArray[np.float64]:
    """For every tracklet that was decided: from its first usable crop's capture to the hub's first decision."""
    first_crop: dict[tuple[BootId, TrackletId], int] = defaultdict(lambda: 2**63 - 1)
    for record in read_tape(tape):
        envelope = decode(record.parts)
        if isinstance(envelope.message, TrackletUpdate) and len(envelope.message.exemplars):
            key = (envelope.boot_id, envelope.message.tracklet_id)
            first_crop[key] = min(first_crop[key], int(envelope.message.exemplars.captured_at_ns.min()))
    history = DecisionHistory(reader.all_events())
    found = []
    for tracklet in reader.tracklets():
        decisions = history.decisions(tracklet.number)
        key = (tracklet.boot_id, tracklet.tracklet_id)
        if decisions and key in first_crop:
            found.append((decisions[0][0] - first_crop[key]) / _SECOND_NS * 1000)
    return np.array(found)


def _share_of_rate(achieved: float, expected: float) -> float:
    return round(min(1.0, achieved / expected), 3) if expected > 0 else 0.0


def _joined(parts: Iterable[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    arrays = list(parts)
    return np.concatenate(arrays).astype(kind) if arrays else np.zeros(0, kind)


def _percentile(values: NDArray[np.float64], share: float) -> float | None:
    return round(float(np.percentile(values, share)), 1) if len(values) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
