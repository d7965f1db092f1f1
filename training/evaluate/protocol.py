"""The evaluation protocol: from folders of labelled images and a re-ID engine to numbers that can be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, l2_normalize
from passerby.errors import DataError
from passerby.features.normalization import zscore_by_camera
from passerby.ids import CameraId
from passerby.inference.engine import EmbeddingEngine
from training.evaluate.distances import RankedImages
from training.evaluate.labelled import DISTRACTOR, LabelledImages, read_image, read_labelled_images
from training.evaluate.retrieval import ApDefinition, Retrieval, evaluate_retrieval

Normalize: TypeAlias = Literal["camera", "none"]
Protocol: TypeAlias = Literal["all-vs-all", "market"]

_IMAGES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class RetrievalSplit:
    """`images`, each once, and which of them are queries and gallery: masks (n,) bool that may overlap."""

    images: LabelledImages
    is_query: NDArray[np.bool_]
    is_gallery: NDArray[np.bool_]


def read_split(root: Path, *, protocol: Protocol) -> RetrievalSplit:
    """`market`: the images of root/query are looked for in root/bounding_box_test. `all-vs-all`: every image of root
    queries all others; person 0 (a distractor) queries nothing. Raises DataError for a wrong folder."""
    if protocol == "market":
        query, gallery = read_labelled_images(root / "query"), read_labelled_images(root / "bounding_box_test")
        images = LabelledImages(
            query.files + gallery.files,
            np.concatenate([query.people, gallery.people]),
            np.concatenate([query.cameras, gallery.cameras]),
        )
        is_query = np.arange(len(images)) < len(query)
        return RetrievalSplit(images, is_query, ~is_query)
    if (root / "query").is_dir():
        raise DataError(f"{root} has a folder `query`; use --protocol market, or name the folder with the images")
    images = read_labelled_images(root)
    return RetrievalSplit(images, images.people != DISTRACTOR, np.ones(len(images), np.bool_))


def embed_images(
    engine: EmbeddingEngine, images: LabelledImages, *, progress: Callable[[int], None] | None = None
) -> Float32Array:
    """Raw embeddings (n, d) float32; `progress` is called with the number of images done since it was last called.

    Raises DataError for a picture that cannot be read, EngineError when the network fails.
    """
    parts = []
    for start in range(0, len(images), _IMAGES_AT_ONCE):
        rows = slice(start, start + _IMAGES_AT_ONCE)
        crops = [read_image(file) for file in images.files[rows]]
        camera_ids = [CameraId(f"c{camera}") for camera in images.cameras[rows]]
        parts.append(engine.embed(crops, camera_ids))
        if progress is not None:
            progress(len(crops))
    return np.concatenate(parts) if parts else engine.embed([], [])


def compare(
    split: RetrievalSplit, embeddings: Float32Array, *, normalize: Normalize, ap: ApDefinition = "torchreid"
) -> Retrieval:
    """The metrics of raw `embeddings` (n, d) of the split's images.

    `normalize="camera"` takes the z-score over all images of each camera, queries and gallery together, before L2.
    Raises DataError as `evaluate_retrieval` does.
    """
    images = split.images
    if normalize == "camera":
        embeddings = zscore_by_camera(embeddings, images.cameras.tolist())
    features = l2_normalize(embeddings)

    def ranked(keep: NDArray[np.bool_]) -> RankedImages:
        return RankedImages(features[keep], images.people[keep], images.cameras[keep])

    return evaluate_retrieval(ranked(split.is_query), ranked(split.is_gallery), ap=ap)
