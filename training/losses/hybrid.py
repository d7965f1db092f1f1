"""Hybrid memory: every picture is remembered, and competes as a member of its cluster, or alone where it has none.

Ge et al., Self-paced Contrastive Learning with Hybrid Memory, NeurIPS 2020, without labelled pictures of a source.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.errors import DataError


class HybridMemory(nn.Module):
    """Unit vectors `pictures` (n, d), one for each picture, and the class of each: `classes` (n,), numbered from 0."""

    pictures: Tensor
    classes: Tensor
    sizes: Tensor

    def __init__(self, pictures: Tensor, classes: Tensor, *, temperature: float, momentum: float) -> None:
        """Raises DataError for shapes that do not fit."""
        super().__init__()
        if pictures.ndim != 2 or classes.shape != pictures.shape[:1]:
            raise DataError(
                f"pictures {tuple(pictures.shape)} and classes {tuple(classes.shape)}, expected (n, d) and (n,)"
            )
        self.register_buffer("pictures", functional.normalize(pictures))
        self.register_buffer("classes", classes)
        self.register_buffer("sizes", torch.bincount(classes).to(pictures.dtype))
        self._temperature = temperature
        self._momentum = momentum

    def forward(self, features: Tensor, rows: Tensor) -> Tensor:
        """Mean cross entropy of `features` (b, d), unit vectors, of the pictures `rows` (b,).

        A class looks like the mean of its pictures, which is no unit vector: those that scatter attract less.
        """
        sums = torch.zeros(
            len(self.sizes), self.pictures.shape[1], dtype=self.pictures.dtype, device=self.pictures.device
        )
        centers = sums.index_add_(0, self.classes, self.pictures) / self.sizes.clamp(min=1.0)[:, None]
        return functional.cross_entropy(features @ centers.T / self._temperature, self.classes[rows])

    @torch.no_grad()
    def follow(self, features: Tensor, rows: Tensor) -> None:
        """Remember the pictures `rows` (b,) as `features` (b, d) have them now; the mean of one that is there twice."""
        present, places = torch.unique(rows, return_inverse=True)
        sums = torch.zeros(len(present), features.shape[1], dtype=features.dtype, device=features.device).index_add_(
            0, places, features
        )
        moved = self._momentum * self.pictures[present] + (1.0 - self._momentum) * functional.normalize(sums)
        self.pictures[present] = functional.normalize(moved)
