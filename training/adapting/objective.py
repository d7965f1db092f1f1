"""What a round minimizes on its pseudo-labels: cluster memory, or the losses of Learn by Guessing."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from training.adapting.recipe import GuessingLoss, MemoryLoss
from training.losses import Centers, ClusterMemory, batch_hard_triplet_loss, smoothed_cross_entropy


class Objective(Protocol):
    """Of one round; it may learn along."""

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        """Of raw `features` (n, d) of the crops `rows` (n,)."""

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        """Follow what the network has just been shown."""

    def parameters(self) -> list[nn.Parameter]:
        """What the optimizer must train besides the network."""


def objective_of(
    settings: MemoryLoss | GuessingLoss, embeddings: Float32Array, people: Int64Array, cameras: Int64Array
) -> Objective:
    """The objective of a round: raw `embeddings` (n, d), pseudo-labels `people` (n,), -1 for nobody, `cameras` (n,)."""
    if isinstance(settings, GuessingLoss):
        return GuessingObjective(settings, people, dimension=embeddings.shape[1])
    return MemoryObjective(settings, embeddings, people, cameras)


class MemoryObjective:
    """Unit features against a memory of all clusters, or of all (cluster, camera) pairs."""

    def __init__(self, settings: MemoryLoss, features: Float32Array, people: Int64Array, cameras: Int64Array) -> None:
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
        )
        self._people = torch.from_numpy(people)
        self._slots = torch.full((len(people),), -1, dtype=torch.int64)
        self._slots[torch.from_numpy(known)] = torch.from_numpy(slots)
        weights = cluster_weights(people, cameras, share=settings.camera_entropy)
        self._weights = torch.from_numpy(weights)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        clusters = self._people[rows]
        return self._memory(functional.normalize(features), clusters, weights=self._weights[clusters])  # type: ignore[no-any-return]

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        self._memory.follow(functional.normalize(features.detach()), self._slots[rows])

    def parameters(self) -> list[nn.Parameter]:
        return []


class GuessingObjective:
    """Triplets and centers of the features, identities behind a batch norm without shift (Luo et al. 2019)."""

    def __init__(self, settings: GuessingLoss, people: Int64Array, *, dimension: int) -> None:
        count = int(people.max()) + 1
        self._settings = settings
        self._people = torch.from_numpy(people)
        self._neck = nn.BatchNorm1d(dimension)
        self._neck.bias.requires_grad_(False)
        self._weights = nn.Linear(dimension, count, bias=False)
        nn.init.normal_(self._weights.weight, std=0.001)
        self._centers = Centers(count, dimension)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        people = self._people[rows]
        triplet = batch_hard_triplet_loss(functional.normalize(features), people, margin=self._settings.margin)
        logits = self._weights(self._neck(features))
        identity = smoothed_cross_entropy(logits, people, smoothing=self._settings.smoothing)
        center: Tensor = self._centers(features, people)
        return triplet + identity + self._settings.center_weight * center

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        self._centers.follow(features, self._people[rows])

    def parameters(self) -> list[nn.Parameter]:
        both = [*self._neck.parameters(), *self._weights.parameters()]
        return [each for each in both if each.requires_grad]


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
