"""A picture beside those whom it may show, as one sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from passerby.arrays import Image
from passerby.errors import DataError

_WIDTH, _HEIGHT, _LINE, _GAP = 150, 300, 16, 12
_PAPER, _INK = 245, (40, 40, 40)


@dataclass(frozen=True, slots=True)
class Cell:
    """One crop, JPEG or None where there is none, with lines of text under it."""

    jpeg: bytes | None
    lines: tuple[str, ...]


def write_sheet(cells: Sequence[Cell], file: Path) -> None:
    """Write crops side by side as JPEG, at least one cell. Raises DataError where it cannot be written."""
    lines = max(len(cell.lines) for cell in cells)
    sheet = np.hstack([_drawn(cell, lines) for cell in cells])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cv2.imencode(".jpg", sheet)[1].tobytes())
    except OSError as error:
        raise DataError(f"{file}: cannot write the picture: {error.strerror}") from error


def _drawn(cell: Cell, lines: int) -> Image:
    paper: Image = np.full((_HEIGHT + (lines + 1) * _LINE, _WIDTH + _GAP, 3), _PAPER, np.uint8)
    picture = None if not cell.jpeg else cv2.imdecode(np.frombuffer(cell.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is not None:
        scale = min(_WIDTH / picture.shape[1], _HEIGHT / picture.shape[0])
        width, height = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        left = (_WIDTH - width) // 2
        paper[:height, left : left + width] = cv2.resize(picture, (width, height))
    for row, line in enumerate(cell.lines):
        at = (2, _HEIGHT + (row + 1) * _LINE)
        cv2.putText(paper, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, _INK, 1, cv2.LINE_AA)
    return paper
