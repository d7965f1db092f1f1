"""Batch norm with statistics per camera and a scale and shift that all cameras share.

A camera's colours, light and height shift what every layer sees; statistics of its own take that away (Zhuang et al.,
Rethinking the Distribution Gap of Person Re-identification with Camera-based Batch Normalization, ECCV 2020).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.arrays import Int64Array
from passerby.errors import DataError


@dataclass(slots=True)
class _Present:
    """Which cameras the pictures that go through the network are of: runs of (row, pictures), and who is counted."""

    runs: list[tuple[int, int]]
    counting: bool = False


class CameraBatchNorm(nn.Module):
    """Batch norm whose row of statistics is chosen by the camera of each picture.

    In training a camera's pictures are normalized by their own batch's statistics; in evaluation by the camera's row of
    `means` and `variances` (cameras + 1, features). The last row is the site's, for a camera that nothing is known of.
    """

    means: Tensor
    variances: Tensor
    counts: Tensor

    def __init__(self, former: nn.BatchNorm1d | nn.BatchNorm2d, *, cameras: int, present: _Present) -> None:
        super().__init__()
        assert former.running_mean is not None and former.running_var is not None  # noqa: S101, PT018 none is made without
        self.weight, self.bias, self.eps = former.weight, former.bias, former.eps
        self.register_buffer("means", former.running_mean.repeat(cameras + 1, 1))
        self.register_buffer("variances", former.running_var.repeat(cameras + 1, 1))
        self.register_buffer("counts", torch.zeros(cameras + 1))
        self._present = present

    def forward(self, maps: Tensor) -> Tensor:
        parts = torch.split(maps, [pictures for _, pictures in self._present.runs])
        rows = (row for row, _ in self._present.runs)
        normed = [self._normed(part, row) for part, row in zip(parts, rows, strict=True)]
        return normed[0] if len(normed) == 1 else torch.cat(normed)

    def _normed(self, part: Tensor, row: int) -> Tensor:
        if self._present.counting:
            return self._counted(part, row)
        if self.training and part.numel() > part.shape[1]:
            return functional.batch_norm(part, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return functional.batch_norm(
            part, self.means[row], self.variances[row], self.weight, self.bias, training=False, eps=self.eps
        )

    def _counted(self, part: Tensor, row: int) -> Tensor:
        """Normalize by the pictures' own statistics, and join these with the camera's so far (Chan et al. 1979)."""
        normed, mean, inverse = torch.native_batch_norm(part, self.weight, self.bias, None, None, True, 0.0, self.eps)
        variance = (inverse.square().reciprocal() - self.eps).clamp(min=0.0)
        share = len(part) / (float(self.counts[row]) + len(part))
        away = mean - self.means[row]
        self.variances[row] += share * (variance - self.variances[row]) + share * (1.0 - share) * away.square()
        self.means[row] += share * away
        self.counts[row] += len(part)
        return normed

    def settle(self, *, strength: float) -> None:
        """Make the site's row of what was counted, and draw the cameras' rows towards it as so many pictures would."""
        counts = self.counts[:-1, None]
        shares = counts / counts.sum().clamp(min=1.0)
        mean = (shares * self.means[:-1]).sum(dim=0)
        variance = (shares * (self.variances[:-1] + (self.means[:-1] - mean).square())).sum(dim=0)
        own = counts / (counts + strength).clamp(min=1.0)
        between = own * (1.0 - own) * (self.means[:-1] - mean).square()
        self.variances[:-1] = own * self.variances[:-1] + (1.0 - own) * variance + between
        self.means[:-1] = own * self.means[:-1] + (1.0 - own) * mean
        self.means[-1], self.variances[-1] = mean, variance


class CameraNetwork(nn.Module):
    """A network whose batch norms have statistics for each of `cameras` cameras; it is changed in place.

    Called with pictures (n, 3, height, width) and their cameras' rows (n,); gives embeddings (n, d). With `cameras` 1
    all pictures share one row, whatever their cameras: an ordinary batch norm.
    """

    def __init__(self, network: nn.Module, *, cameras: int) -> None:
        super().__init__()
        self._present = _Present([])
        self.network = network
        self.feature_dimension: int = network.feature_dimension  # type: ignore[assignment]
        self.cameras = cameras
        _replace(network, cameras=cameras, present=self._present)

    def forward(self, pictures: Tensor, cameras: Int64Array) -> Tensor:
        if len(cameras) != len(pictures):
            raise DataError(f"{len(pictures)} pictures and {len(cameras)} cameras, expected one for each")
        cameras = self.rows_of(cameras)
        order = np.argsort(cameras, kind="stable")
        rows, counts = np.unique(cameras, return_counts=True)
        self._present.runs = list(zip(rows.tolist(), counts.tolist(), strict=True))
        if (order == np.arange(len(order))).all():
            embeddings: Tensor = self.network(pictures)
            return embeddings
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        found: Tensor = self.network(pictures[torch.from_numpy(order)])[back]
        return found

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def rows_of(self, cameras: Int64Array) -> Int64Array:
        """The row of statistics of each picture."""
        return np.zeros_like(cameras) if self.cameras == 1 else cameras

    def site_state(self) -> dict[str, Tensor]:
        """The state dict of the ordinary network that has the site's statistics: what training may go on from."""
        state = {name: value.detach().contiguous() for name, value in self.network.state_dict().items()}
        for name, module in self.network.named_modules():
            if isinstance(module, CameraBatchNorm):
                del state[f"{name}.means"], state[f"{name}.variances"], state[f"{name}.counts"]
                state[f"{name}.running_mean"] = module.means[-1].clone()
                state[f"{name}.running_var"] = module.variances[-1].clone()
                state[f"{name}.num_batches_tracked"] = torch.zeros((), dtype=torch.int64)
        return state

    def norms(self) -> list[CameraBatchNorm]:
        """Its batch norms, in the order in which they were made."""
        return [module for module in self.modules() if isinstance(module, CameraBatchNorm)]

    @contextmanager
    def counting(self, *, strength: float) -> Iterator[None]:
        """Learn the statistics anew from all pictures that go through meanwhile; what was known is forgotten.

        A camera's are drawn towards the site's as `strength` pictures of the site would do it: few pictures, or of few
        people, say little of the camera.
        """
        for norm in self.norms():
            norm.counts.zero_()
            norm.means.zero_()
            norm.variances.zero_()
        self._present.counting = True
        try:
            with torch.no_grad():
                yield
                for norm in self.norms():
                    norm.settle(strength=strength)
        finally:
            self._present.counting = False


def _replace(module: nn.Module, *, cameras: int, present: _Present) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(module, name, CameraBatchNorm(child, cameras=cameras, present=present))
        else:
            _replace(child, cameras=cameras, present=present)
