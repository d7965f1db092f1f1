"""Reading people out of raw outputs: on outputs made by hand, and against a naive twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.arrays import Detections, Float32Array
from passerby.errors import EngineError
from passerby.inference.decoders import (
    DECODERS,
    decode_ssd,
    decode_ultralytics_end2end,
    decode_ultralytics_nms,
    decode_yolox,
    non_maximum_suppression,
)
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionLayout, DetectionOutput, Preprocessing
from tests.passerby.reference_nms import iou, suppress

NETWORK = Preprocessing(height=64, width=64, colour="BGR")
SAME = Placement(1.0, 1.0, 0, 0, picture_width=64, picture_height=64)
DOUBLE = Placement(0.5, 0.5, 0, 0, picture_width=128, picture_height=128)


def how(layout: DetectionLayout, *, person: int = 0) -> DetectionOutput:
    return DetectionOutput(layout=layout, person_class=person, min_confidence=0.3, nms_iou=0.5)


def assert_people(found: Detections, boxes: list[list[float]], confidence: list[float]) -> None:
    np.testing.assert_allclose(found.boxes_xyxy, np.array(boxes, np.float32).reshape(-1, 4), atol=1e-3)
    np.testing.assert_allclose(found.confidence, confidence, atol=1e-5)


class TestSuppression:
    @given(
        st.lists(st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 15)] * 2, st.integers(0, 4)), max_size=25),
        st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]),
    )
    def test_it_keeps_what_the_naive_twin_keeps(self, rows: list[tuple[int, ...]], max_iou: float) -> None:
        boxes = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
        confidence = np.array([row[4] / 4 for row in rows], np.float32)
        kept = non_maximum_suppression(boxes, confidence, max_iou=max_iou).tolist()
        expected = suppress(boxes, confidence, max_iou)
        if kept != expected:  # an overlap that is the bound itself may be rounded to either side
            pairs = [iou(boxes[a], boxes[b]) for a in range(len(boxes)) for b in range(a)]
            assert min(abs(overlap - max_iou) for overlap in pairs) < 1e-9

    def test_nothing_in_nothing_out(self) -> None:
        kept = non_maximum_suppression(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), max_iou=0.5)
        assert kept.shape == (0,)

    def test_of_duplicates_the_first_stays(self) -> None:
        boxes = np.array([[0, 0, 4, 4]] * 3, np.float32)
        assert non_maximum_suppression(boxes, np.full(3, 0.5, np.float32), max_iou=0.9).tolist() == [0]

    def test_boxes_without_area_do_not_divide_by_zero(self) -> None:
        boxes = np.array([[1, 1, 1, 1], [1, 1, 1, 1]], np.float32)
        assert len(non_maximum_suppression(boxes, np.ones(2, np.float32), max_iou=0.5)) == 2


class TestSsd:
    def test_rows_are_people_of_their_picture_best_first(self) -> None:
        rows = np.array(
            [
                [0, 1, 0.5, 0.0, 0.0, 0.5, 0.5],
                [0, 1, 0.9, 0.25, 0.25, 0.5, 1.1],
                [1, 1, 0.8, 0.0, 0.0, 1.0, 1.0],
                [1, 1, 0.2, 0.0, 0.0, 1.0, 1.0],
                [1, 0, 0.9, 0.0, 0.0, 1.0, 1.0],
                [-1, 1, 0.9, 0.0, 0.0, 1.0, 1.0],
                [0, 1, 0.9, 0.0, 0.0, 1.0, 1.0],
            ],
            np.float32,
        ).reshape(1, 1, 7, 7)
        first, second = decode_ssd([rows], [SAME, DOUBLE], how=how("ssd", person=1), network=NETWORK)
        assert_people(first, [[16, 16, 32, 64], [0, 0, 32, 32]], [0.9, 0.5])
        assert_people(second, [[0, 0, 128, 128]], [0.8])

    def test_numbers_that_are_not_finite_are_dropped(self) -> None:
        rows = np.array([[0, 1, 0.9, np.nan, 0, 1, 1], [0, 1, np.inf, 0, 0, 1, 1]], np.float32)
        (found,) = decode_ssd([rows], [SAME], how=how("ssd", person=1), network=NETWORK)
        assert len(found) == 0


class TestYolox:
    CELLS = 8 * 8 + 4 * 4 + 2 * 2

    def output(self) -> Float32Array:
        return np.zeros((1, self.CELLS, 5 + 2), np.float32)

    def test_each_stride_has_its_grid(self) -> None:
        raw = self.output()
        raw[0, 8 * 2 + 3] = [0.5, 0.5, 0, np.log(2), 0.9, 1, 0]  # stride 8, row 2, column 3
        raw[0, 64 + 4 * 3 + 1] = [0, 0, 0, 0, 0.8, 1, 0]  # stride 16, row 3, column 1
        raw[0, 64 + 16 + 3] = [0.5, 0.5, 0, 0, 0.7, 1, 0]  # stride 32, row 1, column 1
        (found,) = decode_yolox([raw], [SAME], how=how("yolox"), network=NETWORK)
        assert_people(found, [[24, 12, 32, 28], [8, 40, 24, 56], [32, 32, 64, 64]], [0.9, 0.8, 0.7])

    def test_a_likelier_dog_is_no_person(self) -> None:
        raw = self.output()
        raw[0, 0] = [0, 0, 1, 1, 1.0, 0.6, 0.7]
        (found,) = decode_yolox([raw], [SAME], how=how("yolox"), network=NETWORK)
        assert len(found) == 0

    def test_huge_and_nan_cells_are_dropped(self) -> None:
        raw = self.output()
        raw[0, 0] = [0, 0, 1e9, 1, 1.0, 1.0, 0]
        raw[0, 1] = [np.nan, 0, 1, 1, 1.0, 1.0, 0]
        raw[0, 2] = [0, 0, 1, 1, np.nan, 1.0, 0]
        (found,) = decode_yolox([raw], [SAME], how=how("yolox"), network=NETWORK)
        assert len(found) == 0

    def test_another_input_size_is_named(self) -> None:
        with pytest.raises(EngineError, match=r"64x64 is \(n, 84, 5 \+ classes\), this network gives \(1, 5, 7\)"):
            decode_yolox([self.output()[:, :5]], [SAME], how=how("yolox"), network=NETWORK)


class TestUltralyticsBeforeSuppression:
    def test_overlapping_anchors_become_one_person(self) -> None:
        raw = np.zeros((1, 4 + 2, 84), np.float32)
        raw[0, :, 5] = [32, 32, 20, 40, 0.6, 0.1]
        raw[0, :, 6] = [33, 32, 20, 40, 0.9, 0.1]
        raw[0, :, 7] = [10, 10, 8, 8, 0.4, 0.5]
        (found,) = decode_ultralytics_nms([raw], [DOUBLE], how=how("ultralytics-nms"), network=NETWORK)
        assert_people(found, [[46, 24, 86, 104]], [0.9])

    def test_rows_and_columns_swapped_are_noticed(self) -> None:
        raw = np.zeros((1, 84, 6), np.float32)
        with pytest.raises(EngineError, match=r"\(n, 4 \+ classes, anchors\), this network gives \(1, 84, 6\)"):
            decode_ultralytics_nms([raw], [SAME], how=how("ultralytics-nms"), network=NETWORK)


class TestUltralyticsEndToEnd:
    def test_rows_of_people_stay(self) -> None:
        raw = np.array([[[1, 2, 30, 40, 0.5, 0], [1, 2, 30, 40, 0.9, 1], [5, 6, 20, 30, 0.8, 0]]], np.float32)
        (found,) = decode_ultralytics_end2end([raw], [SAME], how=how("ultralytics-end2end"), network=NETWORK)
        assert_people(found, [[5, 6, 20, 30], [1, 2, 30, 40]], [0.8, 0.5])


@pytest.mark.parametrize(
    ("layout", "nothing"),
    [
        ("ssd", np.full((1, 1, 3, 7), -1, np.float32)),
        ("yolox", np.zeros((1, 84, 85), np.float32)),
        ("ultralytics-nms", np.zeros((1, 84, 84), np.float32)),
        ("ultralytics-end2end", np.zeros((1, 300, 6), np.float32)),
    ],
)
def test_a_picture_without_people_gives_no_rows(layout: DetectionLayout, nothing: Float32Array) -> None:
    (found,) = DECODERS[layout]([nothing], [SAME], how=how(layout, person=0), network=NETWORK)
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.confidence.dtype == np.float32


@pytest.mark.parametrize("layout", sorted(DECODERS))
def test_an_output_of_another_kind_is_named(layout: DetectionLayout) -> None:
    with pytest.raises(EngineError, match=r"this network gives \(1, 3\)"):
        DECODERS[layout]([np.zeros((1, 3), np.float32)], [SAME], how=how(layout), network=NETWORK)
