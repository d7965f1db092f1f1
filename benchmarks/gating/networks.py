"""The parent and what becomes of it: adapted in this process, and embeddings of a snapshot's crops by either."""

import copy
import os
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gating.sites import shrunk
from passerby.adaptation import Snapshot
from passerby.arrays import Float32Array, Image, Int64Array
from training.adapting.embedding import embed
from training.adapting.loop import Adaptation
from training.adapting.pace import Pace
from training.adapting.recipe import read_recipe
from training.batch_norm import CameraNetwork
from training.starting import Start
from training.unlabelled import UnlabelledCrops

STEPS, ROUNDS = 70, 7
"""About half a minute on two cores."""


def parent_network(start: Start) -> CameraNetwork:
    """The network as it is deployed: one batch norm for all cameras."""
    return CameraNetwork(copy.deepcopy(start.network), cameras=1)


def embedded(network: CameraNetwork, start: Start, pictures: NDArray[np.uint8], cameras: Int64Array) -> Float32Array:
    """Raw embeddings (n, d) of pictures in the network's size; a camera past the last is one that it does not know."""
    known = int(cameras.max(initial=0)) + 1
    crops = UnlabelledCrops(pictures, cameras, np.arange(len(cameras)), tuple(f"c{row}" for row in range(known)))
    return embed(network, crops, how=start.how)


def of_pictures(network: CameraNetwork, start: Start, pictures: list[Image]) -> Float32Array:
    """Raw embeddings (n, d) as a camera gives that the network does not know."""
    small = shrunk(pictures, height=start.how.height, width=start.how.width)
    unknown = 0 if network.cameras == 1 else network.cameras
    return embedded(network, start, small, np.full(len(small), unknown, np.int64))


def adapt(
    start: Start,
    snapshot: Snapshot,
    pictures: NDArray[np.uint8],
    *,
    learned: Int64Array,
    seed: int,
    tracklets: Int64Array | None = None,
    steps: int = STEPS,
) -> CameraNetwork:
    """Adapt to the crops of the tracklets `learned` (rows); `tracklets` (n,) tells crops together otherwise than the
    snapshot does."""
    rows = np.flatnonzero(np.isin(snapshot.crop_tracklets, learned))
    of_crops = snapshot.crop_tracklets if tracklets is None else tracklets
    crops = UnlabelledCrops(
        pictures[rows], snapshot.crop_cameras[rows], of_crops[rows], tuple(map(str, snapshot.cameras))
    )
    recipe = msgspec.structs.replace(read_recipe("passerby"), rounds=ROUNDS, steps=steps)
    pace = Pace(rounds=ROUNDS, steps=steps, seconds=None, now=lambda: 0.0, growing=recipe.growing)
    network = CameraNetwork(copy.deepcopy(start.network), cameras=len(snapshot.cameras))
    return Adaptation(network, crops, recipe, how=start.how, seed=seed, pace=pace).run().network


def save(network: CameraNetwork, file: Path) -> None:
    """Keep weights and statistics."""
    fresh = file.with_suffix(".fresh")
    torch.save(network.state_dict(), fresh)
    os.replace(fresh, file)


def load(file: Path, start: Start, *, cameras: int) -> CameraNetwork:
    """What was kept of a network that was adapted to so many cameras."""
    network = CameraNetwork(copy.deepcopy(start.network), cameras=cameras)
    network.load_state_dict(torch.load(file, weights_only=True))
    return network.eval()
