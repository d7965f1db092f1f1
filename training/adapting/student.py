"""A network on its way: with the teacher that follows it, its optimizers, and what it minimizes."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passerby.arrays import Float32Array, Int64Array
from passerby.models import Preprocessing
from training.adapting.embedding import count_statistics, embed
from training.adapting.objectives import Objective
from training.adapting.recipe import AdaptationRecipe
from training.augmentation import on_device
from training.batch_norm import CameraNetwork
from training.device import Precision
from training.team import ALONE, Team
from training.unlabelled import UnlabelledCrops


class Student:
    """`network`, changed in place. Without a teacher in the recipe it is its own `teacher`."""

    def __init__(self, network: CameraNetwork, recipe: AdaptationRecipe, *, team: Team = ALONE) -> None:
        self._recipe, self._team = recipe, team
        self._precision = Precision(network.device, half=recipe.bfloat16)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
        self.teacher = copy.deepcopy(network) if recipe.teacher else network
        self._optimizer = _adam(list(network.parameters()), recipe)
        self._optimizers = [self._optimizer]
        self._objective: Objective | None = None

    @property
    def objective(self) -> Objective:
        """That of this round."""
        assert self._objective is not None  # noqa: S101 a round begins with one
        return self._objective

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, between two rounds."""
        return {
            "network": self._network.state_dict(),
            "teacher": self.teacher.state_dict() if self._recipe.teacher else None,
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another left off."""
        self._network.load_state_dict(state["network"])
        if state["teacher"] is not None:
            self.teacher.load_state_dict(state["teacher"])
        self._optimizer.load_state_dict(state["optimizer"])

    def count_statistics(
        self, crops: UnlabelledCrops, *, how: Preprocessing, pulse: Callable[[], None] | None = None
    ) -> None:
        """Learn the statistics of the teacher's batch norms anew."""
        count_statistics(self.teacher, crops, how=how, strength=self._recipe.norm_strength, pulse=pulse)

    def embeddings(
        self, crops: UnlabelledCrops, *, how: Preprocessing, pulse: Callable[[], None] | None = None
    ) -> Float32Array:
        """What the teacher says of all crops, by new statistics: raw (n, d), in the bits in which it learns."""
        with self._precision.computing():
            self.count_statistics(crops, how=how, pulse=pulse)
            return embed(self.teacher, crops, how=how, pulse=pulse)

    def synchronize(self) -> None:
        """Have what the first process has, its statistics as well."""
        self._team.synchronize(self._network)
        if self._recipe.teacher:
            self._team.synchronize(self.teacher)

    def begin_round(self, objective: Objective) -> None:
        """Minimize `objective` from now on."""
        self._objective = objective
        extra = objective.parameters()
        self._optimizers = [self._optimizer, *([_adam(extra, self._recipe)] if extra else [])]
        self._network.train()

    def features(self, pictures: Tensor, cameras: Int64Array) -> Tensor:
        """Of `pictures` (n, 3, height, width): raw (n, d) float32, to be learned from."""
        return self._said(self._network, pictures, cameras)

    @torch.no_grad()
    def told(self, pictures: Tensor, cameras: Int64Array) -> Tensor:
        """The same by its teacher, normalized like this by the pictures' own statistics."""
        self.teacher.train()
        return self._said(self.teacher, pictures, cameras)

    def _said(self, network: CameraNetwork, pictures: Tensor, cameras: Int64Array) -> Tensor:
        with self._precision.computing():
            found: Tensor = network(on_device(pictures, network.device), cameras)
        return found.float()

    def learn(
        self,
        loss: Tensor,
        *,
        features: Tensor,
        shares: Sequence[Int64Array],
        real: NDArray[np.bool_],
        rate: float,
        steps: int,
    ) -> None:
        """One step down the team's mean of `loss`, which was of `features` of this process's share of the crops.

        `real` (n,), of all shares one after the other, says which crops were shown as they are. `steps` of this
        adaptation lie before.
        """
        rows = np.concatenate(shares)
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        self._precision.backward(loss * (len(features) / len(rows)))
        self._team.sum_gradients(
            [each for one in self._optimizers for group in one.param_groups for each in group["params"]]
        )
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        self._precision.step(self._optimizers)
        self.objective.after_step(self._team.gathered(features.detach(), shares)[real], rows[real])
        if self._recipe.teacher:
            # At first it follows closely: it has nothing to remember.
            _follow(self.teacher, self._network, keep=min(self._recipe.teacher, (steps + 1) / (steps + 10)))


def mean_embeddings(
    students: list[Student],
    crops: UnlabelledCrops,
    *,
    how: Preprocessing,
    pulse: Callable[[], None] | None = None,
) -> Float32Array:
    """Of what all teachers say of all crops: raw (n, d)."""
    found = [student.embeddings(crops, how=how, pulse=pulse) for student in students]
    return found[0] if len(found) == 1 else np.mean(found, axis=0, dtype=np.float32)


def _adam(parameters: list[torch.nn.Parameter], recipe: AdaptationRecipe) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


@torch.no_grad()
def _follow(teacher: CameraNetwork, network: CameraNetwork, *, keep: float) -> None:
    for old, new in zip(teacher.parameters(), network.parameters(), strict=True):
        old.mul_(keep).add_(new, alpha=1.0 - keep)
