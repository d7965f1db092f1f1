"""Guess, learn, guess again: the rounds of an adaptation."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError, NotEnoughDataError
from passerby.features.clustering.cut import agreement, alone
from passerby.features.normalization import zscore_by_camera
from passerby.models import Preprocessing
from training.adapting.checkpoint import Checkpoint, RoundReport
from training.adapting.composing import Composition, composed, composition, loss_with_made
from training.adapting.embedding import embed
from training.adapting.mutual import losses_of
from training.adapting.objectives import objective_of
from training.adapting.pace import Pace
from training.adapting.pseudo_labels import PseudoLabels, guess
from training.adapting.recipe import AdaptationRecipe, MutualLoss
from training.adapting.student import Student, mean_embeddings
from training.augmentation import training_input
from training.batch_norm import CameraNetwork
from training.losses import relation_loss
from training.sampling import people_batches
from training.schedule import SCHEDULES
from training.team import ALONE, Team
from training.unlabelled import UnlabelledCrops

_MAKING = 999_983
"""Parts the draws of whom to make from those of how to change pictures."""


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
    """One network on its way, or two that learn from each other, of which the first's teacher is the result.

    The same for the same network, crops, recipe, seed, number of threads and steps; where `pace` has a time, the number
    of steps is what the machine manages. `pulse` is called before every step and every batch that is embedded; what it
    raises ends the adaptation, which may go on from the checkpoint of its last round. `deployed` (n, d) are the raw
    embeddings of the crops by the model that a recipe with distillation keeps to; None: by `network` as it is given.
    The processes of a `team` learn from a share of each batch each, and end with the same. Raises NotEnoughDataError
    where too few people are found to learn from, DataError for a loss that is no number.
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
        deployed: Float32Array | None = None,
        progress: Callable[[Doing], None] | None = None,
        pulse: Callable[[], None] | None = None,
        team: Team = ALONE,
    ) -> None:
        self._crops, self._recipe, self._how, self._seed, self._pace = crops, recipe, how, seed, pace
        self._progress, self._pulse, self._team = progress, pulse, team
        self._relations = self._keeping_to(network, deployed) if recipe.distillation.weight else None
        self._students = [Student(network, recipe, team=team)]
        if isinstance(recipe.loss, MutualLoss):
            self._students.append(Student(copy.deepcopy(network), recipe, team=team))
        self._rounds: tuple[RoundReport, ...] = ()
        self._people: Int64Array = np.full(len(crops), -1, np.int64)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where another left off."""
        for student, state in zip(self._students, checkpoint.students, strict=True):
            student.restore(state)
        self._rounds = checkpoint.rounds
        self._people = checkpoint.people.numpy().astype(np.int64)

    def checkpoint(self, what: str) -> Checkpoint:
        """All that `restore` needs."""
        return Checkpoint(
            what=what,
            rounds=self._rounds,
            people=torch.from_numpy(self._people),
            students=tuple(student.state() for student in self._students),
            used_s=self._pace.used,
        )

    def run(self, *, after_round: Callable[[], None] | None = None) -> Adapted:
        """All rounds that are left; `after_round` is called after each, when `checkpoint` may be taken."""
        recipe = self._recipe
        while (number := len(self._rounds)) < self._pace.rounds:
            began = self._pace.used
            self._pace.begin_round()
            self._tell(number, 0, None)
            embeddings, labels = self._team.led(self._guess)
            for student in self._students:
                student.synchronize()
            agrees = None if number == 0 else agreement(alone(self._people), alone(labels.people))
            self._people = labels.people
            torch.manual_seed(self._seed * 1_000_003 + number)
            self._pace.begin_learning(number)
            self._pace.rounds = self._team.led(lambda: self._pace.rounds)
            progress = number / max(self._pace.rounds - 1, 1)
            for student in self._students:
                student.begin_round(
                    objective_of(
                        recipe,
                        embeddings,
                        labels.people,
                        self._crops.cameras,
                        progress=progress,
                        device=self._team.device,
                    )
                )
            losses = self._learn(number, labels)
            report = RoundReport(
                number=number + 1,
                clusters=labels.clusters,
                outliers=labels.outliers,
                cut=labels.cut,
                independence=labels.independence,
                camera_purity=camera_purity(labels.people, self._crops.cameras),
                agreement=agrees,
                steps=len(losses),
                loss=float(np.mean(losses)),
                seconds=self._pace.used - began,
            )
            self._rounds = (*self._rounds, report)
            if after_round is not None and self._team.leads:
                after_round()
        self._tell(self._pace.rounds, 0, None)
        # Of two, the first: nobody can say without labels which is the better.
        self._team.led(lambda: self._students[0].count_statistics(self._crops, how=self._how, pulse=self._pulse))
        self._students[0].synchronize()
        return Adapted(self._students[0].teacher.eval(), self._people, self._rounds)

    def _guess(self) -> tuple[Float32Array, PseudoLabels]:
        """Raw embeddings (n, d), and who is who by them."""
        embeddings = mean_embeddings(self._students, self._crops, how=self._how, pulse=self._pulse)
        independence = self._rounds[0].independence if self._rounds else None
        labels = guess(embeddings, self._crops, self._recipe.grouping, independence=independence)
        if labels.clusters < self._recipe.fewest_people:
            raise NotEnoughDataError(
                f"not enough data: {labels.clusters} people seen, {self._recipe.fewest_people} needed "
                f"({len(self._crops)} crops of {len(np.unique(self._crops.cameras))} cameras)"
            )
        return embeddings, labels

    def _learn(self, number: int, labels: PseudoLabels) -> list[float]:
        """The steps of a round; gives their losses."""
        recipe, crops = self._recipe, self._crops
        people = self._students[0].objective.people
        known = np.flatnonzero(people >= 0)
        batches = people_batches(
            people[known],
            crops.cameras[known],
            people_per_batch=min(recipe.people_per_batch, len(np.unique(people[known]))),
            images_per_person=recipe.images_per_person,
            seed=self._seed * 1_000_003 + number,
            repeat=recipe.repeat_images,
        )
        schedule = SCHEDULES[recipe.schedule]
        before = sum(each.steps for each in self._rounds)
        losses: list[float] = []
        while (done := self._team.led(partial(self._done, number, len(losses)))) is not None:
            step = len(losses)
            rows = known[next(batches)]
            rows = rows[np.argsort(crops.cameras[rows], kind="stable")]  # as the batch norms want them
            rate = recipe.learning_rate * schedule(done)
            losses.append(self._step(rows, number=number, step=step, steps=before + step, rate=rate))
            self._tell(number, len(losses), losses[-1], labels)
        return losses

    def _done(self, number: int, step: int) -> float | None:
        """Of the whole, 0-1, before this step of a round; None where the round is over."""
        if self._pace.is_over(number, step):
            return None
        if self._pulse is not None:
            self._pulse()
        return self._pace.progress(number, step)

    def _step(self, batch: Int64Array, *, number: int, step: int, steps: int, rate: float) -> float:
        """All students learn from the crops `batch`, each from a view of its own; gives the mean of their losses."""
        team = self._team
        shares = team.shares(batch, self._students[0].objective.people[batch])
        rows = shares[team.rank]
        cameras = self._crops.cameras[rows]
        made = [self._made(share, number, step, *([rank] * (rank > 0))) for rank, share in enumerate(shares)]
        pictures = composed(self._crops.pictures[rows], made[team.rank])
        views = [
            self._view(
                pictures, number, step, *([student] if student or team.rank else []), *([team.rank] * (team.rank > 0))
            )
            for student in range(len(self._students))
        ]
        features = [student.features(view, cameras) for student, view in zip(self._students, views, strict=True)]
        losses = self._losses(features, views, made=made[team.rank], rows=rows)
        loss = team.summed(sum(float(each.detach()) for each in losses) / len(losses) * (len(rows) / len(batch)))
        if not np.isfinite(loss):
            raise DataError(f"the loss of step {step + 1} of round {number + 1} is {loss}; lower the learning rate")
        real = ~np.concatenate([each.made for each in made])
        for student, own, found in zip(self._students, losses, features, strict=True):
            student.learn(own, features=found, shares=shares, real=real, rate=rate, steps=steps)
        return loss

    def _losses(
        self, features: list[Tensor], views: list[Tensor], *, made: Composition, rows: Int64Array
    ) -> list[Tensor]:
        """Of each student: of people who are, of what the deployed model finds alike, and of people who were made."""
        recipe, real = self._recipe, ~made.made
        kept = [each[real] for each in features]
        losses = losses_of(self._students, kept, views, cameras=self._crops.cameras[rows], rows=rows[real])
        if self._relations is not None:
            asked, by = self._relations[rows[real]], recipe.distillation
            losses = [
                own + by.weight * relation_loss(found, asked, temperature=by.temperature)
                for own, found in zip(losses, kept, strict=True)
            ]
        return [
            loss_with_made(own, found, made, temperature=recipe.made.temperature)
            for own, found in zip(losses, features, strict=True)
        ]

    def _made(self, rows: Int64Array, *draws: int) -> Composition:
        """Whom the recipe makes of those on the crops `rows`."""
        draw = np.random.default_rng([self._seed, _MAKING, *draws])
        people = self._students[0].objective.people[rows]
        return composition(people, self._crops.cameras[rows], share=self._recipe.made.share, draw=draw)

    def _keeping_to(self, network: CameraNetwork, deployed: Float32Array | None) -> Tensor:
        """The deployed model's embeddings (n, d), without what each camera does to everybody."""
        raw = embed(network, self._crops, how=self._how, pulse=self._pulse) if deployed is None else deployed
        return torch.from_numpy(zscore_by_camera(raw, self._crops.cameras.tolist())).to(self._team.device)

    def _view(self, pictures: NDArray[np.uint8], *draws: int) -> Tensor:
        """The `pictures`, changed by what the seed and `draws` draw: (n, 3, height, width)."""
        draw = np.random.default_rng([self._seed, *draws])
        return training_input(pictures, how=self._how, changes=self._recipe.changes, draw=draw)

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
