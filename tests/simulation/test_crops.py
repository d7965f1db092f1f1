"""Crops for training: any person, any side, any camera."""

import numpy as np
import pytest

from passerby.errors import DataError
from simulation.crops import CropView, add_noise, figure, render_crop
from simulation.responses import CameraResponse, random_response
from simulation.streams import stream
from simulation.wardrobe import random_people


def test_a_crop_is_as_high_as_wanted_and_the_same_every_time() -> None:
    body = figure(random_people(1, 1)[0])
    view = CropView(yaw_rad=0.5, pitch_rad=0.3, height_px=120, phase=0.3)
    response = random_response(stream(1))
    crop = render_crop(body, view, response=response)
    assert 125 <= crop.shape[0] <= 140
    assert 30 <= crop.shape[1] <= 110
    assert np.array_equal(crop, render_crop(body, view, response=response))


def test_views_and_cameras_change_the_crop() -> None:
    body = figure(random_people(1, 2)[1])
    neutral = CameraResponse()
    front = render_crop(body, CropView(0.0, 0.2, 100, stance="stand"), response=neutral)
    back = render_crop(body, CropView(np.pi, 0.2, 100, stance="stand"), response=neutral)
    other = render_crop(body, CropView(0.0, 0.2, 100, stance="stand"), response=CameraResponse(gains=(1.3, 1.0, 0.7)))
    width = min(front.shape[1], back.shape[1])
    assert np.abs(front[:, :width].astype(int) - back[:, :width]).mean() > 3
    assert other.mean(axis=(0, 1))[0] > front.mean(axis=(0, 1))[0]


@pytest.mark.parametrize("height", [8, 33, 600])
def test_tiny_and_huge_crops_are_drawn(height: int) -> None:
    body = figure(random_people(3, 1)[0])
    background = stream(2).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    crop = render_crop(body, CropView(1.0, 0.1, height), response=CameraResponse(), background=background)
    assert crop.shape[0] >= height
    assert crop.dtype == np.uint8


def test_a_crop_without_height_or_a_wrong_background_is_refused() -> None:
    body = figure(random_people(3, 1)[0])
    with pytest.raises(DataError, match="height_px is 0"):
        render_crop(body, CropView(1.0, 0.1, 0), response=CameraResponse())
    with pytest.raises(DataError, match="background"):
        render_crop(body, CropView(1.0, 0.1, 50), response=CameraResponse(), background=np.zeros((0, 4, 3), np.uint8))


def test_noise_is_the_camera_s() -> None:
    crop = np.full((60, 30, 3), 128, np.uint8)
    noisy = add_noise(crop, response=CameraResponse(noise=4.0), draw=stream(5))
    assert 3.5 < noisy.astype(float).std() < 4.5
    assert np.array_equal(add_noise(crop, response=CameraResponse(), draw=stream(5)), crop)
