"""Who is in a camera's picture now."""

from pathlib import Path

import pytest

from hub.present import present
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.ids import CameraId
from tests.hub.people import SECOND, START, Sender, at, seen

HALL = CameraId("hall")


def test_boxes_of_open_tracklets_come_with_who_that_is(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub, SiteReader(tmp_path) as reader:
        assert list(present(reader, HALL, now_ns=at(0))) == []
        hub.ingest(sender.send(seen(1, "door", tracklet=1, final=True), seen(2, tracklet=2)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, tracklet=3, begin_s=3, end_s=5)), now_ns=at(5))
        (one,) = present(reader, HALL, now_ns=at(5.5))
        assert one.box_xyxy == pytest.approx((10 / 640, 20 / 480, 60 / 640, 180 / 480))
        assert (one.tracklet, one.captured_at_ns) == (3, START + 5 * SECOND)
        assert (one.identity_id, one.name) == (1, None)
        assert one.probability is None or 0 < one.probability <= 1
        assert [person.tracklet for person in present(reader, HALL, now_ns=at(2.5))] == [2, 3]
        assert list(present(reader, HALL, now_ns=at(8))) == []
        assert list(present(reader, CameraId("door"), now_ns=at(2.5))) == [], "closed"
