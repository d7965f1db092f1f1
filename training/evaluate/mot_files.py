"""Tracks as text, one box a line, as MOTChallenge writes them: frame,id,left,top,width,height,flag,class,visibility."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from passerby.errors import DataError
from training.evaluate.tracks import TrackBoxes

_MIN_COLUMNS = 6
_MAX_NUMBER = 2**53
"""Whole numbers above it are not exact as text in floating point."""

_FLAG, _CLASS, _VISIBILITY = 6, 7, 8

_PERSON = 1
_NOT_STATED = -1
_LOOKS_LIKE_A_PERSON = frozenset({2, 7, 8, 12})
"""MOTChallenge's distractors: a person on a vehicle, one who never moves, a statue or picture, a reflection."""


def read_truth(root: Path, *, min_visibility: float = 0.0) -> dict[str, TrackBoxes]:
    """The ground truth of each camera: root/CAMERA.txt or root/CAMERA/gt/gt.txt.

    A line counts if its flag is not 0, its class is 1 or -1 (not stated) and its visibility at least
    `min_visibility` or -1; columns that are missing are not stated. A person's line that does not count, and one of
    MOTChallenge's distractor classes, is ignored: see `TrackBoxes`. Lines of other classes are left out.

    Raises DataError for no or two files of a camera, a malformed line, or an id that comes twice in a frame.
    """
    files = {path.stem: path for path in _files(root, "*.txt")}
    for path in _files(root, "*/gt/gt.txt"):
        camera = path.parts[-3]
        if camera in files:
            raise DataError(f"{root} has the truth of {camera} twice: {files[camera]} and {path}; remove one")
        files[camera] = path
    if not files:
        raise DataError(f"{root} holds no ground truth; expected CAMERA.txt or CAMERA/gt/gt.txt in it")
    return {camera: _read(files[camera], min_visibility=min_visibility) for camera in sorted(files)}


def read_predictions(root: Path) -> dict[str, TrackBoxes]:
    """What was predicted for each camera: root/CAMERA.txt. Columns after the sixth are not looked at.

    An empty file is a camera in which nobody was found. Raises DataError as `read_truth` does.
    """
    files = _files(root, "*.txt")
    if not files:
        raise DataError(f"{root} holds no prediction; expected CAMERA.txt in it, empty where nobody was found")
    return {path.stem: _read(path, min_visibility=None) for path in files}


def _files(root: Path, pattern: str) -> list[Path]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder")
    return sorted(path for path in root.glob(pattern) if path.is_file())


def _read(path: Path, *, min_visibility: float | None) -> TrackBoxes:
    """The boxes of a file; `min_visibility` None: predictions, which all count."""
    seen: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, int, float, float, float, float, bool]] = []
    for number, values in _lines(path):
        frame, identity, left, top, width, height = values[:_MIN_COLUMNS]
        if not (
            frame.is_integer() and 1 <= frame < _MAX_NUMBER and identity.is_integer() and abs(identity) < _MAX_NUMBER
        ):
            raise DataError(
                f"{path}:{number}: frame {frame:g} and id {identity:g}; expected whole numbers, frames from 1"
            )
        if width <= 0 or height <= 0:
            raise DataError(f"{path}:{number}: the box is {width:g} x {height:g}, expected above 0")
        key = (int(frame), int(identity))
        if key in seen:
            raise DataError(f"{path}:{number}: id {key[1]} is in frame {key[0]} already (line {seen[key]})")
        seen[key] = number
        kind = int(values[_CLASS]) if min_visibility is not None and len(values) > _CLASS else _NOT_STATED
        if kind in (_PERSON, _NOT_STATED):
            counts = min_visibility is None or _counts(values, min_visibility)
        elif kind in _LOOKS_LIKE_A_PERSON:
            counts = False
        else:
            continue
        rows.append((*key, left, top, left + width, top + height, counts))
    rows.sort()
    return TrackBoxes(
        frames=np.array([row[0] for row in rows], np.int64),
        ids=np.array([row[1] for row in rows], np.int64),
        boxes_xyxy=np.array([row[2:6] for row in rows], np.float64).reshape(-1, 4),
        counts=np.array([row[6] for row in rows], np.bool_),
    )


def _counts(values: list[float], min_visibility: float) -> bool:
    if len(values) > _FLAG and values[_FLAG] == 0:
        return False
    visibility = values[_VISIBILITY] if len(values) > _VISIBILITY else _NOT_STATED
    return visibility < 0 or visibility >= min_visibility


def _lines(path: Path) -> Iterator[tuple[int, list[float]]]:
    """(line number, its columns) of every line that is not empty."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.rstrip(", \t").split(",")]
        except ValueError:
            values = []
        if len(values) < _MIN_COLUMNS or not all(map(math.isfinite, values)):
            raise DataError(f"{path}:{number}: {line[:60]!r}; expected numbers: frame,id,left,top,width,height,...")
        yield number, values
