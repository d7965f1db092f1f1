"""Losses against what another network says, instead of a label (Ge, Chen and Li, Mutual Mean-Teaching, ICLR 2020)."""

import torch
from torch import Tensor
from torch.nn import functional

from passerby.errors import DataError
from training.losses.triplet import pairwise_distances


def soft_cross_entropy(logits: Tensor, told: Tensor) -> Tensor:
    """Mean cross entropy with the softmax of the logits `told` as targets. No gradient goes into `told`.

    Both are (n, classes). An empty batch gives zero. Raises DataError for shapes that do not fit.
    """
    if logits.ndim != 2 or told.shape != logits.shape:
        raise DataError(f"logits {tuple(logits.shape)} and {tuple(told.shape)} do not fit, expected (n, classes) twice")
    if len(logits) == 0:
        return logits.sum() * 0.0
    return -(torch.softmax(told.detach(), dim=1) * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


def soft_triplet_loss(features: Tensor, told: Tensor, people: Tensor) -> Tensor:
    """How far the farthest image of the same person and the nearest of another are from where `told` has them: mean
    binary cross entropy of the softmax of the two distances, equation 8. No gradient goes into `told`.

    `features` and `told` (n, d) of the same images, compared by direction; the two images are chosen by `features`.
    `people` (n,) integers. Zero, with a gradient of zeros, where the batch holds fewer than two people. Raises
    DataError for shapes that do not fit.
    """
    _require_fitting(told, people)
    _require_fitting(features, people)
    pairs = _hardest(features, people)
    if pairs is None:
        return features.sum() * 0.0
    distances = _distances_to(features, *pairs)
    targets = torch.softmax(_distances_to(told.detach(), *pairs), dim=1)
    return -(targets * torch.log_softmax(distances, dim=1)).sum(dim=1).mean()


def softmax_triplet_loss(features: Tensor, people: Tensor) -> Tensor:
    """The same with labels instead of another network: the other person must be the farther one.

    >>> features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(float(softmax_triplet_loss(features, torch.tensor([0, 0, 1]))), 3)
    0.218
    """
    _require_fitting(features, people)
    pairs = _hardest(features, people)
    if pairs is None:
        return features.sum() * 0.0
    return -torch.log_softmax(_distances_to(features, *pairs), dim=1)[:, 1].mean()


def _hardest(features: Tensor, people: Tensor) -> tuple[Tensor, Tensor] | None:
    """Of each image (n,): the farthest of the same person, the nearest of another. None where there is no other."""
    same = people[:, None] == people[None, :]
    if bool(same.all()):  # also when the batch is empty
        return None
    distances = pairwise_distances(functional.normalize(features.detach()))
    farthest = distances.masked_fill(~same, -1.0).argmax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1)
    return farthest, nearest


def _distances_to(features: Tensor, farthest: Tensor, nearest: Tensor) -> Tensor:
    """Euclidean distances (n, 2) of unit vectors."""
    distances = pairwise_distances(functional.normalize(features))
    return torch.stack([distances.gather(1, each[:, None])[:, 0] for each in (farthest, nearest)], dim=1)


def _require_fitting(features: Tensor, people: Tensor) -> None:
    if features.ndim != 2 or people.shape != features.shape[:1]:
        raise DataError(f"features {tuple(features.shape)} and people {tuple(people.shape)}, expected (n, d) and (n,)")
