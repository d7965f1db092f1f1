"""What rounds minimize on their pseudo-labels: an objective for each kind of loss in a recipe."""

import torch

from passerby.arrays import Float32Array, Int64Array
from training.adapting.objectives.guessing import GuessingObjective
from training.adapting.objectives.hybrid import HybridObjective
from training.adapting.objectives.memory import MemoryObjective
from training.adapting.objectives.mutual import MutualObjective
from training.adapting.objectives.objective import Objective
from training.adapting.objectives.reliable import ReliableObjective
from training.adapting.recipe import AdaptationRecipe, GuessingLoss, HybridLoss, MutualLoss, ReliableLoss
from training.device import CPU

__all__ = ["MutualObjective", "Objective", "objective_of"]


def objective_of(
    recipe: AdaptationRecipe,
    embeddings: Float32Array,
    people: Int64Array,
    cameras: Int64Array,
    *,
    progress: float,
    device: torch.device = CPU,
) -> Objective:
    """The objective of a round: raw `embeddings` (n, d), pseudo-labels `people` (n,), -1 for nobody, `cameras` (n,).

    `progress`, 0-1, is how far the rounds are; features will come from `device`.
    """
    settings = recipe.loss
    if isinstance(settings, GuessingLoss):
        return GuessingObjective(settings, people, dimension=embeddings.shape[1], device=device)
    if isinstance(settings, HybridLoss):
        return HybridObjective(settings, embeddings, people, device=device)
    if isinstance(settings, MutualLoss):
        return MutualObjective(settings, embeddings, people, keep=recipe.teacher, device=device)
    if isinstance(settings, ReliableLoss):
        return ReliableObjective(settings, embeddings, people, progress=progress, device=device)
    return MemoryObjective(settings, embeddings, people, cameras, device=device)
