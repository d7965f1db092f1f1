"""The source recipe: a re-ID network trained on labelled people, from scratch or from weights.

Learn by Guessing (Pereira and de Campos 2022): batch-hard triplet + label-smoothed identity + 0.005 center, Adam, a
warm-up and two steps over 90 epochs. Identities are told apart behind a batch norm without shift, triplets and centers
before it (Luo et al., Bag of Tricks, CVPR workshops 2019).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch.nn import functional

from passerby.arrays import Int64Array, require_shape
from passerby.errors import DataError
from passerby.models import Preprocessing
from training.augmentation import CropChanges, on_device, training_input
from training.backbones import Backbone
from training.device import Precision
from training.identity_head import IdentityHead
from training.losses import Centers, batch_hard_triplet_loss, smoothed_cross_entropy
from training.sampling import people_batches
from training.schedule import warm_up_and_cosine, warm_up_and_steps

_Network = TypeVar("_Network", bound=Backbone)


@dataclass(frozen=True, slots=True)
class LabelledCrops:
    """Element i of each is one crop: `pictures` (n, height, width, 3) uint8 BGR, `people` and `cameras` (n,) int64."""

    pictures: NDArray[np.uint8]
    people: Int64Array
    cameras: Int64Array

    def __post_init__(self) -> None:
        require_shape("pictures", self.pictures, (len(self.people), None, None, 3))
        require_shape("people", self.people, (None,))
        require_shape("cameras", self.cameras, self.people.shape)

    def __len__(self) -> int:
        return len(self.people)


class SourceRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a re-ID network is trained on labelled people."""

    steps: int = 600
    people_per_batch: int = 16
    images_per_person: int = 4
    learning_rate: float = 3.5e-4
    classifier_rate: float = 1.0
    """Learning rate of the identities' weights, as a share of the network's: at a high rate they follow every batch."""
    schedule: Literal["steps", "cosine"] = "steps"
    identity_first: float = 0.0
    """Share of the steps before triplets and centers join in. A network that starts from nothing answers the hardest
    triplets by drawing everybody together; one that starts from good weights needs no such time."""
    weight_decay: float = 5e-4
    margin: float = 0.3
    smoothing: float = 0.1
    center_weight: float = 0.005
    changes: CropChanges = CropChanges()


@dataclass(frozen=True, slots=True)
class SourceLoss:
    """One step's loss and its parts, before they are weighted."""

    total: float
    triplet: float
    identity: float
    center: float


def train_source(
    network: _Network,
    crops: LabelledCrops,
    recipe: SourceRecipe,
    *,
    how: Preprocessing,
    seed: int,
    progress: Callable[[int, SourceLoss], None] | None = None,
) -> _Network:
    """Train `network` in place, where it is, on `crops`, whose size is that of `how`; it comes back in evaluation mode.

    On a GPU it is trained in 16 bits. On a CPU the same for the same network, crops, recipe, seed and number of
    threads. `progress` is called after each step with its number from 1. Raises DataError for crops of another size,
    too few people, or a loss that is no number.
    """
    require_shape("pictures", crops.pictures, (None, how.height, how.width, 3))
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    names, people = np.unique(crops.people, return_inverse=True)
    device = next(network.parameters()).device
    precision = Precision(device, half=device.type == "cuda")
    classifier = IdentityHead(network.feature_dimension, len(names)).to(device)
    centers = Centers(len(names), network.feature_dimension).to(device)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a CPU
    groups = [
        {"params": list(network.parameters()), "share": 1.0},
        {"params": classifier.trained(), "share": recipe.classifier_rate},
    ]
    optimizer = torch.optim.Adam(groups, weight_decay=recipe.weight_decay)
    schedule = warm_up_and_steps if recipe.schedule == "steps" else warm_up_and_cosine
    batches = people_batches(
        people.astype(np.int64),
        crops.cameras,
        people_per_batch=recipe.people_per_batch,
        images_per_person=recipe.images_per_person,
        seed=seed,
    )
    for step in range(recipe.steps):
        rows = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * group["share"] * schedule(step / recipe.steps)
        pictures = training_input(crops.pictures[rows], how=how, changes=recipe.changes, draw=draw)
        labels = torch.from_numpy(people[rows]).to(device)
        with precision.computing():
            features = network(on_device(pictures, device)).float()
        # Of unit vectors, as the hub compares people: nothing is gained by making all distances small.
        triplet = batch_hard_triplet_loss(functional.normalize(features), labels, margin=recipe.margin)
        identity = smoothed_cross_entropy(classifier(features), labels, smoothing=recipe.smoothing)
        center = centers(features, labels)
        loss = identity
        if step >= recipe.identity_first * recipe.steps:
            loss = loss + triplet + recipe.center_weight * center
        if not bool(torch.isfinite(loss)):
            raise DataError(f"the loss of step {step + 1} is {float(loss.detach())}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        precision.backward(loss)
        precision.step([optimizer])
        centers.follow(features, labels)
        if progress is not None:
            parts = (float(part.detach()) for part in (loss, triplet, identity, center))
            progress(step + 1, SourceLoss(*parts))
    return network.eval()
