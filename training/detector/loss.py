"""What training a detector minimizes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.detector.assignment import assign
from training.detector.network import Predictions
from training.detector.overlaps import complete_iou

_BOX_WEIGHT = 5.0
"""Of the boxes against the confidences."""


@dataclass(frozen=True, slots=True)
class DetectorLoss:
    """Scalars: `total` is what is minimized, the others for a person who watches."""

    total: Tensor
    confidence: float
    overlap: float
    """Mean of 1 - CIoU over the anchors that answer for somebody, weighted by what they should be worth."""


def detector_loss(found: Predictions, boxes_xyxy: Tensor, counts: Tensor, ignored: Tensor) -> DetectorLoss:
    """Binary cross entropy of confidence against the assigned quality, plus 1 - CIoU where somebody is.

    `boxes_xyxy` (n, most, 4), `counts` and `ignored` (n, most) bool as in MarkedFrames. An anchor in the box of
    somebody ignored that answers for nobody else says what it likes. Both terms are divided by the sum of the
    qualities, at least one: a batch without anybody has a loss too.
    """
    targets = assign(found, boxes_xyxy, counts)
    answers = targets.person >= 0
    total_quality = targets.quality.sum().clamp(min=1.0)
    entropy = functional.binary_cross_entropy_with_logits(found.logits, targets.quality, reduction="none")
    free = _in_any(found.points, boxes_xyxy, ignored) & ~answers
    confidence = entropy.masked_fill(free, 0.0).sum() / total_quality
    picture, anchor = answers.nonzero(as_tuple=True)
    own = boxes_xyxy[picture, targets.person[picture, anchor]]
    misfit = 1.0 - complete_iou(found.boxes_xyxy[picture, anchor], own)
    overlap = (misfit * targets.quality[picture, anchor]).sum() / total_quality
    return DetectorLoss(confidence + _BOX_WEIGHT * overlap, float(confidence.detach()), float(overlap.detach()))


def _in_any(points: Tensor, boxes_xyxy: Tensor, chosen: Tensor) -> Tensor:
    """Whether each point (anchors, 2) lies in any chosen box of its picture: (n, anchors) bool."""
    after = (points > boxes_xyxy[..., None, :2]).all(dim=-1)
    before = (points < boxes_xyxy[..., None, 2:]).all(dim=-1)
    result: Tensor = torch.any(after & before & chosen[..., None], dim=1)
    return result
