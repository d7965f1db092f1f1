"""How well many tracklets fit many identities: `appearance.predict` and `appearance.fit` of all of them in one pass.

The arithmetic is that of `appearance`. What is known of an identity from one camera is one mean, and all that a fit
needs of it are inner products: of the means of an identity with each other, and with the tracklet. What each number
comes to does not depend on who else is asked about.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import MOST_OF_ONE_CAMERA
from hub.association.ranges import ranges, reduced
from hub.association.shares import Shares
from passerby.arrays import Float32Array, Int64Array, require_shape

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_AT_ONCE = 512
"""Means that are worked on together: a megabyte of 257 axes, which stays near the processor."""


@dataclass(frozen=True, slots=True)
class Standing:
    """k tracklets that stand for identities, those of an identity together, and in it those of a camera.

    `owners` (k,) int64: whose they are, rising; `cameras` (k,) int64; `pictures` (k,) int64: how many of each; `units`
    (k, d) float32 lifted.
    """

    owners: Int64Array
    cameras: Int64Array
    pictures: Int64Array
    units: Float32Array

    def __post_init__(self) -> None:
        k = len(self.owners)
        require_shape("cameras", self.cameras, (k,))
        require_shape("pictures", self.pictures, (k,))
        require_shape("units", self.units, (k, None))


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of m identities, by camera: g means, those of an identity together.

    `owners` (m,) int64: who has something standing; of owner i the `counts[i]` means from `begins[i]` on. `cameras`
    (g,) int64; `means` (g, d) float64: weighted sums of the units, on the scale of the shares; `weights` (g,): what was
    summed up; `noise` (g,): variance of the mean. Inner products of an owner's means with each other are `products`
    (sum of the squared counts,), row by row from `squares[i]` on.
    """

    owners: Int64Array
    begins: Int64Array
    counts: Int64Array
    cameras: Int64Array
    means: Float64Array
    weights: Float64Array
    noise: Float64Array
    products: Float64Array
    squares: Int64Array

    @classmethod
    def of(cls, standing: Standing, shares: Shares) -> "Looks":
        """The means of what stands for identities."""
        owners, cameras = standing.owners, standing.cameras
        new_owner = np.diff(owners, prepend=-1) != 0
        groups = np.flatnonzero(new_owner | (np.diff(cameras, prepend=-1) != 0))
        sizes = np.diff(np.append(groups, len(owners)))
        group_of = np.repeat(np.arange(len(groups)), sizes)
        begins = np.flatnonzero(new_owner[groups])
        counts = np.diff(np.append(begins, len(groups)))
        if not len(owners):
            none, no_number = np.zeros(0), np.zeros(0, np.int64)
            means = np.zeros((0, standing.units.shape[1]))
            return cls(no_number, no_number, no_number, no_number, means, none, none, none, no_number)
        noise = shares.noise(standing.pictures)
        total = np.add.reduceat(1.0 / noise, groups)
        own = np.sqrt(shares.person + shares.in_camera + noise) / noise / total[group_of]
        means = np.empty((len(groups), standing.units.shape[1]))
        bounds = np.append(groups, len(owners))
        for start in range(0, len(groups), _AT_ONCE):
            end = min(start + _AT_ONCE, len(groups))
            some = slice(bounds[start], bounds[end])
            means[start:end] = reduced(
                np.add, own[some, None] * standing.units[some], begins=groups[start:end] - bounds[start]
            )
        squares = np.cumsum(counts**2) - counts**2
        return cls(
            owners=owners[groups[begins]],
            begins=begins,
            counts=counts,
            cameras=cameras[groups],
            means=means,
            weights=np.add.reduceat(own, groups),
            noise=np.maximum(1.0 / total, np.minimum.reduceat(noise, groups) / MOST_OF_ONE_CAMERA),
            products=_products(means, begins, counts, squares=squares),
            squares=squares,
        )


@dataclass(frozen=True, slots=True)
class Fits:
    """Log-likelihood ratios (nat) of q tracklets being identities, against anybody: `values` (q,), and those without
    what is known from the tracklet's own camera, `elsewhere` (q,), NaN where there is nothing else.

    `seen_here` (q,) bool: something is known from this very camera.
    """

    values: Float64Array
    elsewhere: Float64Array
    seen_here: BoolArray


def fits(
    looks: Looks,
    rows: Int64Array,
    owners: Int64Array,
    *,
    units: Float32Array,
    cameras: Int64Array,
    pictures: Int64Array,
    shares: Shares,
) -> Fits:
    """How well tracklets `rows` (q,), rising, of n fit the identities of the places `owners` (q,) in `looks`.

    Of the n tracklets: lifted `units` (n, d), `cameras` and `pictures` (n,).
    """
    if not len(rows):
        return Fits(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    counts = looks.counts[owners]
    asked, means = ranges(looks.begins[owners], counts)
    firsts = np.cumsum(counts) - counts
    lifted = np.empty(len(means))
    bounds = np.searchsorted(rows[asked], np.arange(len(units) + 1))
    for unit, begin, end in zip(units.astype(np.float64), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if begin < end:
            lifted[begin:end] = np.einsum("kd,d->k", looks.means[means[begin:end]], unit)

    here = looks.cameras[means] == cameras[rows][asked]
    noise, weights = looks.noise[means], looks.weights[means]
    others = np.where(here, 0.0, 1.0 / (shares.in_camera + noise))
    precision = 1.0 / shares.person + np.add.reduceat(others, firsts)
    before = 1.0 / precision + shares.in_camera
    seen_here = np.logical_or.reduceat(here, firsts)
    noise_here = np.add.reduceat(np.where(here, noise, 0.0), firsts)
    gain = np.where(seen_here, before / (before + noise_here), 0.0)
    without = others / precision[asked]
    factors = np.where(here, gain[asked], without * (1.0 - gain[asked]))

    def fit(factors: Float64Array, variance: Float64Array, chosen: Int64Array) -> Float64Array:
        """Of the `chosen` ones, by the factors of means in what is expected, and the variance (q,) about it."""
        place = ranges(firsts[chosen], counts[chosen])[1]
        starts = np.cumsum(counts[chosen]) - counts[chosen]
        mine = factors[place]
        said, weight = np.add.reduceat(mine * lifted[place], starts), np.add.reduceat(mine * weights[place], starts)
        squared = _squared_lengths(looks, mine, owners[chosen])
        length = (squared - shares.common * weight**2) / (1.0 - shares.common)
        noises = shares.noise(pictures[rows[chosen]])
        energy = shares.person + shares.in_camera + noises
        spread = variance[chosen] + noises
        agreement = np.sqrt(energy) * (said - shares.common * weight) / (1.0 - shares.common)
        apart = energy - 2.0 * agreement + np.maximum(length, 0.0)
        return np.asarray(shares.axes / 2.0 * (np.log(energy / spread) + 1.0 - apart / spread), np.float64)

    everywhere = np.arange(len(rows))
    elsewhere = np.full(len(rows), np.nan)
    known_elsewhere = np.flatnonzero(~np.logical_and.reduceat(here, firsts))
    if len(known_elsewhere):
        elsewhere[known_elsewhere] = fit(without, before, known_elsewhere)
    return Fits(fit(factors, before * (1.0 - gain), everywhere), elsewhere, seen_here)


def _products(means: Float64Array, begins: Int64Array, counts: Int64Array, *, squares: Int64Array) -> Float64Array:
    """Inner products of the means of each owner with each other, those of as many means at once."""
    products = np.empty(int((counts**2).sum()))
    for count in np.unique(counts).tolist():
        alike = np.flatnonzero(counts == count)
        for start in range(0, len(alike), max(1, _AT_ONCE // count)):
            some = alike[start : start + max(1, _AT_ONCE // count)]
            mine = means[begins[some][:, None] + np.arange(count)]
            places = squares[some][:, None] + np.arange(count * count)
            products[places] = (mine @ mine.transpose(0, 2, 1)).reshape(len(some), -1)
    return products


def _squared_lengths(looks: Looks, factors: Float64Array, owners: Int64Array) -> Float64Array:
    """Of the sums of each owner's means (q,), those of one after the other weighted with `factors`."""
    counts = looks.counts[owners]
    firsts = np.cumsum(counts) - counts
    of, product = ranges(looks.squares[owners], counts**2)
    left, right = np.divmod(product - looks.squares[owners][of], counts[of])
    terms = factors[firsts[of] + left] * factors[firsts[of] + right] * looks.products[product]
    return np.asarray(np.add.reduceat(terms, np.cumsum(counts**2) - counts**2), np.float64)
