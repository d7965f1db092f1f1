"""Overlaps and average precision again, one box after the other."""

import math
from collections.abc import Sequence

Box = Sequence[float]


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou(first: Box, second: Box) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    union = area(first) + area(second) - shared
    return shared / union if union else 0.0


def complete_iou(first: Box, second: Box) -> float:
    enclosing = [max(first[2 + k], second[2 + k]) - min(first[k], second[k]) for k in range(2)]
    apart = [(first[k] + first[2 + k] - second[k] - second[2 + k]) / 2 for k in range(2)]
    angles = [math.atan((box[2] - box[0]) / (box[3] - box[1])) for box in (first, second)]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    overlap = iou(first, second)
    alpha = v / (1 - overlap + v) if v else 0.0
    return overlap - (apart[0] ** 2 + apart[1] ** 2) / (enclosing[0] ** 2 + enclosing[1] ** 2) - alpha * v


def average_precision(
    frames: Sequence[tuple[Sequence[Box], Sequence[float], Sequence[Box]]], *, min_iou: float
) -> float:
    """`frames`: (found boxes, their confidence, true boxes) each; nobody is ignored."""
    rows = []
    for number, (found, confidence, _) in enumerate(frames):
        rows += [(-value, number, box) for box, value in zip(found, confidence, strict=True)]
    rows.sort(key=lambda row: row[0])
    free = [list(true) for _, _, true in frames]
    people = sum(map(len, free))
    points = []
    right = 0
    for count, (_, number, box) in enumerate(rows, start=1):
        best = max(free[number], key=lambda true: iou(box, true), default=None)
        if best is not None and iou(box, best) >= min_iou:
            free[number].remove(best)
            right += 1
        points.append((right / people, right / count))
    total, before = 0.0, 0.0
    for index, (recall, _) in enumerate(points):
        total += (recall - before) * max(precision for _, precision in points[index:])
        before = recall
    return total
