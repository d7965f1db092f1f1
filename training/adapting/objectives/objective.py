"""What a round minimizes on its pseudo-labels."""

from typing import Protocol

from torch import Tensor, nn

from passerby.arrays import Int64Array


class Objective(Protocol):
    """Of one round; it may learn along."""

    @property
    def people(self) -> Int64Array:
        """Who each crop (n,) is taken for; -1: it is not learned from."""

    def loss(self, features: Tensor, rows: Int64Array) -> Tensor:
        """Of raw `features` (n, d) of the crops `rows` (n,)."""

    def after_step(self, features: Tensor, rows: Int64Array) -> None:
        """Follow what the network has just been shown."""

    def parameters(self) -> list[nn.Parameter]:
        """What the optimizer must train besides the network."""
