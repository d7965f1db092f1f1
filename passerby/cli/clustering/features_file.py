"""The file of features that is clustered, and the file of labels that is made of it."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """Raw `features` (n, d), finite and none of them zero, n at least 1; `cameras` (n,); `tracklets` (n,) if known."""

    features: Float32Array
    cameras: Int64Array
    tracklets: Int64Array | None


def read_features(path: Path) -> FeatureFile:
    """Read an .npz with `features`, `cameras` and, if it has it, `tracklets`.

    Raises DataError for a file that cannot be read, that lacks one, and for arrays that do not fit or are not finite.
    """
    arrays = _arrays(path)
    stored = _array(arrays, "features", path)
    if stored.ndim != 2 or stored.dtype.kind != "f" or 0 in stored.shape:
        raise DataError(f"{path}: features are {_told(stored)}, expected (n, d) float32 with at least one row")
    with np.errstate(over="ignore"):
        features: Float32Array = stored.astype(np.float32)
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise DataError(f"{path}: row {np.argmin(finite)} of features holds NaN or infinity; leave such rows out")
    some = features.any(axis=1)
    if not some.all():
        raise DataError(f"{path}: row {np.argmin(some)} of features is all zeros; leave such rows out")
    return FeatureFile(
        features,
        _whole_numbers(arrays, "cameras", path, len(features)),
        _whole_numbers(arrays, "tracklets", path, len(features)) if "tracklets" in arrays else None,
    )


def write_labels(path: Path, labels: Int64Array) -> None:
    """Write an .npz with `labels` (n,) int64, under exactly this name. Raises DataError where that is not possible."""
    try:
        with path.open("wb") as file:
            np.savez(file, labels=labels)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with path.open("rb") as file:
            opened = np.load(file, allow_pickle=False)
            if not isinstance(opened, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is a single array, expected an .npz with features and cameras")
            return {name: opened[name] for name in opened.files if name in ("features", "cameras", "tracklets")}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no .npz of plain arrays, as numpy.savez writes it: {error}") from error


def _array(arrays: dict[str, NDArray[np.generic]], name: str, path: Path) -> NDArray[np.generic]:
    if name not in arrays:
        there = ", ".join(sorted(arrays)) or "neither"
        raise DataError(f"{path} has no array {name}, expected features (n, d) and cameras (n,); it has {there}")
    return arrays[name]


def _whole_numbers(arrays: dict[str, NDArray[np.generic]], name: str, path: Path, rows: int) -> Int64Array:
    array = _array(arrays, name, path)
    if array.shape != (rows,) or array.dtype.kind not in "iu":
        raise DataError(
            f"{path}: {name} are {_told(array)}, expected ({rows},) whole numbers, one for each row of features"
        )
    return array.astype(np.int64)


def _told(array: NDArray[np.generic]) -> str:
    return f"{array.shape} {array.dtype}"
