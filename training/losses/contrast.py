"""Contrast within a batch: each picture nearer to its own person's others than to everybody else's."""

import torch
from torch import Tensor

from passerby.errors import DataError


def batch_contrast(features: Tensor, people: Tensor, *, asked: Tensor, temperature: float) -> Tensor:
    """Mean over the pictures that are `asked` (n,) bool: how little each other picture of its person stands out.

    Cross entropy of picking one picture of the own person among it and all of others, averaged over the own ones
    (Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, equation 2, but own pictures do not compete with each
    other). `features` (n, d) are unit vectors, `people` (n,) integers. Pictures without another of their person do not
    count; zero where none is left. Raises DataError for shapes that do not fit.

    >>> one, other = [1.0, 0.0], [0.0, 1.0]
    >>> people = torch.tensor([0, 0, 1])
    >>> loss = batch_contrast(torch.tensor([one, one, other]), people, asked=people == 0, temperature=1.0)
    >>> round(float(loss), 4)
    0.3133
    """
    if features.ndim != 2 or people.shape != features.shape[:1] or asked.shape != people.shape:
        raise DataError(
            f"features {tuple(features.shape)}, people {tuple(people.shape)} and asked {tuple(asked.shape)}, "
            "expected (n, d), (n,) and (n,)"
        )
    same = people[:, None] == people[None, :]
    own = same & ~torch.eye(len(people), dtype=torch.bool, device=people.device)
    rows = asked & own.any(dim=1)
    if not bool(rows.any()):
        return features.sum() * 0.0
    logits = features[rows] @ features.T / temperature
    against = torch.logsumexp(logits.masked_fill(same[rows], -torch.inf), dim=1, keepdim=True)
    losses = (torch.logaddexp(logits, against) - logits).masked_fill(~own[rows], 0.0)
    return (losses.sum(dim=1) / own[rows].sum(dim=1)).mean()
