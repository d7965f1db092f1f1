"""A folder of images named as Market-1501 names them, read as a site would give it: nobody knows who is on them."""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from passerby.errors import DataError
from training.adapting.material import Material
from training.evaluate.labelled import pictures_in, read_image
from training.unlabelled import UnlabelledCrops

_CAMERA = re.compile(r"_c(\d+)")


def read_crops(
    folder: Path,
    *,
    height: int,
    width: int,
    tracklets: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Material:
    """The images of `folder`, not of its subfolders, brought to `height` x `width` pixels.

    A name says its camera as `_cCAMERA`, as in 0003_c1s1_000001_00.png; the person before it is not looked at, nor does
    the order of names matter: images come in the order of a hash of their bytes. `tracklets` is a CSV with the columns
    image, tracklet; an image that it does not name is a tracklet of its own. The digest is the same for the same
    pictures, cameras and tracklets. `progress` is told images done, of how many.

    Raises DataError for an empty folder, a name without camera, a picture that cannot be read, a CSV of another form,
    and a tracklet of two cameras.
    """
    found = pictures_in(folder)
    if not found:
        raise DataError(f"{folder} holds no image; expected files like 0003_c1s1_000001_00.png in it")
    cameras = {file: _camera_of(file) for file in found}
    named = {} if tracklets is None else _read_tracklets(tracklets, {file.name for file in found})
    hashes: dict[Path, str] = {}
    for done, file in enumerate(found):
        hashes[file] = _hash_of(file)
        if progress is not None:
            progress(done + 1, 2 * len(found))
    # Equal pictures are told apart by their camera and by the company that they keep.
    company = _company(found, named, hashes)
    files = sorted(found, key=lambda file: (hashes[file], cameras[file], company[file]))
    names = sorted({cameras[file] for file in files})
    numbers: dict[str, int] = {}
    pictures = np.empty((len(files), height, width, 3), np.uint8)
    rows = []
    digest = hashlib.sha256()
    for done, file in enumerate(files):
        pictures[done] = cv2.resize(read_image(file), (width, height), interpolation=cv2.INTER_LINEAR)
        tracklet = named.get(file.name)
        rows.append(
            numbers.setdefault(f"tracklet {tracklet}" if tracklet is not None else f"file {done}", len(numbers))
        )
        digest.update(f"{hashes[file]} {cameras[file]} {rows[-1]}\n".encode())
        if progress is not None:
            progress(len(files) + done + 1, 2 * len(files))
    crops = UnlabelledCrops(
        pictures,
        np.array([names.index(cameras[file]) for file in files], np.int64),
        np.array(rows, np.int64),
        tuple(f"c{name}" for name in names),
    )
    return Material(
        crops=crops,
        names=tuple(file.name for file in files),
        digest=digest.hexdigest(),
        pictures=lambda rows: [read_image(files[row]) for row in rows],
    )


def _camera_of(file: Path) -> int:
    match = _CAMERA.search(file.name)
    if match is None:
        raise DataError(
            f"{file}: the name does not say its camera; expected ..._cCAMERA..., as 0003_c1s1_000001_00.png"
        )
    return int(match.group(1))


def _hash_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from error


def _read_tracklets(file: Path, images: set[str]) -> Mapping[str, str]:
    """Image name -> tracklet."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames is None or not {"image", "tracklet"} <= set(reader.fieldnames):
                raise DataError(f"{file}: columns are {reader.fieldnames}, expected image, tracklet")
            found = {row["image"]: row["tracklet"] for row in reader}
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: not a CSV file: {error}") from error
    unknown = sorted(set(found) - images)
    if unknown:
        raise DataError(f"{file} names {unknown[0]}, which is not among the {len(images)} images")
    return found


def _company(files: list[Path], named: Mapping[str, str], hashes: Mapping[Path, str]) -> Mapping[Path, str]:
    """Of each image, a hash of the contents of its tracklet."""
    members: dict[str, list[str]] = {}
    for file in files:
        if (tracklet := named.get(file.name)) is not None:
            members.setdefault(tracklet, []).append(hashes[file])
    of = {name: hashlib.sha256("".join(sorted(each)).encode()).hexdigest() for name, each in members.items()}
    return {file: of.get(named.get(file.name, ""), "") for file in files}
