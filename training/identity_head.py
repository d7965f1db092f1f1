"""What tells identities apart while a network is trained, and is thrown away afterwards."""

from torch import Tensor, nn


class IdentityHead(nn.Module):
    """A batch norm without shift, then one weight per identity and feature (Luo et al., Bag of Tricks, CVPRW 2019).

    Features (n, dimension) to logits (n, people).
    """

    def __init__(self, dimension: int, people: int) -> None:
        super().__init__()
        self.neck = nn.BatchNorm1d(dimension)
        self.neck.bias.requires_grad_(False)
        self.weights = nn.Linear(dimension, people, bias=False)
        nn.init.normal_(self.weights.weight, std=0.001)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.weights(self.neck(features))
        return logits

    def trained(self) -> list[nn.Parameter]:
        """What the optimizer must train."""
        return [each for each in self.parameters() if each.requires_grad]
