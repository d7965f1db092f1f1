"""Two networks that learn from each other's teachers (Ge, Chen and Li, Mutual Mean-Teaching, ICLR 2020).

Both see the same crops with the same pseudo-labels, each changed at random for itself.
"""

import copy

import torch
from torch import Tensor, nn

from passerby.arrays import Float32Array, Int64Array
from training.adapting.centres import centres_of
from training.adapting.recipe import MutualLoss
from training.device import CPU
from training.identity_head import IdentityHead
from training.losses import smoothed_cross_entropy, soft_cross_entropy, soft_triplet_loss, softmax_triplet_loss


class MutualObjective:
    """What one of the two minimizes: hard pseudo-labels, and what the other's teacher says of the same crops.

    Its identities begin as the directions of the clusters; their teacher follows as the network's does: `keep` of it
    stays at each step.
    """

    def __init__(
        self,
        settings: MutualLoss,
        features: Float32Array,
        people: Int64Array,
        *,
        keep: float,
        device: torch.device = CPU,
    ) -> None:
        centres = centres_of(features, people)
        self.people = people
        self._settings = settings
        self._keep = keep
        self._people = torch.from_numpy(people).to(device)
        self._head = IdentityHead(features.shape[1], len(centres)).to(device)
        with torch.no_grad():
            self._head.weights.weight.copy_(torch.from_numpy(centres))
        self._teacher = copy.deepcopy(self._head).requires_grad_(False)

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        """Of hard labels alone, as if nobody else were there."""
        return self._hard(features, self._head(features), rows, identity=1.0, triplet=1.0)

    def loss_between(self, features: Tensor, rows: Int64Array, *, told: Tensor, by: "MutualObjective") -> Tensor:
        """Of raw `features` (n, d) of the crops `rows` (n,), of which the other's teacher has `told` (n, d)."""
        settings = self._settings
        logits = self._head(features)
        hard = self._hard(
            features, logits, rows, identity=1.0 - settings.soft_identity, triplet=1.0 - settings.soft_triplet
        )
        identity = soft_cross_entropy(logits, by.answers(told))
        triplet = soft_triplet_loss(features, told, self._people[rows])
        return hard + settings.soft_identity * identity + settings.soft_triplet * triplet

    @torch.no_grad()
    def answers(self, features: Tensor) -> Tensor:
        """Logits (n, people) of this one's teacher."""
        logits: Tensor = self._teacher(features)
        return logits

    @torch.no_grad()
    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        del features, rows
        for old, new in zip(self._teacher.parameters(), self._head.parameters(), strict=True):
            old.mul_(self._keep).add_(new, alpha=1.0 - self._keep)

    def parameters(self) -> list[nn.Parameter]:
        return self._head.trained()

    def _hard(self, features: Tensor, logits: Tensor, rows: Int64Array, *, identity: float, triplet: float) -> Tensor:
        people = self._people[rows]
        classes = smoothed_cross_entropy(logits, people, smoothing=self._settings.smoothing)
        return identity * classes + triplet * softmax_triplet_loss(features, people)
