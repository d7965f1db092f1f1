"""People that nobody has seen: the upper part of one, the lower of another, before the same cameras.

A site shows few people, and a network that tells these apart has not learned to tell others. Of two that are known, a
third can be made, which differs from each in one half only. Pasting pictures together to learn more is CutMix's
(Yun et al., ICCV 2019); here the result is not something between two people but a person of its own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from passerby.arrays import Int64Array, require_shape
from training.losses import batch_contrast

_CUTS = (0.35, 0.65)
"""Of a picture's height: about where a person's waist is."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What becomes of a batch; element i of each is one picture."""

    lower: Int64Array
    """(n,): the picture whose lower part it gets; itself where it stays as it is."""
    cuts: NDArray[np.float64]
    """(n,): where that begins, as a share of the height; the same for all pictures of one person."""
    people: Int64Array
    """(n,): who is on it then; whoever was made has a number of their own."""
    made: NDArray[np.bool_]
    """(n,): whether that is a person who was made."""


def composition(people: Int64Array, cameras: Int64Array, *, share: float, draw: np.random.Generator) -> Composition:
    """Make a person of about that `share` of the batch's `people` (n,), whom `cameras` (n,) show.

    Each gets their lower part from somebody whom the same cameras show in the batch; where nobody else is there for it,
    or nobody would be left, they stay as they are.
    """
    require_shape("cameras", cameras, people.shape)
    names = draw.permutation(np.unique(people))
    seen_by = {name: set(cameras[people == name].tolist()) for name in names.tolist()}
    lower, cuts = np.arange(len(people)), np.ones(len(people))
    found, made = people.copy(), np.zeros(len(people), np.bool_)
    fresh = int(people.max(initial=-1)) + 1
    for place, name in enumerate(names.tolist()[: min(round(share * len(names)), len(names) - 1)]):
        others = np.roll(names, -place - 1)[:-1].tolist()
        other = next((each for each in others if seen_by[name] <= seen_by[each]), None)
        if other is None:
            continue
        rows = np.flatnonzero(people == name)
        lower[rows] = [draw.choice(np.flatnonzero((people == other) & (cameras == cameras[row]))) for row in rows]
        cuts[rows], found[rows], made[rows] = draw.uniform(*_CUTS), fresh + place, True
    return Composition(lower, cuts, found, made)


def composed(pictures: NDArray[np.uint8], how: Composition) -> NDArray[np.uint8]:
    """The `pictures` (n, height, width, 3) put together as `how` says; a new array."""
    result = pictures.copy()
    height = pictures.shape[1]
    for row in np.flatnonzero(how.made):
        cut = round(height * how.cuts[row])
        result[row, cut:] = pictures[how.lower[row], cut:]
    return result


def loss_with_made(loss: Tensor, features: Tensor, how: Composition, *, temperature: float) -> Tensor:
    """`loss`, which was of the pictures that stayed, and the contrast of those of people who were made: each counts as
    much as it has pictures. `features` (n, d) are raw, of all pictures of the batch."""
    if not how.made.any():
        return loss
    people, made = (torch.from_numpy(each).to(features.device) for each in (how.people, how.made))
    contrast = batch_contrast(functional.normalize(features), people, asked=made, temperature=temperature)
    share = float(how.made.mean())
    return (1.0 - share) * loss + share * contrast
