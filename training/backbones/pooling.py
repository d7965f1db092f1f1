"""From maps to one vector per picture."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from passerby.errors import ModelError

Pooling: TypeAlias = Literal["mean", "gem"]


class MeanPooling(nn.Module):
    """Maps (n, c, h, w) to their means (n, c)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


class GeneralizedMeanPooling(nn.Module):
    """Maps (n, c, h, w) to (n, c): the p-th root of the mean p-th power; p = 1 is the mean, large p the maximum.

    One p for all channels, learned (Radenovic et al., Fine-tuning CNN Image Retrieval with No Human Annotation,
    TPAMI 2019, section 3.2). Values below 1e-6 count as that.
    """

    def __init__(self, p: float = 3.0) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), p))

    def forward(self, maps: Tensor) -> Tensor:
        powers = maps.clamp(min=1e-6).pow(self.p)
        result: Tensor = powers.mean(dim=(2, 3)).pow(1.0 / self.p)
        return result


def make_pooling(kind: Pooling) -> nn.Module:
    """The module of that name. Raises ModelError for another name."""
    if kind == "mean":
        return MeanPooling()
    if kind == "gem":
        return GeneralizedMeanPooling()
    raise ModelError(f"no pooling is called {kind!r}; expected mean or gem")
