"""Cluster memory: each picture against what all clusters look like (Dai et al., Cluster Contrast, ACCV 2022).

A cluster may be one memory, or one for each camera that saw it (Wang et al., Camera-aware Proxies, AAAI 2021): then a
picture is drawn to all proxies of its cluster, and pushed off those of others that are nearest.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ClusterMemory(nn.Module):
    """Unit vectors `centroids` (m, d), each of one of k clusters: `owners` (m,) says of which."""

    centroids: Tensor
    owners: Tensor

    def __init__(self, centroids: Tensor, owners: Tensor, *, temperature: float, momentum: float, hardest: int) -> None:
        super().__init__()
        self.register_buffer("centroids", functional.normalize(centroids))
        self.register_buffer("owners", owners)
        self._temperature = temperature
        self._momentum = momentum
        self._hardest = hardest

    def forward(self, features: Tensor, clusters: Tensor, *, weights: Tensor) -> Tensor:
        """Weighted mean cross entropy of `features` (n, d), unit vectors, whose `clusters` are (n,).

        Of other clusters' centroids the `hardest` nearest count (0: all). Of several centroids of one's own cluster
        each is asked for alike. `weights` (n,) say how much a picture counts.
        """
        logits = features @ self.centroids.T / self._temperature
        own = self.owners[None, :] == clusters[:, None]
        others = logits.masked_fill(own, -torch.inf)
        if 0 < self._hardest < others.shape[1]:
            others = others.topk(self._hardest, dim=1).values
        against = torch.logsumexp(others, dim=1, keepdim=True)
        # Each own centroid competes with the others' only, not with the picture's other own ones.
        losses = torch.logaddexp(logits, against) - logits
        mean = losses.masked_fill(~own, 0.0).sum(dim=1) / own.sum(dim=1)
        return (weights * mean).sum() / weights.sum().clamp(min=1e-12)

    @torch.no_grad()
    def follow(self, features: Tensor, slots: Tensor) -> None:
        """Move each centroid of the batch towards the mean of its pictures; `slots` (n,) are rows of `centroids`."""
        present, rows = torch.unique(slots, return_inverse=True)
        sums = torch.zeros(len(present), features.shape[1], device=features.device).index_add_(0, rows, features)
        fresh = functional.normalize(sums)
        moved = self._momentum * self.centroids[present] + (1.0 - self._momentum) * fresh
        self.centroids[present] = functional.normalize(moved)
