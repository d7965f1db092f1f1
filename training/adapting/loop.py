"""Guess, learn, guess again: the rounds of an adaptation."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from passerby.arrays import Int64Array
from passerby.errors import DataError, NotEnoughDataError
from passerby.features.clustering.cut import agreement, alone
from passerby.models import Preprocessing
from training.adapting.checkpoint import Checkpoint, RoundReport
from training.adapting.embedding import count_statistics, embed
from training.adapting.objective import Objective, objective_of
from training.adapting.pace import Pace
from training.adapting.pseudo_labels import PseudoLabels, guess
from training.adapting.recipe import AdaptationRecipe
from training.augmentation import training_input
from training.batch_norm import CameraNetwork
from training.sampling import people_batches
from training.schedule import warm_up_and_cosine, warm_up_and_steps
from training.unlabelled import UnlabelledCrops


@dataclass(frozen=True, slots=True)
class Doing:
    """What an adaptation is at."""

    round: int
    """From 1; one more than there are rounds: the last statistics are taken."""
    rounds: int
    share: float
    """Of the whole, 0-1."""
    clusters: int
    outliers: int
    loss: float | None
    """None while it guesses."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """The result; `people` (n,) is the last guess, -1 for nobody."""

    network: CameraNetwork
    people: Int64Array
    rounds: tuple[RoundReport, ...]


class Adaptation:
    """One network on its way.

    The same for the same network, crops, recipe, seed, number of threads and steps; where `pace` has a time, the number
    of steps is what the machine manages. Raises NotEnoughDataError where too few people are found to learn from,
    DataError for a loss that is no number.
    """

    def __init__(
        self,
        network: CameraNetwork,
        crops: UnlabelledCrops,
        recipe: AdaptationRecipe,
        *,
        how: Preprocessing,
        seed: int,
        pace: Pace,
        progress: Callable[[Doing], None] | None = None,
    ) -> None:
        self._crops, self._recipe, self._how, self._seed, self._pace = crops, recipe, how, seed, pace
        self._progress = progress
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
        self._teacher = copy.deepcopy(network) if recipe.teacher else network
        self._optimizer = _adam(list(network.parameters()), recipe)
        self._rounds: tuple[RoundReport, ...] = ()
        self._people: Int64Array = np.full(len(crops), -1, np.int64)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where another left off."""
        self._network.load_state_dict(checkpoint.network)
        if checkpoint.teacher is not None:
            self._teacher.load_state_dict(checkpoint.teacher)
        self._optimizer.load_state_dict(checkpoint.optimizer)
        self._rounds = checkpoint.rounds
        self._people = checkpoint.people.numpy().astype(np.int64)

    def checkpoint(self, what: str) -> Checkpoint:
        """All that `restore` needs."""
        return Checkpoint(
            what=what,
            rounds=self._rounds,
            people=torch.from_numpy(self._people),
            network=self._network.state_dict(),
            teacher=self._teacher.state_dict() if self._recipe.teacher else None,
            optimizer=self._optimizer.state_dict(),
            used_s=self._pace.used,
        )

    def run(self, *, after_round: Callable[[], None] | None = None) -> Adapted:
        """All rounds that are left; `after_round` is called after each, when `checkpoint` may be taken."""
        recipe = self._recipe
        while (number := len(self._rounds)) < self._pace.rounds:
            began = self._pace.used
            self._pace.begin_round()
            self._tell(number, 0, None)
            count_statistics(self._teacher, self._crops, how=self._how, strength=recipe.norm_strength)
            embeddings = embed(self._teacher, self._crops, how=self._how)
            labels = guess(embeddings, self._crops, recipe.grouping)
            if labels.clusters < recipe.fewest_people:
                raise NotEnoughDataError(
                    f"not enough data: {labels.clusters} people seen, {recipe.fewest_people} needed "
                    f"({len(self._crops)} crops of {len(np.unique(self._crops.cameras))} cameras)"
                )
            agrees = None if number == 0 else agreement(alone(self._people), alone(labels.people))
            self._people = labels.people
            torch.manual_seed(self._seed * 1_000_003 + number)
            objective = objective_of(recipe.loss, embeddings, labels.people, self._crops.cameras)
            self._pace.begin_learning(number)
            losses = self._learn(number, labels, objective)
            report = RoundReport(
                number=number + 1,
                clusters=labels.clusters,
                outliers=labels.outliers,
                cut=labels.cut,
                camera_purity=camera_purity(labels.people, self._crops.cameras),
                agreement=agrees,
                steps=len(losses),
                loss=float(np.mean(losses)),
                seconds=self._pace.used - began,
            )
            self._rounds = (*self._rounds, report)
            if after_round is not None:
                after_round()
        self._tell(self._pace.rounds, 0, None)
        count_statistics(self._teacher, self._crops, how=self._how, strength=recipe.norm_strength)
        return Adapted(self._teacher.eval(), self._people, self._rounds)

    def _learn(self, number: int, labels: PseudoLabels, objective: Objective) -> list[float]:
        """The steps of a round; gives their losses."""
        recipe, crops = self._recipe, self._crops
        known = np.flatnonzero(labels.people >= 0)
        batches = people_batches(
            labels.people[known],
            crops.cameras[known],
            people_per_batch=min(recipe.people_per_batch, labels.clusters),
            images_per_person=recipe.images_per_person,
            seed=self._seed * 1_000_003 + number,
        )
        schedule = warm_up_and_steps if recipe.schedule == "steps" else warm_up_and_cosine
        extra = _adam(objective.parameters(), recipe) if objective.parameters() else None
        optimizers = [self._optimizer, *([extra] if extra else [])]
        losses: list[float] = []
        self._network.train()
        while not self._pace.is_over(number, len(losses)):
            step = len(losses)
            rows = known[next(batches)]
            rows = rows[np.argsort(crops.cameras[rows], kind="stable")]  # as the batch norms want them
            draw = np.random.default_rng([self._seed, number, step])
            pictures = training_input(crops.pictures[rows], how=self._how, changes=recipe.changes, draw=draw)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16 and computes_bfloat16()):
                found = self._network(pictures.contiguous(memory_format=torch.channels_last), crops.cameras[rows])
            features = found.float()
            loss = objective.loss(features, rows)
            if not bool(torch.isfinite(loss)):
                raise DataError(
                    f"the loss of step {step + 1} of round {number + 1} is {float(loss.detach())}; "
                    "lower the learning rate"
                )
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            rate = recipe.learning_rate * schedule(self._pace.progress(number, step))
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.step()
            objective.after_step(features, rows)
            if recipe.teacher:
                # At first it follows closely: it has nothing to remember.
                _follow(self._teacher, self._network, keep=min(recipe.teacher, (step + 1) / (step + 10)))
            losses.append(float(loss.detach()))
            self._tell(number, len(losses), losses[-1], labels)
        return losses

    def _tell(self, number: int, done: int, loss: float | None, labels: PseudoLabels | None = None) -> None:
        if self._progress is None:
            return
        rounds = self._pace.rounds
        share = number / rounds if loss is None else self._pace.progress(number, done)
        clusters, outliers = (labels.clusters, labels.outliers) if labels else (0, 0)
        self._progress(Doing(number + 1, rounds, share, clusters, outliers, loss))


def camera_purity(people: Int64Array, cameras: Int64Array) -> float:
    """Mean over clusters of the largest share that one camera has of it, 0-1; 1 where nobody is known.

    >>> camera_purity(np.array([0, 0, 1, 1, -1]), np.array([0, 1, 1, 1, 0]))
    0.75
    """
    known = people >= 0
    if not known.any():
        return 1.0
    table = np.zeros((int(people.max()) + 1, int(cameras.max()) + 1))
    np.add.at(table, (people[known], cameras[known]), 1.0)
    return float((table.max(axis=1) / table.sum(axis=1)).mean())


def computes_bfloat16() -> bool:
    """Whether this CPU has bfloat16 in hardware; without, it would be slower than float32."""
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def _adam(parameters: list[torch.nn.Parameter], recipe: AdaptationRecipe) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


@torch.no_grad()
def _follow(teacher: CameraNetwork, network: CameraNetwork, *, keep: float) -> None:
    for old, new in zip(teacher.parameters(), network.parameters(), strict=True):
        old.mul_(keep).add_(new, alpha=1.0 - keep)
