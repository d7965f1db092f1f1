"""Pre-training without labels: a network learns that two crops of one tracklet are one person, and others are not.

MoCo v2 (He et al., Momentum Contrast, CVPR 2020; Chen et al., Improved Baselines with Momentum Contrastive Learning,
2020), as LUPerson has it for people (Fu et al., CVPR 2021). Differences: the second crop may be another of the same
tracklet; a tracklet's own crops in the queue are no negatives; Adam, as the other recipes here have it.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal, Protocol, TypeVar

import numpy as np
import torch
from msgspec import Meta, Struct
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Int64Array
from passerby.errors import DataError
from passerby.models import Preprocessing
from training.augmentation import CropChanges, on_device, training_input
from training.backbones import Backbone
from training.device import Precision
from training.losses import info_nce
from training.schedule import warm_up_and_cosine

_Network = TypeVar("_Network", bound=Backbone)


class TrackletCrops(Protocol):
    """What is trained on: `training.datasets.crops.CropArchive` is one."""

    tracklets: Int64Array
    """(n,) element i says which tracklet crop i is of."""

    def resized(self, indices: Sequence[int] | Int64Array, *, height: int, width: int) -> NDArray[np.uint8]:
        """These crops in one size, BGR (n, height, width, 3) uint8."""


class MocoRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is pre-trained. Raises ValueError for a queue that is shorter than a batch."""

    steps: Annotated[int, Meta(ge=1)] = 2000
    batch: Annotated[int, Meta(ge=2)] = 64
    """Tracklets in a batch, one pair of crops of each."""
    positives: Literal["views", "tracklet"] = "tracklet"
    """A pair is one crop changed twice, or two crops of the tracklet where there are two."""
    queue: Annotated[int, Meta(ge=2)] = 4096
    """Keys that serve as negatives: those of the batch itself and of earlier ones."""
    momentum: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.999
    """How much of itself the key network keeps in a step. Few steps want less."""
    temperature: Annotated[float, Meta(gt=0.0)] = 0.1
    projection: Annotated[int, Meta(ge=2)] = 128
    """Numbers in which pairs are compared; the layers that make them are dropped in the end."""
    learning_rate: Annotated[float, Meta(gt=0.0)] = 1e-3
    weight_decay: Annotated[float, Meta(ge=0.0)] = 1e-4
    changes: CropChanges = CropChanges(erase=0.0, brightness=0.3, contrast=0.3, channel_gain=0.15)
    """Nothing is erased: on small crops it took away more than it taught."""

    def __post_init__(self) -> None:
        if self.queue < self.batch:
            raise ValueError(f"`queue` is {self.queue}, expected at least `batch`, {self.batch}")


def pretrain(
    network: _Network,
    crops: TrackletCrops,
    recipe: MocoRecipe,
    *,
    how: Preprocessing,
    seed: int,
    progress: Callable[[int, float], None] | None = None,
) -> _Network:
    """Train `network` in place, where it is, on pairs of crops; it comes back in evaluation mode.

    On a GPU it is trained in 16 bits. On a CPU the same for the same network, crops, recipe, seed and number of
    threads. `progress` is called after each step with its number from 1 and its loss. Raises DataError for fewer than
    four tracklets, or a loss that is no number.
    """
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    pairs = _pairs(crops.tracklets, recipe, draw)
    device = next(network.parameters()).device
    queries = nn.Sequential(network, _projection(network.feature_dimension, recipe.projection)).to(device)
    queries.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
    precision = Precision(device, half=device.type == "cuda")
    keys = copy.deepcopy(queries).requires_grad_(False)
    queue = _Queue(recipe.queue, recipe.projection, device)

    def pictures(rows: Int64Array) -> Tensor:
        images = crops.resized(rows, height=how.height, width=how.width)
        changed = training_input(images, how=how, changes=recipe.changes, draw=draw)
        return on_device(changed, device)

    def made(pictures: Tensor) -> Tensor:
        """Unit keys (n, d)."""
        with torch.no_grad(), precision.computing():
            return functional.normalize(keys(pictures).float())

    while not queue.is_full:
        _, second = next(pairs)
        queue.put(made(pictures(second)), crops.tracklets[second])
    optimizer = torch.optim.Adam(queries.parameters(), weight_decay=recipe.weight_decay)
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * warm_up_and_cosine(step / recipe.steps)
        first, second = next(pairs)
        with precision.computing():
            asked = queries(pictures(first))
        found = functional.normalize(asked.float())
        _follow(keys, queries, momentum=recipe.momentum)
        own = made(pictures(second))
        # At once: pairs share their batch norm's statistics, and would be known by them were all negatives of other
        # batches (MoCo's section 3.3 shuffles between machines for that).
        queue.put(own, crops.tracklets[second])
        known_same = queue.of_tracklets(crops.tracklets[first])
        loss = info_nce(found, own, queue.keys, known_same=known_same, temperature=recipe.temperature)
        if not bool(torch.isfinite(loss)):
            raise DataError(f"the loss of step {step + 1} is {float(loss.detach())}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        precision.backward(loss)
        precision.step([optimizer])
        if progress is not None:
            progress(step + 1, float(loss.detach()))
    return network.eval()


class _Queue:
    """The keys of the last batches, the oldest of which give way."""

    def __init__(self, length: int, dimension: int, device: torch.device) -> None:
        self.keys = torch.zeros(length, dimension, device=device)
        self._tracklets = torch.full((length,), -1, device=device)
        self._put = 0

    @property
    def is_full(self) -> bool:
        return self._put >= len(self.keys)

    def put(self, keys: Tensor, tracklets: Int64Array) -> None:
        """Keys (n, d) of `tracklets` (n,) take the places of the n oldest."""
        places = torch.arange(self._put, self._put + len(keys), device=self.keys.device) % len(self.keys)
        self.keys[places] = keys
        self._tracklets[places] = torch.from_numpy(tracklets).to(places)
        self._put += len(keys)

    def of_tracklets(self, tracklets: Int64Array) -> Tensor:
        """(n, length) bool: which keys are of each of these tracklets (n,)."""
        return torch.from_numpy(tracklets).to(self._tracklets)[:, None] == self._tracklets[None, :]


def _pairs(
    tracklets: Int64Array, recipe: MocoRecipe, draw: np.random.Generator
) -> Iterator[tuple[Int64Array, Int64Array]]:
    """Without end: two rows of crops, (n,) each, in which element i is of one tracklet, each tracklet once."""
    order = np.argsort(tracklets, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(tracklets[order])) + 1)
    if len(tracklets) == 0 or len(members) < 4:
        count = len(members) if len(tracklets) else 0
        raise DataError(f"there are {count} tracklets to learn from, expected at least 4; add videos")
    while True:
        chosen = draw.permutation(len(members))[: recipe.batch]
        rows = [draw.permutation(members[tracklet])[:2] for tracklet in chosen]
        first = np.array([row[0] for row in rows], np.int64)
        second = first if recipe.positives == "views" else np.array([row[-1] for row in rows], np.int64)
        yield first, second


def _follow(keys: nn.Module, queries: nn.Module, *, momentum: float) -> None:
    """The key network's weights move towards the query network's: MoCo's equation 2."""
    with torch.no_grad():
        for slow, fast in zip(keys.parameters(), queries.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - momentum)


def _projection(features: int, numbers: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, numbers))
