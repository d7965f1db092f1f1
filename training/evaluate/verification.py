"""Are these two the same person? ROC over all pairs of queries and gallery, exactly, in bounded memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError
from training.evaluate.distances import PAIRS_AT_ONCE, CosineDistances, Distances, RankedImages, row_blocks

FALSE_POSITIVE_RATES = (1e-4, 1e-3, 1e-2)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Pairs count as the same person up to `distance`, the largest that keeps to `max_false_positive_rate`.

    Rates are fractions in 0-1. `distance` is None, and both rates are 0, where even the nearest match is too far.
    """

    max_false_positive_rate: float
    true_positive_rate: float
    false_positive_rate: float
    distance: float | None


@dataclass(frozen=True, slots=True)
class Verification:
    """How well distances tell pairs of one person from pairs of two.

    Element i of the arrays (m,) belongs to the i-th distinct distance of a matching pair, rising: the counts of
    matching and other pairs that are as near as that or nearer.
    """

    area_under_curve: float
    """Probability that a matching pair is nearer than another one; a tie is half."""
    distances: Float32Array
    matching_within: Int64Array
    other_within: Int64Array
    matching_pairs: int
    other_pairs: int

    @property
    def true_positive_rates(self) -> NDArray[np.float64]:
        """(m,), rising to 1."""
        return self.matching_within / self.matching_pairs

    @property
    def false_positive_rates(self) -> NDArray[np.float64]:
        """(m,), rising: the smallest at which each true positive rate can be had."""
        return self.other_within / self.other_pairs

    def at(self, max_false_positive_rate: float) -> OperatingPoint:
        """The most matching pairs that can be accepted with a false positive rate that is not above the given one."""
        rates = self.false_positive_rates
        index = int(np.searchsorted(rates, max_false_positive_rate, side="right")) - 1
        if index < 0:
            return OperatingPoint(max_false_positive_rate, 0.0, 0.0, None)
        return OperatingPoint(
            max_false_positive_rate,
            float(self.true_positive_rates[index]),
            float(rates[index]),
            float(self.distances[index]),
        )


def evaluate_verification(
    query: RankedImages,
    gallery: RankedImages,
    *,
    distances: Distances | None = None,
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Verification:
    """Pool the pairs of all queries, without those of the same person in the same camera, and sweep a threshold.

    `distances` are the cosine's unless given. They are asked for twice: the matching pairs' are kept (4 bytes each),
    then others are counted between them, so that nothing is rounded and memory does not grow with their number.
    `pairs_at_once` changes nothing but memory. Raises DataError where there are no matching or no other pairs.
    """
    distances = distances or CosineDistances(query.features, gallery.features)
    blocks = row_blocks(len(query), columns=len(gallery), pairs_at_once=pairs_at_once)
    parts = [np.zeros(0, np.float32)]
    for rows in blocks:
        matching = _same_person(query, gallery, rows) & (query.cameras[rows, np.newaxis] != gallery.cameras)
        parts.append(distances(rows)[matching])
    matching_distances = np.sort(np.concatenate(parts))
    levels, counts = np.unique(matching_distances, return_counts=True)
    nearer, within, others = np.zeros(len(levels), np.int64), np.zeros(len(levels), np.int64), 0
    for rows in blocks:
        other = np.sort(distances(rows)[~_same_person(query, gallery, rows)])
        nearer += np.searchsorted(other, levels, side="left")
        within += np.searchsorted(other, levels, side="right")
        others += len(other)
    if len(matching_distances) == 0 or others == 0:
        raise DataError(
            f"{len(matching_distances)} pairs of one person in two cameras and {others} of two people; ROC needs both"
        )
    wins = int(((others - within) * counts).sum()) + int(((within - nearer) * counts).sum()) / 2
    return Verification(
        area_under_curve=wins / (len(matching_distances) * others),
        distances=levels,
        matching_within=np.cumsum(counts),
        other_within=within,
        matching_pairs=len(matching_distances),
        other_pairs=others,
    )


def _same_person(query: RankedImages, gallery: RankedImages, rows: slice) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = query.people[rows, np.newaxis] == gallery.people
    return same
