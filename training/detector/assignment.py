"""Which anchors answer for which person (task-aligned assignment; Feng et al., TOOD, ICCV 2021, section 3.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from training.detector.network import Predictions
from training.detector.overlaps import iou

_CONFIDENCE_POWER = 0.5
_OVERLAP_POWER = 6.0
"""alpha and beta of the alignment metric confidence^alpha * IoU^beta; one class needs little of the first."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What each anchor should say. `person` (n, anchors) int64: the row of its person among its picture's, -1 for none;
    `quality` (n, anchors) in 0-1: the confidence it should have."""

    person: Tensor
    quality: Tensor


def assign(found: Predictions, boxes_xyxy: Tensor, present: Tensor, *, per_person: int = 10) -> Targets:
    """For each person the `per_person` best aligned of the anchors whose point lies within the box.

    `boxes_xyxy` (n, most, 4) and `present` (n, most) bool: the people of each picture, filled up. An anchor wanted by
    several people answers for the one whom it overlaps most. The best anchor of a person should be as confident as the
    best overlap is good, the others in proportion to their alignment. No gradient flows.
    """
    with torch.no_grad():
        pictures, anchors = found.logits.shape
        if boxes_xyxy.shape[1] == 0:
            none = torch.full((pictures, anchors), -1, dtype=torch.int64, device=found.logits.device)
            return Targets(none, torch.zeros_like(found.logits))
        inside = _inside(found.points, boxes_xyxy) & present[..., None]
        overlap = iou(found.boxes_xyxy[:, None], boxes_xyxy[:, :, None]) * inside
        confidence = found.logits.sigmoid()[:, None]
        alignment = confidence**_CONFIDENCE_POWER * overlap**_OVERLAP_POWER
        # Zero alignment, as at the start, leaves the order to how near the anchor is; a little of it decides.
        rank = alignment + 1e-9 * overlap + 1e-12 * inside
        best = rank.topk(min(per_person, anchors), dim=2)
        wanted = torch.zeros_like(inside).scatter_(2, best.indices, best.values > 0)
        contested = torch.where(wanted, overlap + 1e-6, torch.zeros_like(overlap))
        most, person = contested.max(dim=1)
        taken = most > 0
        own = torch.zeros_like(wanted).scatter_(1, person[:, None], taken[:, None])
        alignment, overlap = alignment * own, overlap * own
        peak = alignment.amax(dim=2, keepdim=True)
        scaled = alignment / peak.clamp(min=1e-12) * overlap.amax(dim=2, keepdim=True)
        return Targets(torch.where(taken, person, -1), scaled.amax(dim=1))


def _inside(points: Tensor, boxes_xyxy: Tensor) -> Tensor:
    """Whether each point (anchors, 2) lies in each box: (n, most, anchors)."""
    x, y = points[:, 0], points[:, 1]
    left, top, right, bottom = (boxes_xyxy[..., side, None] for side in range(4))
    return (x > left) & (x < right) & (y > top) & (y < bottom)
