"""Batch-hard triplet loss (Hermans, Beyer and Leibe, In Defense of the Triplet Loss, 2017, equation 5)."""

import torch
from torch import Tensor

from passerby.errors import DataError

_SMALLEST = 1e-12
"""Under the root: the derivative of a distance of zero is infinite."""


def batch_hard_triplet_loss(features: Tensor, people: Tensor, *, margin: float = 0.3) -> Tensor:
    """Mean of max(0, margin + farthest image of the same person - nearest image of another), over all images.

    `features` (n, d), `people` (n,) integers; Euclidean distances. The farthest may be the image itself, at distance
    zero. Zero, with a gradient of zeros, where the batch holds fewer than two people. Raises DataError for shapes that
    do not fit.

    >>> features = torch.tensor([[0.0], [1.0], [3.0]])
    >>> round(float(batch_hard_triplet_loss(features, torch.tensor([0, 0, 1]), margin=1.5)), 3)
    0.167
    """
    if features.ndim != 2 or people.shape != features.shape[:1]:
        raise DataError(f"features {tuple(features.shape)} and people {tuple(people.shape)}, expected (n, d) and (n,)")
    same = people[:, None] == people[None, :]
    if bool(same.all()):  # also when the batch is empty
        return features.sum() * 0.0
    distances = pairwise_distances(features)
    farthest = distances.masked_fill(~same, 0.0).amax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).amin(dim=1)
    return torch.relu(margin + farthest - nearest).mean()


def pairwise_distances(features: Tensor) -> Tensor:
    """Euclidean distances (n, n) of the rows of `features` (n, d), at least 1e-6."""
    squares = features.square().sum(dim=1)
    squared = squares[:, None] + squares[None, :] - 2.0 * features @ features.T
    return squared.clamp(min=_SMALLEST).sqrt()
