"""Center loss (Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016)."""

import torch
from torch import Tensor, nn

from passerby.errors import DataError


def center_loss(features: Tensor, people: Tensor, centers: Tensor) -> Tensor:
    """Half the mean squared distance of each image to its person's center: equation 2, divided by the batch.

    `features` (n, d), `people` (n,) integers, `centers` (people, d). An empty batch gives zero.

    >>> float(center_loss(torch.tensor([[3.0, 4.0]]), torch.tensor([0]), torch.zeros(1, 2)))
    12.5
    """
    _require_fitting(features, people, centers)
    if len(features) == 0:
        return features.sum() * 0.0
    return 0.5 * (features - centers[people]).square().sum(dim=1).mean()


def moved_centers(features: Tensor, people: Tensor, centers: Tensor, *, rate: float = 0.5) -> Tensor:
    """The centers (people, d) after a batch: equation 4. A person who is not in it stays.

    Each moves by `rate` times the sum of the differences to its images over one more than their number, so that a
    single picture does not throw it about.

    >>> moved_centers(torch.tensor([[3.0], [3.0]]), torch.tensor([0, 0]), torch.zeros(2, 1), rate=0.5).tolist()
    [[1.0], [0.0]]
    """
    _require_fitting(features, people, centers)
    with torch.no_grad():
        sums = torch.zeros_like(centers).index_add_(0, people, features - centers[people])
        counts = torch.bincount(people, minlength=len(centers)).to(centers.dtype)
        return centers + rate * sums / (1.0 + counts)[:, None]


class Centers(nn.Module):
    """The people's centers during a training: `forward` is their loss on a batch; `follow` moves them after it."""

    centers: Tensor

    def __init__(self, people: int, dimension: int, *, rate: float = 0.5) -> None:
        super().__init__()
        self._rate = rate
        self.register_buffer("centers", torch.zeros(people, dimension))

    def forward(self, features: Tensor, people: Tensor) -> Tensor:
        return center_loss(features, people, self.centers)

    def follow(self, features: Tensor, people: Tensor) -> None:
        """Move the centers towards the batch's images."""
        self.centers.copy_(moved_centers(features.detach(), people, self.centers, rate=self._rate))


def _require_fitting(features: Tensor, people: Tensor, centers: Tensor) -> None:
    fits = features.ndim == 2 and people.shape == features.shape[:1] and centers.shape[1:] == features.shape[1:]
    if not fits:
        raise DataError(
            f"features {tuple(features.shape)}, people {tuple(people.shape)}, centers {tuple(centers.shape)}; expected "
            "(n, d), (n,), (people, d)"
        )
