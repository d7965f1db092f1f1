"""Has a camera changed, or is it the people? Tests of those seen lately against those seen before.

Everybody is a vector: the camera's offset + the person. A camera that changes moves everybody alike and leaves people
as far from each other as they were. A group of similar people (a uniform, a team) is off the mean too, but its members
are close to each other: what they have in common is missing in their scatter, and is taken off here before anything
is concluded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

JUMP_WINDOWS = (6, 8, 12, 16, 24)
"""So many people seen last are compared with those before, one window after the other."""

FEWEST_BEFORE = 12
"""People that must be known before somebody can be unlike them."""

JUMP_ENERGY, JUMP_ENERGY_OF_ONE = 0.15, 2.1
"""A jump is established when the offset's energy is the first number + the second / window, as a share of the variance
between people. Where nothing jumps (PKU-Reid over three networks, its twelve most similar people all at once, four
kinds of simulated sites) the largest of 17,000 values was at .93 of that; PKU-Reid's two cameras are .31 (retail-0277)
to .73 (OSNet) apart."""

LIKENESS = 1.5
"""What similar people have in common is taken off so many times: it is an unusual look as often as not."""

DRIFT_WINDOW, DRIFT_FEWEST = 32, 8
"""People seen last whose mean is compared with that of those before: so many, or half of all; and at least."""

FEWEST_PRESENT = 3
"""People of the present regime that must be known before another can be told from it."""

RETURN_WINDOW = 6
"""People seen last who are looked at for a known light, at most; two are the least."""

RETURN_EVIDENCE = 6.0
"""Log-likelihood ratio from which on a known regime is back."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """People of one regime as a mean (d,), their total variance (all axes together) and their number."""

    mean: Float64Array
    variance: float
    people: int


def crowd_of(rows: Float64Array) -> Crowd:
    """Everybody in `rows` (p, d) counted once; at least two people."""
    mean = rows.mean(axis=0)
    deviations = rows - mean
    return Crowd(mean, float(np.einsum("pd,pd->", deviations, deviations)) / (len(rows) - 1), len(rows))


def offset_energy(recent: Float64Array, before: Crowd) -> float:
    """Energy of the offset between people seen lately (n, d) and those before, over the variance of people.

    Unbiased: about 0, give or take, where nothing has changed. What similar people would have in common is taken off.
    """
    lately = crowd_of(recent)
    apart = float(((lately.mean - before.mean) ** 2).sum())
    chance = lately.variance / len(recent) + before.variance / before.people
    alike = max(0.0, before.variance - lately.variance)
    return (apart - chance - LIKENESS * alike) / before.variance if before.variance > 0.0 else 0.0


def drift(recent: Float64Array, before: Crowd) -> float:
    """How far the mean of people seen lately (n, d) is from that of those before, in standard errors: about 1 by
    chance. Similar people count as fewer."""
    lately = crowd_of(recent)
    apart = float(((lately.mean - before.mean) ** 2).sum())
    alike = max(0.0, before.variance - lately.variance)
    chance = alike + lately.variance / len(recent) + before.variance / before.people
    return float(np.sqrt(apart / chance)) if chance > 0.0 else 0.0


def jump(latest_first: Float64Array) -> int:
    """How many of the people seen last came after a jump; 0 where none is established.

    `latest_first` (p, d) is everybody of the present regime, who was seen last first.
    """
    for window in JUMP_WINDOWS:
        if len(latest_first) - window < FEWEST_BEFORE:
            break
        recent, before = latest_first[:window], crowd_of(latest_first[window:])
        if offset_energy(recent, before) > JUMP_ENERGY + JUMP_ENERGY_OF_ONE / window:
            return _since_jump(latest_first[: len(latest_first) - FEWEST_BEFORE], before.mean, recent.mean(axis=0))
    return 0


def returned(latest_first: Float64Array, *, other: Float64Array) -> int:
    """How many of the people seen last came after another, known regime has returned; 0 if it has not.

    `latest_first` (p, d) is everybody of the present regime, who was seen last first; `other` (q, d) those of the
    other one, at least two. Each of the last two or more must be nearer to the other regime, on the line between both
    means, and together they must be likelier there by RETURN_EVIDENCE: Gaussian, with one variance in both regimes,
    as in linear discriminant analysis with the means' own errors taken off. Similar people count as fewer.
    """
    best, most = 0, RETURN_EVIDENCE
    for window in range(2, min(RETURN_WINDOW, len(latest_first) - FEWEST_PRESENT) + 1):
        line = _line(latest_first[window:], other)
        if line is None:
            break
        beyond = line.beyond(latest_first[:window])
        if beyond.min() <= 0.0:
            break
        evidence = line.count(latest_first[:window]) * float(beyond.mean()) / line.variance
        if evidence > most:
            best, most = window, evidence
    return best


@dataclass(frozen=True, slots=True)
class _Line:
    """The line from the mean of one regime's people to that of another's, whose length is 1.

    `variance` is that of people along it, `middle` where both are equally likely, `typical` the total variance.
    """

    begin: Float64Array
    direction: Float64Array
    middle: float
    variance: float
    typical: float

    def beyond(self, rows: Float64Array) -> Float64Array:
        """How far (n,) each row is beyond the middle, on the other side."""
        return (rows - self.begin) @ self.direction - self.middle

    def count(self, rows: Float64Array) -> float:
        """The number of people in `rows` (n, d), as if they were unlike each other."""
        alike = min(1.0, max(0.0, 1.0 - crowd_of(rows).variance / self.typical))
        return len(rows) / (1.0 + (len(rows) - 1) * alike)


def _line(present: Float64Array, other: Float64Array) -> _Line | None:
    """None where the two regimes, or the people of both, are one point."""
    here, there = crowd_of(present), crowd_of(other)
    way = there.mean - here.mean
    length = float((way**2).sum())
    if length <= 0.0:
        return None
    direction = way / length
    along = np.concatenate([(present - here.mean) @ direction, (other - there.mean) @ direction])
    variance = float((along**2).sum()) / (len(along) - 2)
    if variance <= 0.0:
        return None
    # The mean of few people is off, and whoever is new is that much farther from it.
    own_error, other_error = here.variance / here.people, there.variance / there.people
    middle = 0.5 + (own_error - other_error) / (2.0 * length)
    return _Line(here.mean, direction, middle, variance, max(here.variance, there.variance))


def _since_jump(latest_first: Float64Array, before: Float64Array, after: Float64Array) -> int:
    """How many of the people seen last came after a jump from one mean (d,) to another: where the sum of how far each
    is beyond the middle is greatest, at least two."""
    way = after - before
    beyond = (latest_first - before) @ way / float((way**2).sum()) - 0.5
    return max(2, int(beyond.cumsum().argmax()) + 1)
