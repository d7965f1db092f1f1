"""An adaptation from what was ordered to the finished model, wherever its crops lie."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch

from passerby.errors import StoppedError
from training.adapting.checkpoint import load, save
from training.adapting.loop import Adaptation, Doing
from training.adapting.material import Material
from training.adapting.pace import Pace
from training.adapting.recipe import AdaptationRecipe
from training.adapting.result import Task, write_result
from training.batch_norm import CameraNetwork
from training.device import DeviceName
from training.starting import trainable
from training.team import Team, gathered_team

CHECKPOINT = "checkpoint.pt"
"""In the folder of the result while an adaptation is under way, and after it was stopped."""

Progress = Callable[[str, float, str], None]
"""Called with what is done, how much of it (0-1), and a word."""


class Reader(Protocol):
    """Reads the crops in the size that the network wants; `progress` is told how many are done, of how many."""

    def __call__(self, *, height: int, width: int, progress: Callable[[int, int], None]) -> Material: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be adapted, and how."""

    model: str
    """The name of a backbone's weights, or FILE.pth."""
    recipe_name: str
    recipe: AdaptationRecipe
    seed: int = 1
    minutes: float | None = None
    """For all of it; None: as many steps as the recipe says."""
    threads: int = 0
    """Of the CPU; 0 leaves their number to torch."""
    device: DeviceName = "auto"


def adapt(
    order: Order,
    read: Reader,
    *,
    out: Path,
    progress: Progress,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Adapt a network to what `read` reads, and leave the result in `out`; gives the report.

    Where `out` holds the checkpoint of the same adaptation, it goes on from there. `stop` is asked often, before each
    picture, batch and step; once it says so, StoppedError is raised, and what was done up to the last round lies in
    the checkpoint. Processes that torchrun has started adapt one network together, which the first of them writes.
    Raises besides what reading, adapting and exporting raise.
    """

    def pulse() -> None:
        if stop is not None and stop():
            raise StoppedError("the adaptation was stopped; started again it goes on from its last round")

    with gathered_team(order.device) as team:
        return _adapt(order, read, out=out, progress=progress if team.leads else _silent, pulse=pulse, team=team)


def _adapt(
    order: Order, read: Reader, *, out: Path, progress: Progress, pulse: Callable[[], None], team: Team
) -> dict[str, Any]:
    began = time.monotonic()
    if order.threads:
        torch.set_num_threads(order.threads)
    recipe = order.recipe
    start = trainable(order.model)
    # More pixels than the network was made for teach nothing.
    height, width = min(recipe.height, start.how.height), min(recipe.width, start.how.width)
    how = msgspec.structs.replace(start.how, height=height, width=width)

    def tell_reading(done: int, total: int) -> None:
        pulse()
        progress("reading", done / total, "crops")

    data = read(height=how.height, width=how.width, progress=tell_reading)
    task = Task(start, order.recipe_name, recipe, order.seed, how, data)
    out.mkdir(parents=True, exist_ok=True)
    file = out / CHECKPOINT
    kept = load(file, what=task.digest)
    used = time.monotonic() - began + (kept.used_s if kept else 0.0)
    pace = Pace(
        rounds=recipe.rounds,
        steps=recipe.steps,
        seconds=None if order.minutes is None else 60.0 * order.minutes,
        now=time.monotonic,
        growing=recipe.growing,
        used=used,
    )
    cameras = len(data.crops.camera_names) if recipe.batch_norm == "camera" else 1
    adaptation = Adaptation(
        CameraNetwork(start.network, cameras=cameras).to(team.device),
        data.crops,
        recipe,
        how=how,
        seed=order.seed,
        pace=pace,
        deployed=data.deployed,
        progress=lambda doing: progress("adapting", *_said(doing)),
        pulse=pulse,
        team=team,
    )
    if kept is not None:
        adaptation.restore(kept)
    adapted = adaptation.run(after_round=lambda: save(adaptation.checkpoint(task.digest), file))
    pulse()
    progress("exporting", 0.0, "model.onnx")
    report = team.led(lambda: write_result(task, adapted, out, seconds=pace.used))
    progress("exporting", 1.0, "model.onnx")
    if team.leads:
        file.unlink(missing_ok=True)
    return report


def _silent(part: str, share: float, word: str) -> None:
    """Progress of a process that does not lead."""


def _said(doing: Doing) -> tuple[float, str]:
    """How much is done, and a word about it."""
    if doing.round > doing.rounds:
        return 1.0, "last statistics"
    if doing.loss is None:
        return doing.share, f"round {doing.round}/{doing.rounds}: guessing"
    return doing.share, f"round {doing.round}/{doing.rounds}: {doing.clusters} people, loss {doing.loss:.2f}"
