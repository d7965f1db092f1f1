"""Hybrid memory: clusters against each other and against every crop that has none."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Float32Array, Int64Array
from passerby.features.clustering.cut import alone
from training.adapting.recipe import HybridLoss
from training.device import CPU
from training.losses import HybridMemory


class HybridObjective:
    """A crop of nobody is a person of its own, and is learned from as well."""

    def __init__(
        self, settings: HybridLoss, features: Float32Array, people: Int64Array, *, device: torch.device = CPU
    ) -> None:
        self.people = alone(people)
        self._memory = HybridMemory(
            torch.from_numpy(features),
            torch.from_numpy(self.people),
            temperature=settings.temperature,
            momentum=settings.momentum,
        ).to(device)
        self._device = device

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        return self._memory(functional.normalize(features), torch.from_numpy(rows).to(self._device))  # type: ignore[no-any-return]

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        self._memory.follow(functional.normalize(features.detach()), torch.from_numpy(rows).to(self._device))

    def parameters(self) -> list[nn.Parameter]:
        return []
