"""An adaptation on a folder of images, from reading to the finished model."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

from training.adapting.checkpoint import load, save
from training.adapting.folder import read_crops
from training.adapting.loop import Adaptation, Doing
from training.adapting.pace import Pace
from training.adapting.recipe import AdaptationRecipe
from training.adapting.result import Task, write_result
from training.batch_norm import CameraNetwork
from training.starting import trainable

CHECKPOINT = "checkpoint.pt"
"""In the folder of the result while an adaptation is under way."""


def adapt_images(
    root: Path,
    *,
    model: str,
    out: Path,
    recipe_name: str,
    recipe: AdaptationRecipe,
    minutes: float | None,
    seed: int,
    tracklets: Path | None,
    threads: int,
    progress: Callable[[str, float, str], None],
) -> dict[str, Any]:
    """Adapt `model` to the images of `root` and leave the result in `out`; gives the report.

    Where `out` holds the checkpoint of the same adaptation, it goes on from there. `minutes` is what all of it may
    take; None: as many steps as the recipe says. `threads` 0 leaves their number to torch. `progress` is told what is
    done, how much of it (0-1), and a word. Raises what reading, adapting and exporting raise.
    """
    began = time.monotonic()
    if threads:
        torch.set_num_threads(threads)
    start = trainable(model)
    # More pixels than the network was made for teach nothing.
    height, width = min(recipe.height, start.how.height), min(recipe.width, start.how.width)
    how = msgspec.structs.replace(start.how, height=height, width=width)
    data = read_crops(
        root,
        height=how.height,
        width=how.width,
        tracklets=tracklets,
        progress=lambda done, total: progress("reading", done / total, f"{total // 2} images"),
    )
    task = Task(start, recipe_name, recipe, seed, how, data)
    out.mkdir(parents=True, exist_ok=True)
    file = out / CHECKPOINT
    kept = load(file, what=task.digest)
    used = time.monotonic() - began + (kept.used_s if kept else 0.0)
    seconds = None if minutes is None else 60.0 * minutes
    pace = Pace(
        rounds=recipe.rounds,
        steps=recipe.steps,
        seconds=seconds,
        now=time.monotonic,
        growing=recipe.growing,
        used=used,
    )

    def tell(doing: Doing) -> None:
        if doing.round > doing.rounds:
            progress("adapting", 1.0, "last statistics")
        elif doing.loss is None:
            progress("adapting", doing.share, f"round {doing.round}/{doing.rounds}: guessing")
        else:
            word = f"round {doing.round}/{doing.rounds}: {doing.clusters} people, loss {doing.loss:.2f}"
            progress("adapting", doing.share, word)

    cameras = len(data.crops.camera_names) if recipe.batch_norm == "camera" else 1
    network = CameraNetwork(start.network, cameras=cameras)
    adaptation = Adaptation(network, data.crops, recipe, how=how, seed=seed, pace=pace, progress=tell)
    if kept is not None:
        adaptation.restore(kept)
    adapted = adaptation.run(after_round=lambda: save(adaptation.checkpoint(task.digest), file))
    progress("exporting", 0.0, "model.onnx")
    report = write_result(task, adapted, out, seconds=pace.used)
    progress("exporting", 1.0, "model.onnx")
    file.unlink(missing_ok=True)
    return report
