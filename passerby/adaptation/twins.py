"""Twins as they are handed over: embeddings of a site's tracklets by another model than the one they came with.

One file each, `NAME.npz`, which appears whole. Names sort in the order in which the files were written.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.ids import ModelId
from passerby.whole_files import whole_file

FORMAT = 1
FOLDER_NAME = "twins"
"""In the site's data folder: there the hub looks for them."""

SUFFIX = ".npz"
MOST_TWINS = 4096
"""Twins in a file."""

LARGEST_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Twins:
    """t tracklets as the network `model_id` describes them."""

    model_id: ModelId
    numbers: Int64Array
    """(t,) the hub's numbers, each once."""
    revisions: Int64Array
    """(t,) which state of each tracklet it was: one that has changed since needs another twin."""
    embeddings: Float32Array
    """(t, d) the raw mean over each tracklet's crops."""
    mapped: NDArray[np.bool_]
    """(t,) made from the other model's embedding by a map between the two, for want of crops: to be trusted less."""

    def __post_init__(self) -> None:
        count = len(self.numbers)
        if count > MOST_TWINS:
            raise DataError(f"{count} twins in a file, expected at most {MOST_TWINS}")
        require_shape("numbers", self.numbers, (count,))
        require_shape("revisions", self.revisions, (count,))
        require_shape("embeddings", self.embeddings, (count, None))
        require_shape("mapped", self.mapped, (count,))
        if len(np.unique(self.numbers)) < count:
            raise DataError("a tracklet has two twins of one model, expected one")
        with np.errstate(over="ignore", under="ignore"):
            lengths = np.linalg.norm(self.embeddings, axis=1)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise DataError("an embedding is zero, NaN or infinite, expected a direction")

    @property
    def dimension(self) -> int:
        """The length d of the embeddings."""
        return int(self.embeddings.shape[1])

    def __len__(self) -> int:
        return len(self.numbers)


def write_twins(file: Path, twins: Twins) -> None:
    """Let `file`, whose name ends in `.npz`, appear with these twins. Raises DataError where that fails."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(file, private=True) as opened:
            np.savez(
                opened,
                format=np.array(FORMAT, "<i8"),
                model_id=np.array(twins.model_id),
                dimension=np.array(twins.dimension, "<i8"),
                numbers=twins.numbers.astype("<i8"),
                revisions=twins.revisions.astype("<i8"),
                embeddings=twins.embeddings.astype("<f4"),
                mapped=twins.mapped,
            )
    except OSError as error:
        raise DataError(f"{file}: the twins cannot be written: {error.strerror}") from error


def read_twins(file: Path) -> Twins:
    """What a file holds. Raises DataError where it is damaged, of another format, or too large."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise DataError(f"{file} is larger than {LARGEST_BYTES >> 20} MiB, which no file of twins is")
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            if int(stored["format"]) != FORMAT:
                raise DataError(f"{file} has format {int(stored['format'])}, expected {FORMAT}")
            twins = Twins(
                model_id=ModelId(str(stored["model_id"])),
                numbers=stored["numbers"].astype(np.int64),
                revisions=stored["revisions"].astype(np.int64),
                embeddings=stored["embeddings"].astype(np.float32),
                mapped=stored["mapped"].astype(np.bool_),
            )
            announced = int(stored["dimension"])
    except DataError as error:
        raise error if str(file) in str(error) else DataError(f"{file}: {error}") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (
        ArithmeticError,
        EOFError,
        LookupError,
        NotImplementedError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(f"{file} holds no twins, or is damaged: {error}") from error
    if announced != twins.dimension:
        raise DataError(f"{file}: embeddings have {twins.dimension} numbers, {announced} were announced")
    return twins
