"""From the fit of looks to evidence: a log-likelihood ratio that means on this site what it says.

What `appearance` computes is right for a world as its model has it. A site differs: its people dress more alike, its
cameras are worse. So a line a x + b is fitted through pairs of which the hub knows by other means whether they are one
person (Platt 1999, with the two classes weighted alike): *impostors* are people whom one camera saw at once, or two
cameras at once in different places; *genuine* pairs are linked by place, by walking on in the same view or by standing
on the same spot of the floor in two. How like they are to what is known of the identity from before is not asked, so
that what is measured selects nothing; but whoever looks otherwise than the one on their spot is not taken. Some are not
what they are taken for: places err, and trackers exchange people, in a quiet shop less than in a crowded corridor.
Robust regression (Bootkrajang and Kaban 2012, "Label-noise robust logistic regression") finds how many of the genuine
ones, by how many look as impostors do, and keeps them from laying the line.

While pairs are few the line stays near the one that is expected of any site, and what is uncertain about it makes the
evidence weaker: the ratio is divided as MacKay (1992, "The evidence framework applied to classification networks")
moderates an output.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from hub.association.shares import MeasuredShares, Shares, shares_of
from passerby.ids import ModelId

Setting = Literal["own", "other"]
"""Whether the identity is known from the tracklet's camera (`own`) or from others alone."""

SETTINGS: tuple[Setting, ...] = ("own", "other")

KEPT = 400
"""The latest pairs that are kept of each kind and setting."""

_REFIT_SHARE = 1.25
"""A line is fitted again when there are so many times the pairs of the last time."""

_EXPECTED = {"own": (0.50, 1.5), "other": (0.55, 0.5)}
"""Slope and offset of a site of which nothing is known: the median of simulated ones."""

_EXPECTED_SD = (0.12, 0.8)
"""How far sites are from it."""

_CHANGED_SD = (0.06, 0.3)
"""How far the line of an adapted model is from that of the model before, on the same site."""

_LEAST_SLOPE = 0.05

_NEWS = 0.03
"""How much of what each pair says of looks is news: most pairs are of a few people who meet again and again, and what
two of these have in common is not what any two have."""

_MISTAKEN = 0.06
"""Share of genuine pairs that are two people on a site of which nothing is known."""

_MISTAKEN_SD = 0.7
"""How far sites are from it, as logarithms of odds."""

_MISTAKEN_PAIRS = 5.0
"""It counts as much as so many genuine pairs where those of both settings are asked together."""

_MISTAKEN_IMPOSTORS = 0.01
"""Share of impostor pairs that are one person, anywhere."""

_LOGITS = (-6.0, 0.0)
"""Mistakes are no more than half of the genuine pairs."""


class Line(msgspec.Struct, frozen=True):
    """Evidence (nat) = `slope` * fit + `offset`; `covariance` (xx, xy, yy) of the two."""

    slope: float
    offset: float
    covariance: tuple[float, float, float]
    pairs: tuple[int, int]
    """How many genuine and impostor pairs it was fitted to."""
    mistaken: float = _MISTAKEN
    """The share of the genuine pairs that were found to be two people."""

    def evidence(self, fit: float) -> float:
        """The moderated log-likelihood ratio of a fit, nat."""
        return float(self.evidences(np.array([fit]))[0])

    def evidences(self, fits: NDArray[np.float64]) -> NDArray[np.float64]:
        """`evidence` of each of the fits (n,)."""
        xx, xy, yy = self.covariance
        variance = xx * fits * fits + 2.0 * xy * fits + yy
        return np.asarray((self.slope * fits + self.offset) / np.sqrt(1.0 + np.pi * variance / 8.0), np.float64)


def expected_line(setting: Setting) -> Line:
    """The line of a site of which nothing is known."""
    slope, offset = _EXPECTED[setting]
    return Line(slope, offset, (_EXPECTED_SD[0] ** 2, 0.0, _EXPECTED_SD[1] ** 2), (0, 0))


class Expected(msgspec.Struct, frozen=True):
    """What is expected of a model before it is measured, from the one that it takes the place of on the site."""

    shares: Shares
    lines: dict[str, Line]


class Calibration(msgspec.Struct):
    """The pairs of one model on one site, and the lines through them. `version` counts the fittings.

    `expected` is None of a model of which nothing is known but its name.
    """

    genuine: dict[str, list[float]] = msgspec.field(default_factory=lambda: {one: [] for one in SETTINGS})
    impostors: dict[str, list[float]] = msgspec.field(default_factory=lambda: {one: [] for one in SETTINGS})
    lines: dict[str, Line] = msgspec.field(default_factory=lambda: {one: expected_line(one) for one in SETTINGS})
    seen: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(SETTINGS, 0))
    fitted: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(SETTINGS, 0))
    measured: MeasuredShares = msgspec.field(default_factory=MeasuredShares)
    expected: Expected | None = None
    version: int = 0
    most_pictures: int = 0
    """Of a tracklet that has ended."""

    @classmethod
    def after(cls, former: "Calibration", former_id: ModelId) -> "Calibration":
        """Of a model that was adapted from a former one, before it is measured: about like that one on this site."""
        lines = {setting: _widened(line) for setting, line in former.lines.items()}
        expected = Expected(former.shares(former_id), lines)
        return cls(lines=dict(lines), expected=expected, most_pictures=former.most_pictures)

    def shares(self, model_id: ModelId, *, two_people: Sequence[float] = ()) -> Shares:
        """Where the variance of the model's embeddings comes from on this site; `two_people` are the lifted
        similarities of some who are seen together now."""
        expected = shares_of(model_id) if self.expected is None else self.expected.shares
        return self.measured.shares(expected.seeing(two_people).where_most_have(self.most_pictures))

    @property
    def mistaken(self) -> float:
        """The share of pairs on one spot that are two people."""
        weights = [(float(line.pairs[0]), line.mistaken) for line in self.lines.values()]
        if self.expected is None:
            weights.append((_MISTAKEN_PAIRS, _MISTAKEN))
        else:
            weights += [(_MISTAKEN_PAIRS, line.mistaken) for line in self.expected.lines.values()]
        return sum(pairs * share for pairs, share in weights) / sum(pairs for pairs, _ in weights)

    def evidence(self, fit: float, *, seen_here: bool) -> float:
        """The log-likelihood ratio (nat) that a fit is worth on this site."""
        return self.lines["own" if seen_here else "other"].evidence(fit)

    def evidences(self, fits: NDArray[np.float64], *, seen_here: NDArray[np.bool_]) -> NDArray[np.float64]:
        """`evidence` of each of the fits (n,)."""
        own, other = (self.lines[setting].evidences(fits) for setting in SETTINGS)
        return np.where(seen_here, own, other)

    def learn(self, fit: float, *, seen_here: bool, genuine: bool) -> None:
        """Take a pair of which it is known whether it is one person."""
        setting: Setting = "own" if seen_here else "other"
        kept = (self.genuine if genuine else self.impostors)[setting]
        kept.append(fit)
        del kept[:-KEPT]
        self.seen[setting] += 1

    def refit(self) -> bool:
        """Fit anew the lines for which enough has come since; True if one has changed."""
        due = [one for one in SETTINGS if self.seen[one] >= max(20.0, self.fitted[one] * _REFIT_SHARE)]
        for setting in due:
            expected = expected_line(setting) if self.expected is None else self.expected.lines[setting]
            self.lines[setting] = fitted_line(
                self.genuine[setting], self.impostors[setting], expected=expected, news=_NEWS
            )
            self.fitted[setting] = min(self.seen[setting], 2 * KEPT)
            self.seen[setting] = self.fitted[setting]
        self.version += bool(due)
        return bool(due)


def fitted_line(genuine: Sequence[float], impostors: Sequence[float], *, expected: Line, news: float = 1.0) -> Line:
    """The most probable share of mistakes given fits of known pairs, and what was expected; then the line, for which
    of each pair the share `news` counts, and how sure it is, by Laplace's approximation about it.

    Each kind weighs as many pairs as the rarer one has, so that the offset is free of how often they occur.
    """
    x = np.array([*genuine, *impostors], np.float64)
    sign = np.array([1.0] * len(genuine) + [-1.0] * len(impostors))
    every = np.array(_shared(len(genuine), len(impostors)))
    xx, xy, yy = expected.covariance
    mean, precision = np.array([expected.slope, expected.offset]), np.linalg.inv([[xx, xy], [xy, yy]])
    columns = np.stack([x, np.ones_like(x)], axis=1)
    usual = float(logit(expected.mistaken))

    def cost(found: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        line, share = found[:2], float(expit(found[2]))
        alike = expit(columns @ line)
        # How many of all pairs with such a fit are taken for what this one is taken for.
        wrong = np.where(sign > 0.0, share, _MISTAKEN_IMPOSTORS)
        right = np.where(sign > 0.0, alike, 1.0 - alike)
        taken = wrong + (1.0 - 2.0 * wrong) * right
        both = 1.0 + (share - _MISTAKEN_IMPOSTORS) * (1.0 - 2.0 * alike)
        away, further = line - mean, (found[2] - usual) / _MISTAKEN_SD
        value = float(-(weight * np.log(taken / both)).sum() + 0.5 * away @ precision @ away + 0.5 * further**2)
        by_likeness = sign * (1.0 - 2.0 * wrong) / taken + 2.0 * (share - _MISTAKEN_IMPOSTORS) / both
        by_line = precision @ away - columns.T @ (weight * by_likeness * alike * (1.0 - alike))
        by_share = (weight * (1.0 - 2.0 * alike) * ((sign > 0.0) / taken - 1.0 / both)).sum()
        return value, np.append(by_line, further / _MISTAKEN_SD - by_share * share * (1.0 - share))

    def best(begin: NDArray[np.float64], odds: tuple[float, float], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        bounds = [(_LEAST_SLOPE, None), (None, None), odds]
        return np.asarray(minimize(cost, begin, (weight,), jac=True, method="L-BFGS-B", bounds=bounds).x, np.float64)

    weight = news * every
    found = best(np.append(mean, usual), _LOGITS, every)
    odds = float(found[2])
    slope, offset, _ = best(found, (odds, odds), weight)
    probability = expit(columns @ np.array([slope, offset]))
    curvature = (columns * (weight * probability * (1.0 - probability))[:, None]).T @ columns + precision
    covariance = np.linalg.inv(curvature)
    return Line(
        float(slope),
        float(offset),
        (float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        (len(genuine), len(impostors)),
        float(expit(odds)),
    )


def _widened(line: Line) -> Line:
    xx, xy, yy = line.covariance
    slope_sd, offset_sd = _CHANGED_SD
    return Line(line.slope, line.offset, (xx + slope_sd**2, xy, yy + offset_sd**2), (0, 0), line.mistaken)


def _shared(genuine: int, impostors: int) -> list[float]:
    """The weight of each pair: the rarer kind's count 1, the others together as much."""
    rarer = min(genuine, impostors)
    return [rarer / max(genuine, 1)] * genuine + [rarer / max(impostors, 1)] * impostors
