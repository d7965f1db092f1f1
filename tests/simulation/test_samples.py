"""Labelled pictures of a site: which frames, whom to find in them, and how people are cut out."""

import numpy as np
import pytest

from passerby.arrays import Float32Array
from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.samples import is_asked_for, person_crops, sampled_frames
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth, RenderedFrame


def truth(boxes: list[list[float]], visibility: list[float]) -> FrameTruth:
    array: Float32Array = np.array(boxes, np.float32).reshape(-1, 4)
    return FrameTruth(
        camera_id=CameraId("hall"),
        frame_index=0,
        time_s=0.0,
        person_ids=np.arange(1, len(array) + 1),
        boxes_xyxy=array,
        full_boxes_xyxy=array,
        visibility=np.array(visibility, np.float32),
        floor_xy=np.zeros((len(array), 2), np.float32),
    )


def test_frames_are_the_same_for_the_same_seed_in_order_of_time_and_mostly_show_somebody() -> None:
    site = SimulatedSite.make(seed=5, cameras=1, people=6)
    first = [(camera, frame) for camera, frame in sampled_frames(site, frames_per_camera=8, seconds=120, seed=1)]
    again = list(sampled_frames(site, frames_per_camera=8, seconds=120, seed=1))
    assert [camera for camera, _ in first] == [0] * 8
    assert [frame.truth.frame_index for _, frame in first] == [frame.truth.frame_index for _, frame in again]
    assert sorted(frame.truth.frame_index for _, frame in first) == [frame.truth.frame_index for _, frame in first]
    np.testing.assert_array_equal(first[0][1].image, again[0][1].image)
    assert sum(len(frame.truth) > 0 for _, frame in first) >= 4


def test_too_short_a_time_is_refused() -> None:
    site = SimulatedSite.make(seed=5, cameras=1, people=2)
    with pytest.raises(ConfigError, match="too short for 100 frames"):
        next(sampled_frames(site, frames_per_camera=100, seconds=10, seed=1))


def test_the_hidden_and_the_tiny_are_not_asked_for() -> None:
    people = truth([[0, 0, 20, 60], [0, 0, 20, 60], [0, 0, 9, 27]], [1.0, 0.29, 1.0])
    assert is_asked_for(people, frame_height=360).tolist() == [True, False, False]
    assert is_asked_for(people, frame_height=180).tolist() == [True, False, True]
    assert is_asked_for(truth([], []), frame_height=360).shape == (0,)


def test_people_are_cut_out_by_nearly_their_boxes() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    people = truth([[100, 100, 160, 260], [300, 0, 340, 40], [0, 0, 60, 160]], [1.0, 1.0, 0.4])
    crops = person_crops(RenderedFrame(image, people), draw=np.random.default_rng(0))
    assert [crop.person_id for crop in crops] == [1]
    assert crops[0].image.shape[0] == pytest.approx(160, abs=25)
    assert crops[0].image.shape[1] == pytest.approx(60, abs=10)


def test_crops_stay_in_the_picture() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    people = truth([[600, 200, 640, 360]] * 50, [1.0] * 50)
    for crop in person_crops(RenderedFrame(image, people), draw=np.random.default_rng(0)):
        assert crop.image.size > 0
