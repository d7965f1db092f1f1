"""What camera normalization is worth at a site: how well people are told apart with it and without it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Benefit:
    """Separation is the probability (0-1) that a genuine pair is more alike than an impostor pair; .5 is a coin's.

    `standard_error` is that of the gain, the separation `with_normalization` less that `without`.
    """

    without: float
    with_normalization: float
    standard_error: float
    genuine_pairs: int
    impostor_pairs: int

    @property
    def gain(self) -> float:
        """Above zero where normalization helps."""
        return self.with_normalization - self.without


def benefit(
    without: Float32Array,
    with_normalization: Float32Array,
    *,
    genuine: Int64Array,
    impostors: Int64Array,
    people: Int64Array | None = None,
) -> Benefit:
    """Compare unit rows (n, d) of the same n tracklets without and (n, d') with normalization.

    `genuine` (g, 2) and `impostors` (i, 2) are pairs of rows: one person, or two. They should be of two cameras each,
    as within one camera normalization changes little: genuine pairs that operators or transit times have confirmed
    (those that normalized looks alone have linked favour normalization), impostors seen at one moment in two views
    that do not overlap. The separation is the area under the ROC curve, its error that of two correlated curves
    (DeLong, DeLong and Clarke-Pearson 1988); 1,000 pairs of each take a millisecond or two.

    `people` (n,) says who each row is, as far as is known. Pairs that share a person are not independent of each other,
    and the error is then that of so many people rather than pairs (Aronow, Samii and Assenova 2015, for dyads). It is
    still a tenth to a sixth too small with ten people, with five a fifth to a quarter.

    Raises DataError for rows that do not fit, are not finite, and where there are fewer than two pairs of a kind.

    >>> plain = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    >>> better = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> pairs = np.array([[0, 1], [2, 3]]), np.array([[0, 2], [1, 3]])
    >>> found = benefit(plain, better, genuine=pairs[0], impostors=pairs[1])
    >>> found.without, found.with_normalization, found.gain
    (0.0, 1.0, 1.0)
    """
    require_shape("without", without, (None, None))
    require_shape("with_normalization", with_normalization, (len(without), None))
    for name, pairs in (("genuine", genuine), ("impostors", impostors)):
        require_shape(name, pairs, (None, 2))
        if len(pairs) < 2:
            raise DataError(f"there are {len(pairs)} {name} pairs, expected at least 2")
        if pairs.min() < 0 or pairs.max() >= len(without):
            raise DataError(f"{name} pairs name rows {pairs.min()} to {pairs.max()}, expected 0 to {len(without) - 1}")
    before = _placements(_similarities(without, genuine), _similarities(without, impostors))
    after = _placements(_similarities(with_normalization, genuine), _similarities(with_normalization, impostors))
    gains = [b - a for a, b in zip(before, after, strict=True)]
    variance = sum(float(gain.var(ddof=1)) / len(gain) for gain in gains)
    if people is not None:
        require_shape("people", people, (len(without),))
        parts = np.concatenate([(gain - gain.mean()) / len(gain) for gain in gains])
        variance = max(variance, _variance_of_dyads(parts, people[np.concatenate([genuine, impostors])]))
    return Benefit(
        without=float(before[0].mean()),
        with_normalization=float(after[0].mean()),
        standard_error=float(np.sqrt(variance)),
        genuine_pairs=len(genuine),
        impostor_pairs=len(impostors),
    )


def _variance_of_dyads(parts: Float64Array, members: Int64Array) -> float:
    """Variance of the sum of `parts` (p,) of mean zero, where those covary that share one of their `members` (p, 2)."""
    _, member = np.unique(members, return_inverse=True)
    pairs = np.sort(member.reshape(-1, 2), axis=1)
    two = pairs[:, 0] != pairs[:, 1]
    count = int(pairs.max()) + 1
    of_member = np.bincount(pairs[:, 0], parts, count) + np.bincount(pairs[two, 1], parts[two], count)
    # What two pairs share that have both members in common has been counted twice.
    _, dyad = np.unique(pairs[two], axis=0, return_inverse=True)
    of_dyad = np.bincount(dyad.ravel(), parts[two]) if two.any() else np.zeros(1)
    # Few members differ from their own mean by less than from what they are drawn from.
    return float((of_member**2).sum() - (of_dyad**2).sum()) * count / max(count - 1, 1)


def _similarities(rows: Float32Array, pairs: Int64Array) -> Float64Array:
    """Cosine similarities (p,) of pairs of unit rows."""
    similarities: Float64Array = np.einsum("pd,pd->p", rows[pairs[:, 0]], rows[pairs[:, 1]], dtype=np.float64)
    if not np.isfinite(similarities).all():
        raise DataError("rows hold NaN or infinity, expected unit vectors")
    return similarities


def _placements(genuine: Float64Array, impostors: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Of each genuine pair the share of impostors below it, of each impostor the share of genuine pairs above it."""
    return _share_below(genuine, impostors), 1.0 - _share_below(impostors, genuine)


def _share_below(values: Float64Array, others: Float64Array) -> Float64Array:
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    share: Float64Array = (below + not_above) / (2.0 * len(others))  # Ties count half.
    return share
