"""What a site's data say, as files: tracks per camera in MOT format, and the event log as JSON lines."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.history import DecisionHistory
from hub.reader import SiteReader
from hub.records import Event, TrackletNumber
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, IdentityId
from passerby.messages import Observations

DECIDED_AFTER_NS = 2_000_000_000
"""What was known so long after a frame is what it was *decided* as."""

_MAX_GAP_FRAMES = 300
"""A longer silence within a tracklet is not filled: ten seconds at 30 frames a second."""


@dataclass(frozen=True, slots=True)
class CameraTracks:
    """Everybody whom one camera saw: row i of each array is one person in one frame, by frame, then tracklet.

    `frame_numbers` (n,) int64 from 1; `captured_at_ns` (n,) int64; `tracklets` (n,) int64 the hub's numbers;
    `identities` (n,) int64 as finally known and `decided` (n,) int64 as known two seconds after the frame, 0 for
    nobody yet; `boxes_xyxy` (n, 4) float32 pixels; `confidence` (n,) float32; `interpolated` (n,) bool: not looked at,
    the box lies between those of the frames before and after.
    """

    frame_numbers: Int64Array
    captured_at_ns: Int64Array
    tracklets: Int64Array
    identities: Int64Array
    decided: Int64Array
    boxes_xyxy: Float32Array
    confidence: Float32Array
    interpolated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frame_numbers)


def tracks(data_dir: Path) -> dict[CameraId, CameraTracks]:
    """The tracks of every camera, by its name. Raises StoreError."""
    with SiteReader(data_dir) as reader:
        history = DecisionHistory(reader.all_events())
        parts: dict[CameraId, list[CameraTracks]] = {}
        for tracklet in reader.tracklets():
            path = _tracklet_rows(tracklet.number, reader.observations(tracklet.number), history)
            parts.setdefault(tracklet.camera_id, []).append(path)
    return {camera_id: _by_frame(parts[camera_id]) for camera_id in sorted(parts)}


def write_mot(
    data_dir: Path, out_dir: Path, *, as_decided: bool = False, cameras: Iterable[CameraId] = ()
) -> list[Path]:
    """Write `out_dir`/CAMERA.txt in MOT format: `frame,identity,x,y,w,h,confidence,-1,-1,-1`.

    Identities as finally known, or `as_decided` two seconds after each frame; people without an identity are left out.
    Each of `cameras` gets its file even if it saw nobody. Gives the files written. Raises StoreError.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    seen_by = tracks(data_dir)
    written = []
    for camera_id in sorted({*seen_by, *cameras}):
        file = out_dir / f"{camera_id}.txt"
        file.write_text("".join(_mot_lines(seen_by.get(camera_id), as_decided=as_decided)), encoding="ascii")
        written.append(file)
    return written


def write_events(data_dir: Path, path: Path) -> int:
    """Write the event log as JSON lines; gives how many. Raises StoreError."""
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with SiteReader(data_dir) as reader, path.open("w", encoding="utf-8") as file:
        for event in reader.all_events():
            file.write(event_json(event) + "\n")
            count += 1
    return count


def event_json(event: Event, **more: Any) -> str:
    """One event as one line of JSON; what is not known is left out, `more` is added."""
    plain = {
        "event": event.event_id,
        "at_ns": event.at_ns,
        "kind": event.kind.value,
        "identity": event.identity_id,
        "other_identity": event.other_identity_id,
        "tracklet": event.tracklet,
        "camera": event.camera_id,
        "tracklets": list(event.tracklets) or None,
        "undoes": event.undoes,
        "act": event.act_id,
        "pass": event.pass_id,
        "name": event.name_id,
        **more,
    }
    known = {key: value for key, value in plain.items() if value is not None}
    return json.dumps({**known, "evidence": msgspec.to_builtins(event.evidence)}, ensure_ascii=False)


def interpolate(seen: Observations, *, max_gap_frames: int = _MAX_GAP_FRAMES) -> tuple[Observations, NDArray[np.bool_]]:
    """Observations in frame order with a row for every frame number between, and which rows (n,) bool were made up.

    Times, boxes and confidence in between lie on straight lines. Gaps of more than `max_gap_frames` stay open.
    Of a frame that is there twice, the last row counts.
    """
    if not len(seen):
        return seen, np.zeros(0, bool)
    order = np.argsort(seen.frame_numbers, kind="stable")
    frames, order = _last_of_each_frame(seen.frame_numbers[order], order)
    wanted = [frames[:1]]
    for before, after in itertools.pairwise(frames.tolist()):
        filled = after - before <= max_gap_frames
        wanted.append(np.arange(before + 1, after + 1) if filled else np.array([after]))
    numbers = np.concatenate(wanted)
    made_up = ~np.isin(numbers, frames)

    def between(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.interp(numbers, frames, values[order].astype(np.float64))

    # Times are interpolated as offsets: a float64 has not the digits for nanoseconds since 1970.
    start = seen.captured_at_ns[order[0]]
    times = np.rint(between(seen.captured_at_ns - start)).astype(np.int64) + start
    boxes = np.stack([between(seen.boxes_xyxy[:, column]) for column in range(4)], axis=1).astype(np.float32)
    return Observations(numbers, times, boxes, between(seen.confidence).astype(np.float32)), made_up


def _last_of_each_frame(frames: Int64Array, order: Int64Array) -> tuple[Int64Array, Int64Array]:
    last = np.append(frames[1:] != frames[:-1], True)
    return frames[last], order[last]


def _tracklet_rows(number: TrackletNumber, observations: Observations, history: DecisionHistory) -> CameraTracks:
    seen, made_up = interpolate(observations)
    final = history.last_identity(number)
    decided = [history.identity_at(number, at + DECIDED_AFTER_NS) for at in seen.captured_at_ns.tolist()]
    return CameraTracks(
        frame_numbers=seen.frame_numbers,
        captured_at_ns=seen.captured_at_ns,
        tracklets=np.full(len(seen), number, np.int64),
        identities=np.full(len(seen), _number(final), np.int64),
        decided=np.array([_number(identity) for identity in decided], np.int64),
        boxes_xyxy=seen.boxes_xyxy,
        confidence=seen.confidence,
        interpolated=made_up,
    )


def _number(identity: IdentityId | None) -> int:
    return 0 if identity is None else identity


def _by_frame(parts: list[CameraTracks]) -> CameraTracks:
    frames = np.concatenate([part.frame_numbers for part in parts])
    order = np.lexsort((np.concatenate([part.tracklets for part in parts]), frames))
    return CameraTracks(
        frame_numbers=frames[order],
        captured_at_ns=np.concatenate([part.captured_at_ns for part in parts])[order],
        tracklets=np.concatenate([part.tracklets for part in parts])[order],
        identities=np.concatenate([part.identities for part in parts])[order],
        decided=np.concatenate([part.decided for part in parts])[order],
        boxes_xyxy=np.concatenate([part.boxes_xyxy for part in parts])[order],
        confidence=np.concatenate([part.confidence for part in parts])[order],
        interpolated=np.concatenate([part.interpolated for part in parts])[order],
    )


def _mot_lines(seen: CameraTracks | None, *, as_decided: bool) -> list[str]:
    if seen is None:
        return []
    identities = seen.decided if as_decided else seen.identities
    return [_mot_line(seen, row, int(identities[row])) for row in one_row_each(seen, identities).tolist()]


def one_row_each(seen: CameraTracks, identities: Int64Array) -> Int64Array:
    """Rows (m,) int64, in order, in which each identity, `identities` (n,), is at most once in a frame; 0 is nobody.

    Where one tracklet hands a person over to the next, both may have a box in the same frame: the one that was looked
    at counts, then the one of higher confidence, then the earlier tracklet's.
    """
    known = np.flatnonzero(identities > 0)
    frames, people = seen.frame_numbers[known], identities[known]
    best_first = np.lexsort((known, -seen.confidence[known], seen.interpolated[known], people, frames))
    frames, people = frames[best_first], people[best_first]
    first = np.ones(len(known), bool)
    first[1:] = (frames[1:] != frames[:-1]) | (people[1:] != people[:-1])
    return np.sort(known[best_first[first]])


def _mot_line(seen: CameraTracks, row: int, identity: int) -> str:
    x1, y1, x2, y2 = (float(value) for value in seen.boxes_xyxy[row])
    return (
        f"{seen.frame_numbers[row]},{identity},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
        f"{seen.confidence[row]:.4f},-1,-1,-1\n"
    )
