"""Guess, learn, guess again: the rounds of an adaptation."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from passerby.errors import DataError
from passerby.models import Preprocessing
from training.adapting.embedding import count_statistics, embed
from training.adapting.objective import GuessingObjective, MemoryObjective, Objective
from training.adapting.pseudo_labels import PseudoLabels, guess
from training.adapting.recipe import AdaptationRecipe, GuessingLoss
from training.augmentation import training_input
from training.batch_norm import CameraNetwork
from training.sampling import people_batches
from training.schedule import warm_up_and_cosine, warm_up_and_steps
from training.unlabelled import UnlabelledCrops


@dataclass(frozen=True, slots=True)
class Told:
    step: int
    steps: int
    round: int
    clusters: int
    outliers: int
    loss: float


def adapt(
    network: CameraNetwork,
    crops: UnlabelledCrops,
    recipe: AdaptationRecipe,
    *,
    how: Preprocessing,
    steps: int,
    seed: int,
    progress: Callable[[Told], None] | None = None,
    watch: Callable[[int, CameraNetwork, PseudoLabels], None] | None = None,
) -> CameraNetwork:
    torch.manual_seed(seed)
    network.to(memory_format=torch.channels_last)
    teacher = copy.deepcopy(network) if recipe.teacher else network
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = warm_up_and_steps if recipe.schedule == "steps" else warm_up_and_cosine
    bounds = np.linspace(0, steps, recipe.rounds + 1).round().astype(int).tolist()
    for number, (first, last) in enumerate(zip(bounds, bounds[1:], strict=False)):
        count_statistics(teacher, crops, how=how, strength=recipe.norm_strength)
        embeddings = embed(teacher, crops, how=how)
        labels = guess(embeddings, crops, recipe.grouping)
        if watch is not None:
            watch(number, teacher, labels)
        if labels.clusters < 2:
            raise DataError(f"{labels.clusters} people were found, at least 2 are needed")
        objective: Objective
        if isinstance(recipe.loss, GuessingLoss):
            objective = GuessingObjective(recipe.loss, labels.people, dimension=network.feature_dimension)
        else:
            objective = MemoryObjective(recipe.loss, embeddings, labels.people, crops.cameras)
        extra = objective.parameters()
        while len(optimizer.param_groups) > 1:
            optimizer.param_groups.pop()
        if extra:
            optimizer.add_param_group({"params": extra})
        known = np.flatnonzero(labels.people >= 0)
        batches = people_batches(
            labels.people[known],
            crops.cameras[known],
            people_per_batch=min(recipe.people_per_batch, labels.clusters),
            images_per_person=recipe.images_per_person,
            seed=seed * 1000 + number,
        )
        network.train()
        for step in range(first, last):
            rows = known[next(batches)]
            rows = rows[np.argsort(crops.cameras[rows], kind="stable")]
            draw = np.random.default_rng([seed, step])
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * schedule(step / steps)
            pictures = training_input(crops.pictures[rows], how=how, changes=recipe.changes, draw=draw)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
                features = network(pictures.contiguous(memory_format=torch.channels_last), crops.cameras[rows])
            features = features.float()
            loss = objective.loss(features, rows)
            if not bool(torch.isfinite(loss)):
                raise DataError(f"the loss of step {step + 1} is {float(loss.detach())}; lower the learning rate")
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            objective.after_step(features, rows)
            if recipe.teacher:
                _follow(teacher, network, keep=min(recipe.teacher, step / (step + 10)))
            if progress is not None:
                progress(Told(step + 1, steps, number, labels.clusters, labels.outliers, float(loss.detach())))
    count_statistics(teacher, crops, how=how, strength=recipe.norm_strength)
    return teacher.eval()


@torch.no_grad()
def _follow(teacher: CameraNetwork, network: CameraNetwork, *, keep: float) -> None:
    for old, new in zip(teacher.parameters(), network.parameters(), strict=True):
        old.mul_(keep).add_(new, alpha=1.0 - keep)
