"""Average precision and recall of a detector, against a naive twin and by hand."""

import math

import numpy as np
import pytest

from passerby.arrays import Detections
from passerby.errors import DataError
from tests.training import reference_detection
from training.evaluate.detection import PeopleInFrame, evaluate_detections


def detections(*rows: tuple[float, float, float, float, float]) -> Detections:
    values = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(values[:, :4], values[:, 4])


def people(*boxes: tuple[float, float, float, float], ignored: tuple[int, ...] = ()) -> PeopleInFrame:
    return PeopleInFrame(
        np.array(boxes, np.float32).reshape(-1, 4), np.isin(np.arange(len(boxes)), np.array(ignored, np.int64))
    )


ANN, BEN = (0.0, 0.0, 10.0, 30.0), (50.0, 0.0, 60.0, 30.0)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_the_naive_twin(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames, found, truth = [], [], []
    for _ in range(6):
        low = random.uniform(0, 60, (4, 2))
        true = np.concatenate([low, low + random.uniform(10, 30, (4, 2))], axis=1).astype(np.float32)
        seen = np.concatenate([true[:3] + random.normal(0, 3, (3, 4)), random.uniform(0, 40, (2, 4)).cumsum(1)])
        seen, confidence = seen.astype(np.float32), random.random(5).astype(np.float32)
        frames.append((seen.tolist(), confidence.tolist(), true.tolist()))
        found.append(Detections(seen, confidence))
        truth.append(PeopleInFrame(true, np.zeros(4, np.bool_)))
    expected = reference_detection.average_precision(frames, min_iou=0.5)
    assert evaluate_detections(found, truth).average_precision == pytest.approx(expected)


def test_everybody_found_and_nobody_else_is_one() -> None:
    quality = evaluate_detections([detections((*ANN, 0.9), (*BEN, 0.3))], [people(ANN, BEN)])
    assert (quality.average_precision, quality.recall, quality.precision) == (1.0, 1.0, 1.0)


def test_the_second_box_on_somebody_is_wrong() -> None:
    quality = evaluate_detections([detections((*ANN, 0.9), (*ANN, 0.8), (*BEN, 0.7))], [people(ANN, BEN)])
    assert quality.recall == 1.0
    assert quality.average_precision == pytest.approx((1 + 2 / 3) / 2)


def test_somebody_ignored_counts_neither_way() -> None:
    quality = evaluate_detections(
        [detections((*ANN, 0.9), (*BEN, 0.8), (2, 2, 9, 15, 0.7))], [people(ANN, BEN, ignored=(0,))]
    )
    assert quality.people == 1
    assert quality.detections == 1
    assert quality.average_precision == 1.0


def test_a_person_counted_is_preferred_to_one_ignored() -> None:
    near = (1.0, 0.0, 11.0, 30.0)
    quality = evaluate_detections([detections((*near, 0.9))], [people(ANN, near, ignored=(1,))])
    assert quality.recall == 1.0


def test_nothing_to_find_and_nothing_found() -> None:
    nothing = evaluate_detections([], [])
    assert math.isnan(nothing.average_precision)
    blind = evaluate_detections([detections()], [people(ANN)])
    assert (blind.average_precision, blind.recall) == (0.0, 0.0)
    assert math.isnan(blind.precision)
    dreaming = evaluate_detections([detections((*ANN, 0.9))], [people()])
    assert math.isnan(dreaming.recall)
    assert dreaming.precision == 0.0


def test_frames_must_come_in_pairs() -> None:
    with pytest.raises(DataError, match="detections of 1 frames, truth of 0"):
        evaluate_detections([detections()], [])
