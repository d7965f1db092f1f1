"""Two people side by side, as a picture: their best crops, with camera and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.corrections.candidates import Candidate
from hub.crops import CropStore
from hub.narration import clock
from hub.reader import SiteReader, StoredExemplar
from hub.records import Tracklet, TrackletNumber
from passerby.errors import DataError

_CELL_WIDTH, _CELL_HEIGHT, _CAPTION = 150, 300, 20
_COLUMNS = 3
_GAP = 24
_PAPER, _INK = (245, 245, 245), (40, 40, 40)

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shown:
    """A crop with what is written under it."""

    jpeg: bytes
    caption: str


def write_sheet(candidate: Candidate, reader: SiteReader, *, crops: CropStore, folder: Path) -> Path:
    """Write `folder`/candidate-EVENT.jpg: on the left who was seen, on the right who it may be. Gives the file.

    The two crops most alike come first, where the hub knows them. Raises DataError where it cannot be written.
    """
    pair = reader.crops_most_alike(candidate.event)
    others = sorted(reader.tracklets_of(candidate.other), key=lambda t: (-t.quality, t.number))
    mine = [t for t in reader.tracklets_of(candidate.identity) if t.number != candidate.tracklet.number]
    left = _crops([candidate.tracklet, *mine], reader, crops=crops, first=None if pair is None else pair[0])
    right = _crops(others, reader, crops=crops, first=None if pair is None else pair[1])
    space: Image = np.full((_CELL_HEIGHT + 2 * _CAPTION, _GAP, 3), _PAPER, np.uint8)
    sheet = np.hstack([_half(f"person {candidate.identity}", left), space, _half(f"person {candidate.other}", right)])
    file = folder / f"candidate-{candidate.event.event_id}.jpg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cv2.imencode(".jpg", sheet)[1].tobytes())
    except OSError as error:
        raise DataError(f"{file}: cannot write the picture: {error.strerror}") from error
    return file


def _crops(
    tracklets: Sequence[Tracklet], reader: SiteReader, *, crops: CropStore, first: StoredExemplar | None
) -> list[Shown]:
    """At most three crops, each of another tracklet while there are enough of them."""
    captions = {t.number: f"{t.camera_id[:12]} {clock(t.started_at_ns)}" for t in tracklets}
    wanted: list[tuple[TrackletNumber, int]] = []
    if first is not None and first.tracklet in captions:
        wanted.append((first.tracklet, first.crop_id))
    for rank in range(_COLUMNS):
        for tracklet in tracklets[:_COLUMNS]:
            found = reader.exemplars(tracklet.number)
            if rank < len(found):
                wanted.append((tracklet.number, found[rank].crop_id))
    shown: list[Shown] = []
    for number, crop_id in dict.fromkeys(wanted):
        jpeg = crops.get(number, crop_id)
        if jpeg is not None and len(shown) < _COLUMNS:
            shown.append(Shown(jpeg, captions[number]))
    return shown


def _half(title: str, shown: Sequence[Shown]) -> Image:
    half: Image = np.full((_CELL_HEIGHT + 2 * _CAPTION, _COLUMNS * _CELL_WIDTH, 3), _PAPER, np.uint8)
    _write(half, title, x=4, y=_CAPTION - 6, size=0.5)
    for column, one in enumerate(shown):
        picture = cv2.imdecode(np.frombuffer(one.jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            continue  # bytes that are no picture: the others may be
        scale = min(_CELL_WIDTH / picture.shape[1], _CELL_HEIGHT / picture.shape[0])
        width, height = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        left = column * _CELL_WIDTH + (_CELL_WIDTH - width) // 2
        half[_CAPTION : _CAPTION + height, left : left + width] = cv2.resize(picture, (width, height))
        _write(half, one.caption, x=column * _CELL_WIDTH + 4, y=_CAPTION + _CELL_HEIGHT + 14, size=0.33)
    return half


def _write(image: Image, text: str, *, x: int, y: int, size: float) -> None:
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, _INK, 1, cv2.LINE_AA)
