"""What pages ask the database, beside the same asked plainly."""

from pathlib import Path

import pytest

from hub.dashboard.gallery import PAGE, Filter, Gallery
from hub.reader import SiteReader
from passerby.errors import StoreError
from passerby.ids import CameraId, IdentityId
from tests.dashboard.site import hub_of
from tests.hub.people import Sender, at, seen

HALL, LOBBY = CameraId("hall"), CameraId("lobby")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy people, more than a page; every second one is seen by two cameras."""
    folder, sender, tracklet = tmp_path_factory.mktemp("many") / "data", Sender(), 0
    with hub_of(folder) as hub:
        for person in range(70):
            for camera in (HALL, LOBBY)[: 1 + person % 2]:
                tracklet += 1
                begin_s = 20.0 * person + (10.0 if camera == LOBBY else 0.0)
                update = seen(person, camera, tracklet=tracklet, begin_s=begin_s, end_s=begin_s + 3, final=True)
                hub.ingest(sender.send(update), now_ns=at(begin_s + 4))
    return folder


def test_pages_of_people_are_all_of_them_latest_first(data: Path) -> None:
    gallery = Gallery(data)
    first, total = gallery.people(Filter())
    second, _ = gallery.people(Filter(), page=1)
    with SiteReader(data) as reader:
        plainly = sorted(reader.summaries(), key=lambda one: (-one.last_seen_at_ns, one.identity.identity_id))
    assert total == len(plainly) == 70
    assert len(first) == PAGE
    assert [(c.identity_id, c.tracklets, c.first_ns, c.last_ns) for c in (*first, *second)] == [
        (s.identity.identity_id, s.tracklets, s.first_seen_at_ns, s.last_seen_at_ns) for s in plainly
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(text="7"), {7}),
        (Filter(text="person 7"), {7}),
        (Filter(text="100%_"), set()),
        (Filter(cameras=frozenset()), set()),
        (Filter(from_ns=at(100), to_ns=at(121)), {6, 7}),
        (Filter(cameras=frozenset({LOBBY}), to_ns=at(70)), {2, 4}),
    ],
)
def test_people_are_found_by_number_camera_and_time(data: Path, wanted: Filter, found: set[int]) -> None:
    cards, total = Gallery(data).people(wanted)
    assert {card.identity_id for card in cards} == found
    assert total == len(found)


def test_the_best_crop_of_each_camera_is_shown(data: Path) -> None:
    shots = Gallery(data).shots([IdentityId(1), IdentityId(2)])
    with SiteReader(data) as reader:
        for identity, mine in shots.items():
            best = {}
            for tracklet in reader.tracklets_of(identity):
                for one in reader.exemplars(tracklet.number):
                    key = (-one.quality, one.tracklet, one.crop_id)
                    best[tracklet.camera_id] = min(best.get(tracklet.camera_id, key), key)
            assert {s.camera_id: (s.tracklet, s.crop_id) for s in mine} == {c: k[1:] for c, k in best.items()}
    assert [
        shot.camera_id for shot in Gallery(data).shots([IdentityId(2)], cameras=frozenset({LOBBY}))[IdentityId(2)]
    ] == [LOBBY]


def test_bars_are_the_latest_sightings_of_a_span_in_order(data: Path) -> None:
    gallery = Gallery(data)
    with SiteReader(data) as reader:
        plainly = [t for t in reader.tracklets() if t.ended_at_ns >= at(100) and t.started_at_ns <= at(300)]
    plainly.sort(key=lambda t: t.started_at_ns)
    bars = gallery.bars(from_ns=at(100), to_ns=at(300), cameras=None, most=1000)
    assert [(b.number, b.camera_id, b.identity_id) for b in bars] == [
        (t.number, t.camera_id, t.identity_id) for t in plainly
    ]
    assert gallery.bars(from_ns=at(100), to_ns=at(300), cameras=None, most=3) == bars[-3:]
    assert gallery.span() == (at(0), at(20 * 69 + 13))


def test_nothing_is_known_where_no_hub_has_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="a hub makes it"):
        Gallery(tmp_path).people(Filter())
