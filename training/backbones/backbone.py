"""What training starts from: a network that turns pictures into embeddings."""

from torch import nn


class Backbone(nn.Module):
    """Pictures (n, 3, height, width), RGB with ImageNet mean and standard deviation, to raw embeddings (n, d).

    A class and not a protocol: an nn.Module that has one more attribute has no other name in Python's types.
    """

    feature_dimension: int
    """The d of its embeddings."""


def he_initialize(network: nn.Module) -> None:
    """Draw all convolutions anew: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 14 (fan-out)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
