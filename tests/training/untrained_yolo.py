"""Ultralytics networks without training that nevertheless see something, for tests of everything around them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def make_untrained(architecture: str, out: Path, pictures: NDArray[np.float32]) -> None:
    """Write `out` (.pt): the network of `architecture` (.yaml), fitted to give a few hundred distinct boxes.

    Fresh weights shrink every picture to nearly nothing. So the batch norms measure `pictures` (n, 3, h, w) once, and
    the last class layers are drawn wide. The layers of the end-to-end branch are treated alike.
    """
    from ultralytics.models import YOLO

    torch.manual_seed(0)
    model: Any = YOLO(architecture, task="detect")
    network = model.model
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(pictures))
    network.eval()
    head = network.model[-1]
    for name in ("cv3", "one2one_cv3"):
        for branch in getattr(head, name, None) or ():
            torch.nn.init.normal_(branch[-1].weight, std=0.3)
            torch.nn.init.constant_(branch[-1].bias, -3.0)
    model.save(out)
