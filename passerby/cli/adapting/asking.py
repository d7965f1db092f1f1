"""Asking for an adaptation: by hand, by schedule, or because a camera drifts."""

import time
from dataclasses import dataclass

from hub.reader import SiteReader
from hub.snapshotting import SnapshotSize, measure_snapshot
from passerby.adaptation.job import Job, JobBook, JobRequest, Trigger
from passerby.cli.adapting.budget import threads_of
from passerby.cli.adapting.deployed import models_in_use
from passerby.cli.adapting.site_models import weights_of
from passerby.config import Site
from passerby.models import find_model

_FOR_THE_MODEL_MIB = 30
"""Of disk, for an adapted model in its job's folder and among the site's models, its report and pictures."""

_JUDGING_CROPS_A_SECOND = 150.0
"""By both networks, on one core, as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody wants otherwise than the site file says it; None: as there."""

    minutes: float | None = None
    recipe: str | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What an adaptation would take."""

    size: SnapshotSize
    minutes: float
    disk_mib: int


def estimate(site: Site, wishes: Wishes) -> Estimate:
    """What it would learn from, and take. Raises StoreError where there are no data."""
    size = measure_snapshot(site.data, most_crops=site.adaptation.most_crops)
    minutes = site.adaptation.minutes if wishes.minutes is None else wishes.minutes
    judging = size.crops / _JUDGING_CROPS_A_SECOND / 60.0
    return Estimate(size=size, minutes=minutes + judging, disk_mib=(size.jpeg_bytes >> 20) + 1 + _FOR_THE_MODEL_MIB)


def ask(site: Site, wishes: Wishes, *, actor: str, trigger: Trigger) -> Job:
    """Queue an adaptation of the deployed model.

    Raises DataError where one is under way, ModelError where the model cannot be trained here, StoreError.
    """
    from training.adapting.recipe import read_recipe
    from training.starting import weights_file

    settings = site.adaptation
    parent = find_model(models_in_use(site.data, site.models).reid, task="embed")
    with SiteReader(site.data) as reader:
        newest = reader.last_tracklet_number()
    recipe = wishes.recipe or settings.recipe
    read_recipe(recipe)
    weights_file(weights_of(site, parent.name))
    return JobBook(site.data).ask(
        JobRequest(
            number=0,
            asked_at_ns=time.time_ns(),
            actor=actor,
            trigger=trigger,
            parent=parent.name,
            parent_id=parent.model_id,
            recipe=recipe,
            minutes=settings.minutes if wishes.minutes is None else wishes.minutes,
            seed=wishes.seed,
            newest_tracklet=newest,
            threads=threads_of(settings.threads),
            memory_mib=settings.memory_mib,
            most_crops=settings.most_crops,
        )
    )
