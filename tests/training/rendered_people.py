"""A few people of a simulated site, cut out: as labelled images, as a site's folder, as an archive of crops."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from passerby.arrays import Image
from simulation.samples import person_crops, sampled_frames
from tests.simulation.small_sites import small_site
from training.datasets.crops import CropWriter
from training.datasets.records import ArchiveSettings, CropRecord, TrackletRecord, VideoRecord


@dataclass(frozen=True)
class RenderedPeople:
    """Where the same crops lie: Market-1501's `market/bounding_box_train`, and an `archive` of crops."""

    market: Path
    archive: Path

    @property
    def images(self) -> Path:
        return self.market / "bounding_box_train"


def render_people(folder: Path, *, people: int = 12, cameras: int = 3, frames: int = 12) -> RenderedPeople:
    """A tracklet is a person before a camera; crops are 64 x 32 pixels."""
    rendered = RenderedPeople(folder / "market", folder / "archive")
    rendered.images.mkdir(parents=True)
    tracklets: dict[tuple[int, int], list[Image]] = {}
    draw = np.random.default_rng(0)
    site = small_site(seed=5, cameras=cameras, people=people)
    for camera, frame in sampled_frames(site, frames_per_camera=frames, seconds=120, seed=5):
        for crop in person_crops(frame, draw=draw, min_height_px=24.0):
            seen = tracklets.setdefault((camera, crop.person_id), [])
            seen.append(np.asarray(cv2.resize(crop.image, (32, 64)), np.uint8))
    for (camera, person), crops in tracklets.items():
        for number, picture in enumerate(crops):
            name = f"{person + 1:04}_c{camera + 1}s1_{number:06}_00.png"
            assert cv2.imwrite(str(rendered.images / name), picture)
    _archive(rendered.archive, tracklets)
    return rendered


def _archive(folder: Path, tracklets: dict[tuple[int, int], list[Image]]) -> None:
    settings = ArchiveSettings(
        detector="truth@1", fps=1.0, crops_per_tracklet=99, min_person_height=24, min_confidence=None
    )
    with CropWriter(folder, settings) as writer:
        for camera in sorted({camera for camera, _ in tracklets}):
            own = [crops for (seen_by, _), crops in tracklets.items() if seen_by == camera]
            video = VideoRecord(camera=f"c{camera}", name=f"c{camera}.mp4", fingerprint=f"{camera}")
            number = writer.begin(video)
            writer.add(number, [(each, _record(crops), _jpegs(crops)) for each, crops in enumerate(own)])
            finished = VideoRecord(
                camera=video.camera,
                name=video.name,
                fingerprint=video.fingerprint,
                complete=True,
                tracklets=len(own),
                crops=sum(map(len, own)),
            )
            writer.finish(number, finished)


def _record(crops: list[Image]) -> TrackletRecord:
    kept = [
        CropRecord(captured_at_ns=number, box_xyxy=(0.0, 0.0, 32.0, 64.0), quality=1.0) for number in range(len(crops))
    ]
    return TrackletRecord(started_at_ns=0, ended_at_ns=len(crops), crops=kept)


def _jpegs(crops: list[Image]) -> list[bytes]:
    return [cv2.imencode(".jpg", crop)[1].tobytes() for crop in crops]
