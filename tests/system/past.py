"""A past for a site that has just begun: rendered people who came and went before its cameras were on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from hub.site_hub import Hub
from passerby.arrays import Float32Array, Image
from passerby.ids import BootId, CameraId, EdgeId, TrackletId
from passerby.inference import load_embedder
from passerby.messages import Clock, Envelope, Exemplars, Observations, TrackletUpdate
from passerby.models import ModelManifest
from simulation.samples import person_crops, sampled_frames
from simulation.site import SimulatedSite
from simulation.streams import stream

_SEED = -40721
_PEOPLE, _FRAMES, _SECONDS = 24, 12, 900.0
_VISITS, _CROPS = 5, 3
"""Each person comes so often to each camera, and leaves so many crops each time."""

_SECOND_NS = 1_000_000_000
_BETWEEN_NS, _STAY_NS = 25 * _SECOND_NS, 3 * _SECOND_NS

_Seen = dict[tuple[CameraId, int], list[Image]]
"""Crops of a person in a camera."""


def fill_past(data: Path, cameras: Sequence[CameraId], model: ModelManifest, *, until_ns: int) -> int:
    """Let a hub have seen people before `until_ns` in these cameras, by this model; gives how many tracklets."""
    seen = _rendered(cameras)
    visits = [key for _ in range(_VISITS) for key in sorted(seen)]
    began_ns = until_ns - (len(visits) + 5) * _BETWEEN_NS
    with Hub.open(data) as hub:
        for number, update in enumerate(_updates(visits, seen, model, began_ns=began_ns), start=1):
            envelope = Envelope(BootId(b"past" * 4), number, update)
            hub.ingest([(EdgeId("past"), envelope)], now_ns=update.ended_at_ns + _SECOND_NS)
    return len(visits)


def _rendered(cameras: Sequence[CameraId]) -> _Seen:
    site = SimulatedSite.make("crowded", seed=_SEED, cameras=len(cameras), people=_PEOPLE)
    draw = stream(_SEED, "past")
    seen: _Seen = {}
    for camera, frame in sampled_frames(site, frames_per_camera=_FRAMES, seconds=_SECONDS, seed=_SEED):
        for crop in person_crops(frame, draw=draw):
            seen.setdefault((cameras[camera], crop.person_id), []).append(crop.image)
    return seen


def _updates(
    visits: Sequence[tuple[CameraId, int]], seen: _Seen, model: ModelManifest, *, began_ns: int
) -> Iterator[TrackletUpdate]:
    engine = load_embedder(model, threads=1)
    for number, (camera_id, person) in enumerate(visits):
        mine = seen[camera_id, person]
        pictures = [mine[(number + turn) % len(mine)] for turn in range(_CROPS)]
        at_ns = began_ns + number * _BETWEEN_NS
        embeddings = engine.embed(pictures, [camera_id] * _CROPS)
        yield _visit(camera_id, number + 1, at_ns=at_ns, pictures=pictures, embeddings=embeddings, model=model)
    engine.close()


def _visit(
    camera_id: CameraId,
    number: int,
    *,
    at_ns: int,
    pictures: Sequence[Image],
    embeddings: Float32Array,
    model: ModelManifest,
) -> TrackletUpdate:
    times = at_ns + np.arange(_CROPS, dtype=np.int64) * (_STAY_NS // (_CROPS - 1))
    boxes = np.tile(np.array([10, 20, 60, 180], np.float32), (_CROPS, 1))
    return TrackletUpdate(
        camera_id=camera_id,
        tracklet_id=TrackletId(number),
        revision=1,
        model_id=model.model_id,
        started_at_ns=at_ns,
        ended_at_ns=int(times[-1]),
        clock=Clock(source="host", error_ns=0),
        frame_size=(640, 360),
        final=True,
        observations=Observations(np.arange(1, _CROPS + 1), times, boxes, np.full(_CROPS, 0.9, np.float32)),
        embedding=embeddings.mean(axis=0),
        exemplars=Exemplars(np.arange(1, _CROPS + 1), times, boxes, np.full(_CROPS, 0.8, np.float32), embeddings),
        crops={turn + 1: cv2.imencode(".jpg", picture)[1].tobytes() for turn, picture in enumerate(pictures)},
    )
