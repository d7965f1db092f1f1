"""From pictures to a network's input, and back."""

import cv2
import numpy as np
import pytest

from passerby.arrays import Image
from passerby.errors import DataError
from passerby.inference.preprocessing import prepare
from passerby.models import Preprocessing

PLAIN = Preprocessing(height=32, width=16, colour="BGR")
CENTRE = Preprocessing(height=64, width=64, colour="RGB", resize="letterbox-centre", scale=1 / 255)
TOP_LEFT = Preprocessing(height=64, width=64, colour="BGR", resize="letterbox-topleft")


def picture(height: int, width: int, *, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_plain_network_gets_opencv_s_bilinear_bytes() -> None:
    image = picture(77, 33)
    batch, _ = prepare([image], PLAIN)
    np.testing.assert_array_equal(batch[0], cv2.resize(image, (16, 32)).transpose(2, 0, 1).astype(np.float32))


def test_imagenet_s_mean_and_deviation_apply_to_rgb_in_0_to_1() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    how = Preprocessing(height=8, width=8, colour="RGB", scale=1 / 255, mean=mean, std=std)
    image = np.full((8, 8, 3), (10, 20, 30), np.uint8)
    batch, _ = prepare([image], how)
    expected = (np.array([30, 20, 10]) / 255 - mean) / std
    np.testing.assert_allclose(batch[0, :, 3, 5], expected, rtol=1e-5)


def test_no_pictures_give_an_empty_batch() -> None:
    batch, placements = prepare([], PLAIN)
    assert batch.shape == (0, 3, 32, 16)
    assert placements == []


def test_a_letterbox_keeps_the_aspect_ratio_and_fills_with_grey() -> None:
    white = np.full((50, 100, 3), 255, np.uint8)
    batch, (placement,) = prepare([white], CENTRE)
    np.testing.assert_allclose(batch[0, :, :16], 114 / 255, rtol=1e-6)
    np.testing.assert_allclose(batch[0, :, 16:48], 1.0, rtol=1e-6)
    np.testing.assert_allclose(batch[0, :, 48:], 114 / 255, rtol=1e-6)
    assert (placement.offset_x, placement.offset_y) == (0, 16)


def test_yolox_has_its_picture_top_left() -> None:
    batch, (placement,) = prepare([np.full((100, 50, 3), 255, np.uint8)], TOP_LEFT)
    np.testing.assert_array_equal(batch[0, :, :, :32], 255)
    np.testing.assert_array_equal(batch[0, :, :, 32:], 114)
    assert (placement.offset_x, placement.offset_y) == (0, 0)


@pytest.mark.parametrize("how", [PLAIN, CENTRE, TOP_LEFT], ids=["stretch", "centre", "topleft"])
@pytest.mark.parametrize("size", [(100, 50), (37, 211), (1, 1), (720, 1288)])
def test_a_box_goes_there_and_back(how: Preprocessing, size: tuple[int, int]) -> None:
    height, width = size
    _, (placement,) = prepare([picture(height, width)], how)
    box = np.array([0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height], np.float32)
    scale = np.array([placement.scale_x, placement.scale_y] * 2)
    offset = np.array([placement.offset_x, placement.offset_y] * 2)
    inside = (box * scale + offset).astype(np.float32)
    np.testing.assert_allclose(placement.to_picture(inside[None])[0], box, rtol=1e-3, atol=1e-3)


def test_boxes_are_clipped_to_the_picture_and_none_stay_none() -> None:
    _, (placement,) = prepare([picture(64, 64)], CENTRE)
    far = np.array([[-1e30, -5, 1e30, 500]], np.float32)
    np.testing.assert_array_equal(placement.to_picture(far), [[0, 0, 64, 64]])
    assert placement.to_picture(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_a_sliver_keeps_at_least_a_pixel() -> None:
    batch, _ = prepare([picture(1, 5000)], CENTRE)
    assert batch.shape == (1, 3, 64, 64)


def test_a_picture_with_an_alpha_channel_is_refused_by_its_number() -> None:
    with pytest.raises(DataError, match=r"picture 1 has shape \(4, 4, 4\)"):
        prepare([picture(4, 4), np.zeros((4, 4, 4), np.uint8)], PLAIN)


def test_the_callers_picture_is_not_written_to() -> None:
    image = picture(64, 64)
    before = image.copy()
    prepare([image], CENTRE)
    np.testing.assert_array_equal(image, before)
