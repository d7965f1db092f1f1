"""How much boxes overlap, differentiably."""

import math

import torch
from torch import Tensor

_SMALLEST = 1e-7


def iou(first_xyxy: Tensor, second_xyxy: Tensor) -> Tensor:
    """Intersection over union of boxes (..., 4) with boxes (..., 4), as their leading axes broadcast: 0-1.

    Boxes without area overlap nothing.

    >>> iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 5, 5]])).round(decimals=3)
    tensor([1.0000, 0.3330, 0.0000])
    """
    low = torch.maximum(first_xyxy[..., :2], second_xyxy[..., :2])
    high = torch.minimum(first_xyxy[..., 2:], second_xyxy[..., 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    return shared / (_area(first_xyxy) + _area(second_xyxy) - shared + _SMALLEST)


def complete_iou(first_xyxy: Tensor, second_xyxy: Tensor) -> Tensor:
    """CIoU (Zheng et al., Distance-IoU Loss, AAAI 2020, equations 7-11) of boxes (..., 4), each with its own.

    The overlap less the squared distance of the centres as a share of the enclosing box's diagonal, less what aspect
    ratios differ; 1 for equal boxes, down to about -1.5.
    """
    overlap = iou(first_xyxy, second_xyxy)
    enclosing = torch.maximum(first_xyxy[..., 2:], second_xyxy[..., 2:]) - torch.minimum(
        first_xyxy[..., :2], second_xyxy[..., :2]
    )
    diagonal = enclosing.square().sum(dim=-1) + _SMALLEST
    apart = (first_xyxy[..., :2] + first_xyxy[..., 2:] - second_xyxy[..., :2] - second_xyxy[..., 2:]) / 2
    difference = _slope(first_xyxy) - _slope(second_xyxy)
    shape = 4 / math.pi**2 * difference.square()
    with torch.no_grad():  # The paper's trade-off; no gradient flows through it.
        weight = shape / (1 - overlap + shape + _SMALLEST)
    return overlap - apart.square().sum(dim=-1) / diagonal - weight * shape


def _area(boxes_xyxy: Tensor) -> Tensor:
    return (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp(min=0).prod(dim=-1)


def _slope(boxes_xyxy: Tensor) -> Tensor:
    size = (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp(min=_SMALLEST)
    return torch.atan(size[..., 0] / size[..., 1])
