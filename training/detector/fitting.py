"""Training a detector from scratch."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from msgspec import Struct
from torch import Tensor, nn

from passerby.errors import DataError
from training.detector.augmentation import FrameChanges, changed
from training.detector.frames import MarkedFrames
from training.detector.loss import detector_loss
from training.detector.network import PersonDetector
from training.schedule import warm_up_and_cosine


class DetectorRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a detector is trained."""

    steps: int = 2000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    averaging: float = 0.998
    """Share of the running average of the weights that a step keeps; the average is the result."""
    largest_gradient: float = 10.0
    bfloat16: bool = False
    """Convolutions in bfloat16: twice as fast on CPUs that have it, slower on others."""
    changes: FrameChanges = FrameChanges()


def train_detector(
    frames: MarkedFrames, recipe: DetectorRecipe, *, seed: int, progress: Callable[[int, float], None] | None = None
) -> PersonDetector:
    """A detector in evaluation mode, the same for the same frames, recipe, seed and number of threads.

    AdamW (Loshchilov and Hutter, ICLR 2019), batches in random order, every frame once before any comes twice.
    `progress` is called after each step with its number from 1 and its loss. Raises DataError without frames or when
    the loss is no number.
    """
    if len(frames) == 0:
        raise DataError("there are no frames to train a detector on")
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    network = PersonDetector().train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
    averaged: PersonDetector = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    waiting = np.empty(0, np.int64)
    for step in range(recipe.steps):
        while len(waiting) < recipe.batch:
            waiting = np.concatenate([waiting, draw.permutation(len(frames))])
        rows, waiting = waiting[: recipe.batch], waiting[recipe.batch :]
        batch = changed(frames, rows, changes=recipe.changes, draw=draw)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * warm_up_and_cosine(step / recipe.steps)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bfloat16):
            found = network(as_input(batch))
        loss = detector_loss(
            found,
            torch.from_numpy(batch.boxes_xyxy),
            torch.from_numpy(batch.counts),
            torch.from_numpy(batch.ignored),
        )
        if not bool(torch.isfinite(loss.total)):
            raise DataError(f"the loss of step {step + 1} is {float(loss.total)}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss.total)
        nn.utils.clip_grad_norm_(network.parameters(), recipe.largest_gradient)
        optimizer.step()
        _follow(averaged, network, keep=min(recipe.averaging, (1 + step) / (10 + step)))
        if progress is not None:
            progress(step + 1, float(loss.total.detach()))
    return averaged


def as_input(frames: MarkedFrames) -> Tensor:
    """Pictures (n, 3, height, width) float32 BGR in 0-1."""
    pictures = torch.from_numpy(frames.pictures).permute(0, 3, 1, 2)
    return pictures.to(torch.float32).contiguous(memory_format=torch.channels_last) / 255.0


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weights of convolutions decay; biases and batch norm do not."""
    parameters = list(network.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": weight_decay},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]


def _follow(averaged: nn.Module, network: nn.Module, *, keep: float) -> None:
    with torch.no_grad():
        for old, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)
