"""What is adapted to, and by which images that is judged: a labelled folder as it is, and made harder.

The truth in the images' names builds a subject and judges; an adaptation reads neither.
"""

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from passerby.errors import DataError
from training.evaluate import LabelledImages, read_labelled_images

Variant = Literal["as-given", "single", "wrong", "disjoint", "unseen"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

WRONG_SHARE = 0.1
"""Of the crops of `wrong`, how many are in somebody else's tracklet."""

ADAPTED_SHARE = 0.6
"""Of the people of `unseen`, how many are adapted to; the others judge."""


def variant(name: str) -> Variant:
    """The variant of that name. Raises DataError for any other."""
    for known in VARIANTS:
        if name == known:
            return known
    raise DataError(f"no variant is called {name!r}; expected {', '.join(VARIANTS)}")


@dataclass(frozen=True, slots=True)
class Subject:
    """`folder` and `tracklets` (a CSV, if there is one) are given to the adaptation; `judged` says what it is worth."""

    folder: Path
    tracklets: Path | None
    judged: LabelledImages


def make_subject(which: Variant, root: Path, *, seed: int, scratch: Path) -> Subject:
    """The images of `root`, named as Market-1501's, with root/tracklets.csv, as the variant `which` has them.

    `as-given`: all of it. `single`: every image is a tracklet of its own. `wrong`: a tenth of the crops in a tracklet
    of somebody else in the same camera. `disjoint`: each person is left in one camera alone, in equal shares; judged by
    all images of all people. `unseen`: six tenths of the people, judged by the others. `seed` chooses whom; `scratch`
    is made anew. Raises DataError for a folder without images or tracklets.
    """
    images = read_labelled_images(root)
    if which == "as-given":
        return Subject(root, root / "tracklets.csv", images)
    if which == "single":
        return Subject(root, None, images)
    tracklets = read_tracklets(root / "tracklets.csv")
    draw = np.random.default_rng([seed, VARIANTS.index(which)])
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    if which == "wrong":
        file = scratch / "tracklets.csv"
        write_tracklets(file, misplaced(tracklets, images, draw=draw))
        return Subject(root, file, images)
    keep = in_one_camera(images, draw=draw) if which == "disjoint" else of_some_people(images, draw=draw)
    linked = _linked(images.where(keep), tracklets, scratch)
    return Subject(scratch, linked, images if which == "disjoint" else images.where(~keep))


def misplaced(
    tracklets: Mapping[str, str], images: LabelledImages, *, draw: np.random.Generator, share: float = WRONG_SHARE
) -> dict[str, str]:
    """Image name -> tracklet, with that share of the images in a tracklet of another person of their camera.

    An image in whose camera there is nobody else stays.
    """
    people = {file.name: int(person) for file, person in zip(images.files, images.people, strict=True)}
    cameras = {file.name: int(camera) for file, camera in zip(images.files, images.cameras, strict=True)}
    names = sorted(name for name in tracklets if name in people)
    owners = {tracklets[name]: (cameras[name], people[name]) for name in names}
    changed = dict(tracklets)
    for row in sorted(draw.choice(len(names), round(share * len(names)), replace=False).tolist()):
        name = names[row]
        others = sorted(
            tracklet
            for tracklet, (camera, person) in owners.items()
            if camera == cameras[name] and person != people[name]
        )
        if others:
            changed[name] = others[int(draw.integers(len(others)))]
    return changed


def in_one_camera(images: LabelledImages, *, draw: np.random.Generator) -> NDArray[np.bool_]:
    """(n,): images to keep so that each person is in one camera, and the cameras have equally many, give or take one.

    Whoever was never in the camera that they would be given is lost.
    """
    people, cameras = np.unique(images.people), np.unique(images.cameras)
    given = dict(zip(draw.permutation(people).tolist(), np.resize(cameras, len(people)).tolist(), strict=True))
    kept: NDArray[np.bool_] = np.array([given[int(person)] for person in images.people], np.int64) == images.cameras
    return kept


def of_some_people(
    images: LabelledImages, *, draw: np.random.Generator, share: float = ADAPTED_SHARE
) -> NDArray[np.bool_]:
    """(n,): the images of that share of the people."""
    people = np.unique(images.people)
    chosen = draw.choice(people, round(share * len(people)), replace=False)
    return np.isin(images.people, chosen)


def read_tracklets(file: Path) -> dict[str, str]:
    """Image name -> tracklet. Raises DataError when there is no such file."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            return {row["image"]: row["tracklet"] for row in csv.DictReader(lines)}
    except OSError as error:
        raise DataError(f"{file}: cannot read the tracklets: {error.strerror}") from error


def write_tracklets(file: Path, tracklets: Mapping[str, str]) -> None:
    """A CSV with the columns image, tracklet, in the order of the images' names."""
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["image", "tracklet"])
        writer.writerows(sorted(tracklets.items()))


def _linked(images: LabelledImages, tracklets: Mapping[str, str], folder: Path) -> Path:
    for file in images.files:
        (folder / file.name).symlink_to(file.resolve())
    names = {file.name for file in images.files}
    written = folder / "tracklets.csv"
    write_tracklets(written, {name: tracklet for name, tracklet in tracklets.items() if name in names})
    return written
