"""Keeping to how another network sees a batch: who is like whom, not where anybody lies.

Relations between pictures instead of embeddings are what two networks of different dimensions can share (Park et al.,
Relational Knowledge Distillation, CVPR 2019); compared as distributions over the batch, as in Fang et al., SEED,
ICLR 2021.
"""

from torch import Tensor
from torch.nn import functional

from passerby.errors import DataError


def relation_loss(features: Tensor, reference: Tensor, *, temperature: float = 0.1) -> Tensor:
    """Mean Kullback-Leibler divergence of each picture's likeness to the others in `features` (n, d) from that in
    `reference` (n, e), which gets no gradient.

    A likeness is the softmax of cosines / `temperature` over the other pictures of the batch: (n, n - 1) in all. Zero
    where cosines are equal but for a constant, and for fewer than three pictures. Raises DataError for shapes that do
    not fit.

    >>> import torch
    >>> round(float(relation_loss(torch.eye(3), torch.eye(3) + 1.0)), 6)
    0.0
    """
    if features.ndim != 2 or reference.ndim != 2 or len(features) != len(reference):
        raise DataError(
            f"features {tuple(features.shape)} and reference {tuple(reference.shape)}, expected (n, d) and (n, e)"
        )
    if len(features) < 3:
        return features.sum() * 0.0
    likeness = functional.log_softmax(_cosines(features) / temperature, dim=1)
    asked = functional.log_softmax(_cosines(reference.detach()) / temperature, dim=1)
    return functional.kl_div(likeness, asked, reduction="batchmean", log_target=True)


def _cosines(features: Tensor) -> Tensor:
    """Of each row (n, d) with all others: (n, n - 1)."""
    unit = functional.normalize(features)
    count = len(unit)
    # Without its first entry the matrix begins each further row, of n + 1, with a diagonal entry.
    shifted = (unit @ unit.T).flatten()[1:].view(count - 1, count + 1)[:, :-1]
    return shifted.reshape(count, count - 1)
