"""What an edge tells of a tracklet, and when: opened when it is worth telling, grown every second, closed when lost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.messages import Clock, Exemplars, Observations, TrackletUpdate
from simulation.tapes.choosing import Choice, Chosen
from simulation.tapes.tracking import LOST_AFTER_S

UPDATE_INTERVAL_S = 1.0
_MIN_OBSERVATIONS = 3
_MIN_MOVEMENT = 0.1
"""Of the box's width: what never moves by more is no person."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One update of a tracklet: told at frame `frame`, with what was seen in rows `first` to `last` (exclusive)."""

    frame: int
    first: int
    last: int
    kept: tuple[Choice, ...]
    final: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """A tracklet is cut at frame `frame`: what was seen after frame `after` and not told yet belongs to the next one.

    `kept` are the pictures that it is remembered by.
    """

    frame: int
    after: int
    kept: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ToldTracklet:
    """A tracklet with everything that is told of it; row i of each array is one sighting, in order of time.

    `frames` (n,) from 0; `captured_at_ns` (n,) as the camera's clock says; `embeddings` maps a row to its raw vector.
    """

    camera_id: CameraId
    frame_size: tuple[int, int]
    clock: Clock
    frames: Int64Array
    captured_at_ns: Int64Array
    boxes_xyxy: Float32Array
    confidence: Float32Array
    quality: Float32Array
    tellings: tuple[Telling, ...]
    embeddings: dict[int, NDArray[np.float16]]

    def update(self, number: int, *, tracklet_id: TrackletId, model_id: ModelId) -> TrackletUpdate:
        """The message of the telling of a number, from 0."""
        telling = self.tellings[number]
        rows = np.array([one.row for one in telling.kept], np.intp)
        embeddings = np.stack([self.embeddings[one.row] for one in telling.kept])
        seen = slice(telling.first, telling.last)
        return TrackletUpdate(
            camera_id=self.camera_id,
            tracklet_id=tracklet_id,
            revision=number + 1,
            model_id=model_id,
            started_at_ns=int(self.captured_at_ns[0]),
            ended_at_ns=int(self.captured_at_ns[telling.last - 1]),
            clock=self.clock,
            frame_size=self.frame_size,
            final=telling.final,
            observations=Observations(
                self.frames[seen] + 1, self.captured_at_ns[seen], self.boxes_xyxy[seen], self.confidence[seen]
            ),
            embedding=embeddings.astype(np.float32).mean(axis=0).astype(np.float16),
            exemplars=Exemplars(
                crop_ids=np.array([one.crop_id for one in telling.kept], np.int64),
                captured_at_ns=self.captured_at_ns[rows],
                boxes_xyxy=self.boxes_xyxy[rows],
                quality=self.quality[rows],
                embeddings=embeddings,
            ),
        )


def tellings(
    frames: Int64Array,
    captured_at_ns: Int64Array,
    *,
    boxes_xyxy: Float32Array,
    quality: Float32Array,
    fps: float,
    last_frame: int,
    held: Collection[int] = (),
    ending: Ending | None = None,
) -> tuple[Telling, ...]:
    """What is told of a tracklet with these sightings (n,); nothing if it is too short, too still or never clear.

    `last_frame` is the last of the tape: what is open then is closed. Nothing is told at frames `held`.
    """
    if ending is not None:
        seen = int(np.searchsorted(frames, ending.frame))
        return _cut_short(
            tellings(
                frames[:seen],
                captured_at_ns[:seen],
                boxes_xyxy=boxes_xyxy[:seen],
                quality=quality[:seen],
                fps=fps,
                last_frame=ending.frame,
                held=held,
            ),
            int(np.searchsorted(frames, ending.after, side="right")),
            ending=ending,
        )
    chosen = Chosen(captured_at_ns, quality)
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    widths = (boxes_xyxy[:, 2] - boxes_xyxy[:, 0]).tolist()
    moved = np.ptp(_running(centres), axis=0).max(axis=1).tolist()
    interval, lost = UPDATE_INTERVAL_S * fps, LOST_AFTER_S * fps
    found: list[Telling] = []
    told, worth = 0, False
    for row, frame in enumerate(frames.tolist()):
        # Between two sightings there may be a frame at which the former is due.
        due = int(np.ceil(found[-1].frame + interval)) if found else frame
        while due in held:
            due += 1
        if told < row and due < frame:
            found.append(Telling(due, told, row, tuple(chosen.ranked()), final=False))
            told = row
        chosen.offer(row)
        worth = worth or (
            row + 1 >= _MIN_OBSERVATIONS and moved[row] >= _MIN_MOVEMENT * widths[row] and len(chosen) > 0
        )
        if worth and frame not in held and (not found or frame >= found[-1].frame + interval):
            found.append(Telling(frame, told, row + 1, tuple(chosen.ranked()), final=False))
            told = row + 1
    if not worth:
        return ()
    end = min(last_frame, int(frames[-1] + np.floor(lost) + 1))
    return (
        *found,
        Telling(max([end, *(one.frame for one in found[-1:])]), told, len(frames), tuple(chosen.ranked()), final=True),
    )


def _cut_short(told: tuple[Telling, ...], rows: int, *, ending: Ending) -> tuple[Telling, ...]:
    """With another last telling: of the first `rows` sightings, unless more were told before; nothing of too few."""
    before = told[:-1]
    first = before[-1].last if before else 0
    last = max(first, rows)
    if last < _MIN_OBSERVATIONS or not told:
        return ()
    return (*before, Telling(ending.frame, first, last, ending.kept, final=True))


def rows_told(told: Sequence[Telling]) -> list[int]:
    """The rows whose pictures are ever told of, ascending."""
    return sorted({one.row for telling in told for one in telling.kept})


def _running(centres: NDArray[np.floating]) -> NDArray[np.floating]:
    """(2, n, 2): the least and the most so far."""
    return np.stack([np.minimum.accumulate(centres), np.maximum.accumulate(centres)])
