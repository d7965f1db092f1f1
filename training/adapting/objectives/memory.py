"""Cluster memory, or a memory of what every camera sees of a cluster."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from training.adapting.recipe import MemoryLoss
from training.device import CPU
from training.losses import ClusterMemory


class MemoryObjective:
    """Unit features against a memory of all clusters, or of all (cluster, camera) pairs."""

    def __init__(
        self,
        settings: MemoryLoss,
        features: Float32Array,
        people: Int64Array,
        cameras: Int64Array,
        *,
        device: torch.device = CPU,
    ) -> None:
        self.people = people
        known = people >= 0
        keys = np.stack([people, cameras if settings.proxies == "camera" else np.zeros_like(cameras)], axis=1)
        pairs, slots = np.unique(keys[known], axis=0, return_inverse=True)
        unit = l2_normalize(features)
        centroids = np.zeros((len(pairs), unit.shape[1]), np.float32)
        np.add.at(centroids, slots, unit[known])
        self._memory = ClusterMemory(
            torch.from_numpy(centroids),
            torch.from_numpy(pairs[:, 0].copy()),
            temperature=settings.temperature,
            momentum=settings.momentum,
            hardest=settings.hardest,
        ).to(device)
        self._people = torch.from_numpy(people).to(device)
        slot_of = np.full(len(people), -1, np.int64)
        slot_of[known] = slots
        self._slots = torch.from_numpy(slot_of).to(device)
        weights = cluster_weights(people, cameras, share=settings.camera_entropy)
        self._weights = torch.from_numpy(weights).to(device)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        clusters = self._people[rows]
        return self._memory(functional.normalize(features), clusters, weights=self._weights[clusters])  # type: ignore[no-any-return]

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        self._memory.follow(functional.normalize(features.detach()), self._slots[rows])

    def parameters(self) -> list[nn.Parameter]:
        return []


def cluster_weights(people: Int64Array, cameras: Int64Array, *, share: float) -> Float32Array:
    """How much each cluster counts (k,) float32, with mean 1: the more cameras see it, the more it teaches.

    The entropy of a cluster's cameras in bits, over the largest of any, weighs `share`; the rest is the same for all.
    """
    known = people >= 0
    table = np.zeros((int(people.max(initial=-1)) + 1, int(cameras.max(initial=0)) + 1))
    np.add.at(table, (people[known], cameras[known]), 1.0)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    relative = entropy / max(float(entropy.max(initial=0.0)), 1e-12) if entropy.max(initial=0.0) > 0 else 1.0
    weights = (1.0 - share) + share * relative * np.ones(len(table))
    return (weights / weights.mean()).astype(np.float32) if len(weights) else weights.astype(np.float32)
