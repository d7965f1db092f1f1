"""The evaluation protocol: from labelled images and a re-ID engine to numbers that can be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, l2_normalize
from passerby.features.normalization import zscore_by_camera
from passerby.ids import CameraId
from passerby.inference.engine import EmbeddingEngine
from training.evaluate.distances import CosineDistances, Distances, RankedImages
from training.evaluate.labelled import LabelledImages, read_image
from training.evaluate.multi_query import pool_queries
from training.evaluate.reranking import RERANKINGS, RerankedDistances, RerankingName
from training.evaluate.retrieval import ApDefinition, Retrieval, evaluate_retrieval
from training.evaluate.splits import RetrievalSplit
from training.evaluate.verification import Verification, evaluate_verification

Normalize: TypeAlias = Literal["camera", "none"]

_IMAGES_AT_ONCE = 32


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


@dataclass(frozen=True, slots=True)
class Search:
    """Queries, the gallery they search, and how far the one is from the other."""

    query: RankedImages
    gallery: RankedImages
    distances: Distances

    def retrieval(self, *, ap: ApDefinition = "torchreid") -> Retrieval:
        """How well the gallery is ranked for each query. Raises DataError as `evaluate_retrieval` does."""
        return evaluate_retrieval(self.query, self.gallery, ap=ap, distances=self.distances)

    def verification(self) -> Verification:
        """How well one distance for all tells who is the same. Raises DataError as `evaluate_verification` does."""
        return evaluate_verification(self.query, self.gallery, distances=self.distances)


def search(
    split: RetrievalSplit,
    embeddings: Float32Array,
    *,
    normalize: Normalize,
    rerank: RerankingName | Literal["none"] = "none",
    multi_query: bool = False,
) -> Search:
    """The search that raw `embeddings` (n, d) of the split's images make.

    `normalize="camera"` takes the z-score over all images of each camera, queries and gallery together, before L2. With
    `multi_query`, the queries of one person in one camera are one query: the mean of all such images (see
    `pool_queries`). Raises DataError for a wrong shape, NaN or infinity.
    """
    images, searched = split.images, split.is_query | split.is_gallery
    if normalize == "camera":
        embeddings = zscore_by_camera(embeddings, images.cameras.tolist(), among=searched)
    features = l2_normalize(embeddings)

    def ranked(keep: NDArray[np.bool_]) -> RankedImages:
        return RankedImages(features[keep], images.people[keep], images.cameras[keep])

    query, gallery = ranked(split.is_query), ranked(split.is_gallery)
    if multi_query:
        query = pool_queries(query, ranked(searched if split.is_pooled is None else split.is_pooled))
    if rerank == "none":
        return Search(query, gallery, CosineDistances(query.features, gallery.features))
    if multi_query:
        points = np.concatenate([query.features, gallery.features])
        query_rows, gallery_rows = np.split(np.arange(len(points)), [len(query)])
    else:
        points, rows = features[searched], np.cumsum(searched) - 1
        query_rows, gallery_rows = rows[split.is_query], rows[split.is_gallery]
    distances = RerankedDistances(points, RERANKINGS[rerank], query=query_rows, gallery=gallery_rows)
    return Search(query, gallery, distances)


def compare(
    split: RetrievalSplit, embeddings: Float32Array, *, normalize: Normalize, ap: ApDefinition = "torchreid"
) -> Retrieval:
    """The metrics of raw `embeddings` (n, d) of the split's images, by cosine distance. Raises DataError as `search`
    and `evaluate_retrieval` do."""
    return search(split, embeddings, normalize=normalize).retrieval(ap=ap)
