"""Boxes, zones and crop quality."""

import numpy as np
import pytest

from edge.boxes import iou
from edge.quality import covered_fraction, crop_quality, sharpness, visible_quality
from edge.zones import Region, inside_polygon
from passerby.arrays import Detections
from passerby.config import CameraSettings
from tests.edge import reference_boxes
from tests.edge.engines import people


def boxes(count: int, seed: int) -> np.ndarray:
    corners = np.random.default_rng(seed).uniform(0, 100, (count, 2, 2))
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)


def test_iou_is_that_of_one_pair_at_a_time() -> None:
    a, b = boxes(7, 1), boxes(5, 2)
    expected = [[reference_boxes.iou(one.tolist(), other.tolist()) for other in b] for one in a]
    np.testing.assert_allclose(iou(a, b), expected, rtol=1e-5)


def test_iou_of_nothing_and_of_boxes_without_area_is_zero() -> None:
    empty = np.zeros((0, 4), np.float32)
    assert iou(empty, boxes(3, 1)).shape == (0, 3)
    assert iou(np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32)).item() == 0


def test_points_in_a_polygon_are_those_of_the_ray_test() -> None:
    rng = np.random.default_rng(3)
    corners, points = rng.uniform(0, 1, (7, 2)), rng.uniform(-0.2, 1.2, (200, 2))
    expected = [reference_boxes.is_inside(tuple(point), [tuple(corner) for corner in corners]) for point in points]
    assert inside_polygon(points, corners).tolist() == expected


def watched(settings: CameraSettings, found: Detections) -> list[bool]:
    return Region(settings).watched(found, width=100, height=100).tolist()


def test_feet_decide_who_is_in_a_zone_and_not_in_a_mask() -> None:
    left = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
    found = people([10, 10, 20, 80], [70, 10, 80, 80], [45, 10, 59, 80])
    assert watched(CameraSettings(url="x", zones=[left]), found) == [True, False, False]
    assert watched(CameraSettings(url="x", masks=[left]), found) == [False, True, True]
    assert watched(CameraSettings(url="x"), found) == [True, True, True]


def test_small_people_and_boxes_that_are_not_numbers_do_not_count() -> None:
    found = people([10, 10, 20, 57], [10, 10, 20, 58], [10, 10, np.nan, 90], [10, 10, np.inf, 90], [10, 10, 10, 90])
    assert watched(CameraSettings(url="x", min_person_height=48), found) == [False, True, False, False, False]
    assert watched(CameraSettings(url="x"), Detections.empty()) == []


def test_who_stands_behind_is_covered_and_who_stands_in_front_is_not() -> None:
    pair = np.array([[0, 0, 10, 20], [5, 5, 15, 25]], np.float32)
    assert covered_fraction(pair).tolist() == [pytest.approx(75 / 200), 0.0]
    assert covered_fraction(np.repeat(pair[:1], 2, axis=0)).tolist() == [0.0, 0.0]
    assert covered_fraction(np.zeros((0, 4), np.float32)).tolist() == []


def test_quality_falls_with_size_confidence_cover_and_the_pictures_edge() -> None:
    def quality(*found: list[float], confidence: float = 1.0) -> float:
        seen = people(*found, confidence=confidence)
        return float(visible_quality(seen.boxes_xyxy, seen.confidence, width=1000, height=1000)[0])

    best = quality([100, 100, 200, 400])
    assert best == 1.0
    assert quality([100, 100, 130, 200]) < best
    assert quality([100, 100, 200, 400], confidence=0.3) < best
    assert quality([100, 100, 200, 400], [150, 150, 250, 500]) < best
    assert quality([0, 100, 100, 400]) == pytest.approx(best / 2)
    assert quality([100, 700, 200, 1000]) == pytest.approx(best / 2)


def test_sharpness_tells_texture_from_its_blur_and_from_nothing() -> None:
    texture = np.random.default_rng(1).integers(0, 256, (200, 100, 3), dtype=np.uint8)
    flat = np.full((200, 100, 3), 128, np.uint8)
    assert sharpness(flat) == 0.0
    assert sharpness(np.zeros((0, 0, 3), np.uint8)) == 0.0
    assert 0.5 < sharpness(texture) < 1.0
    assert crop_quality(0.8, flat) == 0.0
