"""Images of which is known who is on them, and the names that say so as Market-1501's do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Image, Int64Array, require_shape
from passerby.errors import DataError

JUNK = -1
"""The person of a picture that shows nobody whole: in no evaluation."""

DISTRACTOR = 0
"""The person of a picture that shows nobody of interest: in the gallery, never a query."""

_NAME = re.compile(r"([-\d]+)_c(\d+)")
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Element i of each is one image: its file, who is on it (`people` (n,) int64) and where (`cameras` (n,) int64)."""

    files: tuple[Path, ...]
    people: Int64Array
    cameras: Int64Array

    def __post_init__(self) -> None:
        require_shape("people", self.people, (len(self.files),))
        require_shape("cameras", self.cameras, (len(self.files),))

    def __len__(self) -> int:
        return len(self.files)

    def where(self, keep: NDArray[Any]) -> "LabelledImages":
        """The images that `keep`, a mask (n,) bool, selects."""
        files = tuple(file for file, kept in zip(self.files, keep, strict=True) if kept)
        return LabelledImages(files, self.people[keep], self.cameras[keep])


def join_images(parts: Sequence[LabelledImages]) -> LabelledImages:
    """The images of at least one part, one part after the other."""
    return LabelledImages(
        tuple(file for part in parts for file in part.files),
        np.concatenate([part.people for part in parts]),
        np.concatenate([part.cameras for part in parts]),
    )


def pictures_in(folder: Path) -> list[Path]:
    """The .jpg, .jpeg, .png and .bmp of `folder`, not of its subfolders, in the order of their names."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise DataError(f"{folder}: cannot read the folder: {error.strerror}") from error


def read_labelled_images(folder: Path) -> LabelledImages:
    """The images of `folder` (not of its subfolders) in the order of their names, junk left out.

    A name starts `PERSON_cCAMERA`, as in 0003_c1s1_000001_00.png; other files than .jpg, .jpeg, .png, .bmp are not
    looked at. Raises DataError when there is no folder, no image, or an image with another name.
    """
    files = pictures_in(folder)
    if not files:
        raise DataError(f"{folder} holds no image; expected files like 0003_c1s1_000001_00.png in it")
    labels = np.array([_labels_in(file) for file in files], np.int64)
    images = LabelledImages(tuple(files), labels[:, 0], labels[:, 1])
    return images.where(images.people != JUNK)


def read_image(file: Path) -> Image:
    """The picture in BGR. Raises DataError when it cannot be decoded."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{file} is not a picture that OpenCV can decode")
    return np.asarray(image, np.uint8)


def _labels_in(file: Path) -> tuple[int, int]:
    match = _NAME.match(file.name)
    try:
        if match is not None:
            return int(match.group(1)), int(match.group(2))
    except ValueError:  # Digits and minus signs in an order that is no number.
        pass
    raise DataError(
        f"{file}: the name does not say who and where; expected PERSON_cCAMERA..., as 0003_c1s1_000001_00.png"
    )
