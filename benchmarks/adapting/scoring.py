"""What a network and a guess are worth, by a truth that the adaptation never saw."""

import csv
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.clustering.cut import agreement, alone
from passerby.inference import EmbeddingEngine
from training.evaluate import LabelledImages, RetrievalSplit, compare, embed_images
from training.evaluate.labelled import DISTRACTOR


class Ranking(msgspec.Struct, frozen=True):
    """One search, fractions in 0-1."""

    mean_average_precision: float
    rank1: float
    mean_inverse_negative_penalty: float


class Figures(msgspec.Struct, frozen=True):
    """Every image searches all others, same person and camera removed: raw embeddings, and z-scored by camera."""

    plain: Ranking
    normalized: Ranking


class GuessQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Pseudo-labels of `images` against who is on them."""

    agreement: float
    """Adjusted Rand index over all images; each outlier is a cluster of its own."""
    precision: float
    """Of the pairs of images in one cluster, the share that is of one person; 1 where there is no pair."""
    recall: float
    """Of the pairs of images of one person, the share that is in one cluster; 1 where there is no pair."""
    clusters: int
    outliers: int
    images: int


def figures(images: LabelledImages, embeddings: Float32Array) -> Figures:
    """The searches that raw `embeddings` (n, d) of `images` make. Raises DataError as `compare` does."""
    everybody = RetrievalSplit(images, images.people != DISTRACTOR, np.ones(len(images), np.bool_), "judged")

    def ranking(normalize: bool) -> Ranking:
        found = compare(everybody, embeddings, normalize="camera" if normalize else "none")
        return Ranking(found.mean_average_precision, found.rank(1), found.mean_inverse_negative_penalty)

    return Figures(ranking(False), ranking(True))


def judged_by(engine: EmbeddingEngine, images: LabelledImages) -> Figures:
    """The figures of the embeddings that `engine` makes of `images`; it is closed then."""
    try:
        return figures(images, embed_images(engine, images))
    finally:
        engine.close()


def guess_quality(guessed: Int64Array, people: Int64Array) -> GuessQuality:
    """`guessed` (n,): the cluster of each image, -1 for an outlier; `people` (n,): who is on it."""
    require_shape("guessed", guessed, (len(people),))
    known = guessed >= 0
    clusters, people_rows = np.unique(guessed[known]), np.unique(people[known], return_inverse=True)[1]
    both = guessed[known] * (int(people_rows.max(initial=0)) + 1) + people_rows
    right, joined, true = _pairs(both), _pairs(guessed[known]), _pairs(people)
    return GuessQuality(
        agreement=agreement(alone(guessed), people),
        precision=right / joined if joined else 1.0,
        recall=right / true if true else 1.0,
        clusters=len(clusters),
        outliers=int((~known).sum()),
        images=len(people),
    )


def read_guess(file: Path, images: LabelledImages) -> Int64Array:
    """(n,): the column person of a pseudo-labels.csv for each of `images`. Raises DataError where one is missing."""
    with file.open(newline="", encoding="utf-8") as lines:
        named: Mapping[str, int] = {row["image"]: int(row["person"]) for row in csv.DictReader(lines)}
    missing = next((each.name for each in images.files if each.name not in named), None)
    if missing is not None:
        raise DataError(f"{file} does not name {missing}; expected all {len(images)} images that were adapted to")
    return np.array([named[each.name] for each in images.files], np.int64)


def _pairs(labels: Int64Array) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1)).sum()) // 2
