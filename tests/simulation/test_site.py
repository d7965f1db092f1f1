"""Frames: the same bytes at any order, and a truth that the pixels confirm."""

import numpy as np
import pytest

from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.bodies.sprites import SpriteBook
from simulation.composing import CameraView
from simulation.live import CameraPictures, DrawnFrames
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth
from simulation.world import PersonState
from tests.simulation.small_sites import small_site


@pytest.fixture(scope="module")
def site() -> SimulatedSite:
    return small_site()


@pytest.fixture(scope="module")
def view(site: SimulatedSite) -> CameraView:
    return CameraView(site.seed, site.plan, site.spec(site.camera_ids[0]), book=SpriteBook())


def busy_frame(site: SimulatedSite, *, least: int = 1) -> tuple[int, FrameTruth]:
    camera = site.camera_ids[0]
    for frame in range(0, 3000, 40):
        truth = site.render(camera, frame).truth
        if (truth.visibility > 0.95).sum() >= least:
            return frame, truth
    raise AssertionError("nobody came")


def test_the_same_frame_has_the_same_bytes_at_any_order(site: SimulatedSite) -> None:
    again = small_site()
    frames = [(camera, frame) for camera in site.camera_ids for frame in (0, 700, 33, 34)]
    forward = {key: site.render(*key) for key in frames}
    for key in reversed(frames):
        other = again.render(*key)
        assert np.array_equal(other.image, forward[key].image)
        assert np.array_equal(other.truth.full_boxes_xyxy, forward[key].truth.full_boxes_xyxy)
        assert np.array_equal(other.truth.visibility, forward[key].truth.visibility)


def test_a_picture_is_a_picture(site: SimulatedSite) -> None:
    image = site.render(site.camera_ids[1], 5).image
    assert image.shape == (180, 320, 3)
    assert image.dtype == np.uint8
    assert image.std() > 8


def test_noise_changes_from_frame_to_frame(site: SimulatedSite) -> None:
    camera = site.camera_ids[0]
    assert not np.array_equal(site.render(camera, 10).image, site.render(camera, 11).image)


def test_taking_a_person_away_changes_pixels_of_its_box(site: SimulatedSite, view: CameraView) -> None:
    frame, truth = busy_frame(site)
    row = int(np.argmax(truth.visibility))
    who = int(truth.person_ids[row])
    states = site.people_at(frame / 10)
    with_all = view.render(frame, states).image.astype(int)
    without = view.render(frame, [s for s in states if s.person.person_id != who]).image.astype(int)
    changed = np.abs(with_all - without).max(axis=2) > 24
    x0, y0, x1, y1 = truth.boxes_xyxy[row].astype(int)
    inside = changed[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2].sum()
    assert inside > 0.25 * (x1 - x0) * (y1 - y0)
    # Outside there are a shadow, blur and compression.
    assert inside > 0.85 * changed.sum()


def test_boxes_are_tight(site: SimulatedSite, view: CameraView) -> None:
    frame, truth = busy_frame(site)
    row = int(np.argmax(truth.visibility))
    who = int(truth.person_ids[row])
    alone = [s for s in site.people_at(frame / 10) if s.person.person_id == who]
    changed = np.abs(view.render(frame, alone).image.astype(int) - view.render(frame, []).image).max(axis=2) > 30
    x0, y0, x1, y1 = truth.boxes_xyxy[row].astype(int)
    rows, columns = np.nonzero(changed[y0:y1, x0:x1])
    assert rows.min() < 0.12 * (y1 - y0) + 2
    assert columns.max() - columns.min() > 0.6 * (x1 - x0)


def test_feet_stand_at_the_bottom_of_the_box(site: SimulatedSite) -> None:
    _, truth = busy_frame(site)
    spec = site.spec(truth.camera_id)
    feet, _ = spec.project(np.column_stack([truth.floor_xy, np.zeros(len(truth))]))
    for box, foot in zip(truth.full_boxes_xyxy, feet, strict=True):
        assert box[0] - 3 <= foot[0] <= box[2] + 3
        assert foot[1] == pytest.approx(float(box[3]), abs=float(0.14 * (box[3] - box[1]) + 2))


def test_who_stands_before_another_hides_it(site: SimulatedSite, view: CameraView) -> None:
    frame, truth = busy_frame(site)
    row = int(np.argmax(truth.visibility))
    state = next(s for s in site.people_at(frame / 10) if s.person.person_id == truth.person_ids[row])
    camera = np.asarray(site.spec(truth.camera_id).position[:2])
    place = np.array([state.x, state.y])
    nearer = place + 0.7 * (camera - place) / np.linalg.norm(camera - place)
    other = next(p for p in site.people if p.person_id != state.person.person_id)
    blocker = PersonState(other, float(nearer[0]), float(nearer[1]), state.heading_rad, 0.0, "stand", False)
    told = view.render(frame, [state, blocker]).truth
    visible = dict(zip(told.person_ids.tolist(), told.visibility.tolist(), strict=True))
    assert visible.get(state.person.person_id, 0.0) < 0.6
    assert visible[other.person_id] > 0.9
    alone = view.render(frame, [state]).truth
    assert alone.visibility[0] > 0.9


def test_who_is_behind_a_wall_is_not_told_of(site: SimulatedSite, view: CameraView) -> None:
    spec = site.spec(site.camera_ids[0])
    ahead = spec.axes()[2]
    x, y = spec.position[0] + 60 * ahead[0], spec.position[1] + 60 * ahead[1]
    hidden = PersonState(site.people[0], float(x), float(y), 0.0, 0.0, "stand", False)
    behind = PersonState(site.people[1], spec.position[0] - 3 * ahead[0], spec.position[1], 0.0, 0.0, "stand", False)
    assert len(view.render(0, [hidden, behind]).truth) == 0


def test_nobody_gives_an_empty_truth(view: CameraView) -> None:
    truth = view.render(3, []).truth
    assert len(truth) == 0
    assert truth.boxes_xyxy.shape == (0, 4)
    assert truth.floor_xy.shape == (0, 2)


def test_boxes_are_cut_to_the_picture(site: SimulatedSite) -> None:
    for frame in range(0, 600, 50):
        truth = site.render(site.camera_ids[0], frame).truth
        assert (truth.boxes_xyxy >= 0).all()
        assert (truth.boxes_xyxy[:, [0, 2]] <= 320).all()
        assert (truth.boxes_xyxy[:, [1, 3]] <= 180).all()
        assert ((truth.visibility > 0) & (truth.visibility <= 1)).all()


def test_a_camera_is_a_source_of_pictures(site: SimulatedSite) -> None:
    source = CameraPictures((320, 180), 10.0, DrawnFrames(site, site.camera_ids[1]))
    assert np.array_equal(source.picture(4), site.render(site.camera_ids[1], 4).image)
    assert source.truths[4].frame_index == 4


@pytest.mark.parametrize("seed", [0, -5, 10**30])
def test_any_integer_is_a_site(seed: int) -> None:
    other = small_site(seed=seed, cameras=1, people=3)
    assert other.render(other.camera_ids[0], 100).image.shape == (180, 320, 3)


def test_one_more_camera_changes_no_person() -> None:
    assert small_site(cameras=2).people == small_site(cameras=9).people


def test_light_changes_over_the_day(site: SimulatedSite) -> None:
    camera = site.camera_ids[1]
    means = [float(site.render(camera, frame).image.mean()) for frame in range(0, 18_000, 2250)]
    assert np.ptp(means) > 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "castle"}, "no kind of site is called 'castle'"),
        ({"cameras": 0}, "0 cameras"),
        ({"people": -1}, "-1 people"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SimulatedSite.make(seed=1, **arguments)  # type: ignore[arg-type]


def test_an_unknown_camera_is_refused(site: SimulatedSite) -> None:
    with pytest.raises(ConfigError, match="no camera 'roof'"):
        site.render(CameraId("roof"), 0)
