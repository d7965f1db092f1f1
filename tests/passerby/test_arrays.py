"""Shapes are checked where arrays enter, and the message says what was expected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from passerby.arrays import Detections, l2_normalize, require_image, require_shape
from passerby.errors import DataError


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((3,), (None,)), ((0, 4), (None, 4)), ((2, 4), (2, 4)), ((), ()), ((1, 2, 3), (None, None, None))],
)
def test_a_fitting_shape_passes(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    require_shape("boxes", np.zeros(shape), wanted)


@pytest.mark.parametrize(
    ("shape", "wanted", "message"),
    [
        ((3,), (None, 4), r"boxes has shape \(3,\), expected \(any, 4\)"),
        ((3, 5), (None, 4), r"boxes has shape \(3, 5\), expected \(any, 4\)"),
        ((), (None,), r"boxes has shape \(\), expected \(any,\)"),
        ((2, 4, 1), (2, 4), r"expected \(2, 4\)"),
    ],
)
def test_another_shape_is_named_with_the_expected_one(
    shape: tuple[int, ...], wanted: tuple[int | None, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        require_shape("boxes", np.zeros(shape), wanted)


def test_a_picture_is_height_width_three_bytes_and_not_empty() -> None:
    require_image("crop", np.zeros((1, 1, 3), np.uint8))
    for wrong in (np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 3), np.float32)):
        with pytest.raises(DataError, match="expected a non-empty uint8 BGR picture"):
            require_image("crop", wrong)
    for shape in ((5, 5), (5, 5, 4)):
        with pytest.raises(DataError, match="expected \\(any, any, 3\\)"):
            require_image("crop", np.zeros(shape, np.uint8))


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 8)), elements=st.floats(-1e3, 1e3, width=32))
)
def test_every_row_has_length_one_or_was_zero(vectors: np.ndarray) -> None:
    lengths = np.linalg.norm(l2_normalize(vectors).astype(np.float64), axis=1)
    was_zero = ~vectors.any(axis=1)
    tiny = np.abs(vectors).max(axis=1, initial=0) < 1e-15  # its square is below what float32 can hold
    assert np.allclose(lengths[~was_zero & ~tiny], 1.0, atol=1e-5)
    assert not lengths[was_zero].any()


def test_normalizing_takes_any_leading_axes_and_any_float_type() -> None:
    assert l2_normalize(np.array([3.0, 4.0], np.float64)).tolist() == pytest.approx([0.6, 0.8])
    assert l2_normalize(np.ones((2, 3, 4), np.float16)).shape == (2, 3, 4)
    assert l2_normalize(np.ones((2, 3, 4), np.float16)).dtype == np.float32
    assert l2_normalize(np.zeros((0, 7))).shape == (0, 7)


def test_detections_are_rows_that_can_be_selected_by_mask_or_index() -> None:
    boxes = np.arange(12, dtype=np.float32).reshape(3, 4)
    detections = Detections(boxes, np.array([0.9, 0.5, 0.7], np.float32))
    assert len(detections) == 3
    assert detections.where(detections.confidence > 0.6).boxes_xyxy.tolist() == [boxes[0].tolist(), boxes[2].tolist()]
    assert detections.where(np.array([2, 2])).confidence.tolist() == pytest.approx([0.7, 0.7])
    assert len(detections.where(np.zeros(3, bool))) == 0
    assert len(Detections.empty()) == 0


def test_detections_with_unequal_rows_are_refused() -> None:
    with pytest.raises(DataError, match="confidence has shape"):
        Detections(np.zeros((2, 4), np.float32), np.zeros(3, np.float32))
    with pytest.raises(DataError, match="boxes_xyxy has shape"):
        Detections(np.zeros((2, 5), np.float32), np.zeros(2, np.float32))
