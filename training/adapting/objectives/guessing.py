"""Triplets and centers of the features, identities behind a batch norm: the losses of Learn by Guessing."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Int64Array
from training.adapting.recipe import GuessingLoss
from training.device import CPU
from training.identity_head import IdentityHead
from training.losses import Centers, batch_hard_triplet_loss, smoothed_cross_entropy


class GuessingObjective:
    """Triplets of unit features, centers of raw ones."""

    def __init__(
        self, settings: GuessingLoss, people: Int64Array, *, dimension: int, device: torch.device = CPU
    ) -> None:
        count = int(people.max()) + 1
        self.people = people
        self._settings = settings
        self._people = torch.from_numpy(people).to(device)
        self._head = IdentityHead(dimension, count).to(device)
        self._centers = Centers(count, dimension).to(device)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        people = self._people[rows]
        triplet = batch_hard_triplet_loss(functional.normalize(features), people, margin=self._settings.margin)
        identity = smoothed_cross_entropy(self._head(features), people, smoothing=self._settings.smoothing)
        center: Tensor = self._centers(features, people)
        return triplet + identity + self._settings.center_weight * center

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        self._centers.follow(features, self._people[rows])

    def parameters(self) -> list[nn.Parameter]:
        return self._head.trained()
