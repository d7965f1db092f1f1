"""Pictures of a run: the moment that shows most is chosen, and a person has one name and colour in all of them."""

from collections.abc import Sequence

import numpy as np
import pytest

from hub.export import CameraTracks
from passerby.cli.demonstrating.choosing import SeenPeople, best_looks, best_moment, identities_at, seen_people
from passerby.cli.demonstrating.drawing import NamedBox, Palette, camera_sheet, cut_out, draw_people, people_sheet
from passerby.ids import CameraId

A, B = CameraId("a"), CameraId("b")
FPS = {A: 10.0, B: 5.0}
TALL = (100.0, 50.0, 150.0, 200.0)

Row = tuple[int, int, tuple[float, float, float, float]]


def tracks(*rows: Row, interpolated: Sequence[bool] | None = None) -> CameraTracks:
    """(frame from 1, identity, box) each."""
    identities = np.array([row[1] for row in rows], np.int64)
    return CameraTracks(
        frame_numbers=np.array([row[0] for row in rows], np.int64),
        captured_at_ns=np.array([row[0] * 10**8 for row in rows], np.int64),
        tracklets=np.arange(1, len(rows) + 1),
        identities=identities,
        decided=identities,
        boxes_xyxy=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        confidence=np.full(len(rows), 0.9, np.float32),
        interpolated=np.array(interpolated if interpolated is not None else [False] * len(rows), np.bool_),
    )


def seen(*rows: Row, interpolated: Sequence[bool] | None = None) -> SeenPeople:
    return seen_people(tracks(*rows, interpolated=interpolated), size=(640, 360))


def moved(by: float) -> tuple[float, float, float, float]:
    return TALL[0] + by, TALL[1], TALL[2] + by, TALL[3]


def test_nobody_is_no_moment_and_no_look() -> None:
    nobody = {A: seen()}
    assert best_moment(nobody, fps=FPS, seconds=10.0) == 0.0
    assert best_moment({}, fps=FPS, seconds=0.0) == 0.0
    assert identities_at(nobody, fps=FPS, moment=0.0) == {}
    assert best_looks(nobody, most=3) == {}


def test_who_is_far_cut_off_hidden_or_guessed_is_not_clear() -> None:
    people = seen(
        (1, 1, TALL), (2, 1, (100, 50, 110, 80)), (3, 1, (0, 50, 50, 200)), (4, 1, TALL), (4, 2, moved(20)),
        (5, 1, TALL),
        interpolated=[False, False, False, False, False, True],
    )  # fmt: skip
    assert people.clear.tolist() == [True, False, False, False, False, False]
    assert people.frames.tolist() == [0, 1, 2, 3, 3, 4]


def test_a_person_with_two_boxes_in_a_frame_is_seen_once_and_nobody_is_nobody() -> None:
    people = seen((1, 7, TALL), (1, 7, moved(200)), (1, 0, moved(400)))
    assert people.identities.tolist() == [7]


def test_the_moment_shows_most_cameras_then_most_people_in_two() -> None:
    people = {
        A: seen((11, 1, TALL), (11, 2, moved(200)), (11, 3, moved(400)), (21, 1, TALL), (31, 1, TALL)),
        B: seen((11, 4, TALL), (16, 1, TALL)),  # at 2.0 s and 3.0 s
    }
    assert best_moment(people, fps=FPS, seconds=5.0) == pytest.approx(3.0)
    assert identities_at(people, fps=FPS, moment=3.0) == {1: [A, B]}
    assert identities_at(people, fps=FPS, moment=2.0) == {1: [A], 4: [B]}


def test_of_equal_moments_the_first_is_taken() -> None:
    assert best_moment({A: seen((11, 1, TALL), (21, 1, TALL))}, fps=FPS, seconds=5.0) == pytest.approx(1.0)


def test_the_best_look_is_the_largest_whole_one_and_people_of_one_camera_have_none() -> None:
    wide = (100.0, 50.0, 300.0, 250.0)
    people = {
        A: seen((1, 1, TALL), (2, 1, (100, 50, 170, 250)), (3, 1, wide), (4, 2, TALL)),
        B: seen((1, 1, TALL)),
    }
    assert best_looks(people, most=5) == {1: {A: 1, B: 0}}
    assert best_looks(people, most=0) == {}


def test_a_person_is_drawn_in_one_colour_everywhere() -> None:
    palette = Palette([5, 900])
    empty = np.zeros((360, 640, 3), np.uint8)
    drawn = draw_people(empty, [NamedBox(900, np.array(TALL, np.float32), twice=True)], palette=palette)
    assert drawn[120, 100].tolist() == list(palette.colour(900))
    assert not empty.any()
    assert palette.colour(900) == Palette([1, 900, 2]).colour(900) != palette.colour(5)
    assert np.array_equal(draw_people(empty, [], palette=palette), empty)


@pytest.mark.parametrize("box", [(0, 0, 20, 359), (600, 300, 700, 400), (-50, -50, 1000, 1000), (639, 359, 640, 360)])
def test_names_stay_within_the_picture(box: tuple[float, ...]) -> None:
    people = [NamedBox(10**6, np.array(box, np.float32)) for _ in range(3)]
    assert draw_people(np.zeros((360, 640, 3), np.uint8), people, palette=Palette([])).any()


def test_names_of_neighbours_do_not_hide_each_other() -> None:
    palette = Palette([1, 2])
    people = [NamedBox(1, np.array(TALL, np.float32)), NamedBox(2, np.array(moved(30), np.float32))]
    drawn = draw_people(np.zeros((360, 640, 3), np.uint8), people, palette=palette)
    above, below = drawn[26:49, 100:240], drawn[201:224, 130:240]
    assert (above == palette.colour(1)).all(axis=2).sum() > 500
    assert (below == palette.colour(2)).all(axis=2).sum() > 500


def test_sheets_hold_every_picture_and_line() -> None:
    pictures = {name: np.full((90, 160, 3), 7, np.uint8) for name in "abc"}
    sheet = camera_sheet(pictures, lines=[((1, 2, 3), "person 1 is in a and b")])
    assert (sheet == 7).all(axis=2).sum() >= 3 * 90 * 160
    assert (sheet == (1, 2, 3)).all(axis=2).any()
    crops = {4: {"a": np.full((50, 20, 3), 9, np.uint8), "b": np.full((10, 30, 3), 9, np.uint8)}, 5: {"b": sheet}}
    people = people_sheet(crops, palette=Palette([4, 5]))
    assert (people == 9).all(axis=2).sum() > 1000
    assert (people == Palette([4, 5]).colour(5)).all(axis=2).any()


def test_a_cut_out_ends_at_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    assert cut_out(image, np.array([-5, -5, 300, 300], np.float32)).shape == image.shape
    assert cut_out(image, np.array([50, 20, 70, 70], np.float32)).shape == (56, 32, 3)
