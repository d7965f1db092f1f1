"""A snapshot holds those who have left, with the crops that are kept, and what operators and topology say of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hub.association.topology import Topology
from hub.corrections.acts import Merge, Reject, Split
from hub.corrections.desk import request_correction
from hub.crops import CropStore
from hub.reader import SiteReader
from hub.records import TrackletNumber
from hub.site_hub import Hub
from hub.snapshotting import fastest_s, measure_snapshot, take_snapshot
from passerby.adaptation import read_snapshot
from passerby.config import TransitSettings
from passerby.errors import NotEnoughDataError
from passerby.ids import CameraId
from tests.hub.people import DIMENSION, MODEL, Sender, at, seen


def jpeg(shade: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((40, 20, 3), shade, np.uint8))[1])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three people: two in the hall, one of them later in the yard, and one who is still there."""
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for number, (person, camera, begin) in enumerate([(1, "hall", 0), (2, "hall", 1), (1, "yard", 20)], start=1):
            crops = {1: jpeg(10 * number), 2: jpeg(10 * number + 5)}
            message = seen(
                person, camera, tracklet=number, begin_s=begin, end_s=begin + 4, final=True, crops=crops, noise=0.1
            )
            hub.ingest(sender.send(message), now_ns=at(begin + 5))
        hub.ingest(sender.send(seen(3, "yard", tracklet=9, begin_s=25, crops={1: jpeg(99)})), now_ns=at(30))
    return tmp_path


def take(data: Path, *, most_crops: int = 100) -> Path:
    folder = data / "taken"
    take_snapshot(data, folder, site="plaza", model_id=MODEL, dimension=DIMENSION, most_crops=most_crops, taken_at_ns=7)
    return folder


def test_it_holds_those_who_have_left(data: Path) -> None:
    snapshot = read_snapshot(take(data))
    assert snapshot.numbers.tolist() == [1, 2, 3]
    assert snapshot.cameras == ("hall", "yard")
    assert snapshot.camera_rows.tolist() == [0, 0, 1]
    assert snapshot.crop_tracklets.tolist() == [0, 0, 1, 1, 2, 2]
    assert snapshot.jpegs(range(6)) == [jpeg(shade) for shade in (10, 15, 20, 25, 30, 35)]
    with SiteReader(data) as reader:
        expected = [tracklet.embedding for tracklet in reader.tracklets()[:3]]
        identities = [tracklet.identity_id for tracklet in reader.tracklets()[:3]]
    assert np.allclose(snapshot.tracklet_embeddings(), expected, atol=1e-6)
    assert snapshot.identities.tolist() == identities


def test_it_is_as_large_as_was_said(data: Path) -> None:
    size = measure_snapshot(data, most_crops=100)
    assert (size.tracklets, size.crops, size.cameras) == (3, 6, ("hall", "yard"))
    assert size.jpeg_bytes == (take(data) / "crops.bin").stat().st_size


def test_the_latest_are_taken_where_there_are_too_many(data: Path) -> None:
    assert read_snapshot(take(data, most_crops=4)).numbers.tolist() == [2, 3]


def test_crops_of_another_model_have_no_embedding(data: Path) -> None:
    folder = data / "other"
    take_snapshot(data, folder, site="plaza", model_id="other@1", dimension=5, most_crops=9, taken_at_ns=7)
    assert np.isnan(read_snapshot(folder).embeddings).all()


def test_what_operators_say_is_in_it(data: Path) -> None:
    with SiteReader(data) as reader:
        first, second, later = [tracklet.identity_id for tracklet in reader.tracklets()[:3]]
    assert first == later != second
    assert first is not None
    assert second is not None
    request_correction(data, Reject(tracklet=TrackletNumber(2), identity=first))
    snapshot = read_snapshot(take(data))
    assert (snapshot.together.tolist(), snapshot.apart.tolist()) == ([], [[0, 1], [1, 2]])
    request_correction(data, Split(identity=first, tracklets=(TrackletNumber(3),)))
    with SiteReader(data) as reader:
        apart = reader.tracklets()[2].identity_id
    assert apart is not None
    request_correction(data, Merge(survivor=first, absorbed=apart))
    assert read_snapshot(take(data)).together.tolist() == [[0, 2]]


def test_whose_crops_have_gone_is_not_in_it(data: Path) -> None:
    with CropStore.open_for_writing(data) as store:
        store.erase([TrackletNumber(2)])
    assert read_snapshot(take(data)).numbers.tolist() == [1, 3]
    with CropStore.open_for_writing(data) as store:
        store.erase([TrackletNumber(1), TrackletNumber(3)])
    with pytest.raises(NotEnoughDataError, match="no crop"):
        take(data)


def test_how_fast_one_comes_is_counted_or_said() -> None:
    door, hall = CameraId("door"), CameraId("hall")
    topology = Topology()
    for camera in (door, hall):
        topology.know(camera)
    assert fastest_s(topology, door, hall) == 0.0
    for _ in range(30):
        topology.learn_appearance(door, hall, gap_s=11.0, seen_s=1.0, weight=1.0)
    assert fastest_s(topology, door, hall) == 8.0
    assert fastest_s(topology, hall, door) == 0.0
    topology.tell(TransitSettings(before=door, after=hall, transit=(20.0, 60.0)))
    assert fastest_s(topology, door, hall) == 20.0
