"""Any network of timm (PyTorch Image Models) as a backbone, where timm is installed."""

from torch import Tensor, nn

from passerby.errors import ModelError
from training.backbones.backbone import Backbone


class TimmBackbone(Backbone):
    """A timm network without its classifier: pictures (n, 3, height, width) to its pooled features."""

    def __init__(self, network: nn.Module, feature_dimension: int) -> None:
        super().__init__()
        self.network = network
        self.feature_dimension = feature_dimension

    def forward(self, pictures: Tensor) -> Tensor:
        embeddings: Tensor = self.network(pictures)
        return embeddings


def timm_backbone(name: str) -> TimmBackbone:
    """The untrained timm network called `name`. Raises ModelError where timm or the name is not known."""
    try:
        import timm
    except ImportError as error:
        raise ModelError(f"timm:{name} needs timm, which is not installed; `pip install timm`") from error
    try:
        network = timm.create_model(name, pretrained=False, num_classes=0)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ModelError(f"timm:{name}: timm makes no such network: {str(error).splitlines()[0]}") from error
    return TimmBackbone(network, int(network.num_features))
