"""What a network says of crops, each by the statistics of its camera."""

from collections.abc import Callable

import numpy as np
import torch

from passerby.arrays import Float32Array
from passerby.models import Preprocessing
from training.augmentation import NO_CHANGES, on_device, training_input
from training.batch_norm import CameraNetwork
from training.unlabelled import UnlabelledCrops

_AT_ONCE = 64


def count_statistics(
    network: CameraNetwork,
    crops: UnlabelledCrops,
    *,
    how: Preprocessing,
    strength: float,
    pulse: Callable[[], None] | None = None,
) -> None:
    """Learn the batch-norm statistics of each camera anew from its crops, in place; `pulse` is called now and then."""
    draw = np.random.default_rng(0)
    with network.counting(strength=strength):
        of_crops = network.rows_of(crops.cameras)
        for row in np.unique(of_crops):
            # In any order but the one in which they came: neighbours in time show one person.
            rows = draw.permutation(np.flatnonzero(of_crops == row))
            for part in np.array_split(rows, max(1, round(len(rows) / _AT_ONCE))):
                pictures = training_input(crops.pictures[part], how=how, changes=NO_CHANGES, draw=draw)
                network(on_device(pictures, network.device), crops.cameras[part])
                if pulse is not None:
                    pulse()


def embed(
    network: CameraNetwork, crops: UnlabelledCrops, *, how: Preprocessing, pulse: Callable[[], None] | None = None
) -> Float32Array:
    """Raw embeddings (n, d) float32 in the order of `crops`; the network is left in evaluation mode."""
    draw = np.random.default_rng(0)
    network.eval()
    result = np.zeros((len(crops), network.feature_dimension), np.float32)
    order = np.argsort(crops.cameras, kind="stable")
    with torch.no_grad():
        for start in range(0, len(order), _AT_ONCE):
            part = order[start : start + _AT_ONCE]
            pictures = training_input(crops.pictures[part], how=how, changes=NO_CHANGES, draw=draw)
            found = network(on_device(pictures, network.device), crops.cameras[part])
            result[part] = found.float().cpu().numpy()
            if pulse is not None:
                pulse()
    return result
