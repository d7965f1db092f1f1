"""The layouts in which labelled re-ID data sets come: what each holds to train on, to search with and to be searched.

People and cameras are the numbers that the data set gives; where names are free text, their places in order.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from passerby.errors import DataError
from training.evaluate.labelled import DISTRACTOR, LabelledImages, pictures_in, read_labelled_images

Protocol: TypeAlias = Literal["all-vs-all", "market", "msmt17", "cuhk03", "folders"]
Part: TypeAlias = Literal["train", "query", "gallery"]

_MSMT17_FOLDERS = {"MSMT17_V1": ("train", "test"), "MSMT17_V2": ("mask_train_v2", "mask_test_v2")}
"""Version -> the folders that its lists name files below. V2 has the faces blurred."""

_MSMT17_LISTS: dict[Part, tuple[str, ...]] = {
    "train": ("list_train.txt", "list_val.txt"),
    "query": ("list_query.txt",),
    "gallery": ("list_gallery.txt",),
}

_MSMT17_NAME = re.compile(r"[^_]+_[^_]+_(\d+)_")
_CUHK03_SPLITS = ("splits_new_detected.json", "splits_new_labeled.json")


def read_market(root: Path, part: Part) -> LabelledImages:
    """Market-1501: `bounding_box_train`, without distractors; `query`; `bounding_box_test`."""
    if part == "train":
        return read_people(root / "bounding_box_train")
    return read_labelled_images(root / ("query" if part == "query" else "bounding_box_test"))


def read_people(folder: Path) -> LabelledImages:
    """The images of `folder`, named as Market-1501's, that show somebody of interest."""
    images = read_labelled_images(folder)
    return images.where(images.people != DISTRACTOR)


def msmt17_version(root: Path) -> str:
    """MSMT17_V1 or MSMT17_V2, by the folders in `root`. Raises DataError for none or both of them."""
    found = [name for name, folders in _MSMT17_FOLDERS.items() if all((root / folder).is_dir() for folder in folders)]
    if len(found) == 1:
        return found[0]
    wanted = " or ".join(f"{' and '.join(folders)} ({name})" for name, folders in _MSMT17_FOLDERS.items())
    raise DataError(f"{root} holds {'both versions' if found else 'no version'} of MSMT17; expected folders {wanted}")


def read_msmt17(root: Path, part: Part) -> LabelledImages:
    """MSMT17: a list has a line `0000/0000_000_01_0303morning_0008_0.jpg 0` for each image: file below the version's
    folder (or below `root`), person; the camera is the third field of the file's name. `train` is the lists of
    training and validation together, as the literature on adaptation has it (32,621 images)."""
    below = root / _MSMT17_FOLDERS[msmt17_version(root)][part != "train"]
    files, labels = [], []
    for name in _MSMT17_LISTS[part]:
        for number, line in enumerate(_text(root / name).splitlines(), start=1):
            if not line.strip():
                continue
            path, _, person = line.strip().rpartition(" ")
            camera = _MSMT17_NAME.match(Path(path).name)
            if camera is None or not person.isdecimal():
                raise DataError(
                    f"{root / name}, line {number}: {line.strip()!r} does not say who and where; expected"
                    " 0000/0000_000_01_0303morning_0008_0.jpg 0"
                )
            files.append(root / path if path.startswith(f"{below.name}/") else below / path)
            labels.append((int(person), int(camera.group(1))))
    return _labelled(files, labels, root / _MSMT17_LISTS[part][-1])


def cuhk03_split(root: Path) -> Path:
    """The file of CUHK03's new protocol: `root` itself, or the one in it. Raises DataError for none or both of them."""
    if root.suffix == ".json":
        return root
    found = [root / name for name in _CUHK03_SPLITS if (root / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{root} holds {' and '.join(_CUHK03_SPLITS)}; name one of the files instead of the folder")
    raise DataError(f"{root} holds no split of CUHK03; expected {' or '.join(_CUHK03_SPLITS)} (docs/evaluation.md)")


def read_cuhk03(root: Path, part: Part) -> LabelledImages:
    """CUHK03 as extracted into pictures, with its new protocol as JSON: a list of one object whose lists `train`,
    `query` and `gallery` hold [path, person, camera]. Of a path the last two parts count, below the JSON's folder."""
    split = cuhk03_split(root)
    try:
        entries: Any = json.loads(_text(split))[0][part]
        files = [split.parent / Path(*Path(path).parts[-2:]) for path, _, _ in entries]
        labels = [(int(person), int(camera)) for _, person, camera in entries]
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(
            f"{split} has no list {part!r} of [path, person, camera] in the first of its splits: {error}"
        ) from error
    return _labelled(files, labels, split)


def read_folders(root: Path, parts: Sequence[str]) -> list[LabelledImages]:
    """PERSON/CAMERA/picture below each of the folders `parts` of root; people and cameras are numbered from 1 over all
    of them, in the order of their names."""
    found = [_pictures_two_below(root / part) for part in parts]
    everywhere = [file for files in found for file in files]
    people = _numbered(file.parent.parent.name for file in everywhere)
    cameras = _numbered(file.parent.name for file in everywhere)
    return [
        _labelled(files, [(people[file.parent.parent.name], cameras[file.parent.name]) for file in files], root)
        for files in found
    ]


def read_training_split(root: Path, protocol: Protocol) -> LabelledImages:
    """The labelled images to train on. `all-vs-all`: all of root, without distractors. `folders`: root/train where
    there is one, or all of root. Raises DataError for a folder of another layout."""
    if protocol == "market":
        return read_market(root, "train")
    if protocol == "msmt17":
        return read_msmt17(root, "train")
    if protocol == "cuhk03":
        return read_cuhk03(root, "train")
    if protocol == "folders":
        return read_folders(root, ["train" if (root / "train").is_dir() else "."])[0]
    return read_people(root)


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)), start=1)}


def _pictures_two_below(folder: Path) -> list[Path]:
    """In the order of their paths. Raises DataError for pictures right below a person's folder, or none at all."""
    files: list[Path] = []
    for person in _folders_in(folder):
        if pictures_in(person):
            raise DataError(f"{person} holds pictures itself; expected PERSON/CAMERA/picture: a folder for each camera")
        files += (file for camera in _folders_in(person) for file in pictures_in(camera))
    if not files:
        raise DataError(f"{folder} holds no PERSON/CAMERA/picture, as anna/lobby/0001.jpg")
    return files


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise DataError(f"{folder}: cannot read the folder: {error.strerror}") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot read the file: {getattr(error, 'strerror', None) or error}") from error


def _labelled(files: list[Path], labels: list[tuple[int, int]], source: Path) -> LabelledImages:
    """Raises DataError where there is nothing, or a file that is named is not there."""
    if not files:
        raise DataError(f"{source} names no image")
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{missing} is not there, but {source} names it")
    numbers = np.array(labels, np.int64)
    return LabelledImages(tuple(files), numbers[:, 0], numbers[:, 1])
