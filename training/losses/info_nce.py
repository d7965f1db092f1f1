"""InfoNCE: each query must find its own key among those of others."""

import torch
from torch import Tensor
from torch.nn import functional

from passerby.errors import DataError


def info_nce(queries: Tensor, keys: Tensor, others: Tensor, *, known_same: Tensor, temperature: float) -> Tensor:
    """Mean cross entropy of picking each query's key among it and `others`: He et al., MoCo, CVPR 2020, equation 1.

    `queries` and `keys` (n, d) and `others` (m, d) are unit vectors; row i of `keys` belongs to row i of `queries`, and
    `known_same` (n, m) bool says which of `others` are of the query's own person and so no negatives. An empty batch
    gives zero. Raises DataError for other shapes, or a temperature that is not positive.

    >>> one = torch.tensor([[1.0, 0.0]])
    >>> float(info_nce(one, one, -one, known_same=torch.tensor([[True]]), temperature=0.2))
    0.0
    """
    if queries.shape != keys.shape or queries.ndim != 2 or others.ndim != 2 or others.shape[1] != queries.shape[1]:
        raise DataError(
            f"queries {tuple(queries.shape)}, keys {tuple(keys.shape)} and others {tuple(others.shape)} do not fit; "
            "expected (n, d), (n, d), (m, d)"
        )
    if known_same.shape != (len(queries), len(others)):
        raise DataError(f"known_same has shape {tuple(known_same.shape)}, expected {(len(queries), len(others))}")
    if not temperature > 0:
        raise DataError(f"temperature is {temperature}, expected above 0")
    if len(queries) == 0:
        return queries.sum() * 0.0
    own = (queries * keys).sum(dim=1, keepdim=True)
    strange = (queries @ others.T).masked_fill(known_same, -torch.inf)
    logits = torch.cat([own, strange], dim=1) / temperature
    return functional.cross_entropy(logits, torch.zeros(len(queries), dtype=torch.long, device=queries.device))
