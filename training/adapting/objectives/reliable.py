"""Identities of the crops that are nearest to the centre of their cluster, more of them in every round.

Fan et al., Unsupervised Person Re-identification: Clustering and Fine-tuning, ACM TOMM 2018. There a threshold on the
similarity chooses the crops, and lets more through as the network learns; here a share of each cluster does, so that no
cluster is left without crops, and no threshold depends on the network.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from passerby.arrays import Float32Array, Int64Array
from training.adapting.centres import centres_of, similarities_to
from training.adapting.recipe import ReliableLoss
from training.device import CPU
from training.identity_head import IdentityHead
from training.losses import smoothed_cross_entropy


class ReliableObjective:
    """Smoothed cross entropy behind a batch norm; `progress` 0-1 says how far the rounds are."""

    def __init__(
        self,
        settings: ReliableLoss,
        features: Float32Array,
        people: Int64Array,
        *,
        progress: float,
        device: torch.device = CPU,
    ) -> None:
        share = settings.first_share + progress * (settings.last_share - settings.first_share)
        self.people = nearest(features, people, share=share)
        self._settings = settings
        self._people = torch.from_numpy(people).to(device)
        self._head = IdentityHead(features.shape[1], int(people.max()) + 1).to(device)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        return smoothed_cross_entropy(self._head(features), self._people[rows], smoothing=self._settings.smoothing)

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        del features, rows

    def parameters(self) -> list[nn.Parameter]:
        return self._head.trained()


def nearest(features: Float32Array, people: Int64Array, *, share: float) -> Int64Array:
    """`people` (n,) with -1 for all but this share of each cluster, at least one crop: those most like its centre."""
    similarities = similarities_to(features, people, centres_of(features, people))
    kept = np.full(len(people), -1, np.int64)
    for person in range(int(people.max(initial=-1)) + 1):
        rows = np.flatnonzero(people == person)
        best = rows[np.argsort(-similarities[rows], kind="stable")][: math.ceil(share * len(rows))]
        kept[best] = person
    return kept
