"""From one embedding space into another by a rotation, learned from people whom both have seen.

Two networks that tell the same people apart arrange them alike, up to how the space lies. With the two sets of unit
vectors centred, the rotation between them that errs least is Schönemann's (1966, "A generalized solution of the
orthogonal Procrustes problem", Psychometrika 31): U V' of the singular value decomposition of A' B. Where the spaces
have different dimensions the smaller one is filled up with zeros. It is worth less than a picture: what the former
network did not see, no rotation brings back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes

from passerby.arrays import Float32Array, l2_normalize, require_shape

LEAST_PAIRS = 200
"""Fewer tracklets that both models have seen tell nothing about people in general."""

LEAST_AGREEMENT = 0.5
"""Mean cosine, about the centre, of what is mapped and what is meant, of pairs that the map was not learned from."""

_HELD_OUT = 5
"""One of so many pairs is held out."""

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SpaceMap:
    """Maps raw embeddings (n, d) of one model to raw embeddings (n, e) of another.

    `rotation` (d, e); `centre` (d,) and `target` (e,) are the means of the unit vectors; `spread` stretches the one to
    the other; `length` is the median length of the other model's raw embeddings. `agreement` says what it is worth.
    """

    centre: Float64Array
    rotation: Float64Array
    target: Float64Array
    spread: float
    length: float
    agreement: float = np.nan

    def __call__(self, embeddings: Float32Array) -> Float32Array:
        """Raw embeddings (n, e) float32 for raw embeddings (n, d). Raises DataError for one without a direction."""
        require_shape("embeddings", embeddings, (None, len(self.centre)))
        away = l2_normalize(embeddings).astype(np.float64) - self.centre
        mapped: Float32Array = (self.length * (self.target + self.spread * away @ self.rotation)).astype(np.float32)
        return mapped


def fitted_map(source: Float32Array, target: Float32Array) -> SpaceMap | None:
    """The map learned from n tracklets' raw embeddings by both models, (n, d) and (n, e).

    None where they are too few, or where the map does not hold for those of them that it was not learned from.
    Raises DataError for rows without a direction.
    """
    require_shape("source", source, (None, None))
    require_shape("target", target, (len(source), None))
    if len(source) < LEAST_PAIRS:
        return None
    held_out = np.arange(len(source)) % _HELD_OUT == 0
    tried = _fitted(source[~held_out], target[~held_out])
    agreement = _agreement(tried, source[held_out], target[held_out])
    if not agreement >= LEAST_AGREEMENT:
        return None
    return _fitted(source, target, agreement=agreement)


def _fitted(source: Float32Array, target: Float32Array, *, agreement: float = np.nan) -> SpaceMap:
    first, second = l2_normalize(source).astype(np.float64), l2_normalize(target).astype(np.float64)
    centre, middle = first.mean(axis=0), second.mean(axis=0)
    away, wanted = first - centre, second - middle
    width = max(away.shape[1], wanted.shape[1])
    rotation, _ = orthogonal_procrustes(_filled(away, width), _filled(wanted, width))
    size = float(np.linalg.norm(away))
    return SpaceMap(
        centre=centre,
        rotation=rotation[: away.shape[1], : wanted.shape[1]].astype(np.float64),
        target=middle,
        spread=float(np.linalg.norm(wanted)) / size if size > 0.0 else 1.0,
        length=float(np.median(np.linalg.norm(target.astype(np.float64), axis=1))),
        agreement=agreement,
    )


def _filled(rows: Float64Array, width: int) -> Float64Array:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))


def _agreement(tried: SpaceMap, source: Float32Array, target: Float32Array) -> float:
    got = tried(source).astype(np.float64) / tried.length - tried.target
    wanted = l2_normalize(target).astype(np.float64) - tried.target
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(wanted, axis=1)
    return float(((got * wanted).sum(axis=1) / np.where(lengths > 0.0, lengths, 1.0)).mean())
