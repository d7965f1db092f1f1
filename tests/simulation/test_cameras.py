"""Cameras: projection and its inverse, and colours of their own."""

import dataclasses

import numpy as np
import pytest

from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.building import make_plan
from simulation.cameras import CameraSpec, place_cameras, rooms_watched
from simulation.kinds import KINDS
from simulation.responses import CameraResponse, aligned, random_response
from simulation.streams import stream


def camera(**changes: float) -> CameraSpec:
    spec = CameraSpec(
        camera_id=CameraId("one"), room=0, position=(0.0, 0.0, 2.6), azimuth_rad=0.3, tilt_rad=0.35, roll_rad=0.02,
        focal_px=420.0, distortion=-0.08, width=640, height=360, fps=10.0,
    )  # fmt: skip
    return dataclasses.replace(spec, **changes)  # type: ignore[arg-type]


def test_a_point_is_where_its_ray_goes() -> None:
    spec = camera()
    rays = spec.rays()
    for row, column in ((5, 5), (180, 320), (350, 600), (100, 630)):
        point = np.asarray(spec.position) + 7.5 * rays[row, column]
        pixel, depth = spec.project(point)
        assert pixel[0] == pytest.approx((column + 0.5, row + 0.5), abs=0.02)
        assert depth[0] == pytest.approx(7.5, rel=1e-4)


def test_higher_points_are_higher_in_the_picture_and_farther_ones_too() -> None:
    spec = camera(roll_rad=0.0, azimuth_rad=0.0)
    pixels, depth = spec.project([(5, 0, 0), (5, 0, 1.7), (8, 0, 0)])
    assert pixels[1, 1] < pixels[0, 1]
    assert pixels[2, 1] < pixels[0, 1]
    assert depth[2] > depth[0]


def test_what_is_left_of_the_view_is_left_in_the_picture() -> None:
    pixels, _ = camera(roll_rad=0.0, azimuth_rad=0.0).project([(5, 1.0, 0), (5, -1.0, 0)])
    assert pixels[0, 0] < 320 < pixels[1, 0]


def test_points_behind_have_no_pixel() -> None:
    pixels, depth = camera().project([(-5, 0, 1), (0, 0, 2.6)])
    assert np.isnan(pixels).all()
    assert (depth <= 0.05).all()


def test_no_point_is_no_pixel() -> None:
    pixels, depth = camera().project(np.zeros((0, 3)))
    assert pixels.shape == (0, 2)
    assert depth.shape == (0,)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 33])
@pytest.mark.parametrize("kind", KINDS)
def test_as_many_cameras_as_wanted_each_with_another_name(count: int, kind: str) -> None:
    settings = KINDS[kind]  # type: ignore[index]
    watched, sharing = rooms_watched(count, settings)
    assert watched + len(sharing) == count
    specs = place_cameras(5, make_plan(5, watched), kind=settings, count=count)
    assert len({spec.camera_id for spec in specs}) == count
    assert len({spec.room for spec in specs}) == watched


def test_overlapping_sites_have_two_cameras_in_a_room() -> None:
    plan = make_plan(5, 4)
    rooms = [spec.room for spec in place_cameras(5, plan, kind=KINDS["overlapping"], count=8)]
    assert len(set(rooms)) == 4


def test_too_small_a_plan_is_refused() -> None:
    with pytest.raises(ConfigError, match="need 100 rooms"):
        place_cameras(1, make_plan(1, 2), kind=dataclasses.replace(KINDS["default"], overlap_share=0.0), count=100)


def test_the_neutral_response_changes_nothing() -> None:
    picture = stream(1, "picture").integers(0, 256, (40, 50, 3), dtype=np.uint8)
    neutral = CameraResponse()
    assert np.array_equal(neutral.optics(neutral.colours(picture)), picture)


def test_responses_differ_and_no_spread_makes_colours_alike() -> None:
    grey = np.full((16, 16, 3), 128, np.uint8)
    colours = [random_response(stream(1, k)).colours(grey)[0, 0] for k in range(12)]
    assert np.ptp(np.array(colours, int), axis=0).min() > 30
    alike = [random_response(stream(1, k), spread=0.0).colours(grey)[0, 0] for k in range(3)]
    assert np.ptp(np.array(alike, int), axis=0).max() == 0


def test_parts_lie_on_the_compression_grid_inside_the_picture() -> None:
    assert aligned((37, 100, 50, 120), width=640, height=360) == (32, 96, 64, 128)
    assert aligned((-9, -9, 700, 400), width=640, height=360)[2:] == (640, 360)
    assert min(aligned((2, 3, 9, 9), width=640, height=360)) == 0
