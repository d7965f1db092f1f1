"""Label-smoothed cross entropy (Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, section 7)."""

import torch
from torch import Tensor

from passerby.errors import DataError


def smoothed_cross_entropy(logits: Tensor, people: Tensor, *, smoothing: float = 0.1) -> Tensor:
    """Mean cross entropy with targets of 1 - smoothing on the person and smoothing spread evenly over all classes.

    `logits` (n, classes), `people` (n,) integers below `classes`. An empty batch gives zero. Raises DataError for
    shapes that do not fit and a smoothing outside 0-1.
    """
    if logits.ndim != 2 or people.shape != logits.shape[:1]:
        raise DataError(
            f"logits {tuple(logits.shape)} and people {tuple(people.shape)}, expected (n, classes) and (n,)"
        )
    if not 0 <= smoothing < 1:
        raise DataError(f"smoothing is {smoothing}, expected 0 to 1, 1 excluded")
    if len(logits) == 0:
        return logits.sum() * 0.0
    logs = torch.log_softmax(logits, dim=1)
    own = logs.gather(1, people[:, None])[:, 0]
    return -((1.0 - smoothing) * own + smoothing * logs.mean(dim=1)).mean()
