"""The people of a single picture."""

from pathlib import Path

import cv2
import numpy as np

from edge.quality import crop_quality, visible_quality
from edge.tracklets import MIN_QUALITY, jpeg
from hub.enrolment.records import Look, Picture
from passerby.arrays import Detections, Image
from passerby.cli.looking.people import Person, Sighting
from passerby.errors import DataError
from passerby.ids import CameraId
from passerby.inference import DetectionEngine, EmbeddingEngine

_CAMERA = CameraId("picture")
_JPEG_QUALITY = 90
_MARGIN = 8
"""Pixels laid around a picture that is cut out already, so that its edge does not count as cutting somebody off."""

MAX_BYTES = 100 * 2**20


def look_at_picture(
    file: Path, *, detector: DetectionEngine, embedder: EmbeddingEngine, whole: bool = False
) -> list[Person]:
    """Everybody in a picture file; the rest is as in `people_in`. Raises DataError where it is no picture."""
    return people_in(_read(file), name=file.name, detector=detector, embedder=embedder, whole=whole)


def people_in(
    picture: Image, *, name: str, detector: DetectionEngine, embedder: EmbeddingEngine, whole: bool = False
) -> list[Person]:
    """Everybody in a picture, the most confident first; with `whole` all of it is one person.

    Raises DataError, which calls it `name`, where nobody in it is large and sharp enough to be recognized.
    """
    height, width = picture.shape[:2]
    if whole:
        found = Detections(np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32))
        inside = found.boxes_xyxy + _MARGIN
        visible = visible_quality(inside, found.confidence, width=width + 2 * _MARGIN, height=height + 2 * _MARGIN)
    else:
        found = _sure(detector.detect([picture])[0], detector)
        visible = visible_quality(found.boxes_xyxy, found.confidence, width=width, height=height)
    if not len(found):
        raise DataError(f"nobody is seen in {name}; if it shows one person and nothing else, say --whole")
    crops = [_cut(picture, box) for box in found.boxes_xyxy]
    quality = [crop_quality(float(visible[row]), crop) if crop.size else 0.0 for row, crop in enumerate(crops)]
    usable = [row for row, value in enumerate(quality) if value >= MIN_QUALITY]
    if not usable:
        raise DataError(
            f"{len(found)} people are seen in {name}, too small, too blurred or too hidden to be recognized "
            f"(quality {max(quality):.2f}, at least {MIN_QUALITY} is needed)"
        )
    embeddings = embedder.embed([crops[row] for row in usable], [_CAMERA] * len(usable))
    return [
        Person((_sighting(Picture(raw, quality[row], jpeg(crops[row], quality=_JPEG_QUALITY)), found, row),))
        for row, raw in zip(usable, embeddings, strict=True)
    ]


def _read(file: Path) -> Image:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise DataError(f"{file}: {size >> 20} MiB, expected a picture of at most {MAX_BYTES >> 20} MiB")
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError as error:
        raise DataError(f"{file}: cannot read the picture: {error.strerror}") from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        picture = None  # more pixels than OpenCV takes
    if picture is None:
        raise DataError(f"{file}: not a picture that OpenCV can read")
    return np.asarray(picture, np.uint8)


def _sure(found: Detections, detector: DetectionEngine) -> Detections:
    output = detector.manifest.detection
    return found.where(found.confidence >= (0.0 if output is None else output.start_confidence))


def _cut(picture: Image, box_xyxy: np.ndarray) -> Image:
    height, width = picture.shape[:2]
    left, top = np.maximum(np.floor(box_xyxy[:2]), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box_xyxy[2:]), (width, height)).astype(int)
    return picture[top:bottom, left:right]


def _sighting(picture: Picture, found: Detections, row: int) -> Sighting:
    return Sighting(Look((picture,)), np.zeros(1, np.int64), found.boxes_xyxy[row : row + 1], (0, 0))
